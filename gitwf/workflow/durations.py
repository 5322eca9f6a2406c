"""Spans of time as Argo reads and prints them: Go durations, where a bare number means seconds.

A span is a float of seconds: deadlines, backoffs and suspensions need no finer grain. A text that
is no span ends the node that names it, as in Argo, since it may come from a parameter that nobody
could check before. The reader of units is that of the expression language, `expr.times`, which
counts nanoseconds.
"""

import re

from gitwf.workflow import failure
from gitwf.workflow.expr import errors, times

_WHOLE = re.compile(r"[+-]?[0-9]+")
_SECOND = 1_000_000_000
_NAMES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def seconds(text: str) -> float:
    """Read `1h30m`, `90s` or `90`. Raises NodeFailure on anything else.

    Argo: ParseStringToDuration.
    """
    if _WHOLE.fullmatch(text):
        return float(text)
    try:
        return written(text)
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"unable to parse {text} as a duration: {problem}") from None


def written(text: str) -> float:
    """Read a duration that must have units. Raises NodeFailure (Go: time.ParseDuration)."""
    try:
        return times.duration(text).nanoseconds / _SECOND
    except errors.Fault as problem:
        raise failure.NodeFailure(problem.message) from None


def humane(span: float) -> str:
    """Say a span for a person: `2 minutes 5 seconds`."""
    rest = round(span)
    words = []
    for name, size in _NAMES:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(words) or "0 seconds"
