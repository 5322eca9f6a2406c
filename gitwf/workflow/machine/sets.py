"""The containers of a pod as nodes: one below the pod's for each container of a containerSet.

They hang together as their `dependencies` say, and end as their containers do: exit code 64 is what
never got to run, every other failure is the container's own. They are part of their pod: nobody
waits for them, and no limit counts them (Argo: container_set_template.go, operator.go
assessNodeStatus).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitwf.workflow import record
from gitwf.workflow.document import containers
from gitwf.workflow.machine import messages, nodes

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

_NEVER_RAN = 64
_CUT_OFF = "Pod Failed whilst container running"


class Containers:
    """The Container nodes of one pod; also their owner, which has nothing to do for them."""

    def __init__(
        self, run: "run.Run", pod: nodes.Node, declared: containers.ContainerSet | None
    ) -> None:
        self._run = run
        self._nodes: dict[str, nodes.Node] = {}
        for one in declared.containers if declared is not None else ():
            node = nodes.Node(run.name, f"{pod.name}.{one.name}", record.NodeType.CONTAINER, self)
            node.within(pod)
            node.template, node.template_ref = pod.template, pod.template_ref
            node.hooked, node.retried = pod.hooked, pod.retried
            self._nodes[one.name] = node
            run.add(node)
        for one in declared.containers if declared is not None else ():
            for before in one.dependencies:
                run.link(self._nodes[before], self._nodes[one.name])
            if not one.dependencies:
                run.link(pod, self._nodes[one.name])

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of the nodes by the names of the containers."""
        return {name: node.id for name, node in self._nodes.items()}

    def told(self, event: messages.ContainerStarted | messages.ContainerEnded) -> None:
        """Note that a container runs, or how it ended; what has ended once has ended."""
        node = self._nodes[event.container]
        if isinstance(event, messages.ContainerEnded):
            self._exited(node, event)
        elif node.phase is record.Phase.PENDING:
            self._run.begin_node(node)

    def _exited(self, node: nodes.Node, event: messages.ContainerEnded) -> None:
        phase, message, code = record.Phase.SUCCEEDED, "", event.exit_code
        if code:
            phase = record.Phase.ERROR if code == _NEVER_RAN else record.Phase.FAILED
            message = f"{event.container}: Error (exit code {code}): {event.message}"
        self._run.end(node, phase, message)

    def over(self, phase: record.Phase, message: str) -> None:
        """Note that the pod is over, and with it what nobody told the end of."""
        for node in self._nodes.values():
            if node.phase is record.Phase.RUNNING:
                self._run.end(node, record.Phase.FAILED, _CUT_OFF)
            elif not node.phase.fulfilled:
                self._run.end(node, phase, message)

    def made_node(self, node: nodes.Node) -> None:
        """Nothing: the nodes are linked when all are there."""

    def running(self, node: nodes.Node) -> None:
        """Nothing: the pod runs."""

    def ended(self, node: nodes.Node) -> None:
        """Nothing: the pod's end is what counts."""
