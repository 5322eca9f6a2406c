"""DAGs: names, dependencies, and what each task can see of its ancestors.

Argo: validateDAG, and workflow/common/ancestry.go for what `depends` refers to. In one point this
is stricter: Argo looks for a missing dependency only where an argument begins with the tag, and
waits for ever on the others; here every tag of a task counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitwf.workflow.document import resolved, template
from gitwf.workflow.document.rules import arguments, names, report, steps, tags, visit

_REFERENCE = re.compile(
    r"(?P<task>[a-zA-Z0-9][-a-zA-Z0-9]*?)\.(?P<result>[A-Z][a-zA-Z]+)"
    r"|(?P<bare>[a-zA-Z0-9][-a-zA-Z0-9]*)"
)
_OF_LOOPS = frozenset({"AnySucceeded", "AllFailed"})
_RESULTS = _OF_LOOPS | {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned"}


def references(task: template.Task) -> list[tuple[str, str]]:
    """Name the tasks a task waits for, with the result it asks for or ""."""
    if not task.depends:
        return [(name, "") for name in task.dependencies]
    return [
        (match["task"] or match["bare"], match["result"] or "")
        for match in _REFERENCE.finditer(task.depends)
    ]


@dataclass(frozen=True)
class _Graph:
    """The tasks of one DAG by name, the templates they call, and what each gives when it ends."""

    tasks: Mapping[str, template.Task]
    called: Mapping[str, template.Template | None]
    gives: Mapping[str, tags.Names]

    def waits(self, task: template.Task, wanted: str) -> bool:
        """Whether `wanted` has ended before `task` starts."""
        seen: set[str] = set()
        ahead = [task.name]
        while ahead:
            for other, _ in references(self.tasks[ahead.pop()]):
                if other == wanted:
                    return True
                if other not in seen:
                    seen.add(other)
                    ahead.append(other)
        return False


def check(walk: visit.Walk, here: visit.Here) -> None:
    """Check a DAG and follow its calls. Adds the tasks' outputs to `here.names`."""
    one, dag = here.template, here.template.dag or template.Dag()
    origin = here.origin.at("dag", "tasks")
    if not dag.tasks:
        walk.found.error(origin, f"templates.{one.name} must have at least one task")
        return
    tasks = {task.name: task for task in dag.tasks}
    if not _sorts(walk.found, one.name, dag, tasks, origin):
        return
    ordered = _order(dag)
    listed = [dag.tasks[index].name for index in ordered]
    places = [origin.at(index) for index in ordered]
    names.check(walk.found, f"templates.{one.name}.tasks", listed, places)
    using_depends = any(task.depends for task in dag.tasks)
    called: dict[str, template.Template | None] = {}
    whole = _Graph(tasks, called, {name: tags.Names() for name in tasks})
    for index in ordered:
        task, where = dag.tasks[index], origin.at(index)
        _check_style(walk.found, one.name, task, where, using_depends=using_depends)
        path = f"templates.{one.name}.tasks.{task.name}"
        with walk.found.within(path):
            called[task.name] = walk.call(
                here.scope, task, where, task.arguments, outer=here.inputs
            )
            steps.follow_hooks(walk, here.scope, task, where)
        _check_results(walk.found, one.name, task, tasks, where)
        # What gets a name for the whole workflow is in sight of the templates that come later.
        steps.add(walk, whole.gives[task.name], f"tasks.{task.name}", task, called[task.name])
        loose = whole.gives[task.name].loose
        here.names.loose.update(name for name in loose if name.startswith("workflow."))
    for index, task in enumerate(dag.tasks):
        _check_task(walk, here, task, whole, origin.at(index))
    for task in dag.tasks:
        status = bool(task.hooks)
        steps.add(walk, here.names, f"tasks.{task.name}", task, called[task.name], status=status)
    _check_target(walk.found, here, dag, tasks)


def _sorts(
    found: report.Report,
    name: str,
    dag: template.Dag,
    tasks: Mapping[str, template.Task],
    origin: resolved.Origin,
) -> bool:
    """Check that the tasks can be put in an order (Argo: sortDAGTasks)."""
    sound = True
    prefix = f"templates.{name} sorting failed:"
    seen: set[str] = set()
    for index, task in enumerate(dag.tasks):
        where = origin.at(index)
        if task.name in seen:
            found.error(where.at("name"), f"{prefix} duplicated nodeName {task.name}")
            sound = False
        seen.add(task.name)
        for other in dict.fromkeys(other for other, _ in references(task)):
            if other not in tasks:
                place = where.at("depends" if task.depends else "dependencies")
                found.error(place, f"{prefix} invalid dependency {other}", within=other)
                sound = False
    if sound and (cyclic := set(range(len(dag.tasks))).difference(_order(dag))):
        first = min(cyclic)
        where = origin.at(first)
        field = "depends" if dag.tasks[first].depends else "dependencies"
        found.error(where.at(field), f"{prefix} graph with cycle")
        sound = False
    return sound


def _order(dag: template.Dag) -> list[int]:
    """Put the tasks into an order in which each comes after those it waits for.

    Tasks that are part of, or behind, a cycle are left out (Argo: util/sorting).
    """
    waits = {task.name: {other for other, _ in references(task)} for task in dag.tasks}
    followers: dict[str, list[str]] = {name: [] for name in waits}
    for name, others in waits.items():
        for other in others:
            followers[other].append(name)
    open_ = {name: len(others) for name, others in waits.items()}
    ordered = [name for name, count in open_.items() if not count]
    for name in ordered:  # It grows meanwhile.
        for follower in followers[name]:
            open_[follower] -= 1
            if not open_[follower]:
                ordered.append(follower)
    indices = {task.name: index for index, task in enumerate(dag.tasks)}
    return [indices[name] for name in ordered]


def _check_style(
    found: report.Report,
    name: str,
    task: template.Task,
    where: resolved.Origin,
    *,
    using_depends: bool,
) -> None:
    waits = using_depends or bool(task.dependencies)
    if waits and task.name[:1].isdigit():
        message = (
            f"templates.{name}.tasks.{task.name} name cannot begin with a digit when using either "
            "'depends' or 'dependencies'"
        )
        found.error(where.at("name"), message)
    if using_depends and task.dependencies:
        message = (
            f"templates.{name} cannot use both 'depends' and 'dependencies' "
            "in the same DAG template"
        )
        found.error(where.at("dependencies"), message, key=True)
    if using_depends and task.continue_on is not None:
        message = (
            f"templates.{name} cannot use 'continueOn' when using 'depends'. "
            "Instead use 'dep-task.Failed'/'dep-task.Errored'"
        )
        found.error(where.at("continueOn"), message, key=True)


def _check_results(
    found: report.Report,
    name: str,
    task: template.Task,
    tasks: Mapping[str, template.Task],
    where: resolved.Origin,
) -> None:
    for other, result in references(task):
        if result and result not in _RESULTS:
            message = f"task result '{result}' for task '{other}' is invalid"
            hint = f"one of: {', '.join(sorted(_RESULTS))}"
            path = f"templates.{name}.tasks.{task.name}"
            found.error(where.at("depends"), f"{path} {message}", hint, within=f"{other}.{result}")
        elif result in _OF_LOOPS and not tasks[other].loops:
            # Argo names the dependency in both places; so does this, to give the same text.
            message = (
                f"templates.{name}.tasks.{other} dependency '{other}' uses an items-based "
                "condition such as .AnySucceeded or .AllFailed but does not contain any items"
            )
            found.error(where.at("depends"), message, within=f"{other}.{result}")


def _check_target(
    found: report.Report,
    here: visit.Here,
    dag: template.Dag,
    tasks: Mapping[str, template.Task],
) -> None:
    where, path = here.origin.at("dag", "target"), f"templates.{here.template.name}.targets"
    tags.check(found, path, dag.target, where, here.names)
    for target in dag.target.split(" ") if dag.target else ():
        if not names.TAG.search(target) and target not in tasks:
            found.error(where, f"{path}: target '{target}' is not defined", within=target)


def _check_task(
    walk: visit.Walk,
    here: visit.Here,
    task: template.Task,
    graph: _Graph,
    where: resolved.Origin,
) -> None:
    """Check what one task's own text says, now that every task's template is known."""
    path = f"templates.{here.template.name}.tasks.{task.name}"
    steps.check_loop(walk.found, path, task, where)
    steps.check_hooks(walk.found, path, task.hooks, where.at("hooks"))
    arguments.check(walk.found, f"{path}.arguments.", task.arguments, where.at("arguments"))
    scope = steps.inline_names(here.names, task)
    scope.update(steps.items(task))
    called = graph.called[task.name]
    own = steps.own_names(walk, scope, f"tasks.{task.name}", task, called, outputs=True)
    text = task.plain()
    for place, tag in tags.unresolved(text, scope):
        if place[0] in steps.HOOKS and own.resolves(tag):
            continue
        other = tag.strip().removeprefix("tasks.").partition(".")[0]
        given = tag.strip().startswith("tasks.") and other in graph.tasks
        if not given or not graph.gives[other].resolves(tag):
            tags.refuse(walk.found, path, where.at(*place), tag)
        elif not graph.waits(task, other):
            # How a task ended is in sight of those that wait for it, and where hooks ask for it.
            strange = tag.strip() == f"tasks.{other}.status" and not graph.tasks[other].hooks
            what = () if strange else place
            _refuse_stranger(walk.found, path, task, where.at(*place), what, tag, other)
    tags.check_closed(walk.found, path, text, where)


def _refuse_stranger(
    found: report.Report,
    path: str,
    task: template.Task,
    where: resolved.Origin,
    place: tuple[str | int, ...],
    tag: str,
    other: str,
) -> None:
    """Report a tag of a task that need not have ended."""
    hint = f"add `{other}` to what `{task.name}` depends on"
    if other == task.name:
        hint = "a task cannot read what it gives itself"
    match place:
        case ("arguments", "parameters" | "artifacts" as kind, int() as index, *_):
            given = getattr(task.arguments, kind)[index].name
            what = f"{kind.removesuffix('s')} '{given}'"
            message = f"{path} missing dependency '{other}' for {what}"
            found.error(where, message, hint, within=f"{{{{{tag}}}}}")
        case _:
            tags.refuse(found, path, where, tag, hint)
