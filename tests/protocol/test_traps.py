"""Each trap of the protocol: the shortest schedule that breaks a looser rule, and the answer.

Every test drives the real decisions through the schedule and asserts the law. Where a rule can be
taken away, the test takes it away and shows that the same schedule then breaks: a test that could
not fail would prove nothing. The tags are those of docs/protocol.md.
"""

import dataclasses

import protocol_laws as laws
import protocol_steps as steps
import protocol_world as world
import pytest
from protocol_steps import act, begin, kill, observe, person, settle, until
from protocol_world import MODEL, NOW, Universe

from gitwf.delivery import (
    action,
    claiming,
    entry,
    facts,
    gates,
    plan,
    promotion,
    release,
    supersede,
    trail,
    writing,
)
from gitwf.delivery.serving import RolloutState
from gitwf.values import CommitId

PATH = release.path(MODEL, "prod")


def names(universe, state, environment="prod"):
    """The version that an environment's release file names at the head."""
    return laws.named(universe.commits[state.head], release.path(MODEL, environment))


def planned(universe, state, index=0):
    proc = observe(universe, state, index).procs[index]
    return universe.plan(proc, index, {}).actions


def both_claim(universe):
    state = begin(universe)
    state = observe(universe, observe(universe, state, 0), 1)
    state = steps.one_pass(universe, act(universe, state, 0), 0)
    return steps.run(universe, steps.run(universe, act(universe, state, 1), 1), 0)


def test_f1_two_plan_a_claim_and_one_run_is_started():
    universe = Universe()

    state = both_claim(universe)

    assert len(state.starts) == 1
    laws.moment(universe, state)
    laws.rest(universe, state)


def test_f1_a_loser_that_applies_its_claim_again_trains_twice(monkeypatch):
    def insistent(draft, at_least):
        def decide(known):
            attempt = len(known.claims(draft.model, draft.key)) + 1
            made = dataclasses.replace(draft, attempt=attempt, version=attempt)
            return facts.adding(known, made, entry.Version(draft.model, attempt, draft.key))

        return decide

    monkeypatch.setattr(claiming, "claim", insistent)
    universe = Universe()

    state = both_claim(universe)

    assert len(state.starts) == 2


def two_keys(universe):
    state = observe(universe, begin(universe), 0)
    state = observe(universe, person(universe, state, "push", "B"), 1)
    return act(universe, act(universe, state, 0), 1)


def test_f1b_two_keys_get_two_numbers():
    universe = Universe()

    state = two_keys(universe)

    assert list(universe.ledgers[state.ledger].versions(MODEL)) == [2, 1]
    laws.moment(universe, state)


def test_f1b_a_number_chosen_before_the_tip_is_read_goes_to_two_keys(monkeypatch):
    monkeypatch.setattr(
        claiming, "claim", lambda draft, at_least: lambda known: facts.adding(known, draft)
    )
    universe = Universe()

    known = universe.ledgers[two_keys(universe).ledger]

    assert [known.claims(MODEL, key)[0].version for key in known.keys(MODEL)] == [1, 1]


def claimed_and_killed(universe):
    state = act(universe, observe(universe, begin(universe), 0), 0)
    return kill(state, 0)


def test_f2_a_claim_whose_owner_was_killed_is_taken_over():
    universe = Universe()

    state = settle(universe, claimed_and_killed(universe))

    laws.rest(universe, state)
    assert names(universe, state) == 1


def test_f2_without_takeover_it_is_never_trained(monkeypatch):
    monkeypatch.setattr(steps, "gone", lambda *_: {})
    universe = Universe()

    with pytest.raises(AssertionError, match="never trained"):
        laws.rest(universe, settle(universe, claimed_and_killed(universe)))


def test_f3_a_kill_before_or_after_the_release_commit_loses_no_promotion():
    universe = Universe()
    planned_only = kill(until(universe, begin(universe), action.Publish), 0)
    released = kill(until(universe, begin(universe), action.Mirror), 0)

    for state in (planned_only, released):
        end = settle(universe, state)

        laws.rest(universe, end)
        assert names(universe, end) == 1


def test_f3_a_promotion_written_down_before_its_commit_is_lost_for_ever():
    universe = Universe()
    state = until(universe, begin(universe), action.Publish)
    request = universe.request(state.head).commit
    early = entry.Released(MODEL, "prod", CommitId("e" * 40), request, 1, "promote", "gitwf", NOW)
    state = steps.append(universe, state, promotion.once(early))

    assert names(universe, settle(universe, kill(state, 0))) is None


def released_killed_reverted(universe):
    state = steps.run(universe, begin(universe))
    state = person(universe, state, "push", "B")
    state = kill(until(universe, state, action.Mirror), 0)
    assert names(universe, state) == 2
    return person(universe, state, "revert-release")


def test_f4_a_release_that_was_reverted_before_it_was_noted_is_not_made_again():
    universe = Universe()

    state = settle(universe, released_killed_reverted(universe))

    assert names(universe, state) == 1
    laws.history(universe, state.head)
    laws.rest(universe, state)


def test_f4_when_only_the_ledger_counts_it_is_released_again(monkeypatch):
    monkeypatch.setattr(trail.Trail, "named_since", lambda *_: frozenset())
    monkeypatch.setattr(trail.Trail, "withdrawn", lambda *_: False)
    universe = Universe()
    state = released_killed_reverted(universe)
    # A mirror that is written late does not know of the commit that was reverted.
    monkeypatch.setattr(facts.Facts, "releases", lambda *_: ())

    state = settle(universe, state)

    assert names(universe, state) == 2


def code_reverted(universe):
    state = steps.run(universe, begin(universe))
    state = steps.run(universe, person(universe, state, "push", "B"))
    return steps.run(universe, person(universe, state, "push", "A"))


def test_f5_a_code_revert_serves_the_old_version_untrained():
    universe = Universe()

    state = code_reverted(universe)

    assert names(universe, state) == 1
    assert len(state.starts) == 2
    laws.history(universe, state.head)
    laws.rest(universe, state)


def test_f5_at_most_once_ever_forbids_a_code_revert(monkeypatch):
    monkeypatch.setattr(
        trail.Trail, "named_since", lambda self, _: {one.version for one in self.changes}
    )
    universe = Universe()

    state = code_reverted(universe)

    assert names(universe, state) == 2
    with pytest.raises(AssertionError, match="unreleased"):
        laws.rest(universe, state)


def planned_then(universe, *event):
    """A release of version 2 is planned; a person does something; the plan is carried out."""
    state = steps.run(universe, begin(universe))
    state = person(universe, state, "push", "B")
    state = observe(universe, until(universe, state, action.Publish), 0)
    state = person(universe, state, *event)
    return settle(universe, act(universe, state, 0))


@pytest.mark.parametrize("event", [("hold",), ("push", "C"), ("reject", "2")])
def test_f7_a_release_that_meets_a_hold_or_new_code_is_planned_anew(event):
    universe = Universe()

    state = planned_then(universe, *event)

    assert {"hold": 1, "push": 3, "reject": 1}[event[0]] == names(universe, state)
    laws.history(universe, state.head)
    laws.rest(universe, state)


def test_f7_a_loser_that_applies_its_release_again_breaks_a_hold(monkeypatch):
    monkeypatch.setattr(steps, "COMPARE_HEAD", False)
    universe = Universe()

    state = planned_then(universe, "hold")

    with pytest.raises(AssertionError, match="a person holds"):
        laws.history(universe, state.head)


def rollout_overtaken(universe):
    """p0 plans the rollout of version 1; p1 releases and applies version 2; p0 goes on."""
    state = until(universe, begin(universe), action.RollOut)
    state = observe(universe, state, 0)
    waiting = state.procs[0]
    state = steps.put(state, 0, world.Proc())
    state = person(universe, state, "push", "B")
    state = steps.run(universe, state, 1)
    assert state.targets[0].version == 2
    return act(universe, steps.put(state, 0, waiting), 0)


def test_f8_an_older_rollout_does_not_overwrite_a_newer_one():
    universe = Universe()

    state = rollout_overtaken(universe)

    assert state.targets[0].version == 2
    laws.moment(universe, state)


def test_f8_without_the_targets_revision_it_does(monkeypatch):
    monkeypatch.setattr(steps, "COMPARE_TARGET", False)
    universe = Universe()

    with pytest.raises(AssertionError, match="older release"):
        laws.moment(universe, rollout_overtaken(universe))


def read_apart(universe, *, target_first):
    """p0 reads in two halves; in between p1 releases and applies version 2."""
    early = until(universe, begin(universe), action.RollOut)
    late = person(universe, early, "push", "B")
    late = steps.run(universe, late, 1)
    first, second = (early, late) if target_first else (late, early)
    proc = early.procs[0]._replace(targets=first.targets)
    proc = steps.read(first, proc, second.head, second.ledger)
    return act(universe, steps.put(late, 0, proc), 0)


def test_f8b_the_target_is_read_before_the_branch():
    universe = Universe()

    state = read_apart(universe, target_first=True)

    assert state.targets[0].version == 2
    laws.moment(universe, state)


def test_f8b_a_target_that_is_read_after_the_branch_goes_back(monkeypatch):
    # The early head does not know the later release either: that alone must not save it.
    monkeypatch.setattr(Universe, "knows", lambda *_: True)
    universe = Universe()

    with pytest.raises(AssertionError, match="older release"):
        laws.moment(universe, read_apart(universe, target_first=False))


def test_f8b_a_target_that_serves_what_the_head_does_not_know_is_asked_about_again():
    universe = Universe()

    state = read_apart(universe, target_first=False)

    assert state.procs[0].reread
    assert state.targets[0].version == 2


def all_fails(universe):
    """Version 1 was good once; then 2 fails, and going back to 1 fails as well."""
    state = steps.run(universe, begin(universe))
    universe.bad = frozenset("AB")
    return settle(universe, person(universe, state, "push", "B"))


def test_f9_a_failed_rollback_is_left_to_a_person():
    universe = Universe()

    state = all_fails(universe)

    assert names(universe, state) == 1
    assert [one.kind for one in universe.trail(state.head, "prod").changes] == [
        "promote",
        "promote",
        "rollback",
    ]
    reports = [one for one in planned(universe, state) if isinstance(one, action.Report)]
    assert action.State.STALLED in {one.state for one in reports}
    laws.rest(universe, state)


def test_f9_when_rollbacks_are_rolled_back_they_go_on(monkeypatch):
    strict = trail.read

    def blind(states):
        changes = strict(states).changes
        return trail.Trail(
            tuple(
                dataclasses.replace(one, kind="promote") if one.kind == "rollback" else one
                for one in changes
            )
        )

    monkeypatch.setattr(trail, "read", blind)
    universe = Universe()

    state = all_fails(universe)

    assert len(universe.trail(state.head, "prod").changes) == 4
    assert names(universe, state) is None


def failed_then_good(universe):
    universe.bad = frozenset("B")
    state = steps.run(universe, begin(universe))
    state = steps.run(universe, person(universe, state, "push", "B"))
    assert names(universe, state) == 1
    return steps.run(universe, person(universe, state, "push", "C"))


def test_f10_after_a_failure_the_next_good_version_is_released():
    universe = Universe()

    state = failed_then_good(universe)

    assert names(universe, state) == 3
    laws.history(universe, state.head)
    laws.rest(universe, state)


def test_f10_a_total_hold_after_a_failure_blocks_the_good_version_too(monkeypatch):
    strict = writing.named

    def holding(source, naming):
        written = strict(source, naming)
        if not naming.holds:
            return written
        return writing.holding(written, naming.model, naming.environment, held=True)

    monkeypatch.setattr(writing, "named", holding)
    universe = Universe()

    assert names(universe, failed_then_good(universe)) == 1


RELATIVE = "current == nil || metrics.mape <= current.metrics.mape"


def test_f11_a_gate_relative_to_current_lets_the_code_revert_through():
    universe = Universe(gates=[RELATIVE], metrics={"A": {"mape": 0.2}, "B": {"mape": 0.1}})

    state = code_reverted(universe)

    assert names(universe, state) == 1
    laws.rest(universe, state)
    # Asked again, with version 2 as `current`, the same gate would refuse it.
    known = universe.ledgers[state.ledger]
    again = gates.judge(
        [RELATIVE], known.result_of(MODEL, 1), "prod", known.result_of(MODEL, 2), NOW
    )
    assert not again.passed


def withdrawn_then_wanted(universe):
    """A person goes back from version 2; later code C; then B's code once more."""
    state = steps.run(universe, begin(universe))
    state = steps.run(universe, person(universe, state, "push", "B"))
    state = steps.run(universe, person(universe, state, "revert-release"))
    assert names(universe, state) == 1
    state = steps.run(universe, person(universe, state, "push", "C"))
    return steps.run(universe, person(universe, state, "push", "B"))


def test_f12_a_withdrawn_version_does_not_come_back_through_later_code():
    universe = Universe()

    state = withdrawn_then_wanted(universe)

    assert names(universe, state) == 3
    laws.history(universe, state.head)
    laws.rest(universe, state)


def test_f12_a_rule_that_forgets_withdrawals_brings_it_back(monkeypatch):
    monkeypatch.setattr(trail.Trail, "withdrawn", lambda *_: False)
    universe = Universe()

    state = withdrawn_then_wanted(universe)

    with pytest.raises(AssertionError, match="withdrawn"):
        laws.history(universe, state.head)


def both_finish(universe):
    """p0 pauses with a finished run; p1 takes the claim over, finishes and releases; p0 wakes."""
    state = until(universe, begin(universe), action.Accept)
    state = observe(universe, state, 0)
    claim = universe.open_claims(state.ledger)[0]
    doubting = state.procs[1]._replace(suspects=frozenset({claim.nonce}))
    state = steps.put(state, 1, doubting)._replace(interruptions=1)
    state = steps.run(universe, state, 1)
    assert names(universe, state) == 1
    return act(universe, state, 0)


def test_f13_of_two_that_finish_one_result_is_recorded():
    universe = Universe()

    state = both_finish(universe)

    laws.moment(universe, state)
    laws.rest(universe, state)
    known = universe.ledgers[state.ledger]
    assert known.result_of(MODEL, 1).attempt == 2


def test_f13_when_any_owner_may_record_one_version_has_two_digests(monkeypatch):
    monkeypatch.setattr(claiming, "holds", lambda *_: True)
    monkeypatch.setattr(Universe, "absent", lambda *_: True)
    universe = Universe()

    with pytest.raises(AssertionError, match="other bytes"):
        laws.rest(universe, both_finish(universe))


def rejected_then_failed(universe):
    universe.bad = frozenset("C")
    state = steps.run(universe, begin(universe))
    state = steps.run(universe, person(universe, state, "push", "B"))
    state = person(universe, state, "reject", "2")
    return steps.run(universe, person(universe, state, "push", "C"))


def test_f14_a_rollback_passes_over_a_rejected_version():
    universe = Universe()

    state = rejected_then_failed(universe)

    assert names(universe, state) == 1
    laws.history(universe, state.head)


def test_f14_a_rollback_that_does_not_ask_restores_it(monkeypatch):
    monkeypatch.setattr(Universe, "rejected", lambda *_: frozenset())
    universe = Universe()

    state = rejected_then_failed(universe)

    with pytest.raises(AssertionError, match="was rejected"):
        laws.history(universe, state.head)


def superseded_watcher(universe):
    """p0 watches the rollout of version 1 with an old head; p1 applies version 2 over it."""
    universe.slow.add(1)
    state = until(universe, begin(universe), action.Watch)
    watching = state.procs[0]._replace(targets=state.targets)
    head, ledger = state.head, state.ledger
    state = steps.run(universe, person(universe, state, "push", "B"), 1)
    assert state.targets[0].version == 2
    state = steps.put(state, 0, steps.read(state, watching, head, ledger))
    state = act(universe, state, 0)
    return universe.ledgers[state.ledger].rollouts(MODEL, "prod")


def test_f15_the_watcher_of_a_superseded_rollout_reports_no_failure():
    universe = Universe()

    assert [(one.version, one.ok) for one in superseded_watcher(universe)] == [(2, True)]


def test_f15_a_watcher_that_takes_it_for_a_failure_bars_a_good_version(monkeypatch):
    monkeypatch.setattr(
        steps,
        "progress",
        lambda seen, now: (
            None
            if not seen.release
            else now.outcome
            if now.release == seen.release
            else RolloutState.FAILED
        ),
    )
    universe = Universe()

    found = {(one.version, one.ok) for one in superseded_watcher(universe)}

    assert (1, False) in found


def staging_changed_by_hand(universe):
    state = steps.run(universe, begin(universe))
    for letter in "BC":
        state = steps.run(universe, person(universe, state, "push", letter))
    assert (names(universe, state, "staging"), names(universe, state)) == (3, 3)
    return steps.run(universe, person(universe, state, "hand", "1", "staging"))


def chain():
    return Universe(environments=("staging", "prod"), promote={"prod": {"after": "staging"}})


def test_f16_production_does_not_follow_what_a_person_did_to_staging():
    universe = chain()

    state = staging_changed_by_hand(universe)

    assert (names(universe, state, "staging"), names(universe, state)) == (1, 3)


def test_f16_a_chain_that_follows_anybody_takes_production_back(monkeypatch):
    strict = trail.read
    monkeypatch.setattr(
        trail,
        "read",
        lambda states: trail.Trail(
            tuple(dataclasses.replace(one, kind="promote") for one in strict(states).changes)
        ),
    )
    universe = chain()

    assert names(universe, staging_changed_by_hand(universe)) == 1


def own_claim_seen_late(universe, *, remembers):
    """p0 records its result, then reads a ledger that lacks it."""
    state = until(universe, begin(universe), action.Accept)
    old = state.ledger
    state = steps.one_pass(universe, state)
    proc = state.procs[0]
    if not remembers:
        proc = proc._replace(finished=frozenset())
    proc = steps.read(state, proc._replace(targets=state.targets), state.head, old)
    return act(universe, steps.put(state, 0, proc), 0)


def test_f18_a_process_never_starts_again_what_it_has_run():
    universe = Universe()

    state = own_claim_seen_late(universe, remembers=True)

    assert len(state.starts) == 1
    laws.moment(universe, state)


def test_f18_one_that_trusts_a_stale_ledger_trains_twice():
    universe = Universe()

    with pytest.raises(AssertionError, match="started 2 times"):
        laws.moment(universe, own_claim_seen_late(universe, remembers=False))


def ledger_lost(universe):
    state = steps.run(universe, begin(universe))
    state = person(universe, state, "push", "B")
    return settle(universe, state._replace(ledger=""))


def test_f19_without_its_ledger_nothing_is_begun():
    universe = Universe()

    state = ledger_lost(universe)

    assert state.ledger == ""
    (report,) = planned(universe, state)
    assert action.State.STALLED is report.state


def test_f19_a_person_who_adopts_a_new_ledger_gets_new_numbers():
    universe = Universe()
    state = ledger_lost(universe)
    source = universe.commits[state.head].read(PATH)
    lines = [line for line in source.splitlines(keepends=True) if b" ledger:" not in line]
    adopted = universe.commit(state.head, {PATH: b"".join(lines)})

    state = settle(universe, steps.push(state, adopted))

    assert list(universe.ledgers[state.ledger].versions(MODEL)) == [2]
    assert names(universe, state) == 2


def test_f19_a_new_ledger_that_asks_nobody_starts_the_numbers_again(monkeypatch):
    monkeypatch.setattr(Universe, "contains", lambda *_: True)
    monkeypatch.setattr(trail.Trail, "highest", lambda _: 0)
    universe = Universe()

    state = ledger_lost(universe)

    assert list(universe.ledgers[state.ledger].versions(MODEL)) == [1]


def test_f20_an_older_version_applied_by_a_stale_read_across_a_force_push_heals():
    universe = Universe()
    one = steps.run(universe, begin(universe))
    two = steps.run(universe, person(universe, one, "push", "B"))
    state = steps.run(universe, two._replace(head=one.head))
    assert state.targets[0].version == 1
    proc = steps.read(state, state.procs[1]._replace(targets=state.targets), two.head, two.ledger)
    state = act(universe, steps.put(state, 1, proc), 1)
    assert state.targets[0].version == 2

    state = settle(universe, state)

    assert state.targets[0].version == 1
    laws.rest(universe, state)


def test_a_stream_of_pushes_starves_no_release():
    universe = Universe(most=1)

    state = steps.one_pass(
        universe, steps.until(universe, steps.let_finish(universe), action.Publish)
    )

    assert names(universe, state) == 2
    request = universe.stretches(state.head)[1].request.commit
    assert universe.trail(state.head, "prod").last.request == request
    state = settle(universe, state)
    assert names(universe, state) == 3
    laws.history(universe, state.head)
    laws.rest(universe, state)


def newer_released_first(universe):
    """p1 releases C, then D is pushed, and only then B's run comes to its end."""
    state = steps.let_finish(universe)
    state = steps.run(universe, state, 1)
    assert names(universe, state) == 3
    return steps.run(universe, person(universe, state, "push", "D"))


def test_f21_a_run_let_finish_never_overwrites_a_newer_release():
    universe = Universe(most=1)

    state = newer_released_first(universe)

    assert names(universe, state) == 4
    laws.history(universe, state.head)


def test_f21_one_that_asks_for_no_request_goes_back(monkeypatch):
    monkeypatch.setattr(supersede, "_since_released", lambda view, _: view.stretches())
    universe = Universe(most=1)

    state = newer_released_first(universe)

    with pytest.raises(AssertionError, match="overwrote a newer one's"):
        laws.history(universe, state.head)


@pytest.mark.parametrize("pushes", ["A", "AC", "CAC"])
def test_a_run_let_finish_is_not_released_once_the_code_went_back_past_it(pushes):
    universe = Universe(most=1)
    state = steps.let_finish(universe)
    for letter in pushes:
        state = person(universe, state, "push", letter)

    state = steps.run(universe, state)

    assert universe.ledgers[state.ledger].result_of(MODEL, 2) is not None
    assert 2 not in {one.version for one in universe.trail(state.head, "prod").changes}


def test_whoever_is_let_finish_is_barred_by_a_rejection():
    universe = Universe(most=1)
    state = person(universe, steps.let_finish(universe), "reject", "2")

    state = steps.run(universe, state)

    assert [one.version for one in universe.trail(state.head, "prod").changes] == [3]


def test_whoever_is_let_finish_is_barred_by_its_gates():
    metrics = {"B": {"mape": 0.9}, "C": {"mape": 0.1}}
    universe = Universe(most=1, gates=["metrics.mape < 0.5"], metrics=metrics)

    state = steps.run(universe, steps.let_finish(universe))

    assert [one.version for one in universe.trail(state.head, "prod").changes] == [3]


def test_an_undo_by_force_push_sticks():
    universe = Universe()
    state = steps.run(universe, begin(universe))
    state = steps.run(universe, person(universe, state, "push", "B"))
    before = universe.trail(state.head, "prod").last.commit

    state = settle(universe, state._replace(head=universe.commits[before].parent))

    assert names(universe, state) == 1


def test_a_hand_edit_that_disagrees_with_the_ledger_is_refused():
    universe = Universe()
    state = steps.run(universe, begin(universe))
    served = state.targets
    lie = {"digest": "sha256:" + "0" * 64}
    state = steps.edited(universe, state, "prod", lambda spec: spec.update(lie))

    state = settle(universe, state)

    assert served == state.targets
    assert action.State.STALLED in {
        one.state for one in planned(universe, state) if isinstance(one, action.Report)
    }


def test_a_deleted_release_file_leaves_the_environment_as_it_is():
    universe = Universe()
    state = steps.run(universe, begin(universe))
    served = state.targets
    state = steps.push(state, universe.commit(state.head, {PATH: None}))
    state = person(universe, state, "push", "B")

    state = settle(universe, state)

    assert served == state.targets
    assert names(universe, state) is None


def test_the_plan_is_a_function_of_what_was_read():
    universe = Universe()
    state = until(universe, begin(universe), action.Publish)
    proc = observe(universe, state, 0).procs[0]
    seen = universe.observe(proc, world.owner(0, 0), {})

    assert plan.plan(seen, NOW) == plan.plan(seen, NOW)
