"""When a schedule was due: the latest instant that counts, and nothing that was missed before it.

A function of the cron expression, of when the request began and of now. What was missed while
nobody ran is not made up for: only the latest due instant is an occasion, and the ledger lets it
happen once. Time zones come from the tz database of the machine or of Python, which is the one
thing read from outside; the clock is not.
"""

import datetime as dt
import zoneinfo

import cronsim

from gitwf.delivery import pipeline
from gitwf.values import Instant

_FIELDS = 5


def due(schedule: pipeline.Schedule | None, after: Instant, now: Instant) -> Instant | None:
    """The latest instant in (`after`, `now`] at which `schedule` is due, or None.

    ValueError where the schedule is wrong; `problem` says how, before anything is run.
    """
    if schedule is None:
        return None
    zone = _zone(schedule.timezone)
    # Going back excludes the start, which is taken in whole seconds.
    start = now.datetime().astimezone(zone).replace(microsecond=0) + dt.timedelta(seconds=1)
    try:
        found = next(cronsim.CronSim(schedule.cron, start, reverse=True), None)
    except cronsim.CronSimError as error:
        raise ValueError(f"not a cron expression: {schedule.cron!r}") from error
    latest = None if found is None else Instant.parse(found.isoformat())
    return latest if latest is not None and latest > after else None


def problem(schedule: pipeline.Schedule) -> str:
    """Say what is wrong with a schedule, in words that follow its name; "" when nothing is."""
    if len(schedule.cron.split()) != _FIELDS:
        return "must be a cron expression of five fields"
    try:
        cronsim.CronSim(schedule.cron, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    except cronsim.CronSimError as error:
        return f"must be a cron expression: {error}"
    return ""


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"not a time zone: {name!r}") from error


def zone_problem(schedule: pipeline.Schedule) -> str:
    """Say what is wrong with a schedule's time zone; "" when nothing is."""
    try:
        _zone(schedule.timezone)
    except ValueError:
        return "must be a time zone of the tz database, such as Europe/Amsterdam"
    return ""
