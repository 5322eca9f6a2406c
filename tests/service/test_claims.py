"""Who trains when several could: claims of other hosts, heartbeats, newer commits, stops."""

import json
import shutil
import sys

import pytest

from gitwf import ports
from gitwf.delivery import verbs
from gitwf.service import asking, reconcile
from gitwf.testing import memory_target
from gitwf.values import Instant
from tests.e2e import conftest as toys

PIPELINE = "pipelines/toy/pipeline.yaml"


def claimed_by(world, **who):
    """A process that claimed version 1 and was never heard of again; its claim's heartbeat."""

    def claimed():
        return "gitwf/ledger" in world.remote.branches

    reconcile.Reconciler(world.edge(**who), stopping=claimed).run()
    assert len(world.entries("runs/")) == 1
    return "nonce0"


def claims(world):
    return [path.rpartition("/")[2] for path in world.entries("runs/") if "claim" in path]


def taken_over(world):
    """When version 1 was taken over."""
    path = next(path for path in world.entries("runs/") if path.endswith("claim-2.json"))
    files = world.remote.snapshot(world.remote.branches["gitwf/ledger"]).files
    return Instant.parse(json.loads(files[path])["at"])


def test_a_claim_of_another_host_is_not_waited_for_without_wait(world):
    claimed_by(world, host="there")

    outcome = world.reconcile(wait=False)

    assert outcome.verdict is reconcile.Verdict.PENDING
    assert "there" in outcome.reports[0].reason
    assert world.engine.orders == {}


def test_a_silent_claim_of_another_host_is_taken_over_after_its_lease(world):
    claimed_by(world, host="there")
    began = world.clock.now()

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.IN_SYNC
    assert claims(world) == ["claim-1.json", "claim-2.json"]
    assert 60 <= taken_over(world).since(began) < 80
    assert world.served() == "toy-v1"


def test_a_claim_whose_heart_beats_is_left_to_its_owner(world):
    nonce = claimed_by(world, host="there")
    began = world.clock.now()

    def alive():
        if world.clock.now().since(began) < 300:
            world.edge(host="there").ledger.beat(nonce)

    world.clock.on_wait = alive

    world.reconcile()

    assert 350 <= taken_over(world).since(began) < 380


def test_a_dead_owner_of_this_host_is_taken_over_at_once(world):
    claimed_by(world, pid=7)
    world.dead.add(7)
    began = world.clock.now()

    world.reconcile(pid=8)

    assert taken_over(world).since(began) == 0
    assert world.served() == "toy-v1"


def test_what_a_killed_upload_left_goes_with_the_next_one(world, tmp_path, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(shutil, "rmtree", lambda *_, **__: None)
        killed.setattr(world.store, "put", lambda *_: sys.exit("killed"))
        with pytest.raises(SystemExit, match="killed"):
            world.reconcile(pid=7)
    uploads = tmp_path / "here" / "uploads"
    (left,) = uploads.iterdir()
    assert [one.name for one in left.iterdir()] != []

    world.dead.add(7)
    world.reconcile(pid=8)

    assert world.served() == "toy-v1"
    assert [*uploads.iterdir()] == []


def test_the_heart_beats_while_a_run_goes_on_and_not_after(world):
    beats = set()
    world.engine.hanging = True

    def later():
        beats.update(world.remote.beats.items())
        if len(beats) > 3:
            world.engine.let_end()

    world.clock.on_wait = later

    world.reconcile()

    assert len(beats) > 3
    assert world.remote.beats == {}


def test_the_heart_beats_while_a_rollout_is_waited_for(world):
    world.reconcile()
    world.engine.hanging = True
    until = world.clock.monotonic() + 130

    def slowly(desired):
        if world.clock.monotonic() < until:
            return ports.Rollout(ports.RolloutState.PROGRESSING)
        world.engine.let_end()
        return memory_target.comes_up(desired)

    world.target().outcome = slowly
    world.commit({"pipelines/toy/viewer/notes.txt": b"new\n", "pipelines/toy/mape.txt": b"0.1\n"})
    seen = set()
    world.clock.on_wait = lambda: seen.update(world.remote.beats.items())

    world.reconcile()

    assert len(seen) >= 3
    assert world.served() == "toy-v2"


def test_a_newer_commit_cancels_an_older_estimate(world):
    world.engine.hanging = True
    moments = []

    def push_once():
        if not moments:
            moments.append(world.clock.monotonic())
            world.engine.hanging = False
            world.push(0.1)

    world.clock.on_wait = push_once

    world.reconcile()

    assert list(world.engine.cancelled.values()) == ["a newer commit wants another run"]
    assert world.served() == "toy-v2"
    assert not [text for text in world.subjects() if text == "Release toy@1 to production"]


def test_a_pipeline_may_let_an_older_estimate_finish_without_releasing_it(world):
    finish = toys.PIPELINE.replace("  model:\n", "  supersede: finish\n  model:\n")
    world.commit({PIPELINE: finish.encode()})
    world.engine.hanging = True
    pushed = []

    def push_once():
        if not pushed:
            pushed.append(world.push(0.1))
        else:
            world.engine.let_end()

    world.clock.on_wait = push_once

    world.reconcile()

    assert world.engine.cancelled == {}
    assert len([path for path in world.entries("runs/") if path.endswith("result.json")]) == 2
    assert world.served() == "toy-v2"
    assert "Release toy@1 to production" not in world.subjects()


def stream(world, *errors):
    """Push one model after the other, each while the one before is training; then let all end."""
    world.engine.hanging = True
    left = iter(errors)

    def push_again():
        mape = next(left, None)
        if mape is not None:
            world.push(mape)
        else:
            world.engine.let_end()

    world.clock.on_wait = push_again


def test_a_stream_of_pushes_lets_a_run_finish_and_releases_it_then_what_came_after(world):
    stream(world, 0.19, 0.18, 0.17, 0.16)

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.IN_SYNC
    assert len(world.engine.cancelled) == 3
    assert [text for text in world.subjects() if text.startswith("Release")] == [
        "Release toy@5 to production",
        "Release toy@4 to production",
    ]
    assert [one.tag for one in world.target().applied] == ["toy-v4", "toy-v5"]
    assert any("version none -> 4, which was let finish" in said for said in world.said)
    assert world.served() == "toy-v5"


def test_a_run_let_finish_is_not_released_over_what_a_person_chose_since(world):
    world.reconcile()
    world.push(0.195)
    world.reconcile()
    person = asking.Asking(world.edge())
    world.push(0.19)
    stream(world, 0.18, 0.17, 0.16, 0.15)
    push_again = world.clock.on_wait

    def go_back_to_the_first():
        push_again()
        if "0.15" in world.file("pipelines/toy/mape.txt"):
            world.clock.on_wait = push_again
            person.publish(
                "toy", lambda view, seen: verbs.promote(view, "production", 1, seen, "ann")
            )

    world.clock.on_wait = go_back_to_the_first

    world.reconcile()

    results = [path for path in world.entries("runs/") if path.endswith("result.json")]
    assert len(results) == 4
    assert [text for text in world.subjects() if text.startswith("Release")] == [
        f"Release toy@{version} to production" for version in (7, 1, 2, 1)
    ]


@pytest.mark.parametrize("busy", ["training", "rolling out"])
def test_whoever_is_asked_to_stop_hands_over_and_another_finishes(world, busy):
    stop = []
    world.engine.hanging = busy == "training"
    hanging = lambda _: ports.Rollout(ports.RolloutState.PROGRESSING)  # noqa: E731
    if busy == "rolling out":
        world.target().outcome = hanging
    world.clock.on_wait = lambda: stop.append(busy)
    began = world.clock.monotonic()
    reconciler = reconcile.Reconciler(world.edge(pid=7), stopping=lambda: bool(stop))

    outcome = reconciler.run()
    reconciler.hand_over()

    assert (outcome.stopped, outcome.verdict) == (True, reconcile.Verdict.PENDING)
    assert world.clock.monotonic() - began <= 5
    world.dead.add(7)
    world.engine.hanging, world.target().outcome = False, memory_target.comes_up
    assert world.reconcile(pid=8).verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v1"
    assert len(world.engine.orders) == 1
