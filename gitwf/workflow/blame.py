"""Which step a run failed for: what a person is told instead of what the workflow says of itself.

A workflow's own message names the child that failed by its node id, or nothing at all; the record
keeps it, because Argo says the same. This goes down from the root to the step that ended badly and
was not let pass: through the step group that gave up on it, the last try of a retry, the task of a
DAG that nothing ran after. A pure function of the record.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitwf.workflow import record
from gitwf.workflow.record import NodeRecord, NodeType

_CHILD = re.compile(r"child '(?P<id>[^']+)' failed")


@dataclass(frozen=True)
class Blame:
    """The step that a run failed for, by the name that its author gave it, and its message.

    `node`: the full name of its node where that wrote a log, else "". `tries`: how often it ran.
    """

    step: str
    message: str
    node: str = ""
    tries: int = 1

    def __str__(self) -> str:
        tries = f" after {self.tries} tries" if self.tries > 1 else ""
        return f"step {self.step} failed{tries}: {self.message}"


def summary(run: record.RunRecord) -> str:
    """Say in a line why a run ended badly."""
    found = find(run)
    return str(found) if found is not None else run.message or "the run failed"


def readable(node: record.NodeRecord, run: record.RunRecord) -> str:
    """Give a node's message with the child that it names by id named as its author did."""
    named = _CHILD.fullmatch(node.message)
    if named is None:
        return node.message
    child = next((one for one in run.nodes.values() if one.id == named["id"]), None)
    return f"step {child.display_name} failed" if child is not None else node.message


def log_command(run: str, node: str) -> str:
    """Give the command that shows what a run wrote, or one node of it; "" for all of them."""
    return shlex.join(["gitwf", "logs", run, *([node] if node else [])])


def find(run: record.RunRecord) -> Blame | None:
    """Find the step that a run failed for; None where it was none of them."""
    by_id = {node.id: node for node in run.nodes.values()}
    tops = [one for one in run.nodes.values() if not one.boundary and one.phase.failed_or_error]
    if not tops:
        return None
    # The exit handler is to blame only where the entry point, which comes first, is not.
    root = next(iter(run.nodes.values()))
    at = root if root in tops else tops[-1]
    named, tries = at, 1
    seen: set[str] = set()
    while at.id not in seen:
        seen.add(at.id)
        below = _below(at, by_id)
        if below is None:
            break
        # An attempt goes by the name of what is tried, a group by that of what it is a group of.
        if below.retried:
            named, tries = at, sum(by_id[one].retried for one in at.children if one in by_id)
        elif below.type is not NodeType.STEP_GROUP:
            named, tries = below, 1
        at = below
    wrote = at.type in {NodeType.POD, NodeType.CONTAINER}
    if named is root and not wrote:
        return None
    return Blame(named.display_name, _message(at), at.name if wrote else "", tries)


def _below(node: NodeRecord, by_id: Mapping[str, NodeRecord]) -> NodeRecord | None:
    """The node below that this one failed for, or None where it failed by itself."""
    children = [by_id[one] for one in node.children if one in by_id]
    bad = [one for one in children if one.phase.failed_or_error]
    match node.type:
        case NodeType.RETRY:
            return next((one for one in reversed(bad) if one.retried), None)
        case NodeType.STEPS:
            groups = [one for one in _inside(node, by_id) if one.type is NodeType.STEP_GROUP]
            return next((one for one in groups if one.phase.failed_or_error), None)
        case NodeType.STEP_GROUP:
            named = _CHILD.fullmatch(node.message)
            chosen = [one for one in bad if named is None or one.id == named["id"]]
            return next(iter(chosen), None)
        case NodeType.DAG:
            tasks = [one for one in _inside(node, by_id) if one.phase.failed_or_error]
            ended = [one for one in tasks if not _went_on(one, node, by_id)]
            return next(iter([*ended, *tasks]), None)
    return None


def _inside(node: NodeRecord, by_id: Mapping[str, NodeRecord]) -> Iterator[NodeRecord]:
    """The nodes of a template's steps or tasks; of a loop the items, of a retry the whole."""
    for one in by_id.values():
        own = one.boundary == node.id and not one.retried
        if own and one.type is not NodeType.TASK_GROUP:
            yield one


def _went_on(task: NodeRecord, dag: NodeRecord, by_id: Mapping[str, NodeRecord]) -> bool:
    """Whether a task of the DAG ran after this one: then its failure was let pass."""
    left, seen = list(task.children), {task.id}
    while left:
        one = by_id.get(left.pop())
        if one is None or one.id in seen:
            continue
        seen.add(one.id)
        follows = one.boundary == dag.id and not (one.retried or one.hooked)
        if follows and one.phase.completed and one.type is not NodeType.SKIPPED:
            return True
        left.extend(one.children)
    return False


def _message(node: NodeRecord) -> str:
    said = " ".join(node.message.split()).rstrip(" ;") or "it gave no reason"
    code = node.outputs.exit_code
    return said if code in {None, "0"} or "exit code" in said else f"{said} (exit code {code})"
