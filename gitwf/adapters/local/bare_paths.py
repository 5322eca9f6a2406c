"""Which paths steps would fight over where they all see the same files.

Two nodes that may run at the same time and declare one path (an input or output artifact, an output
parameter, a mount) would overwrite each other. The call tree says which may: the steps of a group,
the tasks of a DAG that do not follow each other, and the rounds of a loop. Paths that a program
uses without declaring them cannot be known; that is what the higher rungs are for.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

from gitwf.adapters.local import members
from gitwf.workflow.document import resolved, template


def declared(made: template.Template) -> frozenset[str]:
    """The absolute paths that one pod puts to use, outermost only."""
    pod = members.members(made)
    mounts = [
        each.mount_path for one in pod.values() for each in members.mounts(made, one.container)
    ]
    sources = [parameter.value_from for parameter in made.outputs.parameters]
    paths = [source.path for source in sources if source is not None and source.path]
    paths += [one.path for one in (*made.inputs.artifacts, *made.outputs.artifacts) if one.path]
    inside = tuple(f"{mount.rstrip('/')}/" for mount in mounts)
    return frozenset(mounts) | {path for path in paths if not path.startswith(inside or ("\0",))}


def shared(workflow: resolved.Resolved) -> Iterator[tuple[resolved.TemplateKey, str]]:
    """Each template whose calls may run at once and declare one path, with the reason."""
    if workflow.spec.parallelism == 1:
        return
    paths = _reached(workflow)
    if not any(paths.values()):
        return
    for key in sorted(paths):
        made = workflow.templates[key]
        if made.parallelism == 1:
            continue
        for first, second in _at_once(made):
            for path in sorted(
                _of(workflow, key, first, paths) & _of(workflow, key, second, paths)
            ):
                names = first.name if first is second else f"{first.name} and {second.name}"
                yield key, f"{names} may run at the same time and declare one path, {path}"


def _of(
    workflow: resolved.Resolved,
    key: resolved.TemplateKey,
    call: template.Call,
    paths: dict[resolved.TemplateKey, frozenset[str]],
) -> frozenset[str]:
    if call.inline is not None:
        return declared(call.inline)
    found = workflow.lookup(key.scope, call)
    return paths.get(found[0], frozenset()) if found is not None else frozenset()


def _reached(workflow: resolved.Resolved) -> dict[resolved.TemplateKey, frozenset[str]]:
    """The paths of every pod below each template."""
    own: dict[resolved.TemplateKey, frozenset[str]] = {}
    below: dict[resolved.TemplateKey, set[resolved.TemplateKey]] = {}
    for key in workflow.reachable:
        made = workflow.templates[key]
        inline = [call.inline for call in made.calls() if call.inline is not None]
        own[key] = declared(made).union(*map(declared, inline))
        found = [workflow.lookup(key.scope, call) for call in made.calls()]
        below[key] = {one[0] for one in found if one is not None}
    reached = {}
    for key in own:
        seen, ahead = {key}, [key]
        while ahead:
            new = below.get(ahead.pop(), set()) - seen
            seen |= new
            ahead += new
        reached[key] = frozenset[str]().union(*(own.get(one, frozenset()) for one in seen))
    return reached


def _at_once(made: template.Template) -> Iterator[tuple[template.Call, template.Call]]:
    for call in made.calls():
        if call.loops:
            yield call, call
    for group in made.steps:
        yield from itertools.combinations(group, 2)
    if made.dag is not None:
        before = _ancestors(made.dag.tasks)
        for first, second in itertools.combinations(made.dag.tasks, 2):
            if first.name not in before[second.name] and second.name not in before[first.name]:
                yield first, second


def _ancestors(tasks: Iterable[template.Task]) -> dict[str, frozenset[str]]:
    """The tasks that are over before each task starts."""
    named = {task.name: _named(task) for task in tasks}
    found: dict[str, frozenset[str]] = {}

    def above(name: str, below: frozenset[str]) -> frozenset[str]:
        if name not in found and name not in below:
            direct = named.get(name, frozenset())
            found[name] = direct.union(*(above(one, below | {name}) for one in direct))
        return found.get(name, frozenset())

    return {name: above(name, frozenset()) for name in named}


def _named(task: template.Task) -> frozenset[str]:
    words = re.findall(r"[A-Za-z0-9_-]+", re.sub(r"\.\w+", " ", task.depends))
    return frozenset(words) | frozenset(task.dependencies)
