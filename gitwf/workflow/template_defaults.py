"""templateDefaults put under a template, as Kubernetes' strategic merge does.

What the template says wins; mappings merge; lists of named things merge by their name, other lists
are replaced. Defaults for a type (container, script, …) go only to templates of that type
(Argo: workflow/controller/operator.go, mergedTemplateDefaultsInto).
"""

import json
from typing import Any

from gitwf.workflow.document import template

_KEYS = {
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "sidecars": "name",
    "initContainers": "name",
}


def merge(original: template.Template, defaults: template.Template | None) -> template.Template:
    """Give `original` with `defaults` below it."""
    if defaults is None:
        return original
    lower = defaults.plain()
    upper = original.plain()
    for foreign in {*defaults.types, "name"} - {*original.types}:
        lower.pop(foreign, None)
    return template.Template.from_json(json.dumps(_merged(lower, upper), ensure_ascii=False))


def _merged(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    result = dict(lower)
    for key, value in upper.items():
        below = lower.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            result[key] = _merged(below, value)
        elif key in _KEYS and isinstance(value, list) and isinstance(below, list):
            result[key] = _by_key(below, value, _KEYS[key])
        else:
            result[key] = value
    return result


def _by_key(lower: list[Any], upper: list[Any], key: str) -> list[Any]:
    mine = {entry.get(key): entry for entry in upper}
    kept = [
        _merged(entry, mine.pop(entry.get(key))) if entry.get(key) in mine else entry
        for entry in lower
    ]
    return [*mine.values(), *kept]
