"""Where a node's work comes out: the nodes that whatever comes next is a child of.

Argo draws its graph by them (Argo: operator.go getOutboundNodes). They are worked out once, when a
node has ended, and remembered by the composites.
"""

from collections import deque

from gitwf.workflow import record
from gitwf.workflow.machine import nodes

_WAYS = 1_000  # A layered set has ways without end; nobody follows so many.
_COMPOSITES = frozenset({record.NodeType.STEPS, record.NodeType.DAG})


def of(node: nodes.Node) -> tuple[nodes.Node, ...]:
    """Give the nodes at which `node` ends: itself, or the last ones inside it.

    Steps that failed before a group of theirs had children end nowhere, and what follows them in
    other steps has no parent.
    """
    if node.type in _COMPOSITES:
        memo = node.memoized
        # The last attempt at something inside has ends of its own.
        inside = tuple(last for end in node.outbound for last in of(end))
        return (node,) if memo is not None and memo.hit else inside
    if node.type is record.NodeType.RETRY:
        # Argo takes its last child as it is: an attempt, even one with nodes inside it, or a hook.
        return tuple(node.children.values())[-1:] or (node,)
    if node.type is record.NodeType.TASK_GROUP:
        turns = node.children.values()
        return tuple(end for turn in turns for end in of(turn)) if turns else (node,)
    if node.type is record.NodeType.POD:
        return _ends_of_pod(node)
    return (node,)


def _ends_of_pod(pod: nodes.Node) -> tuple[nodes.Node, ...]:
    """Give the last containers of a set, each once for every way that leads to it, as Argo does.

    Any other pod is its own end. What comes after a container in another template is its child
    too, of another boundary.
    """
    types = [child.type for child in pod.children.values()]
    if record.NodeType.CONTAINER not in types:
        return (pod,)
    found: list[nodes.Node] = []
    ahead = deque(pod.children.values())
    while ahead and len(found) < _WAYS:
        one = ahead.popleft()
        if one.type is not record.NodeType.CONTAINER:
            found.extend(of(one))
            continue
        inside = [child for child in one.children.values() if child.boundary is pod]
        ahead.extendleft(reversed(inside))
        found.extend([one] * (len(one.children) - len(inside) or not inside))
    return tuple(found)
