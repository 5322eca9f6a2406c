"""An order on disk: what a run was asked to do, so that it can go on without whoever asked.

`order.json` holds what a run is a function of and the moment it began; the journal holds the rest.
A second order under the same id must ask for the same, or it is refused: an id names one run for
ever. The workflow is written in its canonical form and can be read back from it, without the places
in files that it came from.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitwf import ports, values
from gitwf.adapters import atomic
from gitwf.adapters.local import folder
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow.document import resolved, template, workflow


@dataclass(frozen=True)
class Begun:
    """An order that was written down, and when."""

    order: ports.Order
    at: Instant


def essentials(order: ports.Order) -> dict[str, Any]:
    """What makes two orders the same; the folder of the source is not part of it."""
    return {
        "name": order.name,
        "entrypoint": order.entrypoint,
        "workflow": json.loads(begun_at(order).canonical()),
        "parameters": dict(order.parameters),
        "requirements": order.requirements,
        "granted": {key: sorted(names) for key, names in order.granted.items()},
    }


def begun_at(order: ports.Order) -> resolved.Resolved:
    """The workflow as the order begins it: at its own entrypoint or at another template."""
    return order.workflow.started_at(order.entrypoint) if order.entrypoint else order.workflow


def begun_before(path: Path, order: ports.Order) -> Begun | None:
    """Give the order as it was begun before, or None. Stalled when another order has its id."""
    there = _load(path)
    if there is None:
        return None
    if values.canonical(there["order"]) != values.canonical(essentials(order)):
        hint = "give the run another id, or remove its folder"
        raise Stalled(f"the run {order.id} was ordered with another content before", hint=hint)
    return Begun(order, Instant(there["at"]))


def write(path: Path, begun: Begun) -> None:
    """Write an order down durably."""
    order = begun.order
    told = essentials(order)
    source = str(order.source or "")
    text = json.dumps({"at": begun.at.microseconds, "source": source, "order": told})
    # The workflow's Secret documents are in it.
    with atomic.replacing(path, durable=True, mode=0o600) as file:
        file.write(text.encode())


def _load(path: Path) -> dict[str, Any] | None:
    try:
        there: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise folder.unreadable(path, error) from error
    if not isinstance(there, dict) or there.keys() != {"at", "source", "order"}:
        raise folder.unreadable(path, ValueError("it is no order"))
    return there


def read(path: Path, run: str) -> Begun | None:
    """Read an order back, or None when there is none. Stalled on one that cannot be read."""
    there = _load(path)
    try:
        return None if there is None else _begun(there, run)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise folder.unreadable(path, error) from error


def _begun(there: dict[str, Any], run: str) -> Begun:
    told = there["order"]
    order = ports.Order(
        id=run,
        name=told["name"],
        workflow=_workflow(told["workflow"]),
        parameters=told["parameters"],
        source=Path(there["source"]) if there["source"] else None,
        requirements=told["requirements"],
        granted={key: frozenset(names) for key, names in told["granted"].items()},
        entrypoint=told["entrypoint"],
    )
    return Begun(order, Instant(there["at"]))


def _workflow(told: dict[str, Any]) -> resolved.Resolved:
    templates = {}
    for full_name, content in told["templates"].items():
        scope, _, name = full_name.rpartition("/")
        key = resolved.TemplateKey(scope, name)
        templates[key] = template.Template.from_json(json.dumps(content))
    return resolved.Resolved(
        metadata=workflow.ObjectMeta.from_json(json.dumps(told["metadata"])),
        spec=workflow.WorkflowSpec.from_json(json.dumps(told["spec"])),
        templates=templates,
        config_maps=told["configMaps"],
        secrets=told.get("secrets", {}),
        unlabelled=frozenset(told.get("unlabelled", ())),
        scheduled=told.get("scheduled", False),
    )
