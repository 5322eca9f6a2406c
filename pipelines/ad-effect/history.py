"""Read advertising and sales from CSV and bring both to the same months.

Advertising is counted in periods of four weeks, sales in calendar months. Each period's spend is
shared out evenly over its days, and a month gets the days that fall in it. What cannot be used is
refused with its file, line and reason; nothing is guessed, filled in or dropped silently.
"""

import csv
import datetime as dt
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

CHANNELS = ("television", "radio")
PERIODS = 13  # four-weekly periods in a year
MOST = 1e12  # of anything that is counted here; beyond it lies a slip of the keyboard
LEAST = 24  # months to fit on: two of each season, or the season is only noise


class Unusable(Exception):
    """The input cannot be used; the message says which file and line, and why."""


@dataclass(frozen=True)
class History:
    """Months in order with what was spent in each (months x channels) and the sales index."""

    months: list[dt.date]
    spend: Array
    sales: Array


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row of a CSV file with its place, `file:line`.

    Raises Unusable for a missing file, column or field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: cannot be read: {error}") from error
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in columns if name not in (reader.fieldnames or [])]
    if missing:
        raise Unusable(
            f"{path}:1: column {', '.join(missing)} is missing; there is: "
            f"{', '.join(reader.fieldnames or ['nothing'])}"
        )
    for row in reader:
        place = f"{path}:{reader.line_num}"
        if any(row[name] is None for name in columns):
            raise Unusable(f"{place}: fewer fields than columns")
        yield place, row


def number(text: str, place: str, column: str) -> float:
    """Read a number from 0 to MOST; Unusable names the place otherwise."""
    try:
        value = float(text)
    except ValueError:
        raise Unusable(f"{place}: {column} is {text!r}, not a number") from None
    if not 0 <= value < MOST:
        raise Unusable(f"{place}: {column} is {text}, expected a number from 0 to {MOST:g}")
    return value


def month_after(month: dt.date) -> dt.date:
    """Return the first day of the next month."""
    return (month.replace(day=1) + dt.timedelta(days=32)).replace(day=1)


def checked_period(
    row: dict[str, str], place: str, expected: tuple[int, int] | None
) -> tuple[int, int]:
    """Return a row's year and period; Unusable when they are not those that must come next."""
    year, period = (number(row[name], place, name) for name in ("year", "period"))
    if expected is None and 1 <= year < dt.MAXYEAR and 1 <= period <= PERIODS:
        expected = (int(year), int(period))
    if expected is None or expected != (year, period):
        wanted = "{},{}".format(*expected or ("YYYY", f"1 to {PERIODS}"))
        found = f"{row['year']},{row['period']}"
        raise Unusable(f"{place}: year,period {wanted} expected, found {found}")
    return expected


def read_spend(path: Path) -> dict[dt.date, Array]:
    """Read four-weekly spend and share it out over the calendar months it covers in full.

    A period is the thirteenth part of its year and its spend is taken as even within it. A last
    month that is covered in part only is left out, for its spend would look low.
    """
    edges: list[float] = []
    total = [np.zeros(len(CHANNELS))]
    following: tuple[int, int] | None = None
    for place, row in read_rows(path, ("year", "period", *CHANNELS)):
        year, period = checked_period(row, place, following)
        first = dt.date(year, 1, 1).toordinal()
        days = dt.date(year + 1, 1, 1).toordinal() - first
        edges = edges or [first + days * (period - 1) / PERIODS]
        edges.append(first + days * period / PERIODS)
        total.append(total[-1] + [number(row[name], place, name) for name in CHANNELS])
        following = (year + period // PERIODS, period % PERIODS + 1)
    if not edges:
        raise Unusable(f"{path}: no rows")
    month = dt.date.fromordinal(math.ceil(edges[0] - 1e-6))
    month = month if month.day == 1 else month_after(month)
    spend = {}
    while month_after(month).toordinal() <= edges[-1] + 1e-6:
        ends = (month.toordinal(), month_after(month).toordinal())
        spend[month] = np.array(
            [np.diff(np.interp(ends, edges, column))[0] for column in np.transpose(total)]
        )
        month = month_after(month)
    return spend


def read_sales(path: Path) -> dict[dt.date, float]:
    """Read the monthly sales index, month as `YYYY-MM`."""
    sales: dict[dt.date, float] = {}
    for place, row in read_rows(path, ("month", "index")):
        try:
            month = dt.date.fromisoformat(f"{row['month']}-01")
        except ValueError:
            raise Unusable(f"{place}: month is {row['month']!r}, expected YYYY-MM") from None
        if month in sales:
            raise Unusable(f"{place}: month {row['month']} is there twice")
        sales[month] = number(row["index"], place, "index")
        if not sales[month]:
            raise Unusable(f"{place}: index is 0, so no error can be a share of it")
    return sales


def join(adverts: Path, sales: Path, window: int, holdout: int) -> History:
    """Return the last `window` months that both files cover.

    Raises Unusable when fewer than LEAST are left to fit on once `holdout` of them are held out.
    """
    spend, index = read_spend(adverts), read_sales(sales)
    months = sorted(spend.keys() & index.keys())[-window:]
    if len(months) - holdout < LEAST:
        raise Unusable(
            f"too few months: {len(months)} in both files and in the window of "
            f"{window}, less {holdout} held out; at least {LEAST} are needed "
            "to fit on. Give more rows or a longer window."
        )
    for before, after in itertools.pairwise(months):
        if month_after(before) != after:
            raise Unusable(f"{sales}: month {month_after(before):%Y-%m} is missing")
    history = History(
        months, np.array([spend[m] for m in months]), np.array([index[m] for m in months])
    )
    for channel, column in zip(CHANNELS, history.spend.T, strict=True):
        if not column.any():
            raise Unusable(f"{adverts}: {channel} is 0 in all {len(months)} months used")
    return history
