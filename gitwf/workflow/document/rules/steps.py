"""Steps: their names, their loops, their hooks, and what each can see of the steps before it.

Argo: validateSteps. In one point this is stricter: Argo lets a step name a sibling of its own
group and then waits for ever; here a step sees the groups before its own, and only its hooks see
itself.
"""

from gitwf.workflow.document import flow, resolved, template
from gitwf.workflow.document.rules import arguments, names, outputs, report, tags, visit

# The fields of a call that are read when the called node has ended.
HOOKS = frozenset({"hooks", "onExit"})


def check(walk: visit.Walk, here: visit.Here) -> None:
    """Check a steps template and follow its calls. Adds the steps' outputs to `here.names`."""
    one, origin = here.template, here.origin.at("steps")
    taken: set[str] = set()
    for number, group in enumerate(one.steps):
        gained = tags.Names()
        siblings = frozenset(step.name for step in group)
        for index, step in enumerate(group):
            where = origin.at(number, index)
            path = f"templates.{one.name}.steps[{number}]"
            _check_name(walk.found, path, step.name, taken, where)
            taken.add(step.name)
            path = f"{path}.{step.name}"
            here.names.update(items(step))
            check_loop(walk.found, path, step, where)
            arguments.check(walk.found, f"{path}.arguments.", step.arguments, where.at("arguments"))
            with walk.found.within(path):
                called = walk.call(here.scope, step, where, step.arguments, outer=here.inputs)
                follow_hooks(walk, here.scope, step, where)
            check_hooks(walk.found, path, step.hooks, where.at("hooks"))
            _check_tags(walk, here, step, where, called, siblings)
            add(walk, gained, f"steps.{step.name}", step, called)
        here.names.update(gained)


def _check_name(
    found: report.Report, path: str, name: str, taken: set[str], where: resolved.Origin
) -> None:
    if not name:
        found.error(where, f"{path}.name is required")
    elif name in taken:
        found.error(where.at("name"), f"{path}.name '{name}' is not unique")
    elif fault := names.field_fault(name):
        found.error(where.at("name"), f"{path}.name '{name}' is invalid: {fault}")


def add(
    walk: visit.Walk,
    scope: tags.Names,
    prefix: str,
    call: template.Call,
    called: template.Template | None,
    *,
    status: bool = True,
) -> None:
    """Put what a call gives into a scope; where its template is missing, anything may be there.

    Of a template that only the run will know, Argo knows what every node gives and no output.
    """
    loops = bool(call.with_items or call.with_param)
    outputs.add(scope, walk.everywhere, prefix, called, loops=loops, status=status)
    if called is None and not (call.template_ref and call.template_ref.late):
        scope.loose.add(f"{prefix}.")


def items(call: template.Call) -> tags.Names:
    """Name what a call's loop puts in sight (Argo: addItemsToScope)."""
    seen = tags.Names(loose={"item."} if call.with_param else set())
    for item in call.with_items:
        if isinstance(item, dict):
            seen.exact.update(f"item.{name}" for name in item)
        elif isinstance(item, list):
            seen.exact.update(f"item.[{index}]" for index in range(len(item)))
    return seen


def check_loop(
    found: report.Report, path: str, call: template.Call, where: resolved.Origin
) -> None:
    """Check a call's loop."""
    loops = [bool(call.with_items), bool(call.with_param), call.with_sequence is not None]
    if sum(loops) > 1:
        message = f"{path} only one of withItems, withParam, withSequence can be specified"
        found.error(where, message)
    sequence = call.with_sequence
    if sequence is not None and sequence.count is not None and sequence.end is not None:
        message = f"{path} only one of count or end can be defined in withSequence"
        found.error(where.at("withSequence"), message)
    if not call.loops:
        _warn_of_items(found, call, where)


def _warn_of_items(found: report.Report, call: template.Call, where: resolved.Origin) -> None:
    """Warn of `{{item}}` outside a loop: Argo leaves the tag as literal text."""
    value = call.plain()
    value.pop("inline", None)
    for path, text in tags.strings(value):
        for tag in tags.in_text(text):
            if tag.strip() == "item" or tag.strip().startswith("item."):
                message = f"{{{{{tag}}}}} stays as it is: `{call.name}` has no loop"
                hint = "add withItems, withParam or withSequence"
                found.warning(where.at(*path), message, hint, within=f"{{{{{tag}}}}}")


def check_hooks(
    found: report.Report, path: str, hooks: dict[str, flow.Hook], where: resolved.Origin
) -> None:
    """Check that every hook but `exit` says when it runs (Argo: validateHooks)."""
    for name, hook in hooks.items():
        if name != "exit" and not hook.expression:
            found.error(where.at(name), f"{path}.{name} Expression required", key=True)


def follow_hooks(walk: visit.Walk, scope: str, call: template.Call, where: resolved.Origin) -> None:
    """Warn of a call's hooks without a template."""
    if call.on_exit:
        walk.hook(scope, flow.Hook(template=call.on_exit), where.at("onExit"))
    for name, hook in call.hooks.items():
        walk.hook(scope, hook, where.at("hooks", name))


def own_names(
    walk: visit.Walk,
    scope: tags.Names,
    prefix: str,
    call: template.Call,
    called: template.Template | None,
    *,
    outputs: bool,
) -> tags.Names:
    """Give what a call's hooks can see: its own status and, with `outputs`, what it gives."""
    own = scope.layer()
    own.exact.add(f"{prefix}.status")
    if outputs:
        add(walk, own, prefix, call, called)
    return own


def inline_names(scope: tags.Names, call: template.Call) -> tags.Names:
    """Give the scope of a call's text, which holds its inline template's text too."""
    wider = scope.layer()
    if call.inline is not None:
        wider.exact.update(f"inputs.parameters.{one.name}" for one in call.inline.inputs.parameters)
    return wider


def _check_tags(
    walk: visit.Walk,
    here: visit.Here,
    step: template.Step,
    where: resolved.Origin,
    called: template.Template | None,
    siblings: frozenset[str],
) -> None:
    """Report what the step's text names and cannot see."""
    prefix, text = f"templates.{here.template.name}.steps", step.plain()
    handled = bool(step.on_exit) or "exit" in step.hooks
    own = own_names(walk, here.names, f"steps.{step.name}", step, called, outputs=handled)
    for path, tag in tags.unresolved(text, inline_names(here.names, step)):
        if path[0] in HOOKS and own.resolves(tag):
            continue
        named = tag.strip().removeprefix("steps.").partition(".")[0]
        hint = ""
        if tag.strip().startswith("steps.") and named in siblings:
            hint = f"`{named}` runs in the same group; a step sees the groups before its own"
        tags.refuse(walk.found, prefix, where.at(*path), tag, hint)
    tags.check_closed(walk.found, prefix, text, where)
