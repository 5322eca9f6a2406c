"""templateDefaults put under a template, as Kubernetes' strategic merge does.

What the template says wins; mappings merge; lists of named things merge by their name, other lists
are replaced. Defaults for a type (container, script, …) go only to templates of that type
(Argo: workflow/controller/operator.go, mergedTemplateDefaultsInto).
"""

import json
from typing import Any

from gitwf.workflow.document import template

_KEYS = {
    "parameters": "name",
    "artifacts": "name",
    "tasks": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "sidecars": "name",
    "initContainers": "name",
    "tolerations": "key",
    "hostAliases": "ip",
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
    """Merge entries of the same key; what only `lower` has stays before what followed it there.

    Every other entry comes after those of `upper`.
    """
    below = {entry.get(key): entry for entry in lower}
    ahead = {name: place for place, name in enumerate(below)}
    mine = {entry.get(key) for entry in upper}
    rest = [entry for entry in lower if entry.get(key) not in mine]
    result: list[Any] = []
    for entry in upper:
        place = ahead.get(entry.get(key), -1)
        while rest and ahead[rest[0].get(key)] < place:
            result.append(rest.pop(0))
        result.append(_merged(below.get(entry.get(key), {}), entry))
    return result + rest
