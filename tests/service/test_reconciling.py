"""State in, reconcile, state out: the loop on in-memory ports."""

import threading

import pytest

from gitwf import ports
from gitwf.delivery import action, plan
from gitwf.errors import Rejected, Stalled, Transient
from gitwf.service import reconcile, signals
from gitwf.testing import memory_git, memory_target
from gitwf.workflow import record
from tests.e2e import conftest as toys

PIPELINE = "pipelines/toy/pipeline.yaml"
FAILED = ports.Rollout(ports.RolloutState.FAILED, "it does not come up")


def states(outcome):
    return {(one.model, one.environment): one.state for one in outcome.reports}


def fails(*tags):
    return lambda desired: FAILED if desired.tag in tags else memory_target.comes_up(desired)


def test_a_commit_becomes_a_served_model(world):
    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v1"
    assert world.subjects()[0] == "Release toy@1 to production"


def test_a_second_reconcile_writes_nothing(world):
    world.reconcile()
    before = dict(world.remote.branches)

    world.reconcile()

    assert world.remote.branches == before


def test_a_run_that_ends_while_the_plan_is_made_is_not_left_behind(world, monkeypatch):
    over = threading.Event()

    def hear(signal):
        if isinstance(signal, signals.RunMoved) and signal.record.over:
            over.set()

    def late(observed, now):
        made = planned(observed, now)
        if observed.runs and not made.pending:
            world.engine.let_end()
            assert over.wait(20)
        return made

    planned = plan.plan
    monkeypatch.setattr(plan, "plan", late)
    world.engine.hanging = True

    world.reconcile(wait=False, listener=hear)

    assert world.served() == "toy-v1"


def test_a_claim_that_nobody_wants_any_more_is_given_up(world):
    def overtaken(branch):
        if branch == memory_git.LEDGER:
            world.remote.before_swap = lambda _: None
            world.push(0.1)

    world.remote.before_swap = overtaken

    world.reconcile()

    assert world.served() == "toy-v2"
    assert [order for order in world.engine.orders if order.endswith("-1")] == list(
        world.engine.orders
    )
    assert len(world.engine.orders) == 1
    assert any(path.endswith("ended-1.json") for path in world.entries("runs/"))


def test_a_failed_rollout_is_answered_by_one_commit(world):
    world.reconcile()
    world.target().outcome = fails("toy-v2")
    world.push(0.1)

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.FAILED
    assert world.served() == "toy-v1"
    assert world.subjects()[0] == "Roll toy in production back to version 1"
    assert "versions: [2]" in world.file()
    assert "version: 2" in world.file("models/toy/rejected.yaml")
    world.push(0.05)
    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v3"


def test_a_failed_rollback_waits_for_a_person(world):
    world.reconcile()
    world.target().outcome = lambda _: FAILED
    world.push(0.1)

    world.reconcile()
    head = world.remote.branches["main"]
    outcome = world.reconcile()

    assert world.remote.branches["main"] == head
    assert outcome.verdict is reconcile.Verdict.FAILED
    assert action.State.STALLED in states(outcome).values()


def test_a_first_release_that_fails_leaves_no_version_named(world):
    world.target().outcome = lambda _: FAILED

    world.reconcile()

    assert "version: null" in world.file()
    assert not [text for text in world.said if "None" in text]


def test_a_lost_ledger_stops_everything_and_heals_when_it_is_back(world):
    world.reconcile()
    ledger = world.remote.branches.pop(memory_git.LEDGER)
    world.push(0.1)

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.FAILED
    assert "push the lost gitwf/ledger back" in str(outcome.reports[0])
    assert "take `ledger:` out" in str(outcome.reports[0])
    world.remote.branches[memory_git.LEDGER] = ledger
    world.reconcile()
    assert world.served() == "toy-v2"


def test_a_removed_environment_is_reported_and_left(world):
    world.reconcile()
    world.commit(
        {
            PIPELINE: toys.PIPELINE.split("  deploy:")[0].encode(),
            "gitwf.yaml": toys.PROJECT.split("  environments:")[0].encode(),
        }
    )

    outcome = world.reconcile()

    assert states(outcome) == {("toy", "production"): action.State.HELD}
    assert world.served() == "toy-v1"


def test_a_removed_pipeline_is_reported_and_left(world):
    world.reconcile()
    world.commit({PIPELINE: None})

    outcome = world.reconcile()

    assert states(outcome) == {("toy", "production"): action.State.HELD}
    assert "gitwf down production --model toy" in str(outcome.reports[0])
    assert world.served() == "toy-v1"


def test_a_pipeline_that_cannot_be_read_is_not_called_removed(world):
    world.reconcile()
    world.commit({PIPELINE: b"kind: [\n"})

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.REJECTED
    assert outcome.reports == ()


def test_a_deleted_release_file_is_reported_and_left(world):
    world.reconcile()
    world.commit({"models/toy/production.yaml": None})
    head = world.push(0.1)

    outcome = world.reconcile()

    assert world.remote.branches["main"] == head
    assert states(outcome) == {("toy", "production"): action.State.HELD}
    assert world.served() == "toy-v1"


def test_a_retrain_trains_once_more_under_the_same_code(world):
    from gitwf.delivery import verbs
    from gitwf.service import asking

    world.reconcile()
    wish = asking.Asking(world.edge())
    wish.note("toy", lambda view, _, now: verbs.retrain(view, "w1", "ann", "new rows", now))

    world.reconcile()
    world.reconcile()

    assert world.served() == "toy-v2"
    assert len(world.engine.orders) == 2


def test_a_failed_step_waits_for_a_person_and_a_retry_trains_again(world):
    from gitwf.delivery import verbs
    from gitwf.service import asking

    world.engine.play = lambda _: (record.Phase.FAILED, "no luck")
    first, second = world.reconcile(), world.reconcile()
    assert [first.verdict, second.verdict] == [reconcile.Verdict.FAILED] * 2
    assert "gitwf retry toy" in str(second.reports[0])
    assert len(world.engine.orders) == 1
    world.engine.play = lambda _: (record.Phase.SUCCEEDED, "")
    wish = asking.Asking(world.edge())
    wish.note("toy", lambda view, seen, now: verbs.retry(view, seen, "ann", "", now))

    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC

    assert world.served() == "toy-v1"


def test_a_failed_run_is_told_by_its_step_and_the_command_for_its_log(world):
    step = record.NodeRecord(
        "toy-428", "toy[0].estimate", "estimate", record.NodeType.POD, record.Phase.FAILED,
        "main: Error (exit code 3)",
    )  # fmt: skip
    world.engine.nodes = {step.name: step}
    world.engine.written = [f"line {number}" for number in range(25)]
    world.engine.play = lambda _: (record.Phase.FAILED, "child 'toy-428' failed")

    outcome, again = world.reconcile(), world.reconcile()

    why = "step estimate failed: main: Error (exit code 3)"
    (run,) = world.engine.orders
    assert outcome.failures == [f"toy: {why}"]
    (ended,) = [body for path, body in world.facts().items() if path.endswith("ended-1.json")]
    assert ended["reason"] == why
    for one in (outcome, again):
        (report,) = [report for report in one.reports if report.state is action.State.FAILED]
        assert report.reason == f"version 1 failed: {why}"
        assert f"`gitwf logs {run} 'toy[0].estimate'`" in report.hint
    quoted = world.said.index("toy[0].estimate wrote at the end:")
    assert world.said[quoted + 1 : quoted + 21] == [f"  line {number}" for number in range(5, 25)]


def test_nobody_decides_from_a_lost_ledger(world):
    from gitwf.delivery import verbs
    from gitwf.service import asking, retrospect

    world.reconcile()
    del world.remote.branches[memory_git.LEDGER]

    with pytest.raises(Stalled, match="the ledger lacks"):
        asking.Asking(world.edge()).publish(
            "toy", lambda view, seen: verbs.promote(view, "production", 1, seen, "ann")
        )
    around = world.edge()
    with pytest.raises(Stalled, match="the ledger lacks"):
        retrospect.Retrospect(around.repo, around.ledger)


def test_an_empty_remote_names_init(world):
    del world.remote.branches["main"]

    with pytest.raises(Stalled, match="the remote in memory has no commit yet") as stalled:
        world.reconcile()

    assert "gitwf init" in stalled.value.hint


def test_a_branch_that_does_not_exist_is_named_beside_those_that_do(world):
    world.reconcile()
    head = world.remote.branches["main"]
    world.remote.branches.update({"mein": head, "release": head, "zebra": head})
    del world.remote.branches["main"]

    with pytest.raises(Stalled) as stalled:
        world.reconcile()

    assert stalled.value.message == (
        "branch 'main' does not exist on the remote in memory; it has: mein, release, zebra"
    )
    assert stalled.value.hint == "did you mean `mein`?"


def test_of_many_branches_only_the_first_are_named(world):
    head = world.remote.branches.pop("main")
    world.remote.branches.update({f"topic-{number:02}": head for number in range(30)})

    with pytest.raises(Stalled, match="topic-09, …") as stalled:
        world.reconcile()

    assert "--branch" in stalled.value.hint


def test_a_branch_without_a_project_names_init(world):
    world.commit({"gitwf.yaml": None})

    with pytest.raises(Rejected, match="gitwf init"):
        world.reconcile()


def test_what_cannot_be_reached_is_tried_for_half_a_minute_at_most(world, monkeypatch):
    tries = []

    def unreachable(_):
        tries.append(world.clock.monotonic())
        raise Transient("the remote could not be reached", retry_after=5.0)

    monkeypatch.setattr(memory_git.MemoryRepo, "head", unreachable)
    began = world.clock.monotonic()

    with pytest.raises(Transient):
        world.reconcile()

    assert len(tries) == 5
    assert world.clock.monotonic() - began <= 30
