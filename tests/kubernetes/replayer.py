"""In place of Argo's controller: plays a recorded run back onto a Workflow of a real API server.

`watch/<case>.jsonl` holds the status of a Workflow after each change that a real controller
(v4.1.2) made to it. A real API server keeps the object, so that everything between gitwf and it is
real: creation, names, watches, conflicts, deletion.
"""

import dataclasses
import json
import pathlib

from gitwf.adapters.kubernetes import submission
from tests import waiting

# A real controller, where one watches the cluster, leaves the Workflows of another instance alone.
PLAYED = {"workflows.argoproj.io/controller-instanceid": "played"}
HERE = pathlib.Path(__file__).parent
SECONDS = 300
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "workflows.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {
            "kind": "Workflow",
            "listKind": "WorkflowList",
            "plural": "workflows",
            "singular": "workflow",
            "shortNames": ["wf"],
        },
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["metadata", "spec"],
                        "properties": {
                            name: {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                            for name in ("spec", "status")
                        },
                    }
                },
            }
        ],
    },
}


def define(connection):
    """Make the API server know Workflows, where it does not by Argo's own definition."""
    name = DEFINITION["metadata"]["name"]
    if connection.get(DEFINITION["apiVersion"], DEFINITION["kind"], name) is None:
        connection.apply(DEFINITION, force=True)
    waiting.until(lambda: _established(connection))


def _established(connection):
    found = connection.get(
        DEFINITION["apiVersion"], DEFINITION["kind"], DEFINITION["metadata"]["name"]
    )
    conditions = (found.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def played(workflow):
    """The workflow, for a run that is played."""
    labels = {**workflow.metadata.labels, **PLAYED}
    metadata = workflow.metadata.model_copy(update={"labels": labels})
    return dataclasses.replace(workflow, metadata=metadata)


def stages(case):
    """The statuses of a recorded run, in order."""
    lines = (HERE / "watch" / f"{case}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def play(connection, name, statuses):
    """Give the Workflow each of the statuses in turn."""
    before = {}
    for status in statuses:
        change = {"status": _change(before, status)}
        connection.merge(submission.API, "Workflow", name, change)
        before = status


def _change(before, after):
    """The merge patch that turns one value into another."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return after
    gone = dict.fromkeys(before.keys() - after.keys())
    kept = {name: _change(before.get(name), value) for name, value in after.items()}
    return {**gone, **kept}
