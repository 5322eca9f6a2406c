"""A node whose work is a pod: asked for, started, ended, or stopped because its time is over.

The engine runs the pod; this module decides what its end means. Four clocks may stop it: the
template's `timeout` from the node's start, its `activeDeadlineSeconds` from the pod's, which counts
only without a `timeout`, the workflow's own deadline (`run`), and what is left of the `maxDuration`
of its retries. A pod that was asked to stop has failed, whatever it says last; only one whose
retries ran out of time ends as it says.
"""

import dataclasses
import math
from collections.abc import Container
from typing import TYPE_CHECKING, NamedTuple

from gitwf.values import Instant
from gitwf.workflow import durations, failure, record
from gitwf.workflow.document import parameters, template
from gitwf.workflow.machine import invocations, messages, nodes, sets

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

TIMEOUT = "timeout"
# Argo gives a pod the whole seconds that are left of a `timeout` when it makes the pod, and makes
# none with a second or less. It sees a pod run two seconds later: what is over by then has timed
# out before it ran, anything else was active for too long.
_LEAST, _SEEN = 2, 2
_OUT_OF_RETRIES = "Step exceeded its deadline"
ACTIVE_TOO_LONG = "Pod was active on the node longer than the specified deadline"


class Pod:
    """The pod of one node. It keeps what it needs to judge the end, not the template."""

    __slots__ = (
        "_active_limit", "_declared", "_run", "_stopped", "containers", "gone", "node", "on_exit",
    )  # fmt: skip

    def __init__(
        self,
        run: "run.Run",
        invocation: invocations.Invocation,
        node: nodes.Node,
        made: template.Template,
    ) -> None:
        self._run = run
        self._declared = made.outputs
        replaced = bool(made.timeout) and made.http is None
        self._active_limit = None if replaced else made.active_deadline_seconds
        self._stopped = ""
        self.node = node
        self.on_exit = invocation.on_exit
        self.containers = sets.Containers(run, node, made.container_set)
        # Set before the clocks are looked at, so that no pod is stopped that has just ended.
        self.gone = False

    def start(self, command: messages.StartPod, limit: "Limit | None") -> None:
        """Ask for the pod."""
        self._run.pods[self.node.id] = self
        if limit is not None:
            self._run.wake(limit.at, lambda: self.stop(limit.message))
        self._run.command(command)

    def started(self, event: messages.PodStarted) -> None:
        """Note that the pod runs, and from when its own deadline counts."""
        if self.node.phase is not record.Phase.PENDING:
            return
        self._run.begin_node(self.node)
        if self._active_limit is not None:
            due = event.at.after(float(self._active_limit))
            self._run.wake(due, lambda: self.stop(ACTIVE_TOO_LONG))

    def told(self, event: messages.ContainerStarted | messages.ContainerEnded) -> None:
        """Note what became of a container of a set."""
        self.containers.told(event)

    def stop(self, message: str) -> None:
        """Have the pod killed; its node will be Failed with `message`."""
        if not self.node.phase.fulfilled and not self._stopped:
            self._stopped = message
            if not self.gone:
                self._run.command(messages.StopPod(self.node.id, message))

    def expire(self) -> None:
        """Have the pod killed as its retries have no time left; its own end counts."""
        if not self.node.phase.fulfilled and not self._stopped and not self.gone:
            self._run.command(messages.StopPod(self.node.id, _OUT_OF_RETRIES, own_end=True))

    def ended(self, event: messages.PodEnded) -> None:
        """End the node as the pod ended."""
        if self._run.pods.pop(self.node.id, None) is None:
            return
        phase, message = event.phase, event.message
        if self._stopped:
            phase, message = record.Phase.FAILED, self._stopped
        self.containers.over(phase, message)
        if self._stopped or self.node.spoiled:
            self._run.end(self.node, phase, message)
            return
        self.node.outputs = _completed(self._declared, event.outputs)
        share(self._run, self.node, self._declared)
        publish(self._run, self.node)
        self._run.end(self.node, phase, message)


def _completed(declared: parameters.Outputs, outputs: record.Outputs) -> record.Outputs:
    """Name the declared parameters that a pod did not write, if it ran at all."""
    if outputs.exit_code is None or not declared.parameters:
        return outputs
    names = (parameter.name for parameter in declared.parameters)
    unset = tuple(name for name in names if name not in outputs.parameters)
    return dataclasses.replace(outputs, unset=unset) if unset else outputs


def share(run: "run.Run", node: nodes.Node, declared: parameters.Outputs) -> None:
    """Note which outputs of a node have a `globalName`."""
    if not declared.parameters and not declared.artifacts:
        return
    texts = any(one.global_name for one in declared.parameters)
    if texts or any(one.global_name for one in declared.artifacts):
        run.shared[node.name] = declared


def publish(run: "run.Run", node: nodes.Node, only: Container[str] | None = None) -> None:
    """Make the outputs global that have a `globalName`, or `only` those parameters."""
    declared = run.shared.get(node.last_attempt.name) if run.shared else None
    if declared is None:
        return
    texts = {
        one.name: one.global_name
        for one in declared.parameters
        if one.global_name and (only is None or one.name in only)
    }
    places = {one.name: one.global_name for one in declared.artifacts if one.global_name}
    if texts:
        run.publish(node.outputs, texts, "parameters")
    if places:
        run.publish(node.outputs, places, "artifacts")


class Limit(NamedTuple):
    """When a node's own time is over, and what is said of it then."""

    at: Instant
    message: str


def timeout(made: template.Template, now: Instant) -> Limit | None:
    """Give a request's limit. Raises NodeFailure."""
    return Limit(now.after(_span(made.timeout)), TIMEOUT) if made.timeout else None


def pod_timeout(made: template.Template, node: nodes.Node, now: Instant) -> Limit | None:
    """Give a pod's limit. Raises NodeFailure, too where it leaves no time for a pod."""
    if not made.timeout:
        return None
    span = _span(made.timeout)
    left = math.ceil(span) - 1
    if left < _LEAST:
        raise failure.NodeFailure(f"{node.name} exceeded its deadline")
    return Limit(now.after(span), TIMEOUT if left <= _SEEN else ACTIVE_TOO_LONG)


def _span(text: str) -> float:
    try:
        return durations.written(text)
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"invalid timeout format. {problem}") from None


def check_limits(made: template.Template) -> None:
    """Raise NodeFailure where the active deadline of a template is no number."""
    limit = made.active_deadline_seconds
    if isinstance(limit, str) and not limit.isdecimal():
        raise failure.no_int(limit)
