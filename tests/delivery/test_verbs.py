"""What a person may do by command, what it leads to, and when it is refused."""

import protocol_laws as laws
import protocol_steps as steps
import pytest
from protocol_world import MODEL, NOW, Universe, owner

from gitwf.delivery import release, verbs
from gitwf.errors import Stalled

PATH = release.path(MODEL, "prod")


@pytest.fixture
def universe():
    return Universe()


@pytest.fixture
def state(universe):
    """Version 1 was released, then version 2."""
    first = steps.run(universe, steps.begin(universe))
    return steps.run(universe, steps.person(universe, first, "push", "B"))


def seen(universe, state):
    proc = steps.observe(universe, state, 0).procs[0]
    return universe.observe(proc, owner(0, 0), {})


def view(universe, state):
    return seen(universe, state).models[MODEL]


def done(universe, state, published):
    """The person's commit is pushed, and a process goes on from there."""
    assert published.expected == state.head
    head = universe.commit(state.head, dict(published.edits))
    universe.people.add(head)
    return steps.settle(universe, steps.push(state, head))


def named(universe, state):
    return laws.named(universe.commits[state.head], PATH)


def rollback(universe, state, version=None):
    return verbs.rollback(view(universe, state), "prod", seen(universe, state), "ann", version)


def promote(universe, state, version):
    return verbs.promote(view(universe, state), "prod", version, seen(universe, state), "ann")


def test_rollback_goes_to_the_last_good_version_and_sticks(universe, state):
    after = done(universe, state, rollback(universe, state))

    assert named(universe, after) == 1
    assert after.targets[0].version == 1
    assert universe.trail(after.head, "prod").last.who == "ann"
    assert universe.trail(after.head, "prod").withdrawn(2)


def test_promote_brings_back_what_was_withdrawn(universe, state):
    back = done(universe, state, rollback(universe, state))

    after = done(universe, back, promote(universe, back, 2))

    assert named(universe, after) == 2
    assert after.targets[0].version == 2


def test_a_promoted_version_that_fails_is_rolled_back_once(universe, state):
    back = done(universe, state, rollback(universe, state))
    universe.bad = frozenset("B")

    after = done(universe, back, promote(universe, back, 2))

    assert named(universe, after) == 1
    kinds = [one.kind for one in universe.trail(after.head, "prod").changes]
    assert kinds == ["promote", "promote", "person", "person", "rollback"]


def test_the_commit_says_what_it_is(universe, state):
    made = rollback(universe, state)

    assert made.message.startswith("Release m@1 to prod\n\nModel: m@1\nEnvironment: prod\nRun: ")
    assert "Source-Commit: " in made.message
    assert "Digest: sha256:" in made.message


def test_a_hold_bars_promotion_until_it_is_let_go(universe, state):
    held = done(
        universe,
        state,
        verbs.hold(view(universe, state), "prod", seen(universe, state), "ann", "fair week"),
    )
    later = steps.settle(universe, steps.person(universe, held, "push", "C"))
    let_go = verbs.unhold(view(universe, later), "prod", seen(universe, later), "ann")

    assert named(universe, later) == 2
    with pytest.raises(Stalled, match="is held"):
        promote(universe, later, 1)
    assert named(universe, done(universe, later, let_go)) == 3


def test_a_rejected_version_is_not_chosen_again(universe, state):
    asked = verbs.reject(view(universe, state), 1, seen(universe, state), "ann", "wrong data")
    after = done(universe, state, asked)

    with pytest.raises(Stalled, match="no earlier version that rolled out well"):
        rollback(universe, after)
    with pytest.raises(Stalled, match="rejected already"):
        verbs.reject(view(universe, after), 1, seen(universe, after), "ann", "")
    # A person's own choice beats the rejection.
    assert named(universe, done(universe, after, promote(universe, after, 1))) == 1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda v, s: verbs.promote(v, "prod", 9, s, "ann"), "m has no version 9 with a model"),
        (lambda v, s: verbs.promote(v, "prod", 2, s, "ann"), "prod names version 2 already"),
        (lambda v, s: verbs.promote(v, "test", 2, s, "ann"), "m is not deployed to test"),
        (lambda v, s: verbs.unhold(v, "prod", s, "ann"), "m in prod is not held"),
        (lambda v, s: verbs.reject(v, 9, s, "ann", ""), "m has no version 9"),
        (lambda v, s: verbs.retrain(v, "id", "ann", " ", NOW), "a retrain needs a reason"),
        (lambda v, s: verbs.retry(v, s, "ann", "", NOW), "HEAD's run of m succeeded"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(universe, state, ask, message):
    with pytest.raises(Stalled) as caught:
        ask(view(universe, state), seen(universe, state))

    assert caught.value.message == message


def test_before_anything_is_released_there_is_nothing_to_go_back_from(universe):
    state = steps.begin(universe)

    with pytest.raises(Stalled, match="names no version"):
        rollback(universe, state)


def test_a_retrain_trains_the_same_inputs_once_more(universe, state):
    asked = verbs.retrain(view(universe, state), "wish-1", "ann", "the database changed", NOW)
    wished = steps.append(universe, state, asked.decide)

    after = steps.settle(universe, wished)

    assert len(after.starts) == len(state.starts) + 1
    assert named(universe, after) == 3
    again = steps.settle(universe, steps.append(universe, after, asked.decide))
    assert again.ledger == after.ledger
