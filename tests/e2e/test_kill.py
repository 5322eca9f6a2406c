"""kill -9 at every boundary: after the next reconcile nothing tells that it happened.

An undisturbed run says which touches of the outside world there are. Then gitwf is killed before
and after each of them, and in the middle of a step, and reconciled once more: branch, ledger, store
and front must be those of the undisturbed run, less times and attempts.
"""

import json
import re
import signal
from pathlib import Path

import pytest

from tests import waiting
from tests.e2e import conftest

pytestmark = pytest.mark.slow

KILLED = str(Path(__file__).parent / "killed.py")
TOUCHES = 11


def traces(world):
    """What an undisturbed run and a disturbed one must have in common."""
    tree = world.remote.git("ls-tree", "-r", "main", "--name-only").splitlines()
    release = world.remote.git("show", "main:models/toy/production.yaml")
    ledger = {
        re.sub(r"[0-9a-f]{40}", "COMMIT", path): masked(body)
        for path, body in world.ledger().items()
        if not re.search(r"/(claim|ended)-\d+\.json$", path)
    }
    models = sorted(
        path.relative_to(world.folder / "store").as_posix()
        for path in (world.folder / "store").rglob("*")
        if path.is_file() and "/runs/" not in path.as_posix()
    )
    front = world.front()
    return {
        "tree": tree,
        "release": masked(release),
        "ledger": ledger,
        "models": models,
        "serving": (front["serving"]["model"], front["serving"]["digest"]),
        "rollout": front["rollout"],
    }


def masked(value):
    """Take times and what hangs on them out of a value: commits, attempts, the run record."""
    if isinstance(value, dict):
        skipped = {"attempt", "record", "recordUri", "owner", "nonce"}
        return {key: masked(one) for key, one in value.items() if key not in skipped}
    if isinstance(value, list):
        return [masked(one) for one in value]
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", str(value))
    return re.sub(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])", "COMMIT", text)


def assert_no_finished_step_ran_again(world):
    """In every run's journal, nothing starts a node whose end stands before it."""
    for journal in world.state.glob("remotes/*/engine/runs/*/journal.jsonl"):
        ended = set()
        # Behind the last entry lies room made for the next ones.
        for line in journal.read_text().rstrip("\0").splitlines():
            event = json.loads(line)
            if event.get("is") == "PodEnded":
                ended.add(event["node"])
            assert not (event.get("is") == "PodStarted" and event["node"] in ended)


def test_an_undisturbed_run_touches_the_world_as_often_as_the_list_below_says(world):
    touches = world.folder / "touches.txt"

    world.start(KILLED, "list", "reconcile", TOUCHES=str(touches)).communicate(
        timeout=conftest.PATIENCE_SECONDS
    )

    names = touches.read_text().splitlines()
    assert len(names) == TOUCHES, names


@pytest.mark.parametrize("number", range(1, TOUCHES + 1))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_something_that_the_next_reconcile_finishes(calm, world, when, number):
    killed = world.start(KILLED, f"{when}:{number}", "reconcile")
    out, _ = killed.communicate(timeout=conftest.PATIENCE_SECONDS)
    assert killed.returncode == -signal.SIGKILL, out
    world.gitwf("reconcile")

    assert traces(world) == traces(calm)
    assert_no_finished_step_ran_again(world)


def events(world, kind):
    """The nodes of one kind of event in every journal, in order."""
    found = []
    for journal in sorted(world.state.glob("remotes/*/engine/runs/*/journal.jsonl")):
        lines = journal.read_text().splitlines(keepends=True)
        parsed = [json.loads(line) for line in lines if line.endswith("\n")]
        found += [event["node"] for event in parsed if event.get("is") == kind]
    return found


def hold_the_second_step(world):
    """Have the second step wait until `let_go`."""
    held = conftest.WORKFLOW.replace(
        "  entrypoint: main\n",
        "  entrypoint: main\n  volumes: [{name: hold, persistentVolumeClaim: {claimName: hold}}]\n",
    ).replace(
        'args: ["cp /in/model.json',
        "volumeMounts: [{name: hold, mountPath: /hold}]\n"
        '      args: ["until test -e /hold/go; do sleep 0.05; done; cp /in/model.json',
    )
    world.write({"pipelines/toy/workflow.yaml": held})


def let_go(world):
    """Let the second step end, whenever it is started."""
    (hold,) = world.state.glob("remotes/*/engine/volumes/hold")
    (hold / "go").touch()


def test_a_kill_in_the_middle_of_a_step_runs_only_that_step_again(world):
    hold_the_second_step(world)
    running = world.start("-m", "gitwf", "reconcile")
    waiting.until(lambda: len(events(world, "PodStarted")) == 2)

    running.kill()
    running.communicate(timeout=conftest.PATIENCE_SECONDS)
    assert len(events(world, "PodEnded")) == 1
    let_go(world)
    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert sorted(events(world, "PodEnded")) == sorted(set(events(world, "PodStarted")))
    assert len(events(world, "PodStarted")) == 3
    assert_no_finished_step_ran_again(world)


def test_a_reconcile_that_is_asked_to_stop_hands_its_run_over(world):
    hold_the_second_step(world)
    running = world.start("-m", "gitwf", "serve", "--poll", "1")
    waiting.until(lambda: len(events(world, "PodStarted")) == 2)

    running.terminate()
    out, _ = running.communicate(timeout=conftest.PATIENCE_SECONDS)
    assert running.returncode == 0, out
    assert "handed over" in out
    let_go(world)
    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert_no_finished_step_ran_again(world)
