"""How each branch of a DAG came out, which decides what comes after it and how the DAG does.

A target that never completed tells nothing of itself: what led to it does (Argo: assessDAGPhase).
"""

from collections import deque
from collections.abc import Collection

from gitwf.workflow import depends, record
from gitwf.workflow.machine import nodes


def phases(dag: nodes.Node, targets: Collection[nodes.Node]) -> dict[str, record.Phase]:
    """Give each target's phase by its name; one that did not complete has that of what led to it.

    Argo walks down the nodes, those inside of the tasks too, and keeps the last phase on each way;
    bad ends go before good ones.
    """
    if all(target.phase.completed for target in targets):
        return {target.name: target.phase for target in targets}
    found = {target.name: record.Phase.SUCCEEDED for target in targets}
    ahead = deque((child, record.Phase.SUCCEEDED) for child in dag.children.values())
    seen = {(child.name, phase) for child, phase in ahead}
    while ahead:
        node, branch = ahead.popleft()
        branch = node.phase if node.phase.completed else branch
        if node.name in found and not found[node.name].failed_or_error:
            found[node.name] = branch
        for child in _following(node):
            if (child.name, branch) not in seen:
                seen.add((child.name, branch))
                ahead.append((child, branch))
    return found


def result(node: nodes.Node, *, is_loop: bool) -> depends.Result:
    """Give what `depends` sees of a task that is over; of a loop, its turns as well."""
    phase = node.phase
    turns = [turn.phase for turn in node.children.values()] if is_loop else []
    return depends.Result(
        succeeded=phase is record.Phase.SUCCEEDED,
        failed=phase is record.Phase.FAILED,
        errored=phase is record.Phase.ERROR,
        skipped=phase is record.Phase.SKIPPED,
        omitted=phase is record.Phase.OMITTED,
        any_succeeded=record.Phase.SUCCEEDED in turns,
        all_failed=bool(turns) and all(turn is record.Phase.FAILED for turn in turns),
    )


def _following(node: nodes.Node) -> list[nodes.Node]:
    """Give what comes after a node; of one that was tried again, after its attempts."""
    if node.type is not record.NodeType.RETRY:
        return list(node.children.values())
    found: list[nodes.Node] = []
    for child in reversed(node.children.values()):
        found.extend([child] if child.hooked else child.children.values())
    return found
