"""The Argo engine against a real API server, with recorded runs in place of the controller."""

import concurrent.futures
import dataclasses

import pytest

from gitwf import ports
from gitwf.adapters.kubernetes import argo, connection, submission
from gitwf.errors import RaceLost, Stalled
from gitwf.values import Digest
from gitwf.workflow import record
from tests.kubernetes import replayer
from tests.parity import comparing

CASES = {one.path.stem: one for one in comparing.cases()}
RECORDED = sorted(path.stem for path in (replayer.HERE / "watch").glob("*.jsonl"))


@dataclasses.dataclass
class Bucket:
    """An artifact repository of two dictionaries."""

    objects: dict = dataclasses.field(default_factory=dict)

    def put(self, file):
        self.objects[file.name] = file.read_bytes()
        return file.name

    def copy(self, key, to):
        to.write_bytes(self.objects[key])
        return Digest.of(self.objects[key])


@dataclasses.dataclass
class Cluster:
    """A namespace that knows Workflows, and engines on it."""

    connection: connection.Connection
    folder: object
    bucket: Bucket = dataclasses.field(default_factory=Bucket)

    def engine(self):
        settings = argo.Settings(self.folder / "scratch", pause=0.05)
        return argo.ArgoEngine(settings, self.connection, self.bucket)

    def submitted(self, name):
        return self.connection.get(submission.API, "Workflow", name)

    def play(self, name, count=None):
        replayer.play(self.connection, name, replayer.stages(name)[:count])


@pytest.fixture
def argos(cluster, namespace, tmp_path):
    opened = connection.Connection(connection.Settings(namespace, kubeconfig=cluster.kubeconfig))
    replayer.define(opened)
    return Cluster(opened, tmp_path)


def order(name, **more):
    return ports.Order(name, name, replayer.played(CASES[name].read()), {}, **more)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_run_gives_the_record_that_argo_gave(argos, name):
    engine = argos.engine()
    engine.start(order(name))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        watched = pool.submit(lambda: list(engine.watch(name)))
        argos.play(name)
        snapshots = watched.result(replayer.SECONDS)

    assert list(comparing.differences(CASES[name], snapshots[-1])) == []
    assert [one.over for one in snapshots] == [False] * (len(snapshots) - 1) + [True]
    assert engine.observe(name) == snapshots[-1]


def test_a_second_start_attaches_and_so_does_another_gitwf(argos):
    name = RECORDED[0]
    argos.engine().start(order(name))
    argos.play(name, 2)
    first = argos.submitted(name)

    other = argos.engine()
    other.start(order(name))

    assert argos.submitted(name) == first
    assert other.observe(name).phase is record.Phase.RUNNING


def test_a_gitwf_that_was_killed_finds_the_end_of_its_run(argos):
    name = RECORDED[0]
    argos.engine().start(order(name))
    argos.play(name)

    *_, last = argos.engine().watch(name)

    assert last.phase is record.Phase.SUCCEEDED


def test_a_workflow_of_that_name_which_is_not_the_runs_is_left_alone(argos):
    name = RECORDED[0]
    manifest = submission.of(order(name), submission.Terms())
    manifest["metadata"]["annotations"] = {submission.RUN: "another"}
    argos.connection.create(manifest)

    with pytest.raises(Stalled, match="is not of this run"):
        argos.engine().start(order(name))
    with pytest.raises(RaceLost):
        argos.connection.create(manifest)


def test_a_cancelled_run_is_stopped_so_that_exit_handlers_run(argos):
    name = RECORDED[0]
    engine = argos.engine()
    engine.start(order(name))
    argos.play(name, 2)

    engine.cancel(name, "a newer commit")

    stopped = argos.submitted(name)
    assert stopped["spec"]["shutdown"] == "Stop"
    assert stopped["metadata"]["annotations"]["gitwf.dev/cancelled"] == "a newer commit"


def test_a_run_that_is_over_is_not_stopped(argos):
    name = RECORDED[0]
    engine = argos.engine()
    engine.start(order(name))
    argos.play(name)

    engine.cancel(name, "too late")

    assert "shutdown" not in argos.submitted(name)["spec"]


def test_a_workflow_that_is_deleted_is_a_fault_and_no_failure_of_the_step(argos):
    name = RECORDED[0]
    engine = argos.engine()
    engine.start(order(name))
    argos.play(name, 2)
    watching = engine.watch(name)
    assert not next(watching).over

    argos.connection.delete(submission.API, "Workflow", name)

    *_, last = watching
    assert (last.phase, last.fault) == (record.Phase.ERROR, True)
    assert last.message == "the Workflow was deleted before it ended"


def test_a_run_that_argo_does_not_know_is_said(argos):
    engine = argos.engine()

    assert engine.observe("nothing") is None
    with pytest.raises(Stalled, match="Argo has no run nothing"):
        list(engine.watch("nothing"))


def test_the_code_goes_up_as_one_tar_and_the_same_code_as_the_same_bytes(argos, tmp_path):
    source = tmp_path / "code"
    (source / "pipelines").mkdir(parents=True)
    (source / "pipelines" / "estimate.py").write_text("print(1)\n")
    text = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: coded}
spec:
  entrypoint: main
  templates:
  - name: main
    inputs: {artifacts: [{name: source, path: /src}]}
    container: {image: busybox, command: [ls, /src]}
"""
    from gitwf.workflow.document import load, resolve

    loaded = load.load({"wf.yaml": text.encode()})
    workflow = replayer.played(resolve.resolve(loaded.runnable("wf.yaml"), loaded))
    engine = argos.engine()

    engine.start(ports.Order("coded-1", "coded", workflow, {"model": "m-v1"}, source=source))

    spec = argos.submitted("coded-1")["spec"]
    assert spec["arguments"] == {
        "parameters": [{"name": "model", "value": "m-v1"}],
        "artifacts": [{"name": "source", "s3": {"key": "code.tgz"}}],
    }
    assert argos.bucket.objects["code.tgz"] == argo.pack(source)


def a_step(opened, name, node, script, image):
    """A pod as Argo makes it for a node."""
    container = {"name": "main", "image": image, "command": ["sh", "-c", script]}
    opened.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": node,
                "labels": {"workflows.argoproj.io/workflow": submission.name(name)},
                "annotations": {"workflows.argoproj.io/node-name": node},
            },
            "spec": {"restartPolicy": "Never", "containers": [container]},
        }
    )


def test_logs_are_told_line_by_line_while_the_run_goes_on_each_line_once(argos, cluster):
    name = RECORDED[0]
    engine = argos.engine()
    engine.start(order(name))
    a_step(
        argos.connection, name, "first", "echo one; echo two; sleep 2; echo three", cluster.steps
    )
    a_step(argos.connection, name, "second", "echo four", cluster.steps)
    wanted = [("first", "one"), ("first", "two"), ("first", "three"), ("second", "four")]

    following = engine.follow(name)
    told = [next(following) for _ in wanted]
    argos.play(name)

    assert sorted((line.node, line.text) for line in told) == sorted(wanted)
    assert list(following) == []
    assert [(line.node, line.text) for line in engine.logs(name)] == wanted
    assert list(engine.logs(name, "second")) == [ports.LogLine("second", "four")]


def test_a_watch_that_is_too_old_begins_anew(argos):
    from gitwf.adapters.kubernetes import failures

    with pytest.raises(failures.Gone):
        list(argos.connection.watch(submission.API, "Workflow", "1", seconds=30))
