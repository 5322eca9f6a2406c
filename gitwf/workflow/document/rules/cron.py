"""When a CronWorkflow is due: its name, its schedules and its policies.

The schedules are read as the cron library of Argo's controller reads them, field by field and in
its words (Argo: ValidateCronWorkflow; robfig/cron v3, parser.go: getRange, parseDescriptor).
"""

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gitwf.workflow import durations, failure
from gitwf.workflow.document import resolved, workflow
from gitwf.workflow.document.rules import report

_LONGEST_NAME = 52
_LONGEST_NUMBER = 18  # digits that a Go int holds whatever they are
_POLICIES = ("Allow", "Forbid", "Replace")
_DESCRIPTORS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_EVERY = "@every "
_WHOLE = re.compile(r"[-+]?[0-9]+", re.ASCII)


class _Malformed(ValueError):
    """A schedule that cannot be read; says why."""


@dataclass(frozen=True)
class _Field:
    """What one of the five fields may hold, both ends included."""

    lowest: int
    highest: int
    names: Mapping[str, int] = field(default_factory=dict)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def check(
    found: report.Report,
    name: str,
    cron: workflow.CronWorkflowSpec,
    document: resolved.Origin,
) -> None:
    """Check when a CronWorkflow called `name` is due; `document` is the whole document's place."""
    origin = document.at("spec")
    if len(name) > _LONGEST_NAME:
        message = (
            f'cron workflow name "{name}" must not be more than {_LONGEST_NAME} characters '
            f"long (currently {len(name)})"
        )
        found.error(document.at("metadata", "name"), message)
    if not cron.schedules:
        found.error(origin, "cron workflow must have at least one schedule")
    for index, schedule in enumerate(cron.schedules):
        if fault := schedule_fault(schedule):
            message = f"cron schedule {schedule} is malformed: {fault}"
            found.error(origin.at("schedules", index), message)
    if fault := zone_fault(cron.timezone):
        found.error(origin.at("timezone"), f'invalid timezone "{cron.timezone}": {fault}')
    if cron.concurrency_policy not in {"", *_POLICIES}:
        message = f"'{cron.concurrency_policy}' is not a valid concurrencyPolicy"
        found.error(origin.at("concurrencyPolicy"), message, f"one of: {', '.join(_POLICIES)}")
    if cron.starting_deadline_seconds is not None and cron.starting_deadline_seconds < 0:
        message = "startingDeadlineSeconds must be positive"
        found.error(origin.at("startingDeadlineSeconds"), message)


def zone_fault(name: str) -> str:
    """Say why Go does not know a time zone, or ""."""
    if name in {"", "UTC", "Local"}:
        return ""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {name}"
    return ""


def schedule_fault(schedule: str) -> str:
    """Say why the cron library cannot read `schedule`, or ""."""
    if not schedule:
        return "empty spec string"
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        zone, _, schedule = schedule.partition("=")[2].partition(" ")
        if fault := zone_fault(zone):
            return f"provided bad location {zone}: {fault}"
        schedule = schedule.strip()
    if schedule.startswith("@"):
        return _descriptor_fault(schedule)
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    try:
        for text, allowed in zip(fields, _FIELDS, strict=True):
            for part in filter(None, text.split(",")):
                _check_range(part, allowed)
    except _Malformed as fault:
        return str(fault)
    return ""


def _descriptor_fault(schedule: str) -> str:
    if schedule in _DESCRIPTORS:
        return ""
    if schedule.startswith(_EVERY):
        try:
            durations.written(schedule.removeprefix(_EVERY))
        except failure.NodeFailure as fault:
            return f"failed to parse duration {schedule}: {fault}"
        return ""
    return f"unrecognized descriptor: {schedule}"


def _check_range(text: str, allowed: _Field) -> None:
    """Check one `N`, `N-M`, `*` or `?`, each perhaps with a `/step`."""
    ends, *steps = text.split("/")
    low, *high = ends.split("-")
    if low in {"*", "?"}:
        start, end = allowed.lowest, allowed.highest
    else:
        start, end = _bounds(text, [low, *high], allowed)
    if len(steps) > 1:
        raise _Malformed(f"too many slashes: {text}")
    step = _number(steps[0]) if steps else 1
    if steps and not high:
        end = allowed.highest  # `5/15` begins at 5 and goes on to the end.
    for fault in _faults(start, end, step, allowed):
        raise _Malformed(f"{fault}: {text}")


def _bounds(text: str, ends: list[str], allowed: _Field) -> tuple[int, int]:
    start, *rest = ends
    first = _named(start, allowed)
    if len(rest) > 1:
        raise _Malformed(f"too many hyphens: {text}")
    return first, _named(rest[0], allowed) if rest else first


def _named(text: str, allowed: _Field) -> int:
    number = allowed.names.get(text.lower())
    return _number(text) if number is None else number


def _faults(start: int, end: int, step: int, allowed: _Field) -> Iterator[str]:
    if start < allowed.lowest:
        yield f"beginning of range ({start}) below minimum ({allowed.lowest})"
    if end > allowed.highest:
        yield f"end of range ({end}) above maximum ({allowed.highest})"
    if start > end:
        yield f"beginning of range ({start}) beyond end of range ({end})"
    if step == 0:
        yield "step of range should be a positive number"


def _number(text: str) -> int:
    fault = f'failed to parse int from {text}: strconv.Atoi: parsing "{text}":'
    if not _WHOLE.fullmatch(text):
        raise _Malformed(f"{fault} invalid syntax")
    digits = text.lstrip("+-0") or "0"
    if len(digits) > _LONGEST_NUMBER:
        raise _Malformed(f"{fault} value out of range")
    if text.startswith("-") and digits != "0":
        raise _Malformed(f"negative number (-{digits}) not allowed: {text}")
    return int(digits)
