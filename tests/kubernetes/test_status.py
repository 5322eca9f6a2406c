"""Argo's status as a run record, also where Argo had to pack it."""

import base64
import gzip
import json

from gitwf.adapters.kubernetes import status
from gitwf.workflow import record

NODE = {
    "id": "wf",
    "name": "wf",
    "displayName": "wf",
    "type": "Plugin",
    "phase": "Running",
    "startedAt": "2026-11-23T17:09:44Z",
}


def workflow(**told):
    return {"metadata": {"name": "wf"}, "spec": {}, "status": told}


def test_a_workflow_that_argo_has_not_looked_at_yet_is_pending():
    shown = status.run({"metadata": {"name": "wf"}, "spec": {}})

    assert (shown.phase, shown.over, dict(shown.nodes)) == (record.Phase.PENDING, False, {})


def test_a_compressed_status_is_unpacked():
    packed = base64.b64encode(gzip.compress(json.dumps({"wf": NODE}).encode())).decode()

    shown = status.run(workflow(phase="Running", compressedNodes=packed))

    assert shown.nodes["wf"].phase is record.Phase.RUNNING


def test_a_status_in_argos_database_is_said_and_the_runs_own_phase_told():
    shown = status.run(workflow(phase="Succeeded", offloadNodeStatusVersion="fnv:1"))

    assert shown.over
    assert "only Argo can read them" in shown.message


def test_a_kind_of_node_that_only_argo_runs_is_a_pod_to_everybody_else():
    shown = status.run(workflow(phase="Running", nodes={"wf": NODE}))

    assert shown.nodes["wf"].type is record.NodeType.POD


def test_an_artifact_is_where_argos_repository_has_it():
    artifact = {"name": "model", "s3": {"key": "wf/model.json"}}

    shown = status.run(workflow(phase="Succeeded", outputs={"artifacts": [artifact]}))

    assert shown.outputs.artifacts["model"].key == "wf/model.json"
