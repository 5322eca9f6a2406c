"""What tags and expressions can see: names with dots, and the values behind them.

A scope is a flat mapping, `steps.train.outputs.parameters.path` to text, as in Argo
(Argo: workflow/controller/scope.go). Three kinds of values: text, an artifact, and None, which says
that the producer was skipped or omitted and has no default: such a value is absent, not unknown.
Expressions see the same mapping folded into nested ones, and the time of the run, under a name that
no tag can mean, for their `now()`.
"""

from collections import ChainMap
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.document import template

Value: TypeAlias = str | record.ArtifactLocation | Instant | None

NOW: Final = "now"


class _Missing:
    """The answer for a name that nobody has defined."""


MISSING: Final = _Missing()


class Names(ChainMap[str, Value]):
    """Scopes one behind another; looking a name up, which happens most, costs one look each."""

    def get(self, key: str, default: Any = None) -> Any:
        """Give the value of a name in the first scope that has it."""
        for values in self.maps:
            if key in values:
                return values[key]
        return default


def nested(values: Mapping[str, Value]) -> dict[str, object]:
    """Fold dotted names into nested mappings; a longer name wins over its own beginning.

    Argo: util/expand.
    """
    root: dict[str, object] = {}
    for name in sorted(values):
        *parents, last = name.split(".")
        place = root
        for parent in parents:
            below = place.get(parent)
            if not isinstance(below, dict):
                below = place[parent] = {}
            place = below
        value = values[name]
        place[last] = value.datetime() if isinstance(value, Instant) else value
    return root


def of_declared(prefix: str, outputs: record.Outputs) -> dict[str, Value]:
    """Name the parameters and artifacts of a node; parameters without a value have no name."""
    values: dict[str, Value] = {
        f"{prefix}.outputs.parameters.{name}": value for name, value in outputs.parameters.items()
    }
    values.update(
        (f"{prefix}.outputs.artifacts.{name}", location)
        for name, location in outputs.artifacts.items()
    )
    return values


def of_outputs(prefix: str, outputs: record.Outputs) -> dict[str, Value]:
    """Name all that a node gave below `prefix`."""
    values = of_declared(prefix, outputs)
    if outputs.result is not None:
        values[f"{prefix}.outputs.result"] = outputs.result
    if outputs.exit_code is not None:
        values[f"{prefix}.exitCode"] = outputs.exit_code
    return values


def of_absent(
    prefix: str, producer: template.Template | None, *, artifacts: bool
) -> dict[str, Value]:
    """Name the outputs that a skipped or omitted node would have had: its defaults, or None.

    `artifacts`: those too. Argo names them in steps, where they lead nowhere and yet are there for
    an expression, and not in a DAG.
    """
    values: dict[str, Value] = {f"{prefix}.outputs.result": None}
    if producer is None:
        return values
    for parameter in producer.outputs.parameters:
        source = parameter.value_from
        default = source.default if source is not None else None
        values[f"{prefix}.outputs.parameters.{parameter.name}"] = default
    for artifact in producer.outputs.artifacts if artifacts else ():
        place = record.ArtifactLocation(artifact.name)
        values[f"{prefix}.outputs.artifacts.{artifact.name}"] = place
    return values
