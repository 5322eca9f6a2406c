"""One turn of a call inside of steps or a DAG: what stands between it and them.

It makes the turn's invocation or says why the turn does not run, connects its node, and lets its
hooks run before the composite hears of its end.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitwf.workflow import failure, record, scope
from gitwf.workflow.document import flow, template
from gitwf.workflow.machine import calls, hooks, invocations, nodes

if TYPE_CHECKING:
    from gitwf.workflow.machine import composite


class Child:
    """One turn of a call: its node, then its hooks, then word to the composite."""

    __slots__ = ("_hooks", "call", "hooked", "inside", "node", "node_name", "undecided")

    @property
    def hook_fault(self) -> str:
        """Why a named hook could not be carried out, or ""."""
        return self._hooks.fault if self._hooks is not None else ""

    @property
    def exit_fault(self) -> str:
        """Why the exit hook could not, or ""."""
        return self._hooks.exit_fault if self._hooks is not None else ""

    def __init__(
        self,
        inside: "composite.Composite",
        call: template.Call,
        node_name: str,
        hooked: Mapping[str, flow.Hook],
    ) -> None:
        self.inside = inside
        self.call = call
        self.node_name = node_name
        self.node: nodes.Node | None = None
        self.undecided = False
        self.hooked = hooked
        self._hooks = hooks.Hooks(inside.run, self) if hooked else None

    def name_in_hooks(self) -> str:
        """Give the name that the composite knows it by."""
        return self.inside.name_of(self)

    def seen_by_hooks(self) -> scope.Names:
        """Give what the composite lets them see."""
        return self.inside.seen_by_hooks(self)

    def stuck(self) -> bool:
        """Whether the composite starts none of its hooks any more."""
        return self.inside.stuck(self)

    def exits_at_once(self) -> bool:
        """Whether the exit hook does not wait for the named ones."""
        return self.inside.exits_at_once(self)

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Whether the composite goes on after a problem that a hook had once."""
        return self.inside.forgets(problem, on_exit=on_exit)

    @property
    def over(self) -> bool:
        """Whether the node is over and no hook of it runs."""
        return self.node is not None and not (self._hooks is not None and self._hooks.busy)

    def settled(self) -> None:
        """Pass on that the node and its hooks are over."""
        self.inside.settled(self)

    def submit(self, turn: calls.Turn) -> None:
        """Submit the turn's node, or record why it does not run."""
        run, inside = self.inside.run, self.inside
        if turn.problem:
            self.undecided = True
            self.skip(record.Phase.ERROR, turn.problem)
            return
        if not turn.proceed:
            self.skip(record.Phase.SKIPPED, f"when '{turn.call.when}' evaluated false")
            return
        try:
            call = turn.read()
            invocation = invocations.Invocation(
                name=self.node_name,
                target=run.templates.find(inside.invocation.target.scope, call),
                arguments=calls.arguments_of(
                    call.arguments, turn.artifacts, run.workflow.parameter_maps, turn.values
                ),
                owner=self,
                boundary=inside,
                kind=inside.kind,
                caller=turn.name,
                on_exit=inside.invocation.on_exit,
                wants_result=self.call.name in inside.results_read,
                depth=inside.invocation.depth + 1,
            )
        except failure.NodeFailure as problem:
            self.skip(record.Phase.ERROR, str(problem), undone=True)
            return
        run.submit(invocation)

    def skip(self, phase: record.Phase, message: str, *, undone: bool = False) -> None:
        """Record a node that never runs; `undone`: because its template cannot be had."""
        run = self.inside.run
        node = nodes.Node(run.name, self.node_name, record.NodeType.SKIPPED, self)
        node.within(self.inside.node)
        node.template, node.template_ref = calls.shown(self.call)
        node.undone = undone
        run.add(node)
        run.end(node, phase, message)

    def made_node(self, node: nodes.Node) -> None:
        """Connect the new node; to a step's hooks Argo comes after all steps of the group."""
        self.inside.adopt(self, node)
        if self._hooks is not None and self.inside.kind == "steps":
            self.inside.run.at_last(lambda: self._waits(node))

    def _waits(self, node: nodes.Node) -> None:
        if self._hooks is not None and node.phase is record.Phase.PENDING:
            self._hooks.begun(node)

    def running(self, node: nodes.Node) -> None:
        """Pass on that the node's work has begun."""
        if self._hooks is not None:
            self._hooks.begun(node)

    def ended(self, node: nodes.Node) -> None:
        """Pass on that the node has ended, and run its hooks."""
        self.node = node
        if node.undone:
            self.inside.undone(node)
        if self._hooks is None:
            self.inside.settled(self)
        elif self._hooks.busy or not self.inside.passes_by(self):
            self.follow()

    def follow(self) -> None:
        """Run the hooks that come after the node."""
        if self._hooks is not None and self.node is not None:
            self._hooks.over(self.node)
