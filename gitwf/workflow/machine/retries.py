"""A node that is tried again: a Retry node over its attempts.

After each attempt the pure decision of `gitwf.workflow.retry` is asked; the Retry node ends as the
last attempt did. Attempts are the template once more, with `{{retries}}` and `{{lastRetry.*}}`.
"""

import dataclasses
from typing import TYPE_CHECKING

from gitwf.values import Instant
from gitwf.workflow import failure, preparation, record, retry, scope
from gitwf.workflow.document import retry as strategies
from gitwf.workflow.machine import invocations, locks, nodes, references

if TYPE_CHECKING:
    from gitwf.workflow.machine import run


class Retrying:
    """The Retry node of an invocation, and the owner of its attempts."""

    def __init__(
        self,
        run: "run.Run",
        invocation: invocations.Invocation,
        prepared: preparation.Prepared,
        artifacts: references.Places,
        strategy: strategies.RetryStrategy,
    ) -> None:
        self._run = run
        self._invocation = invocation
        self._prepared = prepared
        self._artifacts = artifacts
        self._strategy = strategy
        self._attempts: list[nodes.Node] = []
        self.node = invocation.make_node(
            run.name, invocation.name, record.NodeType.RETRY, invocation.owner
        )
        self.node.inputs = prepared.inputs
        self.node.input_artifacts = tuple(sorted(artifacts))

    def start(self) -> None:
        """Make the first attempt, and the Retry node where it is not there yet."""
        if self.node.name not in self._run.nodes:
            self.made()
        # Argo: a hook's Retry node shares its flags with its attempts.
        self.node.retried = self._invocation.hooked
        try:
            self.node.show_as(self._prepared.made())
        except failure.NodeFailure as problem:
            self.node.recurs = True
            self._run.undo(self.node, str(problem))
            return
        self._attempt(dict(retry.FIRST))
        # Argo comes to the node's hooks once it has made the attempt.
        if not self.node.phase.fulfilled:
            self._run.begin_node(self.node)

    def made(self) -> None:
        """Make the Retry node alone."""
        self._run.add(self.node)

    def made_node(self, node: nodes.Node) -> None:
        """Count a new attempt."""
        self._attempts.append(node)
        self._run.link(self.node, node)

    def running(self, node: nodes.Node) -> None:
        """Nothing: the Retry node runs from its start."""

    def ended(self, node: nodes.Node) -> None:
        """Take over a good end, or decide about another attempt."""
        inside = self._invocation.boundary
        if node.undone and not retry.takes_errors(self._strategy):
            self._pass_on(node)
        elif node.phase.failed_or_error and inside is not None and inside.gives_up:
            self._leave()
        elif node.phase.failed_or_error:
            self._decide()
        else:
            self._end(node.phase, node.message)

    def _pass_on(self, attempt: nodes.Node) -> None:
        """End in Error for whoever called the template."""
        self.node.spoken = attempt.message
        entry = self.node.name == self._run.name
        self._run.undo(self.node, nodes.LEFT if entry else attempt.message)

    def _leave(self) -> None:
        """Leave the Retry node as it is: Argo ends a template that fails fast before.

        Others may wait for its locks.
        """
        if isinstance(self._invocation.owner, locks.Holder):
            self._invocation.owner.give_back()

    def stop(self) -> None:
        """Wait no longer: what is under way shall end."""
        self._elapse()

    @property
    def on_exit(self) -> bool:
        """Whether the node is part of an exit handler."""
        return self._invocation.on_exit

    def _elapse(self) -> None:
        if self in self._run.backing_off:
            self._decide()

    def _decide(self) -> None:
        last, count = self._last(), len(self._attempts)
        names = last.scope(count - 1, "-1")
        try:
            decision = retry.decide(
                self._strategy,
                count,
                last,
                self._attempts[0].started or self._run.began,
                self._run.now,
                scope.nested({**names, scope.NOW: self._run.now}),
            )
        except failure.NodeFailure as problem:
            self._run.undo(self.node, str(problem))
            return
        # Not even an exit handler's.
        if self._run.stopping(on_exit=False):
            decision = retry.Over(self._run.no_more_retries() or last.message)
        self._run.backing_off.pop(self, None)
        match decision:
            case retry.Again():
                self._say("")
                self._attempt(dict(last.scope(count)))
            case retry.Later(at, message):
                self._say(message)
                self._run.backing_off[self] = None
                self._run.wake(at, self._elapse)
            case retry.Over(message):
                self._end(self._attempts[-1].phase, message)

    def _end(self, phase: record.Phase, message: str) -> None:
        """End as the last attempt did, whose outputs are the node's only then."""
        self.node.outputs = self._attempts[-1].outputs
        self._run.end(self.node, phase, message)

    def _say(self, message: str) -> None:
        self.node.message = message
        self._run.touch(self.node)

    def _last(self) -> retry.Attempt:
        node = self._attempts[-1]
        return retry.Attempt(
            node.phase,
            node.message,
            node.outputs.exit_code,
            node.started or self._run.began,
            node.finished or self._run.now,
        )

    def _attempt(self, names: dict[str, scope.Value]) -> None:
        inside = self._invocation.boundary
        if inside is not None and (inside.gives_up or inside.node.phase.fulfilled):
            self._leave()
            return
        # The Retry node itself takes no place.
        for limit in (*(() if inside is None else (inside.parallelism,)), self._run.parallelism):
            if not limit.admits(self._invocation.place):
                # By the time that there is room its time may be over.
                again = self._decide if self._attempts else lambda: self._attempt(names)
                limit.wait(self._invocation.place(), again)
                return
        name = f"{self.node.name}({len(self._attempts)})"
        pod = nodes.pod_name(self._run.name, name, self._invocation.target.name)
        try:
            prepared = self._prepared.again({**names, "pod.name": pod})
            bound = invocations.Bound(prepared, prepared.made(), self._artifacts)
        except failure.NodeFailure as problem:
            self._run.undo(self.node, str(problem))
            return
        invocation = dataclasses.replace(self._invocation, until=self._until())
        self._run.perform(invocation, bound, name, self)

    def _until(self) -> Instant | None:
        """Give the end of the time that all attempts share; the first one is not cut off by it."""
        if not self._attempts:
            return None
        return retry.last_moment(self._strategy, self._attempts[0].started or self._run.began)
