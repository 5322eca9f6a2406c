"""A ledger of thousands of entries costs a pass no more than what is new in it."""

import json

import pytest

from gitwf.adapters import kept as kept_file
from gitwf.adapters.git import ledger as git_ledger
from gitwf.errors import Stalled


@pytest.fixture
def parsed(monkeypatch):
    """The paths of the entries that were parsed."""
    paths = []
    real = git_ledger._parsed

    def count(path, content):
        paths.append(path)
        return real(path, content)

    monkeypatch.setattr(git_ledger, "_parsed", count)
    return paths


def test_a_pass_parses_only_the_entries_that_are_new(folder, parsed):
    many = {f"runs/m{number % 7}/{number}.json": b"{}" for number in range(300)}
    folder.person.commit({"format.json": b'{"format": 1}', **many}, branch=git_ledger.BRANCH)
    view = folder.ledger()
    view.facts()
    first = len(parsed)
    view.facts()
    again = len(parsed)
    folder.ledger().append(lambda _: {"runs/m3/new.json": {"n": 1}}, "New\n")
    del parsed[:]
    facts = view.facts()

    assert (first, again) == (301, 301)
    assert parsed == ["runs/m3/new.json"]
    assert len(facts.entries) == 302


def test_facts_that_did_not_move_are_the_same_object(folder):
    view = folder.ledger()
    facts = view.append(lambda _: {"a.json": {}}, "One\n")

    assert view.facts() is facts


def test_an_append_parses_back_only_what_it_added(folder, parsed):
    view = folder.ledger()
    view.append(lambda _: {"a/1.json": {}}, "One\n")
    del parsed[:]
    view.append(lambda _: {"a/2.json": {}}, "Two\n")

    assert parsed == ["a/2.json"]


def test_an_append_asks_the_server_three_times(served):
    view = served.ledger()
    view.append(lambda _: {"a/1.json": {}}, "One\n")
    before = served.server.counts.copy()
    view.append(lambda _: {"a/2.json": {}}, "Two\n")

    assert served.server.counts - before == {
        "info git-upload-pack": 1,
        "info git-receive-pack": 1,
        "git-receive-pack": 1,
    }


def test_what_is_no_entry_is_left_alone(folder):
    folder.person.commit(
        {"README.md": b"by a person", "format.json": b'{"format": 1}'}, branch=git_ledger.BRANCH
    )

    assert folder.ledger().facts().entries == {"format.json": {"format": 1}}


def test_entries_read_well_in_git(folder):
    folder.ledger().append(lambda _: {"a.json": {"b": 1, "a": "ü"}}, "One\n")

    assert folder.person.show("a.json", branch=git_ledger.BRANCH) == '{\n "a": "ü",\n "b": 1\n}'
    assert folder.person.git("log", "--format=%an %s", git_ledger.BRANCH) == "gitwf One"


def test_a_ledger_that_lags_behind_is_read_again_before_it_is_called_lost(folder):
    """A server of several copies may answer from one that has not heard of the last append."""
    view = folder.ledger()
    first = view.append(lambda _: {"a.json": {}}, "One\n")
    second = view.append(lambda _: {"b.json": {}}, "Two\n")
    folder.person.force(first.commit, branch=git_ledger.BRANCH)

    class CatchingUp:
        def monotonic(self):
            return 0.0

        def now(self):
            return folder.clock.now()

        def wait(self, seconds):
            folder.person.force(second.commit, branch=git_ledger.BRANCH)

    view._clock = CatchingUp()

    assert view.facts() == second


def test_how_to_restore_a_lost_ledger_is_said(folder):
    view = folder.ledger()
    commit = view.append(lambda _: {"a.json": {}}, "One\n").commit
    folder.person.force(None, branch=git_ledger.BRANCH)

    with pytest.raises(Stalled) as lost:
        view.facts()

    assert f"git push origin {commit}:refs/heads/gitwf/ledger" in lost.value.hint


def test_a_path_is_created_at_most_once_however_often_decide_wants_it(folder):
    mine, theirs = folder.ledger(), folder.ledger()
    mine.facts()
    theirs.append(lambda _: {"x.json": {"by": "them"}}, "Theirs\n")

    def decide(facts):
        return {} if "x.json" in facts.entries else {"x.json": {"by": "me"}}

    assert mine.append(decide, "Mine\n").entries["x.json"] == {"by": "them"}
    assert json.loads(folder.person.show("x.json", branch=git_ledger.BRANCH)) == {"by": "them"}


MANY = {f"runs/m{number % 7}/{number}.json": b'{"n": 1}' for number in range(300)}


def opened(folder, kept):
    """The ledger, as a new process reads it."""
    made = folder.ledger()
    return git_ledger.GitLedger(made._remote, folder.clock, kept=kept)


@pytest.fixture
def left(folder, tmp_path):
    """What a process left that has read a ledger of 301 entries."""
    folder.person.commit({"format.json": b'{"format": 1}', **MANY}, branch=git_ledger.BRANCH)
    kept = kept_file.KeptFile(tmp_path / "kept" / "ledger")
    opened(folder, kept).facts()
    return kept


def test_a_new_process_parses_only_what_no_earlier_one_did(folder, left, parsed):
    before = opened(folder, left).facts()
    folder.ledger().append(lambda _: {"runs/m3/new.json": {"n": 2}}, "New\n")
    del parsed[:]
    after = opened(folder, left).facts()

    assert parsed == ["runs/m3/new.json"]
    assert (before, after) == (before, folder.ledger().facts())
    assert len(before.entries) == 301


@pytest.mark.parametrize("content", [b"{}", b"null", b"{", b'{"commit": "x"}', b'{"commit": 1}'])
def test_what_was_kept_is_forgotten_where_it_cannot_be_understood(folder, left, content):
    left.write(content)

    assert opened(folder, left).facts() == folder.ledger().facts()


@pytest.mark.parametrize("content", [b'{"n": 2}', None])
def test_a_ledger_that_a_person_changed_is_taken_by_a_new_process_as_it_is(folder, left, content):
    folder.person.commit({"runs/m0/0.json": content}, branch=git_ledger.BRANCH)

    assert opened(folder, left).facts() == folder.ledger().facts()


def test_a_ledger_that_was_begun_anew_is_taken_by_a_new_process_as_it_is(folder, left):
    folder.person.force(None, branch=git_ledger.BRANCH)
    gone = opened(folder, left).facts()
    folder.person.commit({"format.json": b'{"format": 1}'}, branch=git_ledger.BRANCH)

    assert gone.entries == {}
    assert opened(folder, left).facts().entries == {"format.json": {"format": 1}}


def test_what_was_kept_of_another_ledger_is_kept_no_longer(folder, left, parsed):
    fewer = {path: content for path, content in MANY.items() if "m0" not in path}
    folder.person.force(None, branch=git_ledger.BRANCH)
    folder.person.commit(fewer, branch=git_ledger.BRANCH)
    first = opened(folder, left).facts()
    del parsed[:]

    assert opened(folder, left).facts() == first
    assert parsed == []
