"""Instants, durations and zones, and Go's way of writing them.

An instant is a count of nanoseconds since 1970 with the offset it is shown in; two are equal when
both agree, as in Go. No clock is read here and no time-zone database: that would be hidden disk
access, so only UTC and fixed offsets (`Etc/GMT-9`, `+09:00`) have names. Read next: `layouts`,
which parses and formats by Go's reference time, and `methods`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gitwf.workflow.expr import errors, numbers

SECOND: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]+)", re.ASCII)
_BEYOND_ASCII: Final = 0x80
_FIXED: Final = re.compile(r"Etc/GMT([+-])([0-9]{1,2})", re.ASCII)
_YEAR_1: Final = -62_135_596_800
_CYCLE: Final = 146_097 * 86_400
"""Seconds in 400 years, after which the calendar repeats."""
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the year, from 1; prints its English name."""

    number: int

    def __str__(self) -> str:
        return MONTHS[self.number - 1]


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, Sunday is 0; prints its English name."""

    number: int

    def __str__(self) -> str:
        return DAYS[self.number]


@dataclass(frozen=True, slots=True)
class Zone:
    """A fixed offset from UTC in seconds, and what it is called."""

    name: str = "UTC"
    offset: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time in nanoseconds, 64 bits."""

    nanoseconds: int

    def __str__(self) -> str:
        span = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if span == 0:
            return "0s"
        if span < SECOND:
            unit, size = next(
                (unit, size)
                for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1))
                if span >= size
            )
            return f"{sign}{_decimal(span, size)}{unit}"
        minutes, rest = divmod(span, 60 * SECOND)
        text = f"{_decimal(rest, SECOND)}s"
        if minutes:
            hours, minutes = divmod(minutes, 60)
            text = f"{minutes}m{text}"
            if hours:
                text = f"{hours}h{text}"
        return sign + text


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant: nanoseconds since 1970-01-01T00:00:00Z, shown in a zone."""

    nanoseconds: int
    zone: Zone = Zone()

    @classmethod
    def of(cls, when: datetime) -> "Moment":
        """Take an instant of the caller; one without a zone counts as UTC."""
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        span = aware - _EPOCH
        whole = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1_000
        offset = int((aware.utcoffset() or timedelta()).total_seconds())
        return cls(whole, Zone("UTC" if offset == 0 else "", offset))

    @property
    def civil(self) -> datetime:
        """Give date and time of day in the instant's zone, to the second.

        A year before 1, as in a time without a date, comes 400 years later; `year` is right.
        """
        seconds = self.nanoseconds // SECOND + self.zone.offset
        if seconds < _YEAR_1:
            seconds += _CYCLE
        try:
            return _EPOCH.replace(tzinfo=None) + timedelta(seconds=seconds)
        except OverflowError:
            raise errors.Fault("the date lies outside the years -399 to 9999") from None

    @property
    def year(self) -> int:
        """Give the year, which may lie before 1."""
        before = self.nanoseconds // SECOND + self.zone.offset < _YEAR_1
        return self.civil.year - (400 if before else 0)

    def add(self, span: Duration) -> "Moment":
        """Move by a duration."""
        return Moment(self.nanoseconds + span.nanoseconds, self.zone)

    def since(self, earlier: "Moment") -> Duration:
        """Give the duration from another instant to this one, clamped to what 64 bits hold."""
        span = self.nanoseconds - earlier.nanoseconds
        return Duration(max(numbers.INT_MIN, min(numbers.INT_MAX, span)))

    def __str__(self) -> str:
        civil = self.civil
        fraction = _fraction(self.nanoseconds % SECOND)
        zone = offset_text(self.zone.offset, "")
        name = self.zone.name or zone
        return f"{self.year:04d}-{civil:%m-%d %H:%M:%S}{fraction} {zone} {name}"

    def rfc3339(self) -> str:
        """Write the instant as encoding/json does."""
        zone = "Z" if self.zone.offset == 0 else offset_text(self.zone.offset, ":")
        fraction = _fraction(self.nanoseconds % SECOND)
        return f"{self.year:04d}-{self.civil:%m-%dT%H:%M:%S}{fraction}{zone}"


ZERO: Final = Moment(_YEAR_1 * SECOND)
"""What a `time.Time` of Go is before anything is put into it."""


def _decimal(span: int, size: int) -> str:
    whole, rest = divmod(span, size)
    digits = len(str(size)) - 1
    fraction = f"{rest:0{digits}d}".rstrip("0") if digits else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


def _fraction(nanoseconds: int) -> str:
    text = f"{nanoseconds:09d}".rstrip("0")
    return f".{text}" if text else ""


def offset_text(seconds: int, colon: str) -> str:
    """Write an offset from UTC as `+0900`, with `colon` between hours and minutes."""
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}{colon}{abs(seconds) % 3600 // 60:02d}"


def zone(name: str) -> Zone:
    """Find a zone by name. Raises Fault for one that only a time-zone database knows."""
    if name in ("", "UTC", "Etc/UTC"):
        return Zone()
    fixed = _FIXED.fullmatch(name)
    if fixed:  # POSIX turns the sign around: Etc/GMT-9 lies east.
        hours = int(fixed.group(2)) * (-1 if fixed.group(1) == "+" else 1)
        return Zone(f"{hours:+03d}", hours * 3600)
    raise errors.Fault(f"unknown time zone {name} (expressions know only UTC and Etc/GMT±n)")


def duration(text: str) -> Duration:
    """Read `1h30m`, `-1.5s`, `300ms`. Raises Fault for anything else."""
    wrong = errors.Fault(f"time: invalid duration {_quoted(text)}")
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return Duration(0)
    if not body or len(body) > numbers.MAX_DIGITS:
        raise wrong
    total, place = 0, 0
    while place < len(body):
        part = _PART.match(body, place)
        if part is None:
            if body[place:].strip("0123456789.") == "":
                raise errors.Fault(f"time: missing unit in duration {_quoted(text)}")
            raise wrong
        whole, fraction, unit = part.group(1), part.group(2) or "", part.group(3)
        if not whole and not fraction:
            raise wrong
        size = _UNITS.get(unit)
        if size is None:
            what = f"{_quoted(unit)} in duration {_quoted(text)}"
            raise errors.Fault(f"time: unknown unit {what}")
        total += int(whole or "0") * size + int(fraction or "0") * size // 10 ** len(fraction)
        place = part.end()
    if total > numbers.INT_MAX:
        raise wrong
    return Duration(-total if text[0] == "-" else total)


def _quoted(text: str) -> str:
    """Quote as Go's package time does, more briefly than strconv.Quote: bytes beyond ASCII too."""
    return '"' + "".join(map(_shown, text.encode("utf-8", "surrogatepass"))) + '"'


def _shown(byte: int) -> str:
    if byte < ord(" ") or byte >= _BEYOND_ASCII:
        return f"\\x{byte:02x}"
    return f"\\{chr(byte)}" if chr(byte) in '"\\' else chr(byte)


def is_time(value: object) -> bool:
    """Say whether a value is of this module's types."""
    return isinstance(value, Moment | Duration | Zone | Month | Weekday)


def json(value: object) -> str | None:
    """Write a value of this module as JSON; None when it is not one."""
    match value:
        case Moment():
            return f'"{value.rfc3339()}"'
        case Duration(number) | Month(number) | Weekday(number):
            return str(number)
        case Zone():
            return "{}"
    return None
