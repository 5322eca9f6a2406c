"""A reconcile whose engine is Argo: what it submits, what it refuses, and kill -9 at each boundary.

After a kill the next reconcile attaches to the run that goes on, and nothing runs twice.
"""

import signal

import pytest

from gitwf.adapters.kubernetes import submission
from tests import waiting
from tests.e2e import conftest as e2e
from tests.e2e.test_kill import KILLED
from tests.kubernetes import argo_player, replayer, worlds
from tests.kubernetes.test_argo_on_a_cluster import a_step
from tests.kubernetes.test_controller import PROJECT

# Claim, the code's tar, submission, the model taken, its upload, the run's record, the result.
TOUCHES = 7
WORKFLOW = argo_player.FILES["pipelines/toy/workflow.yaml"]


@pytest.fixture
def world(tmp_path, cluster, namespace, cluster_store):
    """A world that trains on Argo and deploys nowhere."""
    made = worlds.make(tmp_path / "world", cluster, namespace, cluster_store)
    replayer.define(made.connection())
    project = PROJECT.format(namespace=namespace, image=cluster.viewer)
    pipeline = e2e.PIPELINE.partition("  deploy:\n")[0]
    files = {"gitwf.yaml": project, "pipelines/toy/pipeline.yaml": pipeline}
    made.write({**files, **argo_player.FILES})
    return made


@pytest.fixture
def argo(world):
    with argo_player.Argo(world.connection(), world.keys).at_work() as working:
        yield working


def submitted(world):
    """The Workflows that were submitted, by name."""
    found, _ = world.connection().listed(submission.API, "Workflow")
    return {one["metadata"]["name"]: one for one in found}


def test_a_typo_that_would_crash_argos_controller_is_refused_before_anything_is_submitted(world):
    typo = WORKFLOW.replace(
        "template: upload-model\n", "template: upload-model\n        withParams: '[1]'\n"
    )
    world.write({"pipelines/toy/workflow.yaml": typo})

    out = world.gitwf("reconcile", code=2)

    assert "pipelines/toy/workflow.yaml:" in out
    assert "withParams" in out
    assert submitted(world) == {}


def test_a_secret_that_the_policy_does_not_grant_is_refused_before_anything_is_submitted(world):
    asks = "command: [sh]\n      env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: p}}}]\n"
    world.write({"pipelines/toy/workflow.yaml": WORKFLOW.replace("command: [sh]\n", asks, 1)})

    out = world.gitwf("reconcile", code=1)

    assert "the policy does not grant it the secret 'db'" in out
    assert submitted(world) == {}


def test_a_newer_commit_stops_the_run_of_an_older_one(world, argo):
    argo.gate.clear()
    serving = world.start("-m", "gitwf", "serve", "--poll", "1")
    waiting.until(lambda: submitted(world))
    (first,) = submitted(world)

    world.push("Better", mape="0.1\n")

    stopped = waiting.until(lambda: submitted(world)[first]["spec"].get("shutdown"))
    assert stopped == "Stop"
    argo.gate.set()
    waiting.until(lambda: any(path.endswith("/result.json") for path in world.ledger()))
    serving.terminate()
    serving.communicate(timeout=e2e.PATIENCE_SECONDS)
    assert len(submitted(world)) == 2


def test_what_steps_write_is_read_from_the_cluster(world, argo):
    argo.gate.clear()
    serving = world.start("-m", "gitwf", "serve", "--poll", "1")
    (run,) = waiting.until(lambda: submitted(world))
    a_step(world.connection(), run, f"{run}-estimate", "echo fitted", world.cluster.steps)

    following = world.start("-m", "gitwf", "logs", "--follow", run)
    said = following.stdout.readline()
    argo.gate.set()
    rest, _ = following.communicate(timeout=e2e.PATIENCE_SECONDS)
    serving.terminate()
    serving.communicate(timeout=e2e.PATIENCE_SECONDS)

    assert said + rest == f"{run}-estimate: fitted\n"
    assert following.returncode == 0


def killed(world, where):
    process = world.start(KILLED, where, "reconcile", TOUCHED="argo")
    out, _ = process.communicate(timeout=e2e.PATIENCE_SECONDS)
    assert process.returncode == -signal.SIGKILL, out


def assert_trained_once(world, argo):
    """One Workflow, one version with one result, and nothing left to do."""
    assert argo.ended == list(submitted(world))
    assert len(argo.ended) == 1
    ledger = world.ledger()
    assert [path for path in ledger if path.startswith("versions/")] == ["versions/toy/1.json"]
    assert len([path for path in ledger if path.endswith("/result.json")]) == 1
    world.gitwf("plan", "--exit-code")


def test_an_undisturbed_run_touches_the_world_as_often_as_the_list_says(world, argo):
    touches = world.folder / "touches.txt"

    process = world.start(KILLED, "list", "reconcile", TOUCHED="argo", TOUCHES=str(touches))
    out, _ = process.communicate(timeout=e2e.PATIENCE_SECONDS)

    assert process.returncode == 0, out
    assert len(touches.read_text().splitlines()) == TOUCHES, touches.read_text()
    assert_trained_once(world, argo)


@pytest.mark.parametrize("number", range(1, TOUCHES + 1))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_something_that_the_next_reconcile_finishes(world, argo, when, number):
    killed(world, f"{when}:{number}")

    world.gitwf("reconcile")

    assert_trained_once(world, argo)


def test_a_kill_while_the_run_goes_on_leaves_it_to_the_next_reconcile(world, argo):
    argo.gate.clear()
    running = world.start("-m", "gitwf", "reconcile")
    waiting.until(lambda: submitted(world))
    running.kill()
    running.communicate(timeout=e2e.PATIENCE_SECONDS)
    argo.gate.set()

    world.gitwf("reconcile")

    assert_trained_once(world, argo)
