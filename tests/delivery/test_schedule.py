"""When a schedule is due: once, the latest instant only, in its own time zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.delivery import pipeline, schedule
from gitwf.values import Instant

NIGHTLY = pipeline.Schedule(cron="0 3 * * *", timezone="Asia/Tokyo")


def at(text):
    return Instant.parse(text)


@pytest.mark.parametrize(
    ("after", "now", "due"),
    [
        ("2026-11-22T00:00:00Z", "2026-11-22T17:59:59.9Z", None),
        ("2026-11-22T00:00:00Z", "2026-11-22T18:00:00Z", "2026-11-22T18:00:00Z"),
        ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-22T18:00:00Z"),
        # Five nights were missed: the last one counts, once.
        ("2026-11-17T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-22T18:00:00Z"),
        # The request is newer than the last due instant.
        ("2026-11-22T18:00:00Z", "2026-11-23T00:00:00Z", None),
    ],
)
def test_the_latest_due_instant_since_the_request_counts(after, now, due):
    found = schedule.due(NIGHTLY, at(after), at(now))

    assert found == (None if due is None else at(due))


def test_without_a_schedule_nothing_is_due():
    assert schedule.due(None, at("2026-01-01T00:00:00Z"), at("2026-11-23T00:00:00Z")) is None


def test_an_hour_that_the_clock_skips_is_made_up_for_at_its_end():
    spring = pipeline.Schedule(cron="30 2 * * *", timezone="Europe/Amsterdam")
    found = schedule.due(spring, at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z"))

    assert found is not None
    assert at("2026-03-29T00:30:00Z") <= found <= at("2026-03-29T01:30:00Z")


@pytest.mark.parametrize(
    ("cron", "timezone", "problems"),
    [
        ("0 3 * * *", "Asia/Tokyo", ("", "")),
        ("0 3 * *", "UTC", ("must be a cron expression of five fields", "")),
        ("61 3 * * *", "UTC", ("must be a cron expression: Bad minute", "")),
        (
            "0 3 * * *",
            "Tokio",
            ("", "must be a time zone of the tz database, such as Europe/Amsterdam"),
        ),
        (
            "0 3 * * *",
            "../etc/passwd",
            ("", "must be a time zone of the tz database, such as Europe/Amsterdam"),
        ),
    ],
)
def test_a_wrong_schedule_is_named(cron, timezone, problems):
    found = pipeline.Schedule(cron=cron, timezone=timezone)

    assert (schedule.problem(found), schedule.zone_problem(found)) == problems


@given(st.integers(0, 10**9), st.integers(0, 10**7))
def test_what_is_due_lies_between_the_request_and_now(start, length):
    after = Instant.of_seconds(start)
    now = after.after(length)
    found = schedule.due(NIGHTLY, after, now)

    assert found is None or after < found <= now
    assert found is not None or length < 86_400
