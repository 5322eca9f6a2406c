"""What a workflow would run, as far as that can be told before anything runs.

The templates are walked as a run walks them: loops are expanded, conditions decided and inputs
filled in where all that they speak of is known. What only the run itself will know (the output of a
step, the time) stays unknown, and says so. Nothing is started, and no run's state is made. Read
next: `gitwf.workflow.machine`, which does it in earnest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pydantic

from gitwf.values import Instant
from gitwf.workflow import depends, failure, loops, scope, substitution, when
from gitwf.workflow.document import flow, parameters, resolved, template
from gitwf.workflow.machine import calls, variables

UNKNOWN = "?"
_MOST = 20_000  # Nodes that are shown; what is behind them is told to be left out.
_AGAIN = 8  # Times that a template is shown inside itself.
_AT_RUN_TIME = ("workflow.creationTimestamp", "workflow.duration", "workflow.uid")


@dataclass(frozen=True)
class Planned:
    """A node that would be. `kind`: its template's type, or "" where there is no such template.

    `runs`: False where its condition is false, None where that is not known yet. `inputs`: None is
    a value that is not known yet. `loop`: what it is repeated over, where that is not known yet.
    `after`: the tasks that it waits for. `cut`: more is inside than is shown.
    """

    name: str
    template: str
    kind: str
    runs: bool | None = True
    when: str = ""
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    loop: str = ""
    after: tuple[str, ...] = ()
    cut: bool = False
    group: int | None = None
    inside: tuple["Planned", ...] = ()


def of(workflow: resolved.Resolved, name: str, given: Mapping[str, str]) -> tuple[Planned, ...]:
    """Give the entry node, then the exit handler. Rejected: a parameter has no value."""
    bound = variables.bind(workflow, given)
    known = {
        key: value
        for key, value in variables.begin(
            workflow, name, "", workflow.namespace, Instant(0), bound
        ).items()
        if not key.startswith(_AT_RUN_TIME)
    }
    walk = _Walk(workflow, known)
    entry = template.Step(name=name, template=workflow.spec.entrypoint, arguments=bound)
    found = [walk.one(resolved.LOCAL, entry, name, ())]
    exit_hook = calls.exit_hook(workflow.spec, bound)
    if exit_hook is not None:
        found.append(walk.hook(resolved.LOCAL, exit_hook, f"{name}.onExit"))
    return tuple(found)


class _Walk:
    """One walk over the templates of a workflow."""

    def __init__(self, workflow: resolved.Resolved, known: Mapping[str, scope.Value]) -> None:
        self._workflow = workflow
        self._known = known
        self._left = _MOST

    def one(
        self,
        home: str,
        call: template.Call,
        name: str,
        path: tuple[str, ...],
    ) -> Planned:
        """Give the node of one turn of a call whose tags are filled as far as they are known."""
        self._left -= 1
        runs = _decided(call.when)
        found = self._workflow.lookup(home, call)
        made = found[1] if found is not None else call.inline
        shown = call.template or (call.template_ref.template if call.template_ref else "")
        node = Planned(name, shown, "", runs, call.when, {})
        if made is None:
            return node
        inside = found[0].scope if found is not None else home
        inputs = _inputs(made, call.arguments)
        node = replace(node, kind=made.type, inputs=inputs)
        if runs is False or not made.calls_others:
            return node
        key = f"{inside}/{made.name or name}"
        if (
            path.count(key) >= _AGAIN
            or self._left <= 0
            or (None in inputs.values() and key in path)
        ):
            return replace(node, cut=True)
        own = {
            f"inputs.parameters.{one}": value for one, value in inputs.items() if value is not None
        }
        return replace(node, inside=tuple(self._inside(inside, made, own, (*path, key))))

    def _inside(
        self,
        home: str,
        made: template.Template,
        values: Mapping[str, scope.Value],
        path: tuple[str, ...],
    ) -> Iterator[Planned]:
        for number, group in enumerate(made.steps):
            for step in group:
                for node in self._turns(home, step, values, path):
                    yield replace(node, group=number)
        for task in made.dag.tasks if made.dag is not None else ():
            for node in self._turns(home, task, values, path):
                yield replace(node, after=depends.ancestors(task))

    def _turns(
        self,
        home: str,
        call: template.Call,
        values: Mapping[str, scope.Value],
        path: tuple[str, ...],
    ) -> Iterator[Planned]:
        filled = self._filled(call, values)
        loop = _unknown_loop(filled)
        items: list[loops.Item] = []
        if not loop:
            try:
                items = loops.items(filled)
            except failure.NodeFailure as problem:
                loop = str(problem)
        if loop:
            node = self.one(home, filled, f"{call.name}({UNKNOWN})", path)
            yield replace(node, loop=loop)
        elif not call.loops:
            yield self.one(home, filled, call.name, path)
        for number, item in enumerate(items):
            if self._left <= 0:
                return
            turn = self._filled(filled, item.values)
            yield self.one(home, turn, loops.node_name(call.name, number, item), path)
        for kind, hook in call.hooks.items():
            if kind == "exit":
                yield self.hook(home, hook, f"{call.name}.onExit")
            else:
                yield self.hook(home, hook, f"{call.name}.hooks.{kind}")

    def hook(self, home: str, hook: flow.Hook, name: str) -> Planned:
        """Give the node of a hook; whether a named one runs, only the run will tell."""
        call = template.Step(
            name=name,
            template=hook.template,
            template_ref=hook.template_ref,
            arguments=hook.arguments,
        )
        node = self.one(home, self._filled(call, {}), name, (f"{home}/{hook.template}",))
        return replace(node, when=hook.expression, runs=None) if hook.expression else node

    def _filled(self, call: template.Call, values: Mapping[str, scope.Value]) -> template.Call:
        text = call.to_json()
        if "{{" not in text:
            return call
        try:
            return type(call).from_json(
                substitution.fill(text, scope.Names(dict(values), dict(self._known)))
            )
        except (failure.NodeFailure, pydantic.ValidationError):
            return call


def _decided(condition: str) -> bool | None:
    if "{{" in condition:
        return None
    try:
        return not condition or when.evaluate(condition)
    except when.WhenError:
        return None


def _unknown_loop(call: template.Call) -> str:
    """Give what a call is repeated over where that holds a tag still, or ""."""
    sequence = call.with_sequence
    written = sequence.to_json() if sequence is not None else ""
    for text in (call.with_param, written):
        if "{{" in text:
            return text
    return ""


def _inputs(made: template.Template, arguments: parameters.Arguments) -> dict[str, str | None]:
    given = {one.name: one for one in arguments.parameters}
    found: dict[str, str | None] = {}
    for declared in made.inputs.parameters:
        one = given.get(declared.name)
        value = one.value if one is not None else None
        if one is None:
            value = declared.value if declared.value is not None else declared.default
        found[declared.name] = None if value is None or "{{" in value else value
    return found
