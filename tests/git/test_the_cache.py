"""The cache is thrown away, damaged, shared and outgrown, and nobody's answer changes."""

import concurrent.futures
import multiprocessing
import shutil

import pytest

from gitwf.adapters.clock import SystemClock
from gitwf.adapters.git import ledger, remote, repo
from gitwf.errors import Stalled
from gitwf.values import CommitId


def everything(repository, commit):
    return {path: repository.read(commit, path) for path, _ in repository.files(commit)}


def test_a_cache_deleted_at_any_moment_is_built_again(world):
    first = world.person.commit({"a/b": b"1"})
    repository = world.repo()
    cache = repository.remote._mirror.folder
    answers = []
    for ask in (
        repository.head,
        lambda: repository.read(first, "a/b"),
        lambda: repository.object_id(first, "a"),
        lambda: everything(repository, first),
        lambda: [commit.id for commit in repository.history(first)],
        lambda: repository.publish(first, {"c": b"2"}, "Release\n"),
        repository.head,
    ):
        shutil.rmtree(cache, ignore_errors=True)
        answers.append(ask())

    last = world.person.head()
    tree = repository.object_id(first, "a")
    assert answers == [first, b"1", tree, {"a/b": b"1"}, [first], last, last]


def test_a_ledger_whose_cache_is_deleted_goes_on(world):
    ledger = world.ledger()
    ledger.append(lambda _: {"a.json": {}}, "One\n")
    cache = ledger._remote._mirror.folder
    shutil.rmtree(cache)
    ledger.beat("k")
    shutil.rmtree(cache)
    facts = ledger.append(lambda _: {"b.json": {}}, "Two\n")
    shutil.rmtree(cache)

    assert set(facts.entries) == {"format.json", "a.json", "b.json"}
    assert ledger.facts() == facts
    assert ledger.contains(facts.commit)


def damages():
    def garble(pattern, content):
        def damage(cache):
            files = [path for path in cache.glob(pattern) if path.is_file()]
            assert files
            for path in files:
                # A pack that shrinks while it is mapped into memory kills any reader: replace it.
                path.unlink()
                path.write_bytes(content)

        return damage

    def forget_objects(cache):
        for folder in (cache / "objects").iterdir():
            shutil.rmtree(folder)

    return {
        "objects garbled": garble("objects/*/*", b"\0garbage"),
        "objects emptied": garble("objects/*/*", b""),
        "objects gone": forget_objects,
        "refs garbled": garble("refs/seen/heads/*", b"garbage"),
        "refs empty": garble("refs/seen/heads/*", b""),
        "HEAD garbled": garble("HEAD", b"\0"),
        "config garbled": garble("config", b"[[["),
        "HEAD gone": lambda cache: (cache / "HEAD").unlink(),
        "a file": lambda cache: (shutil.rmtree(cache), cache.write_text("")),
    }


@pytest.mark.parametrize("damage", damages())
@pytest.mark.parametrize("fresh", [False, True], ids=["same process", "next process"])
def test_a_damaged_cache_is_built_again(served, damage, fresh):
    commit = served.person.commit({"a/b": b"1", "c": b"2"})
    repository = served.repo()
    cache = repository.remote._mirror.folder
    assert repository.head() == commit
    repository.publish(None, {"d": b"3"}, "Loose objects\n", branch="other")
    damages()[damage](cache)
    if fresh:
        repository = repo.GitRepo(remote.Remote(served.url, cache), "main", SystemClock())

    assert everything(repository, commit) == {"a/b": b"1", "c": b"2"}
    assert repository.head() == commit
    again = repository.publish(commit, {"e": b"4"}, "Release\n")
    assert served.person.head() == again


def test_a_commit_that_a_force_push_took_away_stays_in_the_cache(served):
    first = served.person.commit({"a": b"1"})
    lost = served.person.commit({"a": b"2"})
    notices = []
    there = remote.Remote(served.url, served.person.path / "../cache.git", notice=notices.append)
    repository = repo.GitRepo(there, "main", SystemClock())
    repository.head()
    served.person.force(first)
    now = served.person.commit({"a": b"3"})
    repository.head()
    repository.head()

    assert notices == [remote.Rewritten("refs/heads/main", lost, now)]
    assert str(notices[0]) == (
        f"refs/heads/main was force-pushed: {lost[:8]} is gone from it, it is now at {now[:8]}"
    )
    kept = there._mirror.open().references
    assert CommitId(str(kept[f"refs/lost/{lost}"].target)) == lost


def _read_in_another_process(url, cache, commit):
    repository = repo.GitRepo(remote.Remote(url, cache), "main", SystemClock())
    return repository.head(), everything(repository, commit)


def test_processes_may_share_one_cache_from_its_beginning(served, tmp_path):
    commit = served.person.commit({f"{number}": b"%d" % number for number in range(20)})
    asked = (served.url, tmp_path / "shared.git", commit)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(3, spawn) as pool:
        answers = [pool.submit(_read_in_another_process, *asked) for _ in range(3)]

    expected = (commit, {f"{number}": b"%d" % number for number in range(20)})
    assert [answer.result() for answer in answers] == [expected] * 3


def test_threads_may_share_one_repo_while_its_cache_is_deleted(folder):
    commit = folder.person.commit({f"{number}": b"%d" % number for number in range(10)})
    repository = folder.repo()
    cache = repository.remote._mirror.folder

    def ask(number):
        if number % 5 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        return repository.head(), everything(repository, commit)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(20)))

    expected = (commit, {f"{number}": b"%d" % number for number in range(10)})
    assert answers == [expected] * 20


def test_a_cache_that_cannot_be_written_is_a_matter_for_a_person(folder, tmp_path):
    folder.person.commit({"a": b"1"})
    (tmp_path / "file").write_text("")
    there = remote.Remote(folder.url, tmp_path / "file" / "cache.git")

    with pytest.raises(Stalled, match=r"the cache .*cache\.git cannot be written"):
        repo.GitRepo(there, "main", SystemClock()).head()
    with pytest.raises(Stalled, match="cannot be written"):
        ledger.GitLedger(there, SystemClock()).facts()


def test_many_small_packs_are_rolled_into_few(served, monkeypatch):
    monkeypatch.setattr("gitwf.adapters.git.mirror._MOST_PACKS", 3)
    repository = served.repo()
    packs = []
    for number in range(9):
        commit = served.person.commit({f"{number}": b"%d" % number})
        repository.head()
        packs.append(len(list(repository.remote._mirror.folder.glob("objects/pack/*.pack"))))

    assert max(packs) == 3
    assert everything(repository, commit) == {f"{number}": b"%d" % number for number in range(9)}
    assert len(list(repository.history(commit))) == 9
