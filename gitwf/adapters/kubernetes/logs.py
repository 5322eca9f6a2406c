"""What the pods of a run write, each line once however often they are asked.

The API server gives a log from a second on, and stamps each line; so a reader remembers for each
pod the second of its last line and how many lines of that second it has told. Pods that Argo has
taken away have no log any more: what they wrote is lost unless somebody read it before.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gitwf import ports
from gitwf.adapters.kubernetes.connection import Connection

_MAIN = "main"
_OF = "workflows.argoproj.io/workflow"
_NODE = "workflows.argoproj.io/node-name"
_SECOND = len("2026-11-23T17:09:44")


class Reader:
    """Reads the main containers of one Workflow's pods, or of one node's pod."""

    def __init__(self, connection: Connection, workflow: str, node: str | None = None) -> None:
        self._cluster = connection
        self._workflow = workflow
        self._node = node
        self._told: dict[str, tuple[str, int]] = {}

    def lines(self) -> Iterator[ports.LogLine]:
        """What was written since this was asked last, in the order in which the pods came to be."""
        pods, _ = self._cluster.listed("v1", "Pod", labels=f"{_OF}={self._workflow}")
        pods.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        for pod in pods:
            node = (pod["metadata"].get("annotations") or {}).get(_NODE, "")
            if self._node in (None, node):
                yield from (ports.LogLine(node, line) for line in self._new(pod))

    def _new(self, pod: Mapping[str, Any]) -> Iterator[str]:
        name = pod["metadata"]["name"]
        second, told = self._told.get(name, ("", 0))
        since = f"{second}Z" if second else ""
        text = self._cluster.log(name, _MAIN, since=since, stamped=True)
        stamped = [line for line in text.split("\n") if line]
        if len(stamped) > told:
            last = stamped[-1][:_SECOND]
            self._told[name] = last, sum(line.startswith(last) for line in stamped)
        for line in stamped[told:]:
            yield line.partition(" ")[2]
