"""A step or task made ready to run: its condition, its loop, its arguments.

Argo's order, which decides what is an error: `when` first, and if it is false nothing else is
resolved; then every `{{steps.*}}` and `{{tasks.*}}`, which must be known; artifacts and hooks
apart, because they may be missing (Argo: steps.go resolveReferences, dag.go
resolveDependencyReferences).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pydantic

from gitwf.workflow import failure, loops, preparation, scope, substitution, when
from gitwf.workflow.document import flow, parameters, template, workflow
from gitwf.workflow.machine import references

EXIT = "exit"
UNRESOLVED = "unable to resolve references: "
_WHOLE_TAG = re.compile(r"\{\{\s*([^{}=\s][^{}]*?)\s*\}\}")

Values = references.Values
Places = references.Places


@dataclass(frozen=True)
class Ready:
    """A call with its tags replaced, and whether it shall run. `artifacts` are those resolved.

    `problem`: why its condition could not be decided before its loop, if it has one, is known.
    """

    call: template.Call
    proceed: bool
    artifacts: Places = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One node that a call stands for. `problem`: why its condition could not be decided.

    `item` is what `{{item}}` stands for, which the hooks may read too. `text` is the call's JSON
    where it differs from turn to turn; it is read only when the turn starts. Where nothing but
    arguments differ, `values` holds those instead.
    """

    name: str
    call: template.Call
    proceed: bool
    artifacts: Places
    problem: str = ""
    item: Values = field(default_factory=dict)
    text: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> template.Call:
        """Give the call of this turn. Raises NodeFailure."""
        return _read(type(self.call), self.text) if self.text else self.call


def ready(
    call: template.Call,
    values: Values,
    local: Callable[[], Values],
    unresolved: str = "",
    *,
    tagged: bool = True,
) -> Ready:
    """Replace the tags of a call, unless it is not `tagged`, and find its artifacts in `local`.

    `unresolved` begins what is said of a missing artifact. Raises NodeFailure.
    """
    condition = substitution.fill_value(call.when, values, substitution.STEPS_AND_TASKS)
    proceed, undecided = True, ""
    try:
        proceed = decides(condition)
    except failure.NodeFailure as problem:
        # The condition may hold {{item}}, which only the expanded step can decide.
        if not call.loops:
            raise
        undecided = str(problem)
    if not proceed:
        return Ready(call.model_copy(update={"when": condition, "hooks": {}}), proceed=False)
    filled, linked = _without_linked(call)
    if tagged:
        supplied = _supplied(filled.arguments, values)
        if supplied is not filled.arguments:
            filled = filled.model_copy(update={"arguments": supplied})
        filled = _filled(filled, values)
    try:
        # Of a task Argo excuses only what is not there, of a step whatever goes wrong.
        forgiving = not isinstance(call, template.Task)
        places = references.linked(linked, local(), forgiving=forgiving) if linked else {}
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"{unresolved}{problem}") from problem
    return Ready(filled, proceed=True, artifacts=places, problem=undecided)


def decides(condition: str) -> bool:
    """Evaluate a substituted `when`; none at all is true. Raises NodeFailure."""
    if not condition:
        return True
    try:
        return when.evaluate(condition)
    except when.WhenError as problem:
        raise failure.NodeFailure(str(problem)) from problem


def turns(
    prepared: Ready, name: str, visible: scope.Names, hooks: Mapping[str, flow.Hook]
) -> list[Turn]:
    """Expand a call into its nodes below `name`; a loop over nothing gives none.

    `visible` is what a turn's expressions see beside their item. `hooks` are the call's: in a loop
    every tag of theirs must be known already, so that none can speak of the call itself.

    Raises NodeFailure where the loop makes no sense and the call was to run.
    """
    call = prepared.call
    if not call.loops:
        return [Turn(name, call, prepared.proceed, prepared.artifacts, prepared.problem)]
    try:
        items = loops.items(call)
    except failure.NodeFailure:
        # Argo: what is skipped anyway may loop over nonsense, which then counts as nothing.
        if prepared.proceed:
            raise
        return []
    loop = _Loop(prepared, name, visible)
    made = [loop.turn(index, item) for index, item in enumerate(items)]
    if prepared.proceed:
        _check_hooks(hooks, items, visible)
    return made


def _check_hooks(
    hooks: Mapping[str, flow.Hook], items: list[loops.Item], visible: scope.Names
) -> None:
    texts = [substitution.Text(hook.to_json()) for hook in hooks.values()]
    for text in texts:
        if text.tags:
            for item in items:
                text.fill(visible.new_child(dict(item.values)), substitution.STRICT)


class _Loop:
    """A call as all its turns have it in common."""

    def __init__(self, prepared: Ready, name: str, visible: scope.Names) -> None:
        self._name = name
        self._visible = visible
        self._call = prepared.call
        self._artifacts = prepared.artifacts
        self._text = substitution.Text(_unlooped(prepared.call).to_json())
        if prepared.proceed:
            self._strictness, self._tagged = substitution.STRICT, _tagged(prepared.call)
        else:
            # A condition that quotes the item is false of `{{item}}` itself and may be true of one:
            # each turn decides anew, and a tag that nobody knows stays.
            self._strictness, self._tagged = substitution.LENIENT, ()

    def turn(self, index: int, item: loops.Item) -> Turn:
        """Make the turn for one item. Raises NodeFailure on a tag that nobody knows."""
        name, call = loops.node_name(self._name, index, item), self._call
        values = self._visible.new_child(dict(item.values))
        given = {
            one.name: substitution.fill_value(one.value or "", values, self._strictness)
            for one in self._tagged
        }
        text = ""
        # Half a surrogate pair fits in a text but not in JSON.
        if not self._tagged or not all(map(str.isascii, given.values())):
            given = {}
            text = self._text.fill(values, self._strictness) if self._text.tags else ""
        condition = substitution.fill_value(call.when, values)
        try:
            proceed = decides(condition)
        except failure.NodeFailure as problem:
            return Turn(name, call, proceed=False, artifacts={}, problem=str(problem))
        if not proceed:
            skipped = call.model_copy(update={"when": condition})
            return Turn(name, skipped, proceed=False, artifacts={})
        return Turn(name, call, True, self._artifacts, item=item.values, text=text, values=given)


def _tagged(call: template.Call) -> tuple[parameters.Parameter, ...]:
    """Give the arguments with tags, where nothing else of a call has any; each tag in its own."""
    every = call.arguments.parameters
    bare = call.arguments.model_copy(
        update={"parameters": tuple(one.model_copy(update={"value": None}) for one in every)}
    )
    if "{{" in _unlooped(call).model_copy(update={"arguments": bare}).to_json():
        return ()
    tagged = tuple(one for one in every if one.value is not None and "{{" in one.value)
    whole = all("{{" not in substitution.split(one.value or "").literals[-1] for one in tagged)
    return tagged if whole else ()


def _unlooped(call: template.Call) -> template.Call:
    return call.model_copy(update={"with_items": (), "with_param": "", "with_sequence": None})


def _filled(call: template.Call, values: Values) -> template.Call:
    text = call.to_json()
    if "{{" not in text:
        return call
    return _read(type(call), substitution.fill(text, values, substitution.STEPS_AND_TASKS))


def _read(kind: type[template.Call], text: str) -> template.Call:
    try:
        return kind.from_json(text)
    except pydantic.ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise failure.NodeFailure(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from problem


def _without_linked(call: template.Call) -> tuple[template.Call, tuple[parameters.Artifact, ...]]:
    """Take out the artifacts that come from elsewhere, and the hooks: both are resolved apart."""
    artifacts = call.arguments.artifacts
    if not artifacts and not call.hooks:
        return call, ()
    linked = tuple(a for a in artifacts if a.from_ or a.from_expression)
    if not linked and not call.hooks:
        return call, ()
    kept = tuple(a for a in artifacts if not (a.from_ or a.from_expression))
    arguments = call.arguments.model_copy(update={"artifacts": kept})
    return call.model_copy(update={"arguments": arguments, "hooks": {}}), linked


def _supplied(arguments: parameters.Arguments, values: Values) -> parameters.Arguments:
    """Mark the parameters that are nothing but a reference to an absent output."""
    if not any(_absent(p.value, values) for p in arguments.parameters):
        return arguments
    marked = tuple(
        p.model_copy(update={"value": preparation.ABSENT}) if _absent(p.value, values) else p
        for p in arguments.parameters
    )
    return arguments.model_copy(update={"parameters": marked})


def _absent(value: str | None, values: Values) -> bool:
    match = _WHOLE_TAG.fullmatch(value) if value is not None else None
    return match is not None and values.get(match[1], scope.MISSING) is None


def arguments_of(
    arguments: parameters.Arguments,
    linked: Places,
    config_maps: preparation.ConfigMaps,
    given: Mapping[str, str] = MappingProxyType({}),
) -> preparation.Arguments:
    """Give substituted arguments as text and places, `given` first. Raises NodeFailure."""
    texts: dict[str, str | None] = {}
    for parameter in arguments.parameters:
        value = given.get(parameter.name, parameter.value)
        if value is None and parameter.value_from is not None:
            value = preparation.from_source(
                parameter.name, parameter.value_from, config_maps, MappingProxyType({})
            )
        texts[parameter.name] = value
    places: Places = {a.name: preparation.own_location(a) for a in arguments.artifacts}
    places.update(linked)
    return preparation.Arguments(texts, places)


def shown(call: template.Call | flow.Hook) -> tuple[str, str]:
    """Give a call's template name and reference as a node shows them."""
    if call.template_ref is not None:
        return "", f"{call.template_ref.name}/{call.template_ref.template}"
    return call.template, ""


def exit_hook(
    of: template.Call | workflow.WorkflowSpec, given: parameters.Arguments
) -> flow.Hook | None:
    """Give the exit hook of a call or of the workflow; `onExit` goes before `hooks.exit`.

    One without arguments is `given` those of the workflow (Argo: GetExitHook).
    """
    hook = flow.Hook(template=of.on_exit) if of.on_exit else of.hooks.get(EXIT)
    if hook is None or hook.arguments.parameters or hook.arguments.artifacts:
        return hook
    return hook.model_copy(update={"arguments": given})


def hooks_of(
    call: template.Call, item: Values, given: parameters.Arguments
) -> dict[str, flow.Hook]:
    """Give a call's hooks with `{{item}}` replaced."""
    if not call.hooks and not call.on_exit:
        return {}
    hooks = dict(call.hooks)
    if (hook := exit_hook(call, given)) is not None:
        hooks[EXIT] = hook
    if item:
        for name, hook in hooks.items():
            hooks[name] = flow.Hook.from_json(substitution.fill(hook.to_json(), item))
    return hooks


def fill_hook(
    hook: flow.Hook, values: Values | None, *, links: bool = True
) -> tuple[parameters.Arguments, Places]:
    """Replace the tags of a hook's arguments; unknown ones stay, without `values` all.

    Without `links` an artifact that comes from elsewhere has no place: of the whole workflow's
    handler Argo follows none. Raises NodeFailure.
    """
    artifacts = hook.arguments.artifacts
    linked = tuple(a for a in artifacts if a.from_ or a.from_expression)
    kept = tuple(a for a in artifacts if not (a.from_ or a.from_expression))
    bare = hook.arguments.model_copy(update={"artifacts": kept})
    if values is None:
        return bare, {one.name: None for one in linked}
    text = substitution.fill(_supplied(bare, values).to_json(), values)
    nowhere: Places = dict.fromkeys(one.name for one in linked)
    try:
        places = references.linked(linked, values) if links else nowhere
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"{UNRESOLVED}{problem}") from problem
    return parameters.Arguments.from_json(text), places
