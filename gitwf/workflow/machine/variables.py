"""The workflow's own variables: everything below `{{workflow.*}}`.

Those that cannot change are set when the run begins; outputs, duration, status and failures are
added as they come to be known (Argo: operator.go setGlobalParameters; docs/variables.md).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gitwf.errors import Diagnostic, Rejected
from gitwf.values import Instant
from gitwf.workflow import expr, failure, preparation, quoting, scope
from gitwf.workflow.document import parameters, resolved
from gitwf.workflow.machine import nodes

# Argo: strftime's letters, each a variable below workflow.creationTimestamp.
_LETTERS = "aAbBdHImMpSyYzZ"
_RUNNING = "Running"
_MARKED = {
    "workflows.argoproj.io/completed": "false",
    "workflows.argoproj.io/phase": _RUNNING,
}
_NOTED = {"workflows.argoproj.io/pod-name-format": "v2"}


def bind(workflow: resolved.Resolved, given: Mapping[str, str]) -> parameters.Arguments:
    """Give the run's arguments: `given` before what the document says.

    Raises Rejected: a parameter has no value, or `given` names one that the workflow has not.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    declared = workflow.spec.arguments.parameters
    for parameter in declared:
        value = given.get(parameter.name, parameter.value)
        if value is None and parameter.value_from is not None:
            try:
                value = _found(parameter.name, parameter.value_from, workflow)
            except failure.NodeFailure as problem:
                problems.append(str(problem))
                continue
        if value is None:
            problems.append(
                f"spec.arguments.{parameter.name}.value or "
                f"spec.arguments.{parameter.name}.valueFrom is required"
            )
        elif parameter.enum and value not in parameter.enum:
            problems.append(
                f"spec.arguments.{parameter.name}.value should be present in "
                f"spec.arguments.{parameter.name}.enum list"
            )
        else:
            values[parameter.name] = value
    if problems:
        raise Rejected(Diagnostic(workflow.name, 0, 0, text) for text in problems)
    values.update((name, value) for name, value in given.items() if name not in values)
    bound = tuple(parameters.Parameter(name=name, value=value) for name, value in values.items())
    return workflow.spec.arguments.model_copy(update={"parameters": bound})


def _found(name: str, source: parameters.ValueFrom, workflow: resolved.Resolved) -> str | None:
    """Read an argument's value where it comes from (Argo: setGlobalParameters)."""
    if source.config_map_key_ref is None:
        return source.default
    of, key = source.config_map_key_ref.name, source.config_map_key_ref.key
    try:
        return preparation.from_config_map(of, key, source.default, workflow.parameter_maps)
    except failure.NodeFailure as problem:
        what = f"failed to set global parameter {name} from configmap with name {of} and key {key}"
        raise failure.NodeFailure(f"{what}: {problem}") from None


def begin(
    workflow: resolved.Resolved,
    name: str,
    uid: str,
    namespace: str,
    at: Instant,
    arguments: parameters.Arguments,
) -> dict[str, scope.Value]:
    """Give the variables that are known from the start."""
    spec = workflow.spec
    values: dict[str, scope.Value] = {
        "workflow.name": name,
        "workflow.uid": uid,
        "workflow.namespace": namespace,
        "workflow.mainEntrypoint": spec.entrypoint,
        "workflow.serviceAccountName": spec.service_account_name,
        "workflow.duration": f"{0.0:f}",
        # Argo looks at a workflow for the first time before it is running.
        "workflow.status": "",
    }
    if spec.priority is not None:
        values["workflow.priority"] = str(spec.priority)
    values.update(_created(at))
    values["workflow.parameters"] = _as_json(spec.arguments.parameters, arguments.parameters)
    values["workflow.parameters.json"] = values["workflow.parameters"]
    for given in arguments.parameters:
        values[f"workflow.parameters.{given.name}"] = given.value
    _add_metadata(values, workflow, at)
    return values


def _as_json(
    declared: tuple[parameters.Parameter, ...], bound: tuple[parameters.Parameter, ...]
) -> str:
    """List the parameters as they were declared, with the values of this run."""
    if not bound:
        return "null"
    known = {one.name: one for one in declared}
    listed = []
    for given in bound:
        one = known.get(given.name, given)
        if one.value is not None or one.value_from is None:
            one = one.model_copy(update={"value": given.value})
        listed.append(one)
    return preparation.listed(listed)


def _created(at: Instant) -> dict[str, scope.Value]:
    moment = at.datetime()
    prefix = "workflow.creationTimestamp"
    values: dict[str, scope.Value] = {
        prefix: at.rfc3339(),
        f"{prefix}.s": str(int(at.seconds)),
        f"{prefix}.RFC3339": at.rfc3339(),
    }
    for letter in _LETTERS:
        values[f"{prefix}.{letter}"] = moment.strftime(f"%{letter}")
    # A creation time has whole seconds, so that its milliseconds are none.
    values[f"{prefix}.L"] = ".000"
    return values


def _add_metadata(values: dict[str, scope.Value], workflow: resolved.Resolved, at: Instant) -> None:
    extra: Mapping[str, Any] = workflow.spec.workflow_metadata or {}
    labels = {**workflow.labels, **extra.get("labels", {})}
    own = workflow.annotations_at(at)
    annotations = {**own, **extra.get("annotations", {})}
    for key, source in extra.get("labelsFrom", {}).items():
        try:
            value = expr.parse(source["expression"]).evaluate(scope.nested(values))
            labels[key] = expr.to_text(value)
        except expr.ExprError as problem:
            text = f"failed to evaluate label {key} expression: {problem}"
            raise Rejected([Diagnostic(workflow.name, 0, 0, text)]) from problem
    if resolved.SCHEDULED in annotations:
        values["workflow.scheduledTime"] = annotations[resolved.SCHEDULED]
    # Argo lists them before workflowMetadata adds its own.
    _list_metadata(values, "labels", labels, workflow.labels)
    _list_metadata(values, "annotations", annotations, own)


def _list_metadata(
    values: dict[str, scope.Value], kind: str, every: Mapping[str, str], listed: Mapping[str, str]
) -> None:
    values.update((f"workflow.{kind}.{key}", value) for key, value in every.items())
    text = quoting.dumps(dict(listed)) if listed else "null"
    values[f"workflow.{kind}"] = values[f"workflow.{kind}.json"] = text


def look_again(values: dict[str, scope.Value]) -> None:
    """Show the workflow as Argo has marked it by the time that it looks at it once more."""
    values["workflow.status"] = _RUNNING
    for kind, marks in (("labels", _MARKED), ("annotations", _NOTED)):
        prefix = f"workflow.{kind}."
        found = {
            key.removeprefix(prefix): str(value)
            for key, value in values.items()
            if key.startswith(prefix) and key != f"{prefix}json"
        }
        marked = {**found, **marks}
        _list_metadata(values, kind, marked, marked)


def failures(run: str, every: Iterable[nodes.Node]) -> str:
    """List the nodes that ended badly, as `{{workflow.failures}}`: JSON inside a quoted string."""
    rows = [
        {
            "displayName": node.display_name,
            "message": node.message,
            "templateName": _template(node),
            "phase": str(node.phase),
            "podName": nodes.pod_name(run, node.name, _template(node)),
            "finishedAt": node.finished.rfc3339() if node.finished is not None else None,
        }
        for node in every
        if node.phase.failed_or_error
    ]
    text = json.dumps(rows or None, separators=(",", ":"), ensure_ascii=False)
    return quoting.quote(text.translate(quoting.HTML))


def _template(node: nodes.Node) -> str:
    return node.template_ref.partition("/")[2] or node.template
