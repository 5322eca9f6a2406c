"""What every Ledger keeps, whatever the remote is."""

import concurrent.futures
import json

import pytest

from gitwf.adapters.clock import SystemClock
from gitwf.errors import RaceLost, Stalled
from gitwf.testing import git_worlds
from gitwf.values import CommitId

LEDGER = "gitwf/ledger"
NOWHERE = CommitId("0123456789" * 4)


@pytest.fixture(params=[*git_worlds.LOCAL_KINDS, pytest.param("http", marks=pytest.mark.slow)])
def world(request, tmp_path):
    with git_worlds.world(request.param, tmp_path) as made:
        yield made


def adding(path, **body):
    return lambda _: {path: body}


def test_a_remote_without_a_ledger_holds_no_facts(world):
    facts = world.ledger().facts()

    assert facts.commit is None
    assert facts.entries == {}


def test_the_first_append_begins_the_ledger_with_its_format(world):
    facts = world.ledger().append(adding("runs/m/k/claim-1.json", nonce="ü"), "Claim\n")

    assert facts.entries == {"format.json": {"format": 1}, "runs/m/k/claim-1.json": {"nonce": "ü"}}
    assert facts == world.ledger().facts()


def test_an_append_goes_on_top_of_what_is_there(world):
    ledger = world.ledger()
    first = ledger.append(adding("a/1.json", n=1), "One\n")
    second = ledger.append(adding("a/2.json", n=2), "Two\n")

    assert {"format.json", "a/1.json", "a/2.json"} == set(second.entries)
    assert first.commit != second.commit
    assert ledger.contains(first.commit)


def test_several_entries_of_one_append_come_together(world):
    both = {"runs/m/k/claim-1.json": {"version": 1}, "versions/m/1.json": {"key": "k"}}

    facts = world.ledger().append(lambda _: both, "Claim\n")

    assert both.items() <= facts.entries.items()


@pytest.mark.parametrize("nothing", [None, {}])
def test_adding_nothing_changes_nothing(world, nothing):
    before = world.ledger().append(adding("a.json"), "One\n")

    assert before == world.ledger().append(lambda _: nothing, "Nothing\n")
    assert before == world.ledger().facts()


def test_adding_nothing_begins_no_ledger(world):
    assert world.ledger().append(lambda _: None, "Nothing\n").commit is None
    assert world.ledger().facts().commit is None


def test_a_path_that_exists_is_never_written(world):
    world.ledger().append(adding("a.json", by="first"), "One\n")

    with pytest.raises(RaceLost, match=r"already holds a\.json"):
        world.ledger().append(adding("a.json", by="second"), "Two\n")

    assert world.ledger().facts().entries["a.json"] == {"by": "first"}


def test_the_facts_that_decide_sees_are_those_at_the_tip(world):
    mine, theirs = world.ledger(), world.ledger()
    mine.facts()
    theirs.append(adding("a.json", by="them"), "Theirs\n")
    seen = []

    mine.append(lambda facts: seen.append(dict(facts.entries)), "Mine\n")

    assert seen == [{"format.json": {"format": 1}, "a.json": {"by": "them"}}]


def test_who_loses_a_race_is_asked_again_for_the_facts_after_it(world):
    mine, theirs = world.ledger(), world.ledger()
    seen = []

    def decide(facts):
        seen.append(sorted(facts.entries))
        if len(seen) == 1:
            theirs.append(adding("theirs.json"), "Theirs\n")
        return None if "mine.json" in facts.entries else {"mine.json": {}}

    after = mine.append(decide, "Mine\n")

    assert seen == [[], ["format.json", "theirs.json"]]
    assert {"format.json", "mine.json", "theirs.json"} == set(after.entries)


def test_who_loses_a_race_may_then_add_nothing(world):
    mine, theirs = world.ledger(), world.ledger()

    def decide(facts):
        if "claim.json" in facts.entries:
            return None
        theirs.append(adding("claim.json", by="them"), "Theirs\n")
        return {"claim.json": {"by": "me"}}

    assert mine.append(decide, "Mine\n").entries["claim.json"] == {"by": "them"}


def test_a_ledger_that_was_rewritten_is_a_matter_for_a_person(world):
    ledger = world.ledger()
    first = ledger.append(adding("a.json"), "One\n")
    second = ledger.append(adding("b.json"), "Two\n")
    world.person.force(first.commit, branch=LEDGER)

    with pytest.raises(Stalled, match=f"no longer contains {second.commit}"):
        ledger.facts()
    with pytest.raises(Stalled, match="no longer contains"):
        ledger.append(adding("c.json"), "Three\n")
    assert first == world.ledger().facts()


def test_a_ledger_that_was_deleted_is_not_begun_again(world):
    ledger = world.ledger()
    ledger.append(adding("a.json"), "One\n")
    world.person.force(None, branch=LEDGER)

    with pytest.raises(Stalled, match="no longer contains"):
        ledger.append(adding("b.json"), "Two\n")
    assert world.ledger().facts().commit is None


def test_a_newer_format_is_refused(world):
    body = json.dumps({"format": 2}).encode()
    world.person.commit({"format.json": body}, branch=LEDGER)

    with pytest.raises(Stalled, match="the ledger has format 2, this gitwf reads 1"):
        world.ledger().facts()
    with pytest.raises(Stalled, match="upgrade gitwf"):
        world.ledger().append(adding("a.json"), "One\n")


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_an_entry_that_is_no_object_is_a_matter_for_a_person(world, content):
    world.person.commit({"runs/a.json": content}, branch=LEDGER)

    with pytest.raises(Stalled, match=r"runs/a\.json on gitwf/ledger is not a JSON object"):
        world.ledger().facts()


def test_an_entry_that_was_changed_after_it_was_seen_is_a_matter_for_a_person(world):
    ledger = world.ledger()
    ledger.append(adding("a/b.json", n=1), "One\n")
    world.person.commit({"a/b.json": b'{"n": 2}'}, branch=LEDGER)

    with pytest.raises(Stalled, match=r"a/b\.json on gitwf/ledger was changed or deleted"):
        ledger.facts()


def test_an_entry_that_was_deleted_after_it_was_seen_is_a_matter_for_a_person(world):
    ledger = world.ledger()
    ledger.append(adding("a/b.json", n=1), "One\n")
    world.person.commit({"a/b.json": None, "c": b""}, branch=LEDGER)

    with pytest.raises(Stalled, match=r"was changed or deleted"):
        ledger.facts()


def test_the_ledger_knows_the_commits_it_contains(world):
    ledger = world.ledger()
    first = ledger.append(adding("a.json"), "One\n").commit
    second = world.ledger().append(adding("b.json"), "Two\n").commit
    other = world.person.commit({"x": b"1"})

    assert ledger.contains(first)
    assert ledger.contains(second)
    assert not ledger.contains(NOWHERE)
    assert not ledger.contains(other)


def test_a_fresh_process_knows_what_the_ledger_contains(world):
    first = world.ledger().append(adding("a.json"), "One\n").commit

    assert world.ledger().contains(first)
    assert not world.ledger().contains(NOWHERE)


def test_a_heartbeat_changes_with_every_beat_and_ends(world):
    owner, observer = world.ledger(), world.ledger()
    values = [observer.heartbeat("k")]
    for _ in range(2):
        owner.beat("k")
        values.append(observer.heartbeat("k"))
    other = observer.heartbeat("other")
    owner.end_beat("k")
    values.append(observer.heartbeat("k"))
    owner.end_beat("k")

    assert [values[0], values[3]] == [None, None]
    assert len({values[1], values[2], None}) == 3
    assert other is None


@pytest.mark.slow
def test_of_twenty_appenders_at_once_none_is_lost_and_one_wins_what_all_want(world):
    world.clock = SystemClock()

    def append(number):
        def decide(facts):
            mine = {f"runs/{number}.json": {"n": number}}
            return mine if "won.json" in facts.entries else {**mine, "won.json": {"by": number}}

        return world.ledger().append(decide, f"Append {number}\n")

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        done = list(pool.map(append, range(20)))

    entries = world.ledger().facts().entries
    assert {f"runs/{number}.json" for number in range(20)} <= set(entries)
    assert len(entries) == 22
    assert {entries["won.json"]["by"]} == {facts.entries["won.json"]["by"] for facts in done}
