"""What runs beside a node or after it: named hooks and the exit hook.

A named hook starts once, as soon as its expression is true: looked at when the node's work begins
and when it ends, that of a step as soon as there is a node, that of a DAG's task also for one that
was skipped or omitted. The exit hook starts when the node has completed and the named ones are over
(that of a DAG's target does not wait for them), unless it has an expression that says no. Whoever
waits for the node waits for its hooks too. Of its own node a hook sees the status and, in its
arguments, the output parameters and artifacts: neither result nor exit code, whose tags stay as
they are; the arguments of a named hook are not filled while the node has no outputs at all
(Argo: workflow/controller/hooks.go, exit_handler.go).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from gitwf.workflow import deciding, failure, record, scope
from gitwf.workflow.document import flow, parameters, resolved
from gitwf.workflow.machine import agenda, calls, invocations, nodes

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

EXIT = calls.EXIT
_ON_EXIT = ".onExit"


class Bearer(Protocol):
    """What has hooks: a child of steps or of a DAG, or the run, which is inside of nothing."""

    @property
    def hooked(self) -> Mapping[str, flow.Hook]:
        """The hooks by name."""

    @property
    def inside(self) -> invocations.Boundary | None:
        """The steps or DAG around the node."""

    def name_in_hooks(self) -> str:
        """Give how arguments call the node's outputs (`steps.train`), "" where they cannot."""

    def seen_by_hooks(self) -> scope.Names:
        """Give what expressions see."""

    def stuck(self) -> bool:
        """Whether no hook starts any more, because one before it is broken."""

    def exits_at_once(self) -> bool:
        """Whether the exit hook does not wait for the named ones."""

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Whether a problem that a hook had once ends nothing but the hook."""

    def settled(self) -> None:
        """Take note that the node and all its hooks are over."""


class Hooks:
    """The hooks of one node."""

    def __init__(self, run: "run.Run", bearer: Bearer) -> None:
        self._run = run
        self._bearer = bearer
        self._hooks = bearer.hooked
        self._inside = bearer.inside
        self.fault = ""
        self.exit_fault = ""
        self._fired: set[str] = set()
        self._open = 0
        self._then: list[agenda.Work] = []
        self._parent_over = False
        self._parent: nodes.Node | None = None

    def hold_back(self, work: agenda.Work) -> bool:
        """Have `work` done when no hook is under way any more, if one is."""
        if self.busy:
            self._then.append(work)
        return self.busy

    @property
    def busy(self) -> bool:
        """Whether a hook is under way."""
        return self._open > 0

    def made_node(self, node: nodes.Node) -> None:
        """Show a hook's node below the node that it belongs to."""
        if self._parent is not None:
            self._run.link(self._parent, node)

    def running(self, node: nodes.Node) -> None:
        """Nothing: a hook's node has no hooks."""

    def ended(self, node: nodes.Node) -> None:
        """Note that a hook is over."""
        self._open -= 1
        if node.undone:
            on_exit = node.name.endswith(_ON_EXIT)
            if node.recurs or not self._bearer.forgets(node.message, on_exit=on_exit):
                self._fault(EXIT if on_exit else "", node.message)
            elif not on_exit:
                self._spoil(node.message)
        if not self._open:
            for work in self._then:
                self._run.later(work)
            self._then.clear()
        self._finish()

    def begun(self, parent: nodes.Node) -> None:
        """Look at the named hooks now that the node's work has begun."""
        self._parent = parent
        self._consider(parent)

    def over(self, parent: nodes.Node) -> None:
        """Look at all hooks now that the node is fulfilled."""
        self._parent = parent
        if parent.phase.completed or (self._inside is not None and self._inside.kind == "tasks"):
            self._consider(parent)
        self._parent_over = True
        if self._bearer.exits_at_once():
            self._exit(parent)
        self._finish()

    def _exit(self, parent: nodes.Node) -> None:
        if EXIT not in self._fired and self._exit_wanted(parent):
            self._fire(parent, EXIT, f"{parent.name}{_ON_EXIT}")

    def _exit_wanted(self, parent: nodes.Node) -> bool:
        if EXIT not in self._hooks or not parent.phase.completed or self._bearer.stuck():
            return False
        expression = self._hooks[EXIT].expression
        if not expression or self._inside is None:
            return True
        try:
            return deciding.holds(expression, scope.nested(self._bearer.seen_by_hooks()))
        except failure.NodeFailure as problem:
            self.exit_fault = str(problem)
            return False

    def _fail(self, problem: str) -> None:
        """Note what is wrong with a named hook: a DAG's task and the entry node end by it.

        Argo: executeDAGTask, operate. In steps the group does.
        """
        self.fault = problem
        self._spoil(problem)

    def _spoil(self, problem: str) -> None:
        if self._parent is not None and (self._inside is None or self._inside.kind == "tasks"):
            self._parent.spoiled = problem

    def _finish(self) -> None:
        parent = self._parent
        if not self._parent_over or self._open or parent is None:
            return
        self._exit(parent)
        if not self._open:
            self._bearer.settled()

    def _consider(self, parent: nodes.Node) -> None:
        for name, hook in self._hooks.items():
            if name == EXIT or name in self._fired or self._bearer.stuck():
                continue
            try:
                wanted = deciding.holds(hook.expression, scope.nested(self._bearer.seen_by_hooks()))
            except failure.NodeFailure as problem:
                self._fail(str(problem))
                wanted = False
            if wanted:
                self._fire(parent, name, f"{parent.name}.hooks.{name}")

    def _fire(self, parent: nodes.Node, name: str, node_name: str) -> None:
        if name in self._fired:
            return
        self._fired.add(name)
        hook = self._hooks[name]
        try:
            filled = calls.fill_hook(hook, self._seen(parent, always=name == EXIT))
        except failure.NodeFailure as problem:
            # Argo gives up before there is a node.
            self._fault(name, str(problem))
            return
        self._open += 1
        fire(
            self._run,
            hook,
            node_name,
            self,
            filled,
            self._inside,
            on_exit=name == EXIT or (self._inside is not None and self._inside.invocation.on_exit),
        )

    def _fault(self, name: str, problem: str) -> None:
        if name == EXIT:
            self.exit_fault = problem
        else:
            self._fail(problem)

    def _seen(self, parent: nodes.Node, *, always: bool) -> calls.Values | None:
        """Give what arguments see, or None where they are not filled."""
        name = self._bearer.name_in_hooks()
        if not name:
            return self._bearer.seen_by_hooks()
        outputs = parent.last_attempt.outputs
        if not outputs and not always:
            return None
        own: dict[str, scope.Value] = {
            f"{name}.outputs.parameters.{unset}": "" for unset in outputs.unset
        }
        own.update(scope.of_declared(name, outputs))
        return self._bearer.seen_by_hooks().new_child(own)


def fire(
    run: "run.Run",
    hook: flow.Hook,
    node_name: str,
    owner: nodes.Owner,
    filled: tuple[parameters.Arguments, calls.Places],
    inside: invocations.Boundary | None = None,
    *,
    on_exit: bool = True,
) -> None:
    """Start a hook's template as a node of its own, or record why it cannot be.

    `filled` are its arguments with their tags replaced.
    """
    home = inside.invocation.target.scope if inside is not None else resolved.LOCAL
    try:
        invocation = invocations.Invocation(
            name=node_name,
            target=run.templates.find(home, hook),
            arguments=calls.arguments_of(*filled, run.workflow.parameter_maps),
            owner=owner,
            boundary=inside,
            kind=inside.kind if inside is not None else "steps",
            hooked=True,
            on_exit=on_exit,
            depth=inside.invocation.depth + 1 if inside is not None else 1,
        )
    except failure.NodeFailure as problem:
        node = nodes.Node(run.name, node_name, record.NodeType.SKIPPED, owner)
        node.within(inside.node if inside is not None else None)
        node.template, node.template_ref = calls.shown(hook)
        node.hooked = node.undone = node.recurs = True
        run.add(node)
        run.end(node, record.Phase.ERROR, str(problem))
        return
    run.submit(invocation)
