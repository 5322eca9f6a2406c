"""Check a resolved workflow by Argo's static rules, before anything runs.

The same mistakes that make Argo end a Workflow with `invalid spec: …` at its first reconcile are
found here, with the same words, at their place in the file, all at once. Two kinds of workflows
that Argo takes and then never finishes are refused too: a step that reads a sibling of its group,
and a task that reads one it does not wait for. The rules stand by subject in `rules`; this module
holds those of the whole workflow and starts the walk (Argo: workflow/validate/validate.go).
"""

import enum
import re
from collections.abc import Collection, Mapping

from gitwf.errors import Diagnostic
from gitwf.workflow.document import parameters, resolved, template
from gitwf.workflow.document.rules import arguments, cron, names, report, steps, tags, walk

_ALWAYS = (
    "workflow.name",
    "workflow.namespace",
    "workflow.mainEntrypoint",
    "workflow.serviceAccountName",
    "workflow.uid",
    "workflow.annotations",
    "workflow.annotations.json",
    "workflow.labels",
    "workflow.labels.json",
    "workflow.status",
)
_CALLED = {
    "WorkflowTemplate": "workflow template",
    "ClusterWorkflowTemplate": "cluster workflow template",
}
_SELECTS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})
_LONGEST_NAME = 63
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_POD_GC = frozenset(
    {"", "OnPodCompletion", "OnPodSuccess", "OnWorkflowCompletion", "OnWorkflowSuccess"}
)


class Purpose(enum.Enum):
    """What a workflow is checked for: a run, or without one, or to be called by others.

    Without a run its arguments need no values; a library is handed arguments by its callers, and
    sees parameters of theirs that nobody knows yet (Argo: the options of `argo lint`).
    """

    RUN = enum.auto()
    LINT = enum.auto()
    LIBRARY = enum.auto()


def validate(
    whole: resolved.Resolved,
    *,
    parameters_given: Mapping[str, str] | None = None,
    artifacts_given: Collection[str] = ("source",),
    purpose: Purpose = Purpose.RUN,
) -> list[Diagnostic]:
    """Find everything wrong with a workflow: errors, and warnings where Argo would go on.

    `parameters_given` are values that whoever starts the run adds to the workflow's own, and
    `artifacts_given` the input artifacts of the entrypoint that the run is given without arguments.
    """
    given = _arguments(whole.spec.arguments, parameters_given or {})
    known = {
        f"workflow.parameters.{one.name}": one.value
        for one in given.parameters
        if one.value is not None
    }
    everywhere = _everywhere(whole, given)
    if purpose is Purpose.LIBRARY:
        everywhere.loose.add("workflow.parameters")
    walker = walk.Walk(whole, everywhere, known)
    found = walker.found
    for origin in (*whole.spec_origins, *whole.origins.values()):
        found.doubts(origin.document)
    _check_head(found, whole, purpose)
    where, valued = whole.origin("arguments"), purpose is Purpose.RUN
    arguments.check(found, "spec.arguments.", given, where, valued=valued, called=False)
    if purpose is Purpose.LIBRARY:
        _walk(walker, whole, None, None, frozenset(artifacts_given))
    else:
        own = _own(whole, given, parameters_given or {})
        _walk(walker, whole, given, own, frozenset(artifacts_given))
    return found.found


def _arguments(own: parameters.Arguments, given: Mapping[str, str]) -> parameters.Arguments:
    """Put the values from outside into the workflow's arguments, in their place or behind them."""
    known = {one.name for one in own.parameters}
    several = [
        one.model_copy(update={"value": given[one.name], "value_from": None})
        if one.name in given
        else one
        for one in own.parameters
    ]
    several += [
        parameters.Parameter(name=name, value=value)
        for name, value in given.items()
        if name not in known
    ]
    return own.model_copy(update={"parameters": tuple(several)})


def _own(
    whole: resolved.Resolved, given: parameters.Arguments, added: Mapping[str, str]
) -> parameters.Arguments:
    """Leave out what only the WorkflowTemplate gives: the exit handler is checked without it.

    A run would hand it over, but on Argo does not come to be.
    """
    if len(whole.spec_origins) == 1:
        return given
    origin = whole.spec_origins[0]
    spec = origin.document.value
    for step in origin.path:
        spec = spec[step]
    mine = spec.get("arguments") or {}

    def kept(kind: str) -> set[str]:
        return {one.get("name") for one in mine.get(kind) or ()}

    named = kept("parameters") | added.keys()
    several = tuple(one for one in given.parameters if one.name in named)
    artifacts = tuple(one for one in given.artifacts if one.name in kept("artifacts"))
    return given.model_copy(update={"parameters": several, "artifacts": artifacts})


def _everywhere(whole: resolved.Resolved, given: parameters.Arguments) -> tags.Names:
    """Name the variables that every template of the workflow can see."""
    seen = tags.Names(set(_ALWAYS))
    if given.parameters:
        seen.exact |= {"workflow.parameters", "workflow.parameters.json"}
    seen.exact.update(f"workflow.parameters.{one.name}" for one in given.parameters)
    more = whole.spec.workflow_metadata or {}
    labels = [*whole.labels, *more.get("labels", {}), *more.get("labelsFrom", {})]
    annotations = [*whole.annotations, *more.get("annotations", {})]
    annotations += [resolved.SCHEDULED] if whole.scheduled else []
    seen.exact.update(f"workflow.labels.{name}" for name in labels)
    seen.exact.update(f"workflow.annotations.{name}" for name in annotations)
    if whole.spec.priority is not None:
        seen.exact.add("workflow.priority")
    return seen


def _check_head(found: report.Report, whole: resolved.Resolved, purpose: Purpose) -> None:
    """Check what stands outside of templates."""
    name, origin = whole.metadata.name, whole.spec_origins[0]
    document = resolved.Origin(origin.document, ("metadata", "name"))
    if whole.cron is not None:
        cron.check(found, name, whole.cron, resolved.Origin(origin.document, ()))
    elif len(name) > _LONGEST_NAME:
        kind = _CALLED.get(origin.document.value.get("kind"), "workflow")
        message = (
            f'{kind} name "{name}" must not be more than {_LONGEST_NAME} characters long '
            f"(currently {len(name)})"
        )
        found.error(document, message)
    if name and not _OBJECT.fullmatch(name):
        message = f"`{name}` is no name of a Kubernetes object"
        found.error(document, message, "use lower-case letters, digits, `-` and `.`")
    if len(whole.spec_origins) > 1 and origin.holds("templates"):
        message = (
            "Templates is invalid field in spec if workflow referred WorkflowTemplate reference"
        )
        found.error(origin.at("templates"), message, key=True)
    if len(whole.spec_origins) == 1:
        listed = [one.name for one in whole.spec.templates]
        names.check(found, "spec.templates", listed, origin.at("templates"))
    if not whole.spec.entrypoint and purpose is not Purpose.LIBRARY:
        found.error(origin, "spec.entrypoint is required")
    strategy = (whole.spec.pod_gc or {}).get("strategy", "")
    if strategy not in _POD_GC:
        message = f"podGC.strategy unknown strategy '{strategy}'"
        found.error(whole.origin("podGC", "strategy"), message)
    selector = (whole.spec.pod_gc or {}).get("labelSelector") or {}
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        operator = one.get("operator", "") if isinstance(one, dict) else ""
        if operator not in _SELECTS:
            message = (
                f'podGC.labelSelector invalid: "{operator}" is not a valid label selector operator'
            )
            found.error(whole.origin("podGC", "labelSelector", "matchExpressions", index), message)


def _walk(
    walker: walk.Walk,
    whole: resolved.Resolved,
    given: parameters.Arguments | None,
    own: parameters.Arguments | None,
    supplied: frozenset[str],
) -> None:
    """Go through every template in Argo's order: entrypoint, exit handler, then all others."""
    spec = whole.spec
    if spec.entrypoint:
        walker.begin(spec.entrypoint, whole.origin("entrypoint"), given, supplied)
    if spec.on_exit:
        # The failures are known only to what runs after the entrypoint has ended.
        walker.everywhere.exact.add("workflow.failures")
        if any(
            names.TAG.search(one.global_name)
            for each in spec.templates
            for one in each.outputs.artifacts
        ):
            walker.everywhere.loose.add("workflow.outputs.artifacts.")
        walker.begin(spec.on_exit, whole.origin("onExit"), own)
    steps.check_hooks(walker.found, "hooks", spec.hooks, whole.origin("hooks"))
    for name, hook in spec.hooks.items():
        walker.hook(resolved.LOCAL, hook, whole.origin("hooks", name))
    for one in spec.templates:
        with walker.found.within(f"templates.{one.name}"):
            call = template.Call(template=one.name)
            walker.call(resolved.LOCAL, call, whole.spec_origins[-1].at("templates"))
