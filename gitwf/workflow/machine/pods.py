"""A node whose work is a pod: asked for, started, ended, or stopped because its time is over.

The engine runs the pod; this module decides what its end means. Three clocks may stop it: the
template's `timeout` from the node's start, its `activeDeadlineSeconds` from the pod's, and the
workflow's own deadline (`run`). A pod that was asked to stop has failed, whatever it says last.
"""

import dataclasses
from typing import TYPE_CHECKING

from gitwf.values import Instant
from gitwf.workflow import durations, failure, record
from gitwf.workflow.document import containers, template
from gitwf.workflow.machine import messages, nodes, orders

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

TIMEOUT = "timeout"
ACTIVE_TOO_LONG = "Pod was active on the node longer than the specified deadline"


class Pod:
    """The pod of one node. `start` asks the engine for it."""

    def __init__(
        self,
        run: "run.Run",
        order: "orders.Order",
        node: nodes.Node,
        made: template.Template,
        artifacts: tuple[messages.InputArtifact, ...],
        volumes: tuple[containers.Volume, ...],
    ) -> None:
        self._run = run
        self._order = order
        self.node = node
        self._template = made
        self._artifacts = artifacts
        self._volumes = volumes
        self._stopped = ""
        # Set before the clocks are looked at, so that no pod is stopped that has just ended.
        self.gone = False

    @property
    def on_exit(self) -> bool:
        """Whether the pod is part of an exit handler."""
        return self._order.on_exit

    def start(self) -> None:
        """Ask for the pod. Raises NodeFailure where a time limit makes no sense."""
        deadline = self._timeout()
        self._run.pods[self.node.id] = self
        target = self._order.target
        self._run.command(
            messages.StartPod(
                node=self.node.id,
                name=self.node.name,
                pod=nodes.pod_name(self._run.name, self.node.name, target.name) + self.node.twin,
                template=self._template,
                origin=target.origin,
                artifacts=self._artifacts,
                volumes=self._volumes,
                wants_result=self._order.wants_result,
                deadline=deadline,
            )
        )

    def _timeout(self) -> Instant | None:
        if not self._template.timeout:
            return None
        end = self._run.now.after(durations.seconds(self._template.timeout))
        self._run.wake(end, lambda: self.stop(TIMEOUT))
        return end

    def started(self, event: messages.PodStarted) -> None:
        """Note that the pod runs, and from when its own deadline counts."""
        if self.node.phase is not record.Phase.PENDING:
            return
        self._run.begin_node(self.node)
        limit = self._template.active_deadline_seconds
        if limit is not None:
            self._run.wake(event.at.after(float(limit)), lambda: self.stop(ACTIVE_TOO_LONG))

    def stop(self, message: str) -> None:
        """Have the pod killed; its node will be Failed with `message`."""
        if not self.node.phase.fulfilled and not self._stopped:
            self._stopped = message
            if not self.gone:
                self._run.command(messages.StopPod(self.node.id, message))

    def ended(self, event: messages.PodEnded) -> None:
        """End the node as the pod ended."""
        if self._run.pods.pop(self.node.id, None) is None:
            return
        if self._stopped:
            self._run.end(self.node, record.Phase.FAILED, self._stopped)
            return
        self.node.outputs = _completed(self._template, event.outputs)
        publish(self._run, self._template, self.node.outputs)
        self._run.end(self.node, event.phase, event.message)


def _completed(made: template.Template, outputs: record.Outputs) -> record.Outputs:
    """Name the declared parameters that a pod did not write, if it ran at all."""
    if outputs.exit_code is None:
        return outputs
    declared = (parameter.name for parameter in made.outputs.parameters)
    unset = tuple(name for name in declared if name not in outputs.parameters)
    return dataclasses.replace(outputs, unset=unset) if unset else outputs


def publish(run: "run.Run", made: template.Template, outputs: record.Outputs) -> None:
    """Make the outputs global that have a `globalName`."""
    parameters = {p.name: p.global_name for p in made.outputs.parameters if p.global_name}
    artifacts = {a.name: a.global_name for a in made.outputs.artifacts if a.global_name}
    if parameters:
        run.publish(outputs, parameters, "parameters")
    if artifacts:
        run.publish(outputs, artifacts, "artifacts")


def check_limits(made: template.Template) -> None:
    """Raise NodeFailure where a time limit of the template is no number or duration."""
    if made.timeout:
        durations.seconds(made.timeout)
    limit = made.active_deadline_seconds
    if isinstance(limit, str) and not limit.isdecimal():
        raise failure.NodeFailure(f"activeDeadlineSeconds is not a number: {limit}")
