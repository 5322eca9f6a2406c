"""What every engine keeps to, whatever runs the steps: see `gitwf.ports.Engine`."""

import hashlib

import pytest

from gitwf import ports
from gitwf.adapters.local import engine as local
from gitwf.errors import GitwfError, Rejected
from gitwf.workflow.document import load, resolve

WORKFLOW = b"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  arguments: {parameters: [{name: word, value: unsaid}]}
  templates:
  - name: main
    steps:
    - - {name: make, template: make}
    - - {name: tell, template: tell}
  - name: make
    container:
      image: busybox
      command: [sh, -c, "mkdir -p /tmp/PLACE; printf '{{workflow.parameters.word}}' > /tmp/PLACE/m;
        echo '{}' > /tmp/PLACE/j"]
    outputs:
      artifacts: [{name: m, path: /tmp/PLACE/m, globalName: model, archive: {none: {}}}]
      parameters: [{name: j, globalName: metrics, valueFrom: {path: /tmp/PLACE/j}}]
  - name: tell
    container: {image: busybox, command: [sh, -c, "echo first; echo second"]}
  - name: fails
    container: {image: busybox, command: [sh, -c, "exit 3"]}
  - name: slow
    container: {image: busybox, command: [sleep, "600"]}
  - name: cluster
    container: {image: busybox, command: [ls], volumeMounts: [{name: h, mountPath: /h}]}
    volumes: [{name: h, hostPath: {path: /}}]
"""


@pytest.fixture(params=["local"])
def engine(request, tmp_path):
    made = local.LocalEngine(local.Settings(tmp_path / "state", grace=0.2))
    yield made
    made.close()


@pytest.fixture
def order(tmp_path):
    def build(run="run", entrypoint=None, **parameters):
        text = WORKFLOW.replace(b"PLACE", f"gitwf-{tmp_path.name}".encode())
        loaded = load.load({"wf.yaml": text})
        workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
        return ports.Order(run, "wf", workflow, parameters, entrypoint=entrypoint)

    return build


def last(engine, run="run"):
    *_, over = engine.watch(run)
    return over


def test_it_has_a_name_for_evidence(engine):
    assert engine.name in ("local", "argo")


def test_a_run_is_unknown_until_it_is_started(engine, order):
    assert engine.observe("run") is None
    engine.start(order())
    assert engine.observe("run") is not None


def test_watching_ends_with_a_record_that_is_over_and_is_then_observed(engine, order):
    engine.start(order())
    over = last(engine)

    assert (over.name, over.phase, over.over) == ("wf", "Succeeded", True)
    assert engine.observe("run") == over
    assert list(engine.watch("run")) == [over]


def test_node_names_are_argos(engine, order):
    engine.start(order())

    assert list(last(engine).nodes) == ["wf", "wf[0]", "wf[0].make", "wf[1]", "wf[1].tell"]


def test_parameters_go_before_the_workflows_own_and_global_outputs_come_back(
    engine, order, tmp_path
):
    engine.start(order(word="said"))
    over = last(engine)

    assert over.parameters == {"word": "said"}
    assert over.outputs.parameters == {"metrics": "{}"}
    digest = engine.artifact("run", "model", tmp_path / "model")
    assert digest.hex == hashlib.sha256(b"said").hexdigest()
    assert (tmp_path / "model").read_bytes() == b"said"


def test_an_artifact_that_is_not_there_is_an_error_of_gitwf(engine, order, tmp_path):
    engine.start(order())
    last(engine)

    with pytest.raises(GitwfError, match="nothing"):
        engine.artifact("run", "nothing", tmp_path / "x")
    with pytest.raises(GitwfError):
        engine.artifact("unknown", "model", tmp_path / "x")


def test_logs_are_lines_by_node(engine, order):
    engine.start(order())
    last(engine)
    lines = [ports.LogLine("wf[1].tell", "first"), ports.LogLine("wf[1].tell", "second")]

    assert list(engine.logs("run")) == lines
    assert list(engine.logs("run", "wf[1].tell")) == lines
    assert list(engine.logs("run", "wf[0].make")) == []
    assert list(engine.logs("unknown")) == []


def test_starting_again_attaches(engine, order):
    engine.start(order())
    over = last(engine)
    engine.start(order())

    assert last(engine) == over


def test_an_entrypoint_of_its_own_begins_there(engine, order):
    engine.start(order(entrypoint="fails"))
    over = last(engine)

    assert (over.phase, list(over.nodes)) == ("Failed", ["wf"])
    assert over.nodes["wf"].message == "main: Error (exit code 3)"


def test_two_runs_do_not_meet(engine, order, tmp_path):
    if getattr(engine, "isolation", "") == "none":
        pytest.skip("without isolation both runs would write one path")
    engine.start(order("one", word="1"))
    engine.start(order("two", word="2"))
    last(engine, "one")
    last(engine, "two")
    for run, word in (("one", b"1"), ("two", b"2")):
        engine.artifact(run, "model", tmp_path / run)
        assert (tmp_path / run).read_bytes() == word


def test_cancel_returns_at_once_and_the_run_ends_with_the_reason(engine, order):
    engine.start(order(entrypoint="slow"))
    watching = engine.watch("run")
    next(watching)
    engine.cancel("run", "superseded")
    *_, over = watching

    assert (over.phase, over.message) == ("Failed", "superseded")
    engine.cancel("run", "again")
    engine.cancel("unknown", "no such run")
    assert engine.observe("run") == over


def test_what_it_cannot_run_is_refused_before_anything_runs(engine, order):
    with pytest.raises(Rejected) as refused:
        engine.start(order(entrypoint="cluster"))

    (diagnostic,) = refused.value.diagnostics
    assert (diagnostic.file, diagnostic.line) == ("wf.yaml", 27)
    assert "hostPath" in diagnostic.message
    assert engine.observe("run") is None


def test_many_runs_after_each_other_are_all_remembered(engine, order):
    for run in ("a", "b", "c"):
        engine.start(order(run, entrypoint="tell"))
        last(engine, run)

    assert [engine.observe(run).phase for run in ("a", "b", "c")] == ["Succeeded"] * 3
    assert [line.text for line in engine.logs("a")] == ["first", "second"]
    assert last(engine, "a") == engine.observe("a")
