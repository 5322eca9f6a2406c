"""How sprig turns any value into a number or a text; what cannot be turned is zero.

Go's spf13/cast: a number in a text counts, `true` is 1, everything else is 0.
"""

from gitwf.workflow.expr import numbers, printing, values
from gitwf.workflow.expr.library import context


def to_int(value: object) -> int:
    """Give an int: numbers cut towards zero, texts read as base 10, anything else 0."""
    if isinstance(value, bool):
        return int(value)
    if values.is_number(value):
        return numbers.to_int(value)
    if isinstance(value, str):
        text = value.lstrip("0") or "0" if value.isdigit() else value
        return numbers.parse_int(text) or 0
    return 0


def to_float(value: object) -> float:
    """Give a float64: numbers and texts as they read, anything else 0."""
    if isinstance(value, bool):
        return float(value)
    if values.is_number(value):
        return float(value)
    if isinstance(value, str):
        return numbers.parse_float(value) or 0.0
    return 0.0


def to_text(given: context.Context, value: object) -> str:
    """Give the text of a value as `%v` prints it."""
    return printing.plain(value, given.cost)


def is_empty(value: object) -> bool:
    """Say whether sprig takes a value for nothing: nil, zero, false, or without elements."""
    return value is None or value is False or value in (0, "", [], {})
