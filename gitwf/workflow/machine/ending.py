"""The root of a run: its entry node, the workflow's hooks, the exit handler, the end.

The exit handler runs once the entry node and the workflow's named hooks are over. It sees how the
run went; if the run went well and the handler did not, the run takes the handler's end
(Argo: operator.go operate).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitwf.workflow import record, scope
from gitwf.workflow.document import resolved, template
from gitwf.workflow.machine import again, calls, hooks, invocations, nodes, suspends, variables

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

_P = record.Phase


class Root:
    """Owns the entry node and bears the workflow's hooks. `start` is the run's first work."""

    inside = None

    def __init__(self, run: "run.Run") -> None:
        self._run = run
        self._main: nodes.Node | None = None
        self.hooked = {name: hook for name, hook in run.spec.hooks.items() if name != hooks.EXIT}
        self._hooks = hooks.Hooks(run, self)
        run.hold_back = self._hooks.hold_back

    def start(self) -> None:
        """Start the entrypoint, unless the run begins suspended."""
        if self._run.spec.suspend and self._run.kept is again.NOTHING:
            suspends.Held(self._run, self._enter)
        else:
            self._enter()

    def _enter(self) -> None:
        run = self._run
        if run.spec.active_deadline_seconds is not None:
            run.wake(run.now.after(float(run.spec.active_deadline_seconds)), run.expire)
        entry = template.Step(template=run.spec.entrypoint)
        run.submit(
            invocations.Invocation(
                name=run.name,
                target=run.templates.find(resolved.LOCAL, entry),
                arguments=calls.arguments_of(run.arguments, {}, run.workflow.parameter_maps),
                owner=self,
            )
        )

    def made_node(self, node: nodes.Node) -> None:
        """Nothing: the entry node has no parent."""

    def running(self, node: nodes.Node) -> None:
        """Let the workflow's hooks see that it runs, once all is started that can be.

        Argo looks at them after the entry node, each time.
        """
        self._run.at_last(lambda: self._begun(node))

    def _begun(self, node: nodes.Node) -> None:
        if self._main is not None:
            return
        before = self._run.variables["workflow.status"]
        self._run.variables["workflow.status"] = str(_P.RUNNING)
        self._hooks.begun(node)
        self._run.variables["workflow.status"] = before

    def ended(self, node: nodes.Node) -> None:
        """Let hooks and exit handler see how the run went, and run them."""
        run = self._run
        self._main = node
        if node.undone:
            self._give_up("error in entry template execution: ", node)
            return
        phase = _outcome(node)
        run.variables["workflow.status"] = str(phase)
        run.variables["workflow.failures"] = variables.failures(run.name, run.nodes.values())
        run.variables["workflow.duration"] = f"{run.now.since(run.began):f}"
        self._hooks.over(node)

    def name_in_hooks(self) -> str:
        """Nothing: no hook of the workflow names the entry node."""
        return ""

    def seen_by_hooks(self) -> scope.Names:
        """Give the workflow's variables."""
        return self._run.visible({})

    def stuck(self) -> bool:
        """Never: no hook waits for another."""
        return False

    def exits_at_once(self) -> bool:
        """Never: the exit handler is no hook of the entry node."""
        return False

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Never: the run ends by it."""
        del problem, on_exit
        return False

    def settled(self) -> None:
        """Run the exit handler, if there is one."""
        run = self._run
        hook = calls.exit_hook(run.spec, run.arguments)
        if hook is None or (run.shutdown is not None and run.shutdown.terminate):
            self.conclude(None)
            return
        filled = calls.fill_hook(hook, run.variables, links=False)
        owner = _Handler(self.conclude)
        hooks.fire(run, hook, f"{run.name}.onExit", owner, filled)

    def conclude(self, handler: nodes.Node | None) -> None:
        """End the run, after its exit handler if it has one."""
        main = self._main
        if main is None:
            return
        if handler is not None and handler.undone:
            self._give_up("error in exit template execution : ", handler)
            return
        phase, message = _outcome(main), main.spoken or main.message
        asked = self._run.shutdown
        if asked is not None and phase is not _P.SUCCEEDED:
            message = asked.told or message
        if phase is _P.SUCCEEDED:
            message = ""
            if handler is not None and handler.phase.failed_or_error:
                phase, message = handler.phase, handler.message
        self._run.conclude(phase, message)

    def _give_up(self, what: str, node: nodes.Node) -> None:
        """End at once: no handler runs after a template that could not be carried out."""
        self._run.conclude(_P.ERROR, f"{what}{node.spoken or node.message}")


class _Handler:
    """Owns the exit handler's node."""

    def __init__(self, then: Callable[[nodes.Node], None]) -> None:
        self._then = then

    def made_node(self, node: nodes.Node) -> None:
        """Nothing: the handler's node has no parent."""

    def running(self, node: nodes.Node) -> None:
        """Nothing: the handler has no hooks."""

    def ended(self, node: nodes.Node) -> None:
        """End the run."""
        self._then(node)


def _outcome(node: nodes.Node) -> record.Phase:
    return node.phase if node.phase.failed_or_error else _P.SUCCEEDED
