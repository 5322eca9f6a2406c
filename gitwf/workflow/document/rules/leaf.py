"""Templates that call no other: containers, scripts, and what all templates share.

Argo: validateTemplateType, validateLeaf.
"""

import re
from collections.abc import Mapping
from typing import Any

from gitwf.workflow.document import containers, resolved, template
from gitwf.workflow.document.rules import cluster, outputs, report, sets, tags, visit

_RETRY_POLICIES = frozenset({"", "Always", "OnFailure", "OnError", "OnTransientError"})
_TYPES = "container, containerSet, steps, script, resource, dag, suspend, template, template ref"
_OWN_OF_INPUT = {
    "parameters": frozenset({"name", "default", "description", "enum", "globalName"}),
    "artifacts": frozenset({"name", "path", "mode", "recurseMode"}),
}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_TAG = re.compile(r"\{\{.*\}\}", re.DOTALL)


def check_head(found: report.Report, one: template.Template, origin: resolved.Origin) -> None:
    """Check what holds for a template of any type."""
    if len(one.types) > 1:
        message = f"templates.{one.name} multiple template types specified. choose one of: {_TYPES}"
        found.error(origin.at(one.types[1]), message, key=True)
    strategy = one.retry_strategy
    if strategy is not None and strategy.retry_policy not in _RETRY_POLICIES:
        message = f"{strategy.retry_policy} is not a valid RetryPolicy"
        hint = "one of: Always, OnFailure, OnError, OnTransientError"
        found.error(origin.at("retryStrategy", "retryPolicy"), message, hint)
    if one.timeout and not one.is_leaf:
        kind = outputs.TYPE_NAMES[one.type]
        found.error(origin.at("timeout"), f"{kind} template doesn't support timeout field")
    else:
        check_timeout(found, one.name, one.timeout, origin.at("timeout"))
    for index, container in enumerate(one.init_containers):
        if not container.name:
            where = origin.at("initContainers", index)
            found.error(where, "initContainers must all have container name")
    if one.calls_others and one.active_deadline_seconds is not None:
        message = f"templates.{one.name}.activeDeadlineSeconds is only valid for leaf templates"
        found.error(origin.at("activeDeadlineSeconds"), message, key=True)


def check_timeout(found: report.Report, name: str, timeout: str, where: resolved.Origin) -> None:
    """Check that the timeout of a template has a unit."""
    if _WHOLE.fullmatch(timeout):
        message = f"{name} has invalid duration format in timeout"
        found.error(where, message, f"did you mean `{timeout}s`?")


def check(found: report.Report, here: visit.Here, default_image: str) -> None:
    """Check a template that calls no other."""
    one, origin, path = here.template, here.origin, f"templates.{here.template.name}"
    text = one.plain() if here.entered else _as_called(one.plain())
    tags.check(found, f"{path}:", text, origin, here.names)
    for kind, container in (("container", one.container), ("script", one.script)):
        if container is None:
            continue
        if not container.image and not default_image:
            found.error(origin.at(kind), f"{path}.{kind}.image may not be empty")
        _check_command(found, container, origin.at(kind))
    if one.container is not None:
        _check_mounts(found, one, one.container, origin)
    if one.container_set is not None:
        sets.check(found, one, one.container_set, origin.at("containerSet"))
        for index, container in enumerate(one.container_set.containers):
            _check_command(found, container, origin.at("containerSet", "containers", index))
    if one.resource is not None:
        cluster.check_resource(found, one, one.resource, origin.at("resource"))
    if not _is_deadline(one.active_deadline_seconds):
        message = f"{path}.activeDeadlineSeconds must be a positive integer > 0 or an argo variable"
        found.error(origin.at("activeDeadlineSeconds"), message)
    if one.parallelism is not None:
        message = f"{path}.parallelism is only valid for steps and dag templates"
        found.error(origin.at("parallelism"), message, key=True)


def _as_called(text: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a template what its caller's arguments take the place of (Argo: ProcessArgs)."""
    if "inputs" not in text:
        return dict(text)
    inputs = {
        field: [{name: part for name, part in one.items() if name in kept} for one in several]
        if (kept := _OWN_OF_INPUT.get(field))
        else several
        for field, several in text["inputs"].items()
    }
    return {**text, "inputs": inputs}


def _is_deadline(value: int | str | None) -> bool:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        return bool(_TAG.fullmatch(value))
    return value is None or int(value) >= 0


def _check_command(
    found: report.Report, container: containers.Container, where: resolved.Origin
) -> None:
    """Warn of a command that was meant as several words: Argo looks for a program of that name."""
    if not container.command:
        return
    program = container.command[0]
    words = program.split()
    if len(words) > 1 and "/" not in words[0] and "{{" not in program:
        message = f"no program is called `{program}`: the step will fail with exit code 64"
        found.warning(where.at("command", 0), message, f"did you mean [{', '.join(words)}]?")


def _check_mounts(
    found: report.Report,
    one: template.Template,
    container: containers.Container,
    origin: resolved.Origin,
) -> None:
    path = f"templates.{one.name}"
    taken: dict[str, str] = {}
    for index, mount in enumerate(container.volume_mounts):
        if previous := taken.get(mount.mount_path):
            message = (
                f"{path}.container.volumeMounts[{index}].mountPath '{mount.mount_path}' "
                f"already mounted in {previous}"
            )
            found.error(origin.at("container", "volumeMounts", index, "mountPath"), message)
        taken[mount.mount_path] = f"container.volumeMounts.{mount.name}"
    for index, artifact in enumerate(one.inputs.artifacts):
        if previous := taken.get(artifact.path):
            message = (
                f"{path}.inputs.artifacts[{index}].path '{artifact.path}' "
                f"already mounted in {previous}"
            )
            found.error(origin.at("inputs", "artifacts", index, "path"), message)
        taken[artifact.path] = f"inputs.artifacts.{artifact.name}"
