"""Spans of time as Go reads them, with Go's words for those that are none."""

import pytest

from gitwf.workflow import durations, failure


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("-3", -3),
        ("+4", 4),
        ("1h1m1s", 3661),
        (".5s", 0.5),
        ("1.s", 1),
        ("-1.5h", -5400),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_has_units(text, seconds):
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'invalid duration ""'),
        ("abc", 'invalid duration "abc"'),
        ("s", 'invalid duration "s"'),
        ("1.5", 'missing unit in duration "1.5"'),
        ("1h30", 'missing unit in duration "1h30"'),
        ("1d", 'unknown unit "d" in duration "1d"'),
        ("3 s", 'unknown unit " s" in duration "3 s"'),
        ("1m 5s", 'unknown unit "m " in duration "1m 5s"'),
        ("1e3s", 'unknown unit "e" in duration "1e3s"'),
        ('a"b', r'invalid duration "a\"b"'),
        ("\\\t", r'invalid duration "\\\x09"'),
        ("5\u00e9", r'unknown unit "\xc3\xa9" in duration "5\xc3\xa9"'),
        ("99999999999h", 'invalid duration "99999999999h"'),
    ],
)
def test_what_is_no_duration_is_refused_in_gos_words(text, why):
    with pytest.raises(failure.NodeFailure) as caught:
        durations.seconds(text)
    assert str(caught.value) == f"unable to parse {text} as a duration: time: {why}"
