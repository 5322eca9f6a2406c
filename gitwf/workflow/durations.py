"""Spans of time as Argo reads and prints them: Go durations, where a bare number means seconds.

A span is a float of seconds, never negative: deadlines, backoffs and suspensions need no finer
grain. A text that is no span ends the node that names it, as in Argo, since it may come from a
parameter that nobody could check before. The expression language counts nanoseconds instead and
has its own reader, in `expr.times`.
"""

import re

from gitwf.workflow import failure

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_WHOLE = re.compile(r"(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+")
_NAMES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def seconds(text: str) -> float:
    """Read `1h30m`, `90s` or `90`. Raises NodeFailure on anything else."""
    if text.isdecimal():
        return float(text)
    if not _WHOLE.fullmatch(text):
        raise failure.NodeFailure(f'time: invalid duration "{text}"')
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def humane(span: float) -> str:
    """Say a span for a person: `2 minutes 5 seconds`."""
    rest = round(span)
    words = []
    for name, size in _NAMES:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(words) or "0 seconds"
