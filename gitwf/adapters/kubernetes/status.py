"""Argo's status of a Workflow as the run record that every engine gives.

Names and phases are taken as they are; what is only for people on the cluster is left. A status
that grew too large is compressed in place, or kept in a database that only Argo's controller knows:
then the run's own phase is all that can be told, and the message says so. Pure.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from gitwf.adapters.kubernetes import submission
from gitwf.values import Instant
from gitwf.workflow import record

_OFFLOADED = "the nodes are kept in Argo's database, where only Argo can read them"
_GZIP = zlib.MAX_WBITS | 16


def run(workflow: Mapping[str, Any]) -> record.RunRecord:
    """Read the record of a run from its Workflow object."""
    status = workflow.get("status") or {}
    message = status.get("message", "")
    if status.get("offloadNodeStatusVersion"):
        message = f"{message}; {_OFFLOADED}" if message else _OFFLOADED
    nodes = _nodes(status)
    arguments = workflow["spec"].get("arguments") or {}
    return record.RunRecord(
        name=workflow["metadata"]["name"],
        phase=record.Phase(status.get("phase") or "Pending"),
        message=message,
        started=_instant(status.get("startedAt")),
        finished=_instant(status.get("finishedAt")),
        parameters={
            one["name"]: str(one.get("value", "")) for one in arguments.get("parameters") or ()
        },
        nodes={node.name: node for node in map(_node, nodes.values())},
        outputs=_outputs(status.get("outputs") or {}),
    )


def belongs(workflow: Mapping[str, Any], run_id: str) -> bool:
    """Whether a Workflow is that of this run, and not another of its name."""
    told = workflow["metadata"].get("annotations") or {}
    return told.get(submission.RUN) == run_id


def _nodes(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The nodes in the order in which they came to be."""
    nodes = status.get("nodes") or {}
    packed = status.get("compressedNodes")
    if packed:
        nodes = json.loads(zlib.decompress(base64.b64decode(packed), _GZIP))
    ordered = sorted(
        nodes.items(), key=lambda row: (row[1].get("startedAt") or "~", row[1]["name"])
    )
    return dict(ordered)


def _node(node: Mapping[str, Any]) -> record.NodeRecord:
    inputs = node.get("inputs") or {}
    flags = node.get("nodeFlag") or {}
    memo = node.get("memoizationStatus")
    return record.NodeRecord(
        id=node["id"],
        name=node["name"],
        display_name=node.get("displayName", node["name"]),
        type=_type(node["type"]),
        phase=record.Phase(node.get("phase") or "Pending"),
        message=node.get("message", ""),
        template=node.get("templateName", ""),
        boundary=node.get("boundaryID", ""),
        started=_instant(node.get("startedAt")),
        finished=_instant(node.get("finishedAt")),
        children=tuple(node.get("children") or ()),
        outbound=tuple(node.get("outboundNodes") or ()),
        inputs={one["name"]: one.get("value") for one in inputs.get("parameters") or ()},
        input_artifacts=tuple(one["name"] for one in inputs.get("artifacts") or ()),
        outputs=_outputs(node.get("outputs") or {}),
        hooked=bool(flags.get("hooked")),
        retried=bool(flags.get("retried")),
        memoized=None
        if memo is None
        else record.Memoized(memo.get("cacheName", ""), memo.get("key", ""), bool(memo["hit"])),
    )


def _type(text: str) -> record.NodeType:
    """A node's type; one that only Argo runs, as a plugin, is a pod to everybody else."""
    try:
        return record.NodeType(text)
    except ValueError:
        return record.NodeType.POD


def _outputs(outputs: Mapping[str, Any]) -> record.Outputs:
    return record.Outputs(
        parameters={
            one["name"]: str(one["value"])
            for one in outputs.get("parameters") or ()
            if one.get("value") is not None
        },
        artifacts={
            one["name"]: record.ArtifactLocation(one["name"], key=_key(one))
            for one in outputs.get("artifacts") or ()
        },
        result=outputs.get("result"),
        exit_code=outputs.get("exitCode"),
    )


def _key(artifact: Mapping[str, Any]) -> str:
    """Where an artifact is in the artifact repository."""
    return str((artifact.get("s3") or {}).get("key", ""))


def _instant(text: str | None) -> Instant | None:
    return Instant.parse(text) if text else None
