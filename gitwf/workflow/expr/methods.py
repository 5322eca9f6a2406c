"""The methods of instants, durations and versions, by their Go names.

An expression writes `date("2026-11-23").AddDate(0, 0, 1).Format("2006-01-02")`; these are the
methods that depend on nothing but their value. Read next: `times`, `layouts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gitwf.workflow.expr import errors, layouts, numbers, times, versions


def _truncate(one: times.Moment, span: times.Duration) -> times.Moment:
    if span.nanoseconds <= 0:
        return one
    # Go counts from year 1, so that weeks start on Mondays.
    shift = 62_135_596_800 * times.SECOND
    return times.Moment(one.nanoseconds - (one.nanoseconds + shift) % span.nanoseconds, one.zone)


def _add_date(one: times.Moment, years: int, months: int, days: int) -> times.Moment:
    civil = one.civil
    count = one.year * 12 + civil.month - 1 + years * 12 + months
    try:
        first = civil.replace(year=count // 12, month=count % 12 + 1, day=1)
        moved = first + timedelta(days=civil.day - 1 + days)
    except (OverflowError, ValueError):
        raise errors.Fault("the date lies outside the years 1 to 9999") from None
    return times.Moment(
        times.Moment.of(moved).nanoseconds + one.nanoseconds % times.SECOND, one.zone
    )


_MOMENT: Final[dict[str, tuple[Callable[..., object], tuple[type, ...]]]] = {
    "Year": (lambda one: one.year, ()),
    "Month": (lambda one: times.Month(one.civil.month), ()),
    "Day": (lambda one: one.civil.day, ()),
    "Hour": (lambda one: one.civil.hour, ()),
    "Minute": (lambda one: one.civil.minute, ()),
    "Second": (lambda one: one.civil.second, ()),
    "Nanosecond": (lambda one: one.nanoseconds % times.SECOND, ()),
    "Weekday": (lambda one: times.Weekday(one.civil.isoweekday() % 7), ()),
    "YearDay": (lambda one: one.civil.timetuple().tm_yday, ()),
    "Unix": (lambda one: one.nanoseconds // times.SECOND, ()),
    "UnixMilli": (lambda one: one.nanoseconds // 1_000_000, ()),
    "UnixMicro": (lambda one: one.nanoseconds // 1_000, ()),
    "UnixNano": (lambda one: numbers.wrap(one.nanoseconds), ()),
    "UTC": (lambda one: times.Moment(one.nanoseconds), ()),
    "IsZero": (lambda one: one.nanoseconds == times.ZERO.nanoseconds, ()),
    "String": (str, ()),
    "Format": (lambda one, layout: layouts.write(layout, one), (str,)),
    "In": (lambda one, place: times.Moment(one.nanoseconds, place), (times.Zone,)),
    "Add": (times.Moment.add, (times.Duration,)),
    "AddDate": (_add_date, (int, int, int)),
    "Sub": (times.Moment.since, (times.Moment,)),
    "Before": (lambda one, other: one.nanoseconds < other.nanoseconds, (times.Moment,)),
    "After": (lambda one, other: one.nanoseconds > other.nanoseconds, (times.Moment,)),
    "Equal": (lambda one, other: one.nanoseconds == other.nanoseconds, (times.Moment,)),
    "Truncate": (_truncate, (times.Duration,)),
}
_DURATION: Final[dict[str, tuple[Callable[..., object], tuple[type, ...]]]] = {
    "Hours": (lambda span: span.nanoseconds / (3600 * times.SECOND), ()),
    "Minutes": (lambda span: span.nanoseconds / (60 * times.SECOND), ()),
    "Seconds": (lambda span: span.nanoseconds / times.SECOND, ()),
    "Milliseconds": (lambda span: int(span.nanoseconds / 1_000_000), ()),
    "Microseconds": (lambda span: int(span.nanoseconds / 1_000), ()),
    "Nanoseconds": (lambda span: span.nanoseconds, ()),
    "Abs": (lambda span: times.Duration(abs(span.nanoseconds)), ()),
    "String": (str, ()),
}
_VERSION: Final[dict[str, tuple[Callable[..., object], tuple[type, ...]]]] = {
    "Major": (lambda one: one.major, ()),
    "Minor": (lambda one: one.minor, ()),
    "Patch": (lambda one: one.patch, ()),
    "Prerelease": (lambda one: one.prerelease, ()),
    "Metadata": (lambda one: one.metadata, ()),
    "Original": (lambda one: one.original, ()),
    "String": (str, ()),
    "Compare": (versions.Version.compare, (versions.Version,)),
    "Equal": (lambda one, other: one == other, (versions.Version,)),
    "LessThan": (lambda one, other: one.rank < other.rank, (versions.Version,)),
    "GreaterThan": (lambda one, other: one.rank > other.rank, (versions.Version,)),
}
METHODS: Final[dict[type, dict[str, tuple[Callable[..., object], tuple[type, ...]]]]] = {
    times.Moment: _MOMENT,
    times.Duration: _DURATION,
    times.Month: {"String": (str, ())},
    times.Weekday: {"String": (str, ())},
    times.Zone: {"String": (str, ())},
    versions.Version: _VERSION,
}
"""The methods of each type: what they do and the types of their arguments."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method bound to its value, as `a.Year` gives it before the call."""

    value: object
    name: str

    def call(self, *arguments: object) -> object:
        """Run the method. Raises Fault for arguments it cannot take."""
        body, types = METHODS[type(self.value)][self.name]
        if len(arguments) != len(types):
            count = len(arguments)
            raise errors.Fault(f"invalid number of arguments: expected {len(types)}, got {count}")
        for argument, wanted in zip(arguments, types, strict=True):
            if not isinstance(argument, wanted) or isinstance(argument, bool):
                raise errors.Fault(f"cannot call {self.name} with that argument")
        return body(self.value, *arguments)


def method(value: object, name: str) -> Method | None:
    """Give a method bound to its value; None when there is none of that name."""
    return Method(value, name) if name in METHODS.get(type(value), {}) else None
