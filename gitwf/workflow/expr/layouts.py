"""Dates by example: Go's layouts, where `2006-01-02 15:04:05` stands for the parts of a date.

A layout is cut into pieces, literal text or a part of a date; `parse` reads a text by them and
`write` prints one. The words are English and the digits ASCII, whatever the machine's locale. Read
next: `times`.
"""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from gitwf.workflow.expr import errors, times

RFC3339: Final = "2006-01-02T15:04:05Z07:00"
RFC822: Final = "02 Jan 06 15:04 MST"
RFC850: Final = "Monday, 02-Jan-06 15:04:05 MST"
RFC1123: Final = "Mon, 02 Jan 2006 15:04:05 MST"
MAX_LAYOUT: Final = 1_000

_PIECE = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|__2|_2|Z07:00:00|Z070000|Z07:00|Z0700|Z07"
    r"|-07:00:00|-070000|-07:00|-0700|-07|002|0[1-6]|15|[.,](?:0+|9+)(?![0-9])|PM|pm|[1-5]"
)
_NUMBERS: Final = {  # piece: (field, fewest digits, most digits)
    "2006": ("year", 4, 4),
    "06": ("short year", 2, 2),
    "01": ("month", 2, 2),
    "1": ("month", 1, 2),
    "02": ("day", 2, 2),
    "2": ("day", 1, 2),
    "_2": ("day", 1, 2),
    "002": ("yearday", 3, 3),
    "__2": ("yearday", 1, 3),
    "15": ("hour", 2, 2),
    "03": ("half", 2, 2),
    "3": ("half", 1, 2),
    "04": ("minute", 2, 2),
    "4": ("minute", 1, 2),
    "05": ("second", 2, 2),
    "5": ("second", 1, 2),
}
_RANGES: Final = {
    "month": (1, 12),
    "day": (1, 31),
    "yearday": (1, 366),
    "hour": (0, 23),
    "half": (0, 12),
    "minute": (0, 59),
    "second": (0, 59),
}
_ZONE_NAME = re.compile(r"[A-Z]{3,4}T?|UTC|[+-][0-9]{2}", re.ASCII)


@dataclass(slots=True)
class _Parts:
    numbers: dict[str, int] = field(default_factory=dict)
    fraction: int = 0
    afternoon: bool | None = None
    zone: times.Zone | None = None


@lru_cache(maxsize=64)
def _pieces(layout: str) -> tuple[tuple[str, bool], ...]:
    """Cut a layout into (text, whether it stands for a part of the date)."""
    if len(layout) > MAX_LAYOUT:
        raise errors.Fault(f"layout is longer than {MAX_LAYOUT} characters")
    found: list[tuple[str, bool]] = []
    place = 0
    for match in _PIECE.finditer(layout):
        piece = match.group()
        followed = layout[match.end() : match.end() + 1]
        if piece in ("Jan", "Mon") and followed.islower():
            continue
        if match.start() > place:
            found.append((layout[place : match.start()], False))
        found.append((piece, True))
        place = match.end()
    if place < len(layout):
        found.append((layout[place:], False))
    return tuple(found)


def parse(layout: str, text: str, zone: times.Zone) -> times.Moment:
    """Read a date; what the text does not say about the zone, `zone` does.

    Raises Fault when the text does not follow the layout.
    """
    parts, rest, pieces = _Parts(), text, _pieces(layout)
    for index, (piece, meaning) in enumerate(pieces):
        taken = _take(piece, rest, parts) if meaning else _literal(piece, rest)
        if taken is None:
            raise _wrong(layout, text, piece, rest)
        rest = rest[taken:]
        fraction_next = index + 1 < len(pieces) and pieces[index + 1][0][0] in ".,"
        if meaning and piece in ("05", "5") and not fraction_next:
            rest = rest[_take_fraction(rest, parts) :]
    if rest:
        raise errors.Fault(f'parsing time "{text}": extra text: "{rest}"')
    return _moment(text, parts, zone)


def _wrong(layout: str, text: str, piece: str, rest: str) -> errors.Fault:
    message = f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{piece}"'
    return errors.Fault(message)


def _literal(piece: str, rest: str) -> int | None:
    """Match literal text, where one blank stands for any number of them."""
    place = 0
    for character in piece:
        if character == " ":
            if place < len(rest) and rest[place] != " ":
                return None
            while rest[place : place + 1] == " ":
                place += 1
        elif rest[place : place + 1] == character:
            place += 1
        else:
            return None
    return place


def _take_fraction(rest: str, parts: _Parts) -> int:
    match = re.match(r"[.,]([0-9]+)", rest, re.ASCII)
    if match is None:
        return 0
    parts.fraction = int(match.group(1)[:9].ljust(9, "0"))
    return match.end()


def _take(piece: str, rest: str, parts: _Parts) -> int | None:
    """Read one part of a date; give how many characters it took, None when it is not there."""
    if piece in _NUMBERS:
        return _take_number(piece, rest, parts)
    if piece in ("January", "Jan"):
        return _take_word(times.MONTHS, 3 if piece == "Jan" else 0, rest, parts.numbers, "month")
    if piece in ("Monday", "Mon"):
        return _take_word(times.DAYS, 3 if piece == "Mon" else 0, rest, {}, "weekday")
    if piece in ("PM", "pm"):
        word = rest[:2]
        if word not in (piece, piece.replace("P", "A").replace("p", "a")):
            return None
        parts.afternoon = word == piece
        return 2
    if piece == "MST":
        match = _ZONE_NAME.match(rest)
        if match is None:
            return None
        parts.zone = parts.zone or times.Zone(match.group(), 0)
        return match.end()
    if piece[0] in ".,":
        digits = len(piece) - 1
        if piece[1] == "9":
            return _take_fraction(rest, parts)
        match = re.match(rf"[.,][0-9]{{{digits}}}", rest, re.ASCII)
        return _take_fraction(match.group(), parts) if match else None
    return _take_offset(piece, rest, parts)


def _take_number(piece: str, rest: str, parts: _Parts) -> int | None:
    name, fewest, most = _NUMBERS[piece]
    blanks = len(rest) - len(rest.lstrip(" ")) if piece[0] == "_" else 0
    match = re.match(rf"[0-9]{{{fewest},{most}}}", rest[blanks:], re.ASCII)
    if match is None:
        return None
    number = int(match.group())
    if name == "short year":
        name, number = "year", number + (1900 if number >= 69 else 2000)  # noqa: PLR2004
    parts.numbers[name] = number
    return blanks + match.end()


def _take_word(
    words: tuple[str, ...], length: int, rest: str, numbers: dict[str, int], name: str
) -> int | None:
    for index, word in enumerate(words):
        short = word[:length] if length else word
        if rest[: len(short)].lower() == short.lower():
            numbers[name] = index + 1
            return len(short)
    return None


def _take_offset(piece: str, rest: str, parts: _Parts) -> int | None:
    if piece[0] == "Z" and rest[:1] == "Z":
        parts.zone = times.Zone()
        return 1
    colon = ":" if ":" in piece else ""
    groups = sum(map(str.isdigit, piece)) // 2
    pattern = r"([+-])" + colon.join([r"([0-9]{2})"] * groups)
    match = re.match(pattern, rest, re.ASCII)
    if match is None:
        return None
    units = [int(group) for group in match.groups()[1:]]
    if units[0] > 24 or any(unit > 59 for unit in units[1:]):  # noqa: PLR2004
        return None
    seconds = sum(unit * 60 ** (2 - place) for place, unit in enumerate(units))
    offset = -seconds if match.group(1) == "-" else seconds
    parts.zone = times.Zone("UTC" if offset == 0 else "", offset)
    return match.end()


def _moment(text: str, parts: _Parts, zone: times.Zone) -> times.Moment:
    numbers = parts.numbers
    for name, (low, high) in _RANGES.items():
        if not low <= numbers.get(name, low) <= high:
            shown = {"half": "hour", "yearday": "day-of-year"}.get(name, name)
            raise errors.Fault(f'parsing time "{text}": {shown} out of range')
    hour = numbers.get("hour", numbers.get("half", 0))
    if parts.afternoon is not None:
        hour = hour % 12 + (12 if parts.afternoon else 0)
    days = _days(text, numbers)
    seconds = days * 86_400 + hour * 3600 + numbers.get("minute", 0) * 60
    seconds += numbers.get("second", 0)
    place = parts.zone or zone
    return times.Moment((seconds - place.offset) * times.SECOND + parts.fraction, place)


def _days(text: str, numbers: dict[str, int]) -> int:
    """Count the days from 1970 to a date; year 0, which Go allows, lies a leap year before 1."""
    year = numbers.get("year", 0)
    shift = 0 if year else 146_097
    try:
        first = date(year or 400, 1, 1)
        if "yearday" in numbers:
            day = first + timedelta(days=numbers["yearday"] - 1)
        else:
            day = date(year or 400, numbers.get("month", 1), numbers.get("day", 1))
    except (ValueError, OverflowError):
        raise errors.Fault(f'parsing time "{text}": day out of range') from None
    return day.toordinal() - date(1970, 1, 1).toordinal() - shift


def write(layout: str, moment: times.Moment) -> str:
    """Print an instant by a layout."""
    parts = (_print(piece, moment) if meaning else piece for piece, meaning in _pieces(layout))
    return "".join(parts)


def _print(piece: str, moment: times.Moment) -> str:
    civil = moment.civil
    half = civil.hour % 12 or 12
    words = {
        "January": times.MONTHS[civil.month - 1],
        "Jan": times.MONTHS[civil.month - 1][:3],
        "Monday": times.DAYS[civil.isoweekday() % 7],
        "Mon": times.DAYS[civil.isoweekday() % 7][:3],
        "2006": f"{moment.year:04d}",
        "06": f"{moment.year % 100:02d}",
        "01": f"{civil.month:02d}",
        "1": str(civil.month),
        "02": f"{civil.day:02d}",
        "2": str(civil.day),
        "_2": f"{civil.day:2d}",
        "002": f"{civil.timetuple().tm_yday:03d}",
        "__2": f"{civil.timetuple().tm_yday:3d}",
        "15": f"{civil.hour:02d}",
        "03": f"{half:02d}",
        "3": str(half),
        "04": f"{civil.minute:02d}",
        "4": str(civil.minute),
        "05": f"{civil.second:02d}",
        "5": str(civil.second),
        "PM": "PM" if civil.hour >= 12 else "AM",  # noqa: PLR2004
        "pm": "pm" if civil.hour >= 12 else "am",  # noqa: PLR2004
        "MST": moment.zone.name or times.offset_text(moment.zone.offset, "")[:3],
    }
    if piece in words:
        return words[piece]
    if piece[0] in ".,":
        digits = f"{moment.nanoseconds % times.SECOND:09d}"[: len(piece) - 1]
        kept = digits if piece[1] == "0" else digits.rstrip("0")
        return piece[0] + kept if kept else ""
    if piece[0] == "Z" and moment.zone.offset == 0:
        return "Z"
    groups = sum(map(str.isdigit, piece)) // 2
    text = times.offset_text(moment.zone.offset, ":" if ":" in piece else "")
    return text[:3] if groups == 1 else text
