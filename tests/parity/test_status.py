"""The status that gitwf writes, beside the one that a real Argo wrote of the same run."""

import dataclasses
import json
import pathlib

import pytest

from gitwf import ports
from gitwf.adapters.kubernetes import status as read
from gitwf.adapters.local import engine
from gitwf.workflow import record, status
from tests.parity import comparing

WATCH = sorted((pathlib.Path(__file__).parents[1] / "kubernetes" / "watch").glob("*.jsonl"))
# What only a cluster has, or what only Argo's controller needs to go on.
OF_A_CLUSTER = {"hostNodeName", "resourcesDuration", "taskResultSynced"}
OF_A_CONTROLLER = {"artifactGCStatus", "artifactRepositoryRef", "conditions", "resourcesDuration"}


def last(path):
    """The Workflow as the recorded controller left it."""
    told = json.loads(path.read_text("utf-8").splitlines()[-1])
    return {"metadata": {"name": path.stem}, "spec": {"entrypoint": "main"}, "status": told}


def bare(node):
    """A recorded node without what only a cluster has."""
    kept = {name: value for name, value in node.items() if name not in OF_A_CLUSTER}
    for side in ("inputs", "outputs"):
        for artifact in kept.get(side, {}).get("artifacts", ()):
            for name in set(artifact) - {"name"}:
                del artifact[name]
        for parameter in kept.get(side, {}).get("parameters", ()):
            parameter.pop("valueFrom", None)
    if not kept.get("nodeFlag", True):
        del kept["nodeFlag"]
    return kept


@pytest.mark.parametrize("path", WATCH, ids=lambda path: path.stem)
def test_a_status_that_was_read_is_written_as_argo_wrote_it(path):
    recorded = last(path)
    written = status.of(read.run(recorded))

    wanted = {
        name: value for name, value in recorded["status"].items() if name not in OF_A_CONTROLLER
    }
    wanted["nodes"] = {key: bare(node) for key, node in wanted["nodes"].items()}
    assert written == wanted


@pytest.mark.slow
@pytest.mark.parametrize("path", WATCH, ids=lambda path: path.stem)
def test_a_run_here_has_the_fields_of_one_on_a_cluster(path, tmp_path):
    recorded = last(path)
    [case] = [one for one in comparing.cases() if one.path.stem == path.stem]
    local = engine.LocalEngine(engine.Settings(tmp_path / "state", "none"))
    whole = case.read()
    local.start(ports.Order("run", whole.name, whole, {}))
    *_, done = local.watch("run")
    local.close()
    written = status.of(done)

    assert written["progress"] == recorded["status"]["progress"]
    assert set(written["nodes"]) == set(recorded["status"]["nodes"])
    for key, node in recorded["status"]["nodes"].items():
        wanted = bare(node)
        assert set(written["nodes"][key]) == set(wanted)
        for name in ("templateScope", "progress", "type", "boundaryID", "phase"):
            assert written["nodes"][key].get(name) == wanted.get(name), (key, name)


def test_an_output_that_was_not_written_is_named_without_a_value():
    one = record.Outputs(parameters={"there": "1"}, unset=("gone",))
    run = dataclasses.replace(read.run(last(WATCH[0])), outputs=one)

    expected = [{"name": "there", "value": "1"}, {"name": "gone"}]
    assert status.of(run)["outputs"]["parameters"] == expected


def test_a_document_is_a_workflow_with_its_status():
    recorded = last(WATCH[0])
    run = read.run(recorded)
    made = status.document(run, "w", recorded["spec"], {"a": "b"})

    assert (made["apiVersion"], made["kind"]) == ("argoproj.io/v1alpha1", "Workflow")
    assert made["metadata"]["labels"] == {
        "workflows.argoproj.io/completed": "true",
        "workflows.argoproj.io/phase": "Succeeded",
    }
    assert made["metadata"]["annotations"] == {"a": "b"}
    assert made["spec"] == recorded["spec"]
    assert made["status"] == status.of(run)
