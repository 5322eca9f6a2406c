"""How two versions of a model differ: in what they were made of, and in what they measure.

From the ledger alone. The parts are those of the run key, so that the words here are the words of
the plan that trained the later one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitwf.delivery import entry, keys
from gitwf.delivery import facts as ledger_facts
from gitwf.errors import Stalled


@dataclass(frozen=True)
class Metric:
    """One metric in both; None where a version lacks it. `change` is for numbers."""

    name: str
    old: Any
    new: Any

    @property
    def change(self) -> float | None:
        """How much more the new one is, where both are numbers."""
        numbers = [
            value
            for value in (self.old, self.new)
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        return numbers[1] - numbers[0] if len(numbers) == 2 else None  # noqa: PLR2004  old, new


@dataclass(frozen=True)
class Difference:
    """What differs. `parts` are sentences; `same_model`: the bytes are equal."""

    model: str
    old: entry.Result
    new: entry.Result
    parts: tuple[str, ...]
    metrics: tuple[Metric, ...]

    @property
    def same_model(self) -> bool:
        """Whether both are the very same bytes."""
        return self.old.digest == self.new.digest


def diff(model: str, old: int, new: int, facts: ledger_facts.Facts) -> Difference:
    """Compare two versions. Stalled: one of them has no result."""
    before, after = _result(model, old, facts), _result(model, new, facts)
    made_before, made_after = _parts(before, facts), _parts(after, facts)
    parts = keys.explain(made_before, made_after)
    occasions = [facts.occasion(model, one.key)[1] for one in (before, after)]
    if occasions[0] != occasions[1]:
        shown = " -> ".join(one or "a commit" for one in occasions)
        parts = (*parts, f"occasion: {shown}")
    return Difference(model, before, after, parts, _metrics(before.metrics, after.metrics))


def _result(model: str, version: int, facts: ledger_facts.Facts) -> entry.Result:
    found = facts.result_of(model, version)
    if found is None:
        raise Stalled(
            f"{model} has no version {version} with a result",
            hint=f"gitwf history {model} lists them",
        )
    return found


def _parts(result: entry.Result, facts: ledger_facts.Facts) -> keys.KeyParts:
    return keys.KeyParts.read(facts.claims(result.model, result.key)[0].parts)


def _metrics(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Metric, ...]:
    return tuple(Metric(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
