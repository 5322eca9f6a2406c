"""Sprig's defaults, conditions, types, paths and dates.

What these have in common is that they ask what a value is before they give one. A path is a text
here: no function looks at a disk. An instant is the environment's `now` or a value handed in, and
the zones are UTC and fixed offsets. Read next: `casts` for what counts as empty.
"""

import contextlib
import posixpath
from collections.abc import Callable

from gitwf.workflow.expr import errors, layouts, numbers, times, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context, conversions
from gitwf.workflow.expr.library.sprig import casts

Context = context.Context
_HTML = "2006-01-02"
_DAY = 24 * 3600
_UNITS = {"y": 365 * _DAY, "mo": 30 * _DAY, "d": _DAY, "h": 3600, "m": 60, "s": 1}


def _default(_given: Context, fallback: object, *value: object) -> object:
    return fallback if not value or casts.is_empty(value[0]) else value[0]


def _coalesce(_given: Context, *choices: object) -> object:
    return next((choice for choice in choices if not casts.is_empty(choice)), None)


def _ternary(_given: Context, yes: object, no: object, test: object) -> object:
    if not isinstance(test, bool):
        raise args.wrong(test, "bool", "ternary")
    return yes if test else no


def _path(work: Callable[[str], object]) -> Callable[..., object]:
    return lambda _given, path: work(path)


def _clean(path: str) -> str:
    cleaned = posixpath.normpath(path) if path else "."
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _base(path: str) -> str:
    stripped = path.rstrip("/")
    return stripped.rpartition("/")[2] if stripped else ("/" if path else ".")


def _extension(path: str) -> str:
    base = path.rpartition("/")[2]
    return base[base.rindex(".") :] if "." in base else ""


def _moment(given: Context, value: object) -> times.Moment:
    if isinstance(value, times.Moment):
        return value
    if values.is_int(value):
        return times.Moment(value * times.SECOND)
    return conversions.moment(given)


def _date(given: Context, layout: object, value: object) -> object:
    return layouts.write(args.text(layout, "date"), _moment(given, value))


def _date_in_zone(given: Context, layout: object, value: object, name: object) -> object:
    zone = times.zone(args.text(name, "dateInZone"))
    moment = times.Moment(_moment(given, value).nanoseconds, zone)
    return layouts.write(args.text(layout, "dateInZone"), moment)


def _to_date(_given: Context, layout: object, text: object) -> object:
    return layouts.parse(args.text(layout, "toDate"), args.text(text, "toDate"), times.Zone())


def _date_modify(given: Context, span: object, value: object) -> object:
    return _moment(given, value).add(times.duration(args.text(span, "dateModify")))


def _duration(_given: Context, value: object) -> object:
    seconds = casts.to_int(value) if isinstance(value, str) else 0
    return str(times.Duration(numbers.wrap(seconds * times.SECOND)))


def _duration_round(given: Context, value: object) -> object:
    """Give the largest unit that a span is longer than, and how often it fits."""
    span = 0
    if isinstance(value, times.Moment):
        span = conversions.moment(given).since(value).nanoseconds
    elif isinstance(value, str):
        with contextlib.suppress(errors.Fault):
            span = times.duration(value).nanoseconds
    for unit, seconds in _UNITS.items():
        if abs(span) > seconds * times.SECOND:
            return f"{abs(span) // (seconds * times.SECOND)}{unit}"
    return "0s"


def _type_is(_given: Context, name: object, value: object) -> object:
    return values.type_name(value) == name


def _strict_date(given: Context, layout: object, text: object) -> object:
    try:
        return _to_date(given, layout, text)
    except errors.Fault:
        return times.ZERO


def _html_date_in_zone(given: Context, value: object, name: object) -> object:
    return _date_in_zone(given, _HTML, value, name)


def _ago(given: Context, value: object) -> object:
    span = conversions.moment(given).since(_moment(given, value))
    seconds = numbers.half_away(span.nanoseconds / times.SECOND)
    return str(times.Duration(int(seconds) * times.SECOND))


def _parent(path: str) -> str:
    return _clean(path.rpartition("/")[0] or ("/" if path[:1] == "/" else "."))


def _is_absolute(path: str) -> bool:
    return path.startswith("/")


def _to_decimal(given: Context, value: object) -> object:
    """Read octal digits, as the modes of files are written."""
    text = casts.to_text(given, value)
    octal = text.isascii() and text.isdigit() and len(text) < 20 and not set(text) & set("89")  # noqa: PLR2004
    return int(text, 8) if octal else 0


FUNCTIONS: context.Bodies = {
    "default": _default,
    "empty": lambda _given, value: casts.is_empty(value),
    "coalesce": _coalesce,
    "all": lambda _given, *each: not any(map(casts.is_empty, each)),
    "any": lambda _given, *each: not all(map(casts.is_empty, each)),
    "ternary": _ternary,
    "typeOf": lambda _given, value: values.type_name(value),
    "typeIs": _type_is,
    "kindOf": lambda _given, value: values.kind(value),
    "kindIs": lambda _given, name, value: values.kind(value) == name,
    "toString": casts.to_text,
    **{
        name: _path(work)
        for work, *names in (
            (_base, "base", "osBase"),
            (_parent, "dir", "osDir"),
            (_clean, "clean", "osClean"),
            (_extension, "ext", "osExt"),
            (_is_absolute, "isAbs", "osIsAbs"),
        )
        for name in names
    },
    "hello": lambda _given: "Hello!",
    "toDecimal": _to_decimal,
    "typeIsLike": _type_is,
    "ago": _ago,
    "htmlDateInZone": _html_date_in_zone,
    "must_date_modify": _date_modify,
    "now": conversions.moment,
    "date": _date,
    "dateInZone": _date_in_zone,
    "date_in_zone": _date_in_zone,
    "htmlDate": lambda given, value: _date(given, _HTML, value),
    "toDate": _strict_date,
    "mustToDate": _to_date,
    "dateModify": _date_modify,
    "date_modify": _date_modify,
    "mustDateModify": _date_modify,
    "unixEpoch": lambda given, value: str(_moment(given, value).nanoseconds // times.SECOND),
    "duration": _duration,
    "durationRound": _duration_round,
}
"""The remaining functions by name."""
