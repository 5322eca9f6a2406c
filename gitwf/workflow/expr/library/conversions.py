"""Builtins that turn a value into another type: numbers, text, JSON, base64, instants.

What cannot be turned is a fault with Go's words; nothing is guessed, unlike in `sprig.casts`, where
it is zero. `now` is read from the environment, never from a clock, and dates know UTC and fixed
offsets alone. Read next: `layouts` for dates, `printing` and `jsontext` for JSON.
"""

import base64 as codec
import re
from collections.abc import Mapping

from gitwf.workflow.expr import errors, jsontext, layouts, numbers, printing, times, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context

Context = context.Context
_DATES = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    layouts.RFC3339,
    layouts.RFC822,
    layouts.RFC850,
    layouts.RFC1123,
)
_TYPES = {
    "<nil>": "nil",
    "float64": "float",
    "[]uint8": "array",
    "*time.Location": "unknown",
}

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))?")


def kind_of_type(_context: Context, value: object) -> object:
    """Name a value's type in the language's own words: int, float, array."""
    name = values.type_name(value)
    if isinstance(value, Mapping):
        return "map"
    return "array" if values.is_list(value) else _TYPES.get(name, name)


def to_int(_context: Context, value: object) -> object:
    """Give the int of a number or of decimal digits; `asInt` is the same function."""
    if values.is_number(value):
        return numbers.to_int(value)
    if isinstance(value, times.Duration):
        return value.nanoseconds
    if isinstance(value, times.Month | times.Weekday):
        return value.number
    number = numbers.parse_int(value) if isinstance(value, str) else None
    if number is None:
        shown = value if isinstance(value, str) else values.type_name(value)
        raise errors.Fault(f"invalid operation: int({shown})")
    return number


def to_float(_context: Context, value: object) -> object:
    """Give the float64 of a number or of its text; `asFloat` is the same function."""
    if values.is_number(value):
        return float(value)
    number = numbers.parse_float(value) if isinstance(value, str) else None
    if number is None:
        shown = value if isinstance(value, str) else values.type_name(value)
        raise errors.Fault(f"invalid operation: float({shown})")
    return number


def to_string(context: Context, value: object) -> object:
    """Give the text of any value, as Go's `%v` prints it."""
    return printing.plain(value, context.cost)


def _to_json(context: Context, value: object) -> object:
    text = printing.json(value, context.cost, "  ")
    context.cost.write(len(text))
    return text


def compact_json(context: Context, value: object) -> object:
    """Write JSON without blanks: Argo's own `toJson`."""
    text = printing.json(value, context.cost)
    context.cost.write(len(text))
    return text


def _from_json(context: Context, value: object) -> object:
    return jsontext.read(args.text(value, "fromJSON"), context.cost)


def _to_base64(context: Context, value: object) -> object:
    octets = values.octets(args.text(value, "toBase64"))
    context.cost.write(len(octets) * 2)
    return codec.b64encode(octets).decode("ascii")


def from_base64(context: Context, value: object) -> object:
    """Decode standard base64. Raises Fault for anything else."""
    text = args.text(value, "fromBase64")
    context.cost.write(len(text))
    written = re.sub("[\r\n]", "", text)
    if not _BASE64.fullmatch(written):
        raise errors.Fault(f"illegal base64 data at input byte {_illegal(text)}")
    return codec.b64decode(written).decode("utf-8", "replace")


def _illegal(text: str) -> int:
    """Find where Go stops reading base64 (encoding/base64: decodeQuantum)."""
    read = 0
    for place, each in enumerate(text):
        if each in "\r\n":
            continue
        if each == "=" and read % 4 > 1:
            rest = text[place + 1 :].lstrip("\r\n")
            if read % 4 == 2:  # noqa: PLR2004 - a second one must follow
                if not rest.startswith("="):
                    return place if rest else len(text)
                rest = rest[1:].lstrip("\r\n")
            return len(text) - len(rest)
        if not re.fullmatch(r"[A-Za-z0-9+/]", each):
            return place
        read += 1
    return len(text) - read % 4


def moment(context: Context) -> times.Moment:
    """Give the time the caller put into the environment as `now`; no clock is read."""
    given = values.adopt(context.environment.get("now"))
    if isinstance(given, times.Moment):
        return given
    raise errors.Fault("now() is not available here: the environment brings no time")


def _now(context: Context, zone: object = None) -> object:
    if zone is None:
        return moment(context)
    if isinstance(zone, times.Zone):
        return times.Moment(moment(context).nanoseconds, zone)
    raise errors.Fault("invalid number of arguments (expected 0, got 1)")


def _duration(_context: Context, value: object) -> object:
    return times.duration(args.text(value, "duration"))


def _timezone(_context: Context, value: object) -> object:
    return times.zone(args.text(value, "timezone"))


def _date(_context: Context, *given: object) -> object:
    zone = given[0] if isinstance(given[0], times.Zone) else times.Zone()
    rest = given[1:] if isinstance(given[0], times.Zone) else given
    if not rest:
        raise errors.Fault("not enough arguments to call date")
    text, *more = (args.text(value, "date") for value in rest)
    if len(more) == 2:  # noqa: PLR2004
        zone = times.zone(more[1])
    if more:
        return layouts.parse(more[0], text, zone)
    for layout in _DATES:
        try:
            return layouts.parse(layout, text, zone)
        except errors.Fault:
            continue
    raise errors.Fault(f"invalid date {text}")


FUNCTIONS = context.table(
    ("type", kind_of_type, 1, 1),
    ("int", to_int, 1, 1),
    ("float", to_float, 1, 1),
    ("string", to_string, 1, 1),
    ("toJSON", _to_json, 1, 1),
    ("fromJSON", _from_json, 1, 1),
    ("toBase64", _to_base64, 1, 1),
    ("fromBase64", from_base64, 1, 1),
    ("now", _now, 0, 1),
    ("duration", _duration, 1, 1),
    ("date", _date, 1, 4),
    ("timezone", _timezone, 1, 1),
)
"""The converting builtins by name."""
