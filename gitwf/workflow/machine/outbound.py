"""Where a node's work comes out: the nodes that whatever comes next is a child of.

Argo draws its graph by them (Argo: operator.go getOutboundNodes). They are worked out once, when a
node has ended, and remembered by the composites.
"""

from collections.abc import Mapping

from gitwf.workflow import record
from gitwf.workflow.machine import nodes

_OPEN = frozenset({record.NodeType.STEPS, record.NodeType.DAG})


def of(all_nodes: Mapping[str, nodes.Node], node: nodes.Node) -> tuple[str, ...]:
    """Name the nodes at which `node` ends: itself, or the last ones inside it."""
    if node.type in _OPEN:
        return node.outbound
    if node.type is record.NodeType.RETRY:
        attempts = [all_nodes[name] for name in node.children if all_nodes[name].retried]
        return of(all_nodes, attempts[-1]) if attempts else (node.name,)
    if node.type is record.NodeType.TASK_GROUP:
        inner = [all_nodes[name] for name in node.children if not all_nodes[name].hooked]
        return tuple(name for child in inner for name in of(all_nodes, child)) or (node.name,)
    return (node.name,)
