"""What only a cluster does with a template: objects of its API, and metrics of the controller.

The local engine runs neither; a workflow that is handed to a real Argo is checked all the same, so
that it is not refused there first (Argo: validateLeaf and validateTemplate).
"""

import re
from collections.abc import Mapping
from typing import Any

from gitwf.workflow.document import resolved, template
from gitwf.workflow.document.rules import report

_ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")
_NEED_NO_MANIFEST = frozenset({"get", "delete"})
_METRIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


def check_metrics(found: report.Report, one: template.Template, origin: resolved.Origin) -> None:
    """Check the metrics that the controller is to keep of a template of any type."""
    for index, metric in enumerate(_list((one.metrics or {}).get("prometheus"))):
        where = origin.at("metrics", "prometheus", index)
        _metric(found, f"templates.{one.name} metric", metric, where)


def check_resource(
    found: report.Report,
    one: template.Template,
    resource: Mapping[str, Any],
    origin: resolved.Origin,
) -> None:
    """Check what a resource template, whose `resource` stands at `origin`, asks of the API."""
    path, action = f"templates.{one.name}.resource", resource.get("action", "")
    if action not in _ACTIONS and "{{" not in str(action):
        found.error(origin.at("action"), f"{path}.action must be one of: {', '.join(_ACTIONS)}")
        return
    if action in _NEED_NO_MANIFEST:
        return
    written, elsewhere = resource.get("manifest"), resource.get("manifestFrom")
    if not written and elsewhere is None:
        message = f"either {path}.manifest or {path}.manifestFrom must be specified"
        found.error(origin, message)
    elif written and elsewhere is not None:
        message = (
            "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` "
            "for resource template"
        )
        found.error(origin.at("manifestFrom"), message, key=True)
    source = elsewhere.get("artifact") if isinstance(elsewhere, dict) else None
    name = source.get("name", "") if isinstance(source, dict) else None
    if name is not None and name not in {artifact.name for artifact in one.inputs.artifacts}:
        message = f"artifact {name} in `manifestFrom` refer to a non-exist artifact"
        found.error(origin.at("manifestFrom", "artifact"), message)


def _metric(
    found: report.Report, path: str, metric: Mapping[str, Any], where: resolved.Origin
) -> None:
    name = str(metric.get("name", ""))
    if not _METRIC_NAME.fullmatch(name):
        message = (
            f"{path} name '{name}' is invalid. "
            "Metric names must contain alphanumeric characters or '_'"
        )
        found.error(where.at("name"), message)
        return
    for index, label in enumerate(_list(metric.get("labels"))):
        key = str(label.get("key", ""))
        if not _METRIC_NAME.fullmatch(key):
            message = (
                f"metric label '{key}' is invalid: keys may only contain alphanumeric characters "
                "or '_'"
            )
            found.error(where.at("labels", index, "key"), message)
    if not metric.get("help"):
        message = f"{path} '{name}' must contain a help string under 'help: ' field"
        found.error(where, message)
    elif fault := _value_fault(metric):
        found.error(where, f"{path} '{name}' error: {fault}")


def _value_fault(metric: Mapping[str, Any]) -> str:
    """Say what is wrong with what a metric counts, or "" (Argo: ValidateMetricValues)."""
    for kind in ("gauge", "counter", "histogram"):
        counted = metric.get(kind)
        if not isinstance(counted, dict):
            continue
        if not counted.get("value"):
            return f"missing {kind}.value"
        if counted.get("realtime") and "resourcesDuration." in str(counted["value"]):
            return "'resourcesDuration.*' metrics cannot be used in real-time"
    return ""


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
