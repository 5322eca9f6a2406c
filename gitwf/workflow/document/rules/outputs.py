"""A template's outputs: what each type of template can give, and what they add to the scope.

Argo: validateOutputs, validateOutputParameter and addOutputsToScope.
"""

import posixpath

from gitwf.workflow.document import parameters, resolved, template
from gitwf.workflow.document.rules import names, report, tags

# Argo names the types in its messages like this, not as documents spell them.
TYPE_NAMES = {
    "container": "Container",
    "containerSet": "ContainerSet",
    "script": "Script",
    "steps": "Steps",
    "dag": "DAG",
    "resource": "Resource",
    "suspend": "Suspend",
    "data": "Data",
    "http": "HTTP",
    "plugin": "Plugin",
}
_RUNS = ("container", "containerSet", "script")


def path_fault(artifact: parameters.Artifact) -> str:
    """Say what is wrong with an artifact's path in a container, or "" (Argo: CleanPath)."""
    if not artifact.path:
        return f"Artifact '{artifact.name}' did not specify a path"
    safe, dots, _ = (artifact.path + "/").partition("/../")
    cleaned = posixpath.normpath(artifact.path)
    if dots and safe and not (cleaned.startswith(safe + "/") and len(cleaned) > len(safe) + 1):
        return (
            f"Artifact '{artifact.name}' attempted to use a path containing '..'. "
            "Directory traversal is not permitted"
        )
    return ""


def check(found: report.Report, one: template.Template, origin: resolved.Origin) -> None:
    """Check the outputs of one template."""
    path = f"templates.{one.name}.outputs"
    for field, several in (
        ("parameters", one.outputs.parameters),
        ("artifacts", one.outputs.artifacts),
    ):
        listed = [names.placed(output.name) for output in several]
        names.check(found, f"{path}.{field} ", listed, origin.at(field), parameters=True)
    for index, artifact in enumerate(one.outputs.artifacts):
        _artifact(found, path, one, artifact, origin.at("artifacts", index))
    for index, parameter in enumerate(one.outputs.parameters):
        _parameter(found, path, one, parameter, origin.at("parameters", index))


def _artifact(
    found: report.Report,
    path: str,
    one: template.Template,
    artifact: parameters.Artifact,
    where: resolved.Origin,
) -> None:
    path = f"{path}.artifacts.{artifact.name}"
    if one.is_leaf:
        if fault := path_fault(artifact):
            found.error(where, f"error in {path}: {fault}")
    elif artifact.path:
        message = f"{path}.path only valid in container/script templates"
        found.error(where.at("path"), message)
    _global_name(found, path, artifact.global_name, where)


def _parameter(
    found: report.Report,
    path: str,
    one: template.Template,
    parameter: parameters.Parameter,
    where: resolved.Origin,
) -> None:
    path = f"{path}.parameters.{parameter.name}"
    source = parameter.value_from
    fault = _source_fault(path, parameter)
    if fault:
        found.error(where, fault)
    elif source is not None:
        kind = TYPE_NAMES.get(one.type, "")
        if one.type in _RUNS and not source.path:
            found.error(
                where.at("valueFrom"), f"{path}.path must be specified for {kind} templates"
            )
        elif one.type == "resource" and not (source.jq_filter or source.json_path):
            message = f"{path} .jqFilter or jsonPath must be specified for {kind} templates"
            found.error(where.at("valueFrom"), message)
        elif one.calls_others and not (source.parameter or source.expression):
            message = f"{path}.parameter or expression must be specified for {kind} templates"
            found.error(where.at("valueFrom"), message)
    _global_name(found, path, parameter.global_name, where)


def _source_fault(path: str, parameter: parameters.Parameter) -> str:
    """Say what is wrong with where an output's value comes from, or ""."""
    source = parameter.value_from
    if source is not None and parameter.value is not None:
        return f"{path} has both valueFrom and value specified, choose one"
    if parameter.value is not None:
        return ""
    if source is None:
        return f"{path} does not have valueFrom or value specified"
    several = [
        source.path, source.jq_filter, source.json_path, source.parameter, source.expression
    ]  # fmt: skip
    count = sum(map(bool, several)) + (source.supplied is not None)
    kinds = "path, jqFilter, jsonPath, parameter, raw"
    if count == 0:
        return f"valueFrom type unspecified. choose one of: {kinds}, expression"
    if count > 1:
        return f"multiple valueFrom types specified. choose one of: {kinds}"
    return ""


def _global_name(found: report.Report, path: str, name: str, where: resolved.Origin) -> None:
    placed = names.placed(name)
    if name and not names.TAG.search(placed) and (fault := names.parameter_fault(placed)):
        found.error(where.at("globalName"), f"{path}.globalName: {fault}")


def has_result(one: template.Template) -> bool:
    """Whether a node of the template has a result and an exit code (Argo: HasOutput)."""
    if one.container_set is not None:
        return any(container.name == "main" for container in one.container_set.containers)
    return one.type in {"container", "script", "data", "http", "plugin"}


def add(
    scope: tags.Names,
    everywhere: tags.Names,
    prefix: str,
    one: template.Template | None,
    *,
    loops: bool = False,
    status: bool = False,
) -> None:
    """Put what a finished node gives into `scope`; `prefix` is `steps.NAME` or `tasks.NAME`.

    Outputs with a global name go into `everywhere` too.
    """
    own = ["id", "startedAt", "finishedAt", "hostNodeName"]
    if status:
        own.append("status")
    if one is not None:
        own += _own(one, loops=loops)
        for kind, several in (
            ("parameters", one.outputs.parameters),
            ("artifacts", one.outputs.artifacts),
        ):
            for output in several:
                own.append(f"outputs.{kind}.{output.name}")
                _add_global(scope, everywhere, f"workflow.outputs.{kind}.", output.global_name)
    scope.exact.update(f"{prefix}.{name}" for name in own)


def _own(one: template.Template, *, loops: bool) -> list[str]:
    own = ["ip"] if one.daemon else []
    if has_result(one) or (loops and one.type in {"script", "containerSet"}):
        own += ["outputs.result", "exitCode"]
    if loops:
        own.append("outputs.parameters")
    return own


def _add_global(scope: tags.Names, everywhere: tags.Names, prefix: str, name: str) -> None:
    if not name:
        return
    if names.TAG.search(name):
        scope.loose.add(prefix)
    else:
        scope.exact.add(prefix + name)
        everywhere.exact.add(prefix + name)
