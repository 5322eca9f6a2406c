"""A run record as Argo's `status`: what other tools read, and what the store keeps.

Field names, the order of nodes and the way times are written are Argo's
(Argo: pkg/apis/workflow/v1alpha1/workflow_types.go, WorkflowStatus); what is empty is left out, as
Go leaves it out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gitwf.values import Instant
from gitwf.workflow import record


def of(run: record.RunRecord) -> dict[str, Any]:
    """Give the whole status; `nodes` is by node id, children and boundary are node ids."""
    return _filled(
        {
            "phase": str(run.phase),
            "message": run.message,
            "startedAt": _time(run.started),
            "finishedAt": _time(run.finished),
            "outputs": _outputs(run.outputs),
            "nodes": {node.id: _node(node) for node in run.nodes.values()},
        }
    )


def _node(node: record.NodeRecord) -> dict[str, Any]:
    flags = {"hooked": node.hooked, "retried": node.retried}
    parameters = [_filled({"name": name, "value": value}) for name, value in node.inputs.items()]
    artifacts = [{"name": name} for name in node.input_artifacts]
    return _filled(
        {
            "id": node.id,
            "name": node.name,
            "displayName": node.display_name,
            "type": str(node.type),
            "templateName": node.template,
            "phase": str(node.phase),
            "boundaryID": node.boundary,
            "message": node.message,
            "startedAt": _time(node.started),
            "finishedAt": _time(node.finished),
            "inputs": _filled({"parameters": parameters, "artifacts": artifacts}),
            "outputs": _outputs(node.outputs),
            "children": list(node.children),
            "outboundNodes": list(node.outbound),
            "memoizationStatus": _memoized(node.memoized),
            "nodeFlag": {name: True for name, on in flags.items() if on},
        }
    )


def _outputs(outputs: record.Outputs) -> dict[str, Any]:
    return _filled(
        {
            "parameters": [
                {"name": name, "value": value} for name, value in outputs.parameters.items()
            ],
            "artifacts": _names(outputs.artifacts),
            "result": outputs.result,
            "exitCode": outputs.exit_code,
        }
    )


def _memoized(memo: record.Memoized | None) -> dict[str, Any]:
    return {} if memo is None else {"hit": memo.hit, "key": memo.key, "cacheName": memo.cache}


def _names(names: Iterable[str]) -> list[Mapping[str, str]]:
    return [{"name": name} for name in names]


def _time(at: Instant | None) -> str | None:
    return at.rfc3339() if at is not None else None


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty, as Go's `omitempty` does."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
