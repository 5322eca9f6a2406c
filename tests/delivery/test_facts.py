"""The ledger gives back what was written, and nothing in it is read that was not asked for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.delivery import entry, facts
from gitwf.errors import Stalled
from gitwf.values import CommitId, Digest, Instant, RunKey

NOW = Instant.parse("2026-11-23T12:00:00.123456Z")
KEY, COMMIT = RunKey("a" * 64), CommitId("b" * 40)
OWNER = entry.Owner("host", "boot", 7, "99")

ENTRIES = (
    entry.Claim("m", KEY, 1, 3, COMMIT, "n", OWNER, NOW, 60.0, COMMIT, parts={"base": "x"}),
    entry.Claim("m", KEY, 2, 3, COMMIT, "o", OWNER, NOW, 60.0, COMMIT, reason="gone", after=1),
    entry.Ended("m", KEY, 1, "transient", "no disk", NOW),
    entry.Ended("m", KEY, 2, "failed", "step s failed", NOW, "toy[0].s"),
    entry.Retry("m", KEY, 1, "ann", "disk is back", NOW),
    entry.Result(
        "m", KEY, 2, 3, COMMIT, "f", "local", NOW, NOW, Digest.of(b"x"), "store/x", {"mape": 0.1},
        {"window": "90"}, {"data": "d"}, {"metrics": "{}"}, Digest.of(b"r"), "store/r",
    ),
    entry.Verdict("m", "prod", 3, "g", False, (("a", False, "a is false"),), {"a": 1}, None, NOW),
    entry.Released("m", "prod", COMMIT, COMMIT, 3, "promote", "gitwf", NOW),
    entry.RolledOut("m", "prod", COMMIT, 3, True, "", "v" * 40, NOW, NOW),
    entry.RolledOut("m", "prod", COMMIT, 3, False, "no port", "w" * 40, NOW, NOW, later=True),
    entry.Retrain("m", "r1", COMMIT, "ann", "why not", NOW),
)  # fmt: skip


def ledger(*found):
    return facts.Facts(COMMIT, json.loads(json.dumps(entry.additions(*found))))


KNOWN = ledger(*ENTRIES, entry.Version("m", 3, KEY))


def test_every_entry_comes_back_as_it_was_written():
    read = (
        *KNOWN.claims("m", KEY),
        *KNOWN.ended("m", KEY),
        *KNOWN.retries("m", KEY),
        KNOWN.result("m", KEY),
        *KNOWN.verdicts("m", "prod", 3),
        *KNOWN.releases("m", "prod"),
        *sorted(KNOWN.rollouts("m", "prod"), key=lambda one: one.later),
        *KNOWN.retrains("m"),
    )

    assert read == ENTRIES


def test_views_find_one_fact_by_its_name():
    assert KNOWN.models() == ("m",)
    assert KNOWN.versions("m") == {3: KEY}
    assert KNOWN.key_of("m", 3) == KEY
    assert KNOWN.latest_claim("m", KEY).attempt == 2
    assert KNOWN.result_of("m", 3).digest == Digest.of(b"x")
    assert KNOWN.rollout("m", "prod", COMMIT, 3).ok
    assert not KNOWN.rollout("m", "prod", COMMIT, 3, "w" * 40).ok
    assert KNOWN.occasion("m", KEY) == ("x", None)


def test_what_is_not_there_is_none():
    assert facts.EMPTY.models() == ()
    assert facts.EMPTY.versions("m") == {}
    assert facts.EMPTY.latest_claim("m", KEY) is None
    assert KNOWN.key_of("m", 4) is None
    assert KNOWN.result_of("m", 4) is None
    assert KNOWN.verdict("m", "prod", 3, "h") is None
    assert KNOWN.released("m", "test", COMMIT) is None


def test_versions_come_newest_first_by_number():
    known = ledger(*(entry.Version("m", number, KEY) for number in (9, 10, 2)))

    assert list(known.versions("m")) == [10, 9, 2]


@pytest.mark.parametrize(
    ("written", "is_open"),
    [(ENTRIES[:1], True), (ENTRIES[:3], True), (ENTRIES[:2], True), (ENTRIES[:5], False)],
)
def test_a_claim_is_open_until_it_ends_or_gives_a_result(written, is_open):
    assert bool(ledger(*written).open_claims("m")) is is_open


def test_the_first_writer_says_the_format():
    first = facts.adding(facts.EMPTY, ENTRIES[0])
    second = facts.adding(facts.Facts(COMMIT, {"format.json": {"format": 1}}), ENTRIES[0])

    assert first["format.json"] == {"format": 1}
    assert "format.json" not in second


def test_a_newer_format_is_refused():
    with pytest.raises(Stalled, match="the ledger has format 2"):
        facts.Facts(COMMIT, {"format.json": {"format": 2}}).checked()


@given(st.permutations(ENTRIES))
def test_the_order_of_entries_means_nothing(shuffled):
    known = ledger(*shuffled)

    assert known.claims("m", KEY) == KNOWN.claims("m", KEY)
    assert known.releases("m", "prod") == KNOWN.releases("m", "prod")


def test_thousands_of_entries_are_looked_through_at_once():
    many = [entry.Version("m", number, KEY) for number in range(1, 5001)]
    known = ledger(*many, *ENTRIES)

    assert len(known.versions("m")) == 5000
    assert known.latest_claim("m", KEY).attempt == 2
