"""The remote in memory misbehaves on demand, as real ones do."""

import pytest

from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.testing import memory_git
from gitwf.testing.clock import ManualClock


@pytest.fixture
def remote():
    return memory_git.MemoryRemote()


@pytest.fixture
def repo(remote):
    return memory_git.MemoryRepo(remote, "main", ManualClock())


@pytest.fixture
def ledger(remote):
    return memory_git.MemoryLedger(remote, ManualClock())


def test_a_connection_that_is_cut_leaves_the_push_applied(remote, repo):
    remote.cut_after = 1

    with pytest.raises(Transient, match="was cut"):
        repo.publish(None, {"a": b"1"}, "Release\n")

    assert repo.read(repo.head(), "a") == b"1"
    repo.publish(repo.head(), {"a": b"2"}, "Release\n")


def test_an_append_that_is_cut_leaves_its_entries(remote, ledger):
    remote.cut_after = 1

    with pytest.raises(Transient):
        ledger.append(lambda _: {"a.json": {}}, "One\n")

    assert set(ledger.facts().entries) == {"format.json", "a.json"}


def test_somebody_may_win_the_race_just_before_a_swap(remote, repo):
    base = remote.commit({"a": b"1"})
    remote.before_swap = lambda _: remote.commit({"a": b"2"})

    with pytest.raises(RaceLost):
        repo.publish(base, {"a": b"3"}, "Release\n")

    assert repo.read(repo.head(), "a") == b"2"


def test_a_push_may_be_declined_and_allowed_again(remote, repo, ledger):
    remote.declined = "main is protected"

    with pytest.raises(Stalled, match="main is protected"):
        repo.publish(None, {"a": b"1"}, "Release\n")
    with pytest.raises(Stalled, match="main is protected"):
        ledger.append(lambda _: {"a.json": {}}, "One\n")
    remote.declined = None

    assert repo.publish(None, {"a": b"1"}, "Release\n") == repo.head()


def test_a_copy_goes_its_own_way(remote, repo):
    base = remote.commit({"a": b"1"})
    twin = remote.copy()
    repo.publish(base, {"a": b"2"}, "Release\n")

    assert twin.branches == {"main": base}
    assert memory_git.MemoryRepo(twin, "main", ManualClock()).read(base, "a") == b"1"
