"""In what an object differs from what was applied, and who made it so.

The server itself says what an apply would give, so that defaults and ways of writing a number are
no drift; what is compared is the object before and after. Who owns a field stands in
`managedFields`, as trees of `f:name` and `k:{"name":"viewer"}` steps (Kubernetes:
structured-merge-diff/fieldpath). Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.adapters.kubernetes.connection import MANAGER
from gitwf.delivery.serving import Drift

Manifest = Mapping[str, Any]
_KEYS = ("name", "mountPath", "containerPort", "port", "uid", "type", "ip")
_SERVERS_OWN = {"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"}
_SHOWN = 200


@dataclass(frozen=True)
class Step:
    """One step into an object: a field, or the item of a list that has these values."""

    name: str = ""
    item: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"[{self.item[0][1]}]" if self.item else f".{self.name}"


def between(live: Manifest, applied: Manifest) -> list[Drift]:
    """Each field that an apply would change: its owner and the value that it would lose."""
    found = []
    for path, value in _differences(_bare(live), _bare(applied), ()):
        managed = live["metadata"].get("managedFields") or ()
        shown = "".join(map(str, path)).removeprefix(".")
        found.append(Drift(shown, owner(managed, path), _text(value)))
    return found


def _bare(whole: Manifest) -> dict[str, Any]:
    meta = {key: value for key, value in whole["metadata"].items() if key not in _SERVERS_OWN}
    rest = {key: value for key, value in whole.items() if key not in {"status", "metadata"}}
    return {**rest, "metadata": meta}


def _differences(
    live: Any, applied: Any, path: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """The deepest places at which two values differ, each with the live value."""
    if live == applied:
        return
    if isinstance(live, Mapping) and isinstance(applied, Mapping):
        for name in sorted({*live, *applied}):
            yield from _differences(live.get(name), applied.get(name), (*path, Step(name)))
        return
    if isinstance(live, list) and isinstance(applied, list) and (key := _key([*live, *applied])):
        before, after = ({item[key]: item for item in one} for one in (live, applied))
        for name in dict.fromkeys([*before, *after]):
            step = Step(item=((key, name),))
            yield from _differences(before.get(name), after.get(name), (*path, step))
        return
    yield path, live


def _key(items: Sequence[Any]) -> str | None:
    """The field that tells the items of a list apart."""
    if not all(isinstance(item, Mapping) for item in items):
        return None
    return next((key for key in _KEYS if all(key in item for item in items)), None)


def owner(managed: Sequence[Manifest], path: tuple[Step, ...]) -> str:
    """Who owns a field besides gitwf; "" when nobody says so, as for one that was deleted."""
    for entry in reversed(managed):
        if entry.get("manager") != MANAGER and _owns(entry.get("fieldsV1") or {}, path):
            return str(entry.get("manager", ""))
    return ""


def _owns(tree: Manifest, path: tuple[Step, ...]) -> bool:
    if not path:
        return True
    step, rest = path[0], path[1:]
    if not step.item:
        below = tree.get(f"f:{step.name}")
        return below is not None and _owns(below, rest)
    return any(_is(key, step) and _owns(below, rest) for key, below in tree.items())


def _is(key: str, step: Step) -> bool:
    """Whether `k:{…}` names the item of a step; a key may have more fields than tell it apart."""
    if not key.startswith("k:"):
        return False
    named = json.loads(key.removeprefix("k:"))
    return all(named.get(name) == value for name, value in step.item)


def _text(value: Any) -> str:
    """A value as a person reads it, cut where it is long."""
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
