"""The limits of a container that a container engine keeps: memory and CPU.

They are Kubernetes' quantities: a number, perhaps with a fraction or an exponent, and a suffix
(kubernetes: apimachinery/pkg/api/resource). Requests say what a scheduler needs to know and mean
nothing on one machine.
"""

import re
from decimal import Decimal

from gitwf.adapters.local import environment
from gitwf.workflow.document import containers

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<suffix>[a-zA-Z]*)"
)
_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    **{name: Decimal(1000) ** power for power, name in enumerate("kMGTPE", 1)},
    **{f"{name}i": Decimal(1024) ** power for power, name in enumerate("KMGTPE", 1)},
}  # fmt: skip


def of(container: containers.Container) -> tuple[int, float]:
    """Give the limits of memory in bytes and of CPUs, 0 for none. Raises Unavailable."""
    limits = (container.resources or {}).get("limits") or {}
    found = [quantity(name, limits.get(name)) for name in ("memory", "cpu")]
    return int(found[0]), float(found[1])


def quantity(name: str, value: object) -> Decimal:
    """Read the quantity of a limit; 0 where there is none. Raises Unavailable."""
    text = "" if value is None else str(value)
    found = _QUANTITY.fullmatch(text)
    if not text:
        return Decimal(0)
    if found is None or found["suffix"] not in _SUFFIXES:
        message = f"the limit {name} is no quantity: {text!r}"
        raise environment.Unavailable(message, hint="write it like 512Mi or 500m")
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"]]
