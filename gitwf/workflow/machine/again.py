"""A run that failed, tried again: what went well is kept, the rest is done anew.

A node that failed is done again, and so is everything that came of it and everything around it,
unless something later went well on it all the same; the exit handler always is. The run walks its
templates once more, and where it comes to a node that is kept, takes it over with all inside it
(Argo: workflow/util/util.go, FormulateRetryWorkflow; there a suspended node that was given up stays
so, here it asks again).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from gitwf.errors import Stalled
from gitwf.workflow import record
from gitwf.workflow.machine import invocations, messages, nodes

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

_T = record.NodeType
_EXIT = ".onExit"
_GROUPS = frozenset({_T.STEP_GROUP, _T.TASK_GROUP})
_AROUND = _GROUPS | {_T.STEPS, _T.DAG, _T.RETRY}


class Kept:
    """The nodes of an earlier try that stay as they are."""

    def __init__(self, before: Mapping[str, record.NodeRecord]) -> None:
        self._by_id = {node.id: node for node in before.values()}
        self._inside: dict[str, list[record.NodeRecord]] = {}
        self._parent: dict[str, record.NodeRecord] = {}
        for node in before.values():
            self._inside.setdefault(node.boundary, []).append(node)
            if node.type is _T.RETRY:
                attempts = (self._by_id[child] for child in node.children)
                self._parent.update((one.id, node) for one in attempts if _is_attempt(one, node))
        self._kept = self._find(before) if before else {}

    def recall(self, run: "run.Run", invocation: invocations.Invocation) -> bool:
        """Take the node over where it is kept; False where it is to be done."""
        before = self._kept.get(invocation.name)
        if before is None:
            return False
        node = invocation.make_node(run.name, invocation.name, before.type, invocation.owner)
        taken = {before.id: node}
        for inner in self._below(before):
            taken[inner.id] = nodes.Node(run.name, inner.name, inner.type, _Silent())
        for key, one in taken.items():
            _fill(one, self._by_id[key], taken)
        run.add(node)
        for one in taken.values():
            if one is not node:
                run.adopt(one)
        run.end(node, before.phase, before.message)
        node.memoized = before.memoized
        return True

    def restore_times(self, node: nodes.Node) -> None:
        """Have a node that ended as it had before tell the times of its work."""
        before = self._kept.get(node.name)
        if before is not None and before.phase is node.phase:
            node.started, node.finished = before.started, before.finished

    def _find(self, before: Mapping[str, record.NodeRecord]) -> dict[str, record.NodeRecord]:
        failed = [
            node
            for node in before.values()
            if node.phase.failed_or_error
            and node.type not in _AROUND
            and not any(above.phase is record.Phase.SUCCEEDED for above in self._above(node))
        ]
        excused = {node.id for node in failed if self._led_to_success(node)}
        again = [node for node in failed if node.id not in excused]
        gone = {one.id for node in again or failed for one in (node, *self._after(node))}
        held = {above.id for key in excused - gone for above in self._above(self._by_id[key])}
        for node in before.values():
            if not node.boundary and node.name.endswith(_EXIT):
                gone.update(one.id for one in (node, *self._below(node)))
        for key in tuple(gone):
            gone.update(above.id for above in self._above(self._by_id[key]))
        kept = {
            node.id: node
            for node in before.values()
            if node.id not in gone
            and node.phase.fulfilled
            and (not node.phase.failed_or_error or node.id in excused | held)
        }
        return {node.name: node for node in kept.values() if self._stays(node, kept)}

    def _stays(self, node: record.NodeRecord, kept: Mapping[str, record.NodeRecord]) -> bool:
        """Tell whether a node is not an attempt of a Retry node that is done anew."""
        retry = self._parent.get(node.id)
        return retry is None or retry.id in kept

    def _above(self, node: record.NodeRecord) -> Iterator[record.NodeRecord]:
        """What a node is inside of, or an attempt of, from within."""
        above = self._parent.get(node.id) or self._by_id.get(node.boundary)
        while above is not None:
            yield above
            above = self._parent.get(above.id) or self._by_id.get(above.boundary)

    def _after(self, node: record.NodeRecord) -> Iterator[record.NodeRecord]:
        """Every node that came of this one."""
        seen, ahead = {node.id}, list(node.children)
        while ahead:
            key = ahead.pop()
            if key not in seen:
                seen.add(key)
                yield self._by_id[key]
                ahead.extend(self._by_id[key].children)

    def _led_to_success(self, node: record.NodeRecord) -> bool:
        start = self._parent.get(node.id, node)
        return any(
            one.phase is record.Phase.SUCCEEDED and one.type not in _GROUPS and not one.hooked
            for one in self._after(start)
        )

    def _below(self, node: record.NodeRecord) -> Iterator[record.NodeRecord]:
        """What is inside a node: its children by boundary, a Retry node's attempts."""
        ahead = [node]
        while ahead:
            one = ahead.pop(0)
            attempts = [
                child
                for child in map(self._by_id.__getitem__, one.children)
                if self._parent.get(child.id) is one
            ]
            inner = [*attempts, *self._inside.get(one.id, ())]
            yield from inner
            ahead.extend(inner)


def _is_attempt(node: record.NodeRecord, of: record.NodeRecord) -> bool:
    """Tell an attempt of a Retry node from its hooks, which are flagged as retried too."""
    return node.retried and node.name.startswith(f"{of.name}(")


NOTHING = Kept({})


class _Silent:
    """The owner of a node for whose end nobody waits any more."""

    def made_node(self, node: nodes.Node) -> None:
        """Nothing."""

    def running(self, node: nodes.Node) -> None:
        """Nothing."""

    def ended(self, node: nodes.Node) -> None:
        """Nothing."""


def _fill(node: nodes.Node, before: record.NodeRecord, taken: Mapping[str, nodes.Node]) -> None:
    def among(ids: Iterable[str]) -> Iterator[nodes.Node]:
        return (taken[key] for key in ids if key in taken)

    node.display_name = before.display_name
    node.template, node.template_ref = before.template, before.template_ref
    node.inputs = {name: value or "" for name, value in before.inputs.items()}
    node.input_artifacts, node.outputs = before.input_artifacts, before.outputs
    node.hooked, node.retried = before.hooked, before.retried
    node.children = {child.name: child for child in among(before.children)}
    node.outbound = tuple(among(before.outbound))
    if before.boundary in taken:
        node.boundary = taken[before.boundary]
    if node.owner.__class__ is _Silent:
        node.memoized, node.phase, node.message = before.memoized, before.phase, before.message
        node.started, node.finished = before.started, before.finished


def try_again(made: "run.Run", before: record.RunRecord, event: messages.Retry) -> "run.Run":
    """Give a run that was just made what is kept of an earlier try; then it may be started.

    Raises Stalled where the earlier try did not fail.
    """
    if not before.phase.failed_or_error:
        what = "has succeeded" if before.over else "is still under way"
        raise Stalled(f"{before.name} {what}; only what has failed can be tried again")
    made.kept = Kept(before.nodes)
    made.outputs = before.outputs
    for kind, found in (
        ("parameters", before.outputs.parameters),
        ("artifacts", before.outputs.artifacts),
    ):
        for name, value in found.items():
            made.variables[f"workflow.outputs.{kind}.{name}"] = value
    made.began = made.now = event.at
    return made
