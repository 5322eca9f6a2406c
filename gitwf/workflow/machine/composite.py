"""What steps and dags share: a node that stands for calls of other templates.

A composite counts its active children against `parallelism`, stops starting new ones after a
failure where the template says `failFast`, and gathers its outputs from its scope when it is done
(Argo: operator.go checkParallelism, getTemplateOutputsFromScope).
"""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gitwf.workflow import expr, failure, preparation, quoting, record, scope
from gitwf.workflow.document import parameters
from gitwf.workflow.machine import calls, invocations, limits, nodes, pods, references

if TYPE_CHECKING:
    from gitwf.workflow.machine import children, run

_UNCOUNTED = frozenset(
    {record.NodeType.STEP_GROUP, record.NodeType.TASK_GROUP, record.NodeType.SKIPPED}
)
_COMPOSITES = frozenset({record.NodeType.STEPS, record.NodeType.DAG})
_LIMITED = _COMPOSITES | {record.NodeType.POD}
# Attempts and hooks too, but not what never started (Argo: node_counters.go).
_FAILING = _LIMITED | {record.NodeType.HTTP}
FAIL_FAST = "template has failed or errored children and failFast enabled"


class Composite:
    """A steps or dag template that runs as `node`."""

    kind = ""

    def __init__(
        self,
        run: "run.Run",
        invocation: invocations.Invocation,
        bound: invocations.Bound,
        node: nodes.Node,
    ) -> None:
        """Begin. Raises NodeFailure where the calls cannot be read."""
        prepared, _, artifacts = bound
        self.run = run
        self.invocation = invocation
        self.node = node
        self.made = prepared.calling()
        self.results_read = preparation.results_read(prepared.text)
        self.tagged = "{{" in (prepared.calls or prepared.text)
        self.parallelism = limits.Semaphore(self.made.parallelism)
        self.scope: dict[str, scope.Value] = {
            f"inputs.artifacts.{name}": place for name, place in artifacts.items()
        }
        self.scope.update((f"inputs.parameters.{n}", v) for n, v in prepared.inputs.items())
        # Argo does not look into it any more, but to see whether its last child has ended.
        self.given_up = False
        self._failures = 0
        self._busy = 0
        run.composites[node.name] = self
        run.begin_node(node)

    def settled(self, child: "children.Child") -> None:
        """Take note that a child and its hooks are over. For the subclass."""
        raise NotImplementedError

    def adopt(self, child: "children.Child", node: nodes.Node) -> None:
        """Connect a child's new node to its parents. For the subclass."""
        raise NotImplementedError

    def name_of(self, child: "children.Child") -> str:
        """Name a child as its own hooks do. For the subclass."""
        raise NotImplementedError

    def seen_by_hooks(self, child: "children.Child") -> scope.Names:
        """Give what the expressions of a child's hooks see. For the subclass."""
        raise NotImplementedError

    def status_of(self, child: "children.Child") -> dict[str, scope.Value]:
        """Give a child's own status, as its hooks see it."""
        node = child.node or self.run.nodes.get(child.node_name)
        return {f"{self.name_of(child)}.status": str(node.phase)} if node is not None else {}

    def abort(self, message: str) -> None:
        """Fail at once; nothing of it is active. For the subclass."""
        raise NotImplementedError

    def stuck(self, child: "children.Child") -> bool:
        """Whether no hook of a child starts any more, because one before it is broken."""
        del child
        return False

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Whether a problem that a child's hook had once ends nothing but the hook."""
        raise NotImplementedError

    def exits_at_once(self, child: "children.Child") -> bool:
        """Whether a child's exit hook does not wait for its named ones."""
        del child
        return False

    def passes_by(self, child: "children.Child") -> bool:
        """Whether it goes on from a child that has ended and sees to its hooks itself."""
        del child
        return False

    def undone(self, node: nodes.Node) -> None:
        """Say in the composite's words why a child's template could not be carried out."""

    # Room for children.

    @functools.cached_property
    def place(self) -> limits.Place:
        """Where Argo comes to it."""
        return self.invocation.place()

    @property
    def order(self) -> Mapping[str, int]:
        """The calls, numbered as Argo comes to them. For the subclass."""
        raise NotImplementedError

    def admits(self, place: Callable[[], limits.Place]) -> bool:
        """Whether another child, at this place, may start."""
        return not self.failing and self.parallelism.admits(place)

    @property
    def failing(self) -> bool:
        """Whether nothing new starts, no hook either, because a child has failed."""
        return bool(self.made.fail_fast) and self._failures > 0

    @property
    def gives_up(self) -> bool:
        """Whether it retries nothing either. An attempt that fails fast only starts nothing new.

        Argo looks at the Retry node in its place, inside which nothing has failed yet.
        """
        return self.failing and not self.node.retried

    def wait(self, place: limits.Place, work: Callable[[], None]) -> None:
        """Let work wait for room."""
        self.parallelism.wait(place, work)
        if self.failing:
            self.run.later(self._admit)

    def count(self, node: nodes.Node, change: int) -> None:
        """Count a child that starts (1) or ends (-1)."""
        if node.type in _UNCOUNTED:
            return
        if node.type is not record.NodeType.RETRY:
            self._busy += change
        if node.type in _LIMITED:
            self.parallelism.active += change
        if change > 0:
            return
        if node.phase.failed_or_error and node.type in _FAILING:
            self._failures += 1
        if node.type in _COMPOSITES or node.undone:
            # Argo ends such a node while it looks at its parent, which may end at once in its turn.
            self.run.at_last(lambda: self._look_again(self.run.at_last))
        else:
            self._look_again(self.run.later)

    def _look_again(self, soon: Callable[[Callable[[], None]], None]) -> None:
        self.given_up = self.gives_up
        if self.failing:
            soon(self._admit)
        elif self.parallelism.line:
            self.run.in_line(self._admit)

    def _admit(self) -> None:
        if self.node.phase.fulfilled:
            return
        if self.failing:
            if not self._busy and (self.parallelism.line or self.gives_up):
                self.parallelism.leave()
                self.abort(FAIL_FAST)
            return
        if (work := self.parallelism.next()) is not None:
            work()
            self.run.in_line(self._admit)

    # The end.

    def succeed(self) -> None:
        """Gather the outputs and end well, or in Error where they cannot be gathered."""
        try:
            self.node.outputs = self._outputs()
        except failure.NodeFailure as problem:
            self.run.undo(self.node, str(problem))
            return
        self.publish()
        self.run.end(self.node, record.Phase.SUCCEEDED)

    def publish(self) -> None:
        """Make outputs global that have a `globalName`. For the subclass."""
        raise NotImplementedError

    def share(self) -> None:
        """Note which outputs are global: of an artifact, Argo asks who made it for the name."""
        parameters_only = self.made.outputs.model_copy(update={"artifacts": ()})
        pods.share(self.run, self.node, parameters_only)

    def own_names(self) -> dict[str, scope.Value]:
        """Name the composite itself, as its calls see it."""
        return {"node.name": self.node.name, f"{self.invocation.kind}.name": self.invocation.caller}

    def local(self) -> scope.Names:
        """What artifacts and outputs may name: the scope and global outputs, no other variables."""
        shared = scope.of_declared("workflow", self.run.outputs)
        return scope.Names(self.scope, {**shared, scope.NOW: self.run.now})

    def seen_by_outputs(self) -> scope.Names:
        """Give what its outputs may name."""
        return self.local()

    def _outputs(self) -> record.Outputs:
        values = self.seen_by_outputs()
        found: dict[str, str] = {}
        for parameter in self.made.outputs.parameters:
            found[parameter.name] = _output(parameter, values)
        places: dict[str, record.ArtifactLocation] = {}
        for artifact in self.made.outputs.artifacts:
            try:
                place = references.place(artifact, values)
            except failure.NodeFailure as problem:
                if references.excused(artifact, problem):
                    continue
                raise failure.NodeFailure(
                    f"unable to resolve outputs from scope: {problem}"
                ) from problem
            places[artifact.name] = place or record.ArtifactLocation(artifact.name)
        return record.Outputs(found, places)


def _output(parameter: parameters.Parameter, values: calls.Values) -> str:
    source = parameter.value_from
    if source is None:
        raise failure.NodeFailure("output parameters must have a valueFrom specified")
    if not source.parameter and not source.expression:
        # Such as templateDefaults add to steps and dags; Argo does not come to the default.
        return ""
    try:
        return _resolved(source, values)
    except failure.NodeFailure:
        if source.default is None:
            raise
        return source.default


def _resolved(source: parameters.ValueFrom, values: calls.Values) -> str:
    if source.expression:
        result = references.evaluate(source.expression, values)
        if result is None:
            shown = quoting.quote(source.expression)
            raise failure.NodeFailure(f"failed to evaluate expression {shown}")
    else:
        result = references.resolve(source.parameter, values)
        if result is None:
            raise failure.NodeFailure(
                f"Unable to resolve: {quoting.quote(references.tag(source.parameter))}"
            )
    try:
        return expr.to_plain(result)
    except expr.ExprError as problem:
        raise failure.NodeFailure(str(problem)) from problem
