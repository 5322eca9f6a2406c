"""Where a node's work comes out: the nodes that whatever comes next is a child of.

Argo draws its graph by them (Argo: operator.go getOutboundNodes). They are worked out once, when a
node has ended, and remembered by the composites.
"""

from gitwf.workflow import record
from gitwf.workflow.machine import nodes

_COMPOSITES = frozenset({record.NodeType.STEPS, record.NodeType.DAG})


def of(node: nodes.Node) -> tuple[nodes.Node, ...]:
    """Give the nodes at which `node` ends: itself, or the last ones inside it."""
    if node.type in _COMPOSITES:
        # Argo gives nothing for one that failed before it had children, and loses what follows it.
        return node.outbound or (node,)
    if node.type is record.NodeType.RETRY:
        # Argo takes its last child as it is: an attempt, even one with nodes inside it, or a hook.
        return tuple(node.children.values())[-1:] or (node,)
    if node.type is record.NodeType.TASK_GROUP:
        return tuple(end for turn in node.children.values() for end in of(turn)) or (node,)
    return (node,)
