"""A run record as Argo's `status`: what other tools read, and what the store keeps.

Field names, the order of nodes and the way times are written are Argo's
(Argo: pkg/apis/workflow/v1alpha1/workflow_types.go, WorkflowStatus); what is empty is left out, as
Go leaves it out. What only a cluster has (hosts, resources, an artifact repository) is not here.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gitwf.values import Instant
from gitwf.workflow import record

API = "argoproj.io/v1alpha1"
_LABEL = "workflows.argoproj.io/"
_PODS = frozenset({record.NodeType.POD, record.NodeType.HTTP})


def document(
    run: record.RunRecord,
    name: str,
    spec: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give the run as a Workflow document, as the API server would give it."""
    labels = {f"{_LABEL}phase": str(run.phase)}
    if run.over:
        labels[f"{_LABEL}completed"] = "true"
    metadata = {
        "name": name,
        "creationTimestamp": _time(run.started),
        "labels": labels,
        "annotations": dict(annotations or {}),
    }
    return {
        "apiVersion": API,
        "kind": "Workflow",
        "metadata": _filled(metadata),
        "spec": dict(spec),
        "status": of(run),
    }


def of(run: record.RunRecord) -> dict[str, Any]:
    """Give the whole status; `nodes` is by node id, children and boundary are node ids."""
    by_id = {node.id: node for node in run.nodes.values()}
    return _filled(
        {
            "phase": str(run.phase),
            "message": run.message,
            "startedAt": _time(run.started),
            "finishedAt": _time(run.finished),
            "progress": _share(by_id.values()),
            "outputs": _outputs(run.outputs),
            "nodes": {node.id: _node(node, by_id, run.name) for node in by_id.values()},
        }
    )


def progress(run: record.RunRecord) -> str:
    """Give how many of the pods that are known have succeeded, as `3/5`; "" before the first."""
    return _share(run.nodes.values())


def _share(nodes: Iterable[record.NodeRecord]) -> str:
    pods = [node.phase for node in nodes if node.type in _PODS]
    done = sum(phase is record.Phase.SUCCEEDED for phase in pods)
    return f"{done}/{len(pods)}" if pods else ""


def _progress(node: record.NodeRecord, by_id: Mapping[str, record.NodeRecord]) -> str:
    """Argo: workflow/progress/updater.go; a node counts all that came of it."""
    if node.type in _PODS:
        return _share([node])
    if node.type in {record.NodeType.SKIPPED, record.NodeType.CONTAINER}:
        return ""
    seen, ahead = {node.id}, list(node.children)
    while ahead:
        key = ahead.pop()
        if key not in seen and key in by_id:
            seen.add(key)
            ahead += by_id[key].children
    return _share(by_id[key] for key in seen)


def _scope(node: record.NodeRecord, by_id: Mapping[str, record.NodeRecord], run: str) -> str:
    """Where a node's template was looked up: the workflow, or its caller's document."""
    above = by_id.get(node.boundary)
    while above is not None:
        if above.template_ref:
            return f"namespaced/{above.template_ref.partition('/')[0]}"
        above = by_id.get(above.boundary)
    return f"local/{run}"


def _node(
    node: record.NodeRecord, by_id: Mapping[str, record.NodeRecord], run: str
) -> dict[str, Any]:
    flags = {"hooked": node.hooked, "retried": node.retried}
    parameters = [_filled({"name": name, "value": value}) for name, value in node.inputs.items()]
    artifacts = [{"name": name} for name in node.input_artifacts]
    document, _, template = node.template_ref.partition("/")
    return _filled(
        {
            "id": node.id,
            "name": node.name,
            "displayName": node.display_name,
            "type": str(node.type),
            "templateName": node.template,
            "templateRef": _filled({"name": document, "template": template}),
            "templateScope": _scope(node, by_id, run),
            "phase": str(node.phase),
            "boundaryID": node.boundary,
            "message": node.message,
            "startedAt": _time(node.started),
            "finishedAt": _time(node.finished),
            "progress": _progress(node, by_id),
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
                *({"name": name, "value": value} for name, value in outputs.parameters.items()),
                *_names(outputs.unset),
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
