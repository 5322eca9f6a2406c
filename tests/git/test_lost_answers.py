"""A push that was applied although its answer never came."""

import pytest

from gitwf.errors import RaceLost, Transient


def test_a_release_whose_answer_was_lost_is_found_to_have_been_applied(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    served.server.lose_answers()

    commit = repo.publish(base, {"b": b"2"}, "Release\n")

    assert commit == served.person.head()
    assert served.server.counts["git-receive-pack"] == 1


def test_it_is_found_below_what_somebody_built_upon_it(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    served.server.lose_answers()
    served.server.after_loss = lambda: served.person.commit({"c": b"3"})

    commit = repo.publish(base, {"b": b"2"}, "Release\n")

    assert [one.id for one in repo.history(repo.head())][1:] == [commit, base]


def test_an_answer_lost_in_a_race_that_was_lost_is_a_lost_race(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    served.server.lose_answers()
    served.server.before_push = lambda: served.person.commit({"a": b"2"})

    with pytest.raises(RaceLost):
        repo.publish(base, {"b": b"2"}, "Release\n")


def test_when_the_remote_cannot_be_asked_again_the_push_is_to_be_tried_again(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    served.server.lose_answers()
    served.server.after_loss = lambda: served.server.answer_with(503)

    with pytest.raises(Transient, match="it is not known whether the push was applied"):
        repo.publish(base, {"b": b"2"}, "Release\n")

    assert base != repo.head()


def test_an_append_whose_answer_was_lost_adds_its_entry_once(served):
    served.server.lose_answers()
    asked = []

    def decide(facts):
        asked.append(facts.commit)
        return {f"claim-{len(asked)}.json": {"nonce": "n"}}

    facts = served.ledger().append(decide, "Claim\n")

    assert asked == [None]
    assert set(facts.entries) == {"format.json", "claim-1.json"}


def test_an_append_goes_on_while_the_remote_is_away(served):
    served.server.lose_answers()
    served.server.after_loss = lambda: served.server.answer_with(503, 503, 503, 503)

    facts = served.ledger().append(lambda _: {"claim.json": {"nonce": "n"}}, "Claim\n")

    assert set(facts.entries) == {"format.json", "claim.json"}
    assert served.person.git("rev-list", "--count", "gitwf/ledger") == "1"


def test_an_append_gives_up_on_a_remote_that_stays_away(served):
    served.server.lose_answers()
    served.server.after_loss = lambda: served.server.answer_with(*[503] * 1000)

    with pytest.raises(Transient, match="503"):
        served.ledger().append(lambda _: {"claim.json": {"nonce": "n"}}, "Claim\n")


def test_a_remote_that_is_away_from_the_start_is_told_at_once(served):
    served.server.answer_with(503, 503)

    with pytest.raises(Transient, match="unexpected http status code: 503"):
        served.ledger().append(lambda _: {"claim.json": {}}, "Claim\n")
    assert served.server.counts.total() == 1
