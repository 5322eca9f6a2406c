"""Writers that race for one ref: whoever is told that it won, has won (T1, T2, T3)."""

import concurrent.futures

import pytest

from gitwf.adapters.clock import SystemClock
from gitwf.adapters.git import objects
from gitwf.errors import RaceLost, Transient

WRITERS = 8


@pytest.mark.slow
def test_t1_of_the_pushes_acknowledged_to_eight_writers_none_is_lost(world):
    """T1: of 80 to a folder, libgit2's own push loses about one in five."""
    each = 4 if world.url.startswith("http") else 10

    def write(writer):
        repo = world.repo()
        won = []
        while len(won) < each:
            path = f"{writer}/{len(won)}"
            try:
                won.append(repo.publish(repo.head(), {path: b""}, f"{path}\n"))
            except Transient:
                continue
        return won

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        acknowledged = {commit for won in pool.map(write, range(WRITERS)) for commit in won}

    kept = set(world.person.git("rev-list", "refs/heads/main").splitlines())
    assert len(acknowledged) == WRITERS * each
    assert acknowledged == kept
    assert len(world.person.names()) == WRITERS * each


def test_t1_a_folder_whose_ref_moves_while_objects_are_copied_is_not_overwritten(
    folder, monkeypatch
):
    base = folder.person.commit({"a": b"1"})
    repo = folder.repo()
    repo.head()
    real = objects.copy
    moved = []

    def copy(source, target, wanted):
        monkeypatch.undo()
        real(source, target, wanted)
        moved.append(folder.person.commit({"a": b"2"}))

    monkeypatch.setattr(objects, "copy", copy)

    with pytest.raises(RaceLost):
        repo.publish(base, {"b": b"3"}, "Release\n")
    assert moved == [folder.person.head()]


def test_t2_a_plain_push_would_bring_back_what_a_force_push_took_away(world):
    first = world.person.commit({"a": b"1"})
    second = world.person.commit({"a": b"2"})
    repo = world.repo()
    repo.head()
    world.person.force(first)

    with pytest.raises(RaceLost, match=f"is at {first}, no longer at {second}"):
        repo.publish(second, {"models/m": b"3"}, "Release\n")

    assert first == world.person.head()


def test_t3_a_race_lost_after_the_server_advertised_its_refs_is_told_as_one(served):
    base = served.person.commit({"a": b"1"})
    repo = served.repo()
    repo.head()
    moved = []
    served.server.before_push = lambda: moved.append(served.person.commit({"a": b"2"}))

    with pytest.raises(RaceLost, match=f"no longer at {base}"):
        repo.publish(base, {"b": b"3"}, "Release\n")

    assert moved == [served.person.head()]


def test_t3_an_append_that_loses_such_a_race_decides_again(served):
    served.clock = SystemClock()
    mine, theirs = served.ledger(), served.ledger()
    mine.append(lambda _: {"a.json": {}}, "First\n")
    seen = []

    def decide(facts):
        seen.append(sorted(facts.entries))
        return {"mine.json": {}}

    def somebody_wins():
        served.server.before_push = None
        theirs.append(lambda _: {"theirs.json": {}}, "Theirs\n")

    served.server.before_push = somebody_wins
    after = mine.append(decide, "Mine\n")

    assert seen == [["a.json", "format.json"], ["a.json", "format.json", "theirs.json"]]
    assert set(after.entries) == {"a.json", "format.json", "mine.json", "theirs.json"}


def test_a_ref_that_another_process_keeps_locked_is_tried_again_later(folder, monkeypatch):
    monkeypatch.setattr("gitwf.adapters.git.local._LOCK_SECONDS", 0.02)
    base = folder.person.commit({"a": b"1"})
    repo = folder.repo()
    repo.head()
    lock = folder.person.path / "refs/heads/main.lock"
    lock.touch()

    with pytest.raises(Transient, match="is being written to by another process"):
        repo.publish(base, {"b": b"2"}, "Release\n")
    lock.unlink()

    assert repo.publish(base, {"b": b"2"}, "Release\n") == folder.person.head()


def test_threads_of_one_process_may_share_a_ledger(folder):
    folder.clock = SystemClock()
    ledger = folder.ledger()

    def append(number):
        ledger.beat(f"{number % 3}")
        after = ledger.append(lambda _: {f"runs/{number}.json": {"n": number}}, f"{number}\n")
        return after.entries[f"runs/{number}.json"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(append, range(40)))

    assert done == [{"n": number} for number in range(40)]
    assert len(folder.ledger().facts().entries) == 41
