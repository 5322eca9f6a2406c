"""What people do to releases, by command, by hand and by force, and how the loop answers."""

import re

import pytest

from gitwf import wiring
from gitwf.delivery import action, verbs
from gitwf.errors import Rejected, Stalled
from gitwf.service import reconcile
from gitwf.testing import git_repository, memory_git
from gitwf.wiring import settings as all_settings
from tests.e2e import conftest as toys

PRODUCTION = "models/toy/production.yaml"
PIPELINE = "pipelines/toy/pipeline.yaml"
MANUAL = toys.PIPELINE.replace("manifests: /manifests/viewer", "manifests: /m, promote: manual")


def promote(version):
    return lambda view, seen: verbs.promote(view, "production", version, seen, "ann")


def hold(view, seen):
    return verbs.hold(view, "production", seen, "ann", "the fair is on")


def unhold(view, seen):
    return verbs.unhold(view, "production", seen, "ann")


def reject(version):
    return lambda view, seen: verbs.reject(view, version, seen, "ann", "it is biased")


def rollback(view, seen):
    return verbs.rollback(view, "production", seen, "ann")


def reports(outcome):
    return [one for one in outcome.reports if one.environment == "production"]


def reasons(outcome):
    return [one.reason for one in reports(outcome)]


def test_a_version_waits_for_the_person_who_promotes_it(world):
    world.commit({PIPELINE: MANUAL.encode()})

    waiting = world.reconcile()

    (report,) = reports(waiting)
    assert report.state is action.State.HELD
    assert report.hint == "gitwf promote toy@1 --in production"
    assert world.served() is None
    world.asks(promote(1))
    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v1"


def test_a_promotion_by_a_person_sticks_until_there_is_new_code(two):
    two.asks(promote(1))

    assert two.reconcile().verdict is reconcile.Verdict.IN_SYNC

    assert two.served() == "toy-v1"
    assert len(two.engine.orders) == 2
    two.push(0.18)
    two.reconcile()
    assert two.served() == "toy-v3"


def test_a_rollback_by_a_person_goes_to_the_last_good_version_and_sticks(two):
    two.asks(rollback)

    two.reconcile()
    two.reconcile()

    assert two.served() == "toy-v1"


def test_a_hold_bars_every_promotion_until_it_is_let_go(two):
    two.asks(hold)
    two.push(0.18)

    held = two.reconcile()

    why = "version 3 is not promoted: a person holds this environment (the fair is on)"
    assert why in reasons(held)
    assert two.served() == "toy-v2"
    with pytest.raises(Stalled, match="is held"):
        two.asks(promote(1))
    two.asks(unhold)
    two.reconcile()
    assert two.served() == "toy-v3"


def test_a_rejected_version_is_not_chosen_again_and_the_next_one_is(two):
    two.asks(reject(1))
    two.push(0.2)

    outcome = two.reconcile()

    assert "version 1 is not promoted: it was rejected" in reasons(outcome)
    assert two.served() == "toy-v2"
    assert len(two.engine.orders) == 2
    two.push(0.18)
    two.reconcile()
    assert two.served() == "toy-v3"


def named(world, version):
    """The lines that name a version, as the release commit of it wrote them."""
    for snapshot in world.remote.snapshots.values():
        text = snapshot.files.get(PRODUCTION, b"").decode()
        if f"version: {version}\n" in text:
            return dict(re.findall(r"^  (version|uri|digest): (.*)$", text, re.MULTILINE))
    raise AssertionError(f"version {version} was never named")


def by_hand(world, **changes):
    """A person changes these fields of production's release file."""
    text = world.file()
    for name, value in changes.items():
        text = re.sub(rf"^  {name}: .*$", f"  {name}: {value}", text, flags=re.MULTILINE)
    assert text != world.file()
    return world.commit({PRODUCTION: text.encode()})


def test_a_hand_edit_is_a_release(two):
    by_hand(two, **named(two, 1))

    assert two.reconcile().verdict is reconcile.Verdict.IN_SYNC

    assert two.served() == "toy-v1"
    mirrors = [body for path, body in two.facts().items() if path.startswith("releases/")]
    assert [one["version"] for one in mirrors if one["kind"] == "person"] == [1]


@pytest.mark.parametrize(
    ("field", "lie"),
    [
        ("digest", "sha256:" + "0" * 64),
        ("uri", "memory:toy/elsewhere.json"),
        ("version", "1"),
        ("version", "7"),
    ],
)
def test_a_hand_edit_that_disagrees_with_the_ledger_is_refused(two, field, lie):
    applied = len(two.target().applied)
    head = by_hand(two, **{field: lie})

    outcome = two.reconcile()

    assert action.State.STALLED in [one.state for one in reports(outcome)]
    assert outcome.verdict is reconcile.Verdict.FAILED
    assert two.served() == "toy-v2"
    assert len(two.target().applied) == applied
    assert two.remote.branches["main"] == head


def test_a_release_revert_sticks_for_its_request(two):
    release = two.remote.branches["main"]
    before = two.remote.snapshot(release).commit.parents[0]
    two.commit({PRODUCTION: two.remote.snapshot(before).files[PRODUCTION]})

    two.reconcile()
    two.reconcile()

    assert two.served() == "toy-v1"


def test_an_undo_by_force_push_is_served_and_sticks(two):
    release = two.remote.branches["main"]
    two.remote.force(two.remote.snapshot(release).commit.parents[0])

    assert two.reconcile().verdict is reconcile.Verdict.IN_SYNC
    again = two.reconcile()

    assert two.served() == "toy-v1"
    assert "serves version 1" in reasons(again)


def test_a_force_push_is_noticed_and_said(tmp_path):
    remote = git_repository.Repository.create(tmp_path / "shop.git")
    first = remote.commit({"a": b"1"})
    second = remote.commit({"a": b"2"})
    chosen = all_settings.Settings(remote=str(remote.path), state=str(tmp_path / "state"))
    heard = []
    opened = wiring.repository(chosen, listener=heard.append)
    repo = wiring.edge(chosen, opened, listener=heard.append).repo
    assert repo.head() == second
    remote.force(first)

    assert repo.head() == first

    (said,) = heard
    assert said.level == "warning"
    assert f"was force-pushed: {second[:8]} is gone from it, it is now at {first[:8]}" in said.text


def test_a_lost_ledger_is_given_up_by_whoever_takes_its_stamps_out(two):
    del two.remote.branches[memory_git.LEDGER]
    two.push(0.18)
    assert two.reconcile().verdict is reconcile.Verdict.FAILED
    kept = [line for line in two.file().splitlines(keepends=True) if "  ledger: " not in line]
    two.commit({PRODUCTION: "".join(kept).encode()})

    two.reconcile()

    assert two.served() == "toy-v3"
    assert two.entries("versions/") == ["versions/toy/3.json"]


def test_who_asks_of_a_pipeline_that_cannot_be_read_is_told_why(two):
    two.commit({"pipelines/toy/pipeline.yaml": b"spec: 3\n"})

    with pytest.raises(Rejected, match=r"pipelines/toy/pipeline\.yaml:1:"):
        two.asks(lambda view, seen: verbs.promote(view, "production", 1, seen, "ada"))
