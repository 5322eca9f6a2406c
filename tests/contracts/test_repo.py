"""What every Repo keeps, whatever the remote is."""

import pytest

from gitwf.errors import RaceLost, Stalled
from gitwf.testing import git_worlds
from gitwf.values import CommitId, ObjectId

NOWHERE = CommitId("0123456789" * 4)


@pytest.fixture(params=[*git_worlds.LOCAL_KINDS, pytest.param("http", marks=pytest.mark.slow)])
def world(request, tmp_path):
    with git_worlds.world(request.param, tmp_path) as made:
        yield made


def test_an_empty_remote_has_no_head(world):
    assert world.repo().head() is None


def test_an_unborn_branch_has_no_head_beside_others_that_have_one(world):
    world.person.commit({"a": b"1"}, branch="other")

    assert world.repo("main").head() is None


def test_the_branches_are_told_by_name(world):
    assert list(world.repo().branches()) == []
    world.person.commit({"a": b"1"}, branch="other")
    world.person.commit({"a": b"1"}, branch="of/a-folder")

    assert list(world.repo("main").branches()) == ["of/a-folder", "other"]


def test_the_head_follows_a_person(world):
    repo = world.repo()
    first = world.person.commit({"a": b"1"})
    seen = [repo.head()]
    second = world.person.commit({"a": b"2"})
    seen.append(repo.head())

    assert [first, second] == seen


def test_the_head_follows_a_force_push_and_the_lost_commit_can_still_be_read(world):
    repo = world.repo()
    first = world.person.commit({"a": b"1"})
    second = world.person.commit({"a": b"2"})
    repo.head()
    world.person.force(first)

    assert first == repo.head()
    assert repo.read(second, "a") == b"2"


def test_a_deleted_branch_has_no_head(world):
    repo = world.repo()
    world.person.commit({"a": b"1"}, branch="other")
    world.person.commit({"a": b"1"})
    repo.head()
    world.person.force(None)

    assert repo.head() is None


def test_files_are_read_by_path(world):
    commit = world.person.commit({"a/b/c.txt": b"deep", "top": b"", "a/ü": b"\xff\x00"})
    repo = world.repo()
    repo.head()

    assert repo.read(commit, "a/b/c.txt") == b"deep"
    assert repo.read(commit, "/a/b/../b/c.txt") == b"deep"
    assert repo.read(commit, "top") == b""
    assert repo.read(commit, "a/ü") == b"\xff\x00"
    assert repo.read(commit, "a/b") is None
    assert repo.read(commit, "nothing") is None
    assert repo.read(commit, "top/below") is None


def test_a_path_that_leads_out_of_the_repository_is_refused(world):
    commit = world.person.commit({"a": b"1"})
    repo = world.repo()
    repo.head()

    with pytest.raises(ValueError, match="leads out of the repository"):
        repo.read(commit, "../a")


def test_object_ids_are_those_of_git(world):
    files = {"a/b": b"1\n", "a-b": b"2\n", "a.b/c": b"3\n", "ab": b"4\n"}
    commit = world.person.commit(files)
    repo = world.repo()
    repo.head()

    ids = {path: repo.object_id(commit, path) for path in (".", "a", "a.b", "ab")}

    assert {
        ".": ObjectId("b615082ede9ef0be11c915154e2c82e79819b7df"),
        "a": ObjectId("e6d054b534eb36307cee6ca6703610a8836df281"),
        "a.b": ObjectId("b2f4425009094fc2bf650841d1150197a61c62fc"),
        "ab": ObjectId("b8626c4cff2849624fb67f87cd0ad72b163671ad"),
    } == ids
    assert repo.object_id(commit, "nothing") is None


def test_files_are_listed_in_path_order_below_a_folder(world):
    commit = world.person.commit({"a/b": b"1", "a-b": b"2", "a.b/c": b"3", "z": b"4"})
    repo = world.repo()
    repo.head()

    assert [path for path, _ in repo.files(commit)] == ["a-b", "a.b/c", "a/b", "z"]
    assert [path for path, _ in repo.files(commit, "a")] == ["a/b"]
    assert [path for path, _ in repo.files(commit, "z")] == ["z"]
    assert list(repo.files(commit, "nothing")) == []
    assert dict(repo.files(commit))["a/b"] == repo.object_id(commit, "a/b")


def test_the_history_is_told_from_the_tip_back(world):
    first = world.person.commit({"a": b"1"}, "First\n\nBecause.\n")
    second = world.person.commit({"a": b"2"}, "Second\n")
    repo = world.repo()
    repo.head()

    told = list(repo.history(second))

    assert [second, first] == [commit.id for commit in told]
    assert [(first,), ()] == [commit.parents for commit in told]
    assert [commit.message for commit in told] == ["Second\n", "First\n\nBecause.\n"]
    assert told[0].author == "Ada <ada@example.org>"
    assert told[0].time.rfc3339() == "2026-11-23T12:00:00Z"
    assert told[0].tree == repo.object_id(second, ".")


def test_a_commit_that_nobody_has_is_a_matter_for_a_person(world):
    repo = world.repo()
    repo.head()

    with pytest.raises(Stalled, match=f"does not hold the commit {NOWHERE}"):
        repo.read(NOWHERE, "a")


def test_files_are_exported_at_or_below_the_paths(world, tmp_path):
    commit = world.person.commit({"p/a.py": b"code", "p/d/b": b"b", "q/c": b"c", "r": b"r"})
    repo = world.repo()
    repo.head()

    to = tmp_path / "export"
    repo.export(commit, ["p", "r", "nothing"], to)

    written = {
        path.relative_to(to).as_posix(): path.read_bytes()
        for path in to.rglob("*")
        if path.is_file()
    }
    assert written == {"p/a.py": b"code", "p/d/b": b"b", "r": b"r"}


def test_the_first_commit_is_published_to_an_unborn_branch(world):
    repo = world.repo()

    commit = repo.publish(None, {"models/m.yaml": b"1"}, "Release\n")

    assert commit == world.repo().head()
    assert repo.read(commit, "models/m.yaml") == b"1"


def test_what_is_published_changes_the_edited_paths_and_nothing_else(world):
    base = world.person.commit({"a/b": b"1", "a/c": b"2", "d/e/f": b"3", "g": b"4"})
    repo = world.repo()
    repo.head()

    commit = repo.publish(base, {"a/b": b"new", "d/e/f": None, "h/i": b"5"}, "Release\n")

    assert {path: repo.read(commit, path) for path, _ in repo.files(commit)} == {
        "a/b": b"new",
        "a/c": b"2",
        "g": b"4",
        "h/i": b"5",
    }
    assert repo.object_id(commit, "d") is None
    assert [commit, base] == [one.id for one in repo.history(commit)]


def test_publishing_names_gitwf_as_the_author(world):
    repo = world.repo()
    commit = repo.publish(None, {"a": b"1"}, "Release\n\nModel: m@1\n")

    told = next(iter(repo.history(commit)))

    assert told.author == "gitwf <gitwf@localhost>"
    assert told.message == "Release\n\nModel: m@1\n"


def test_publishing_on_a_head_that_moved_loses_the_race(world):
    base = world.person.commit({"a": b"1"})
    repo = world.repo()
    repo.head()
    moved = world.person.commit({"a": b"2"})

    with pytest.raises(RaceLost):
        repo.publish(base, {"b": b"3"}, "Release\n")

    assert moved == repo.head()


def test_publishing_the_first_commit_twice_loses_the_race(world):
    world.repo().publish(None, {"a": b"1"}, "First\n")

    with pytest.raises(RaceLost):
        world.repo().publish(None, {"a": b"2"}, "Second\n")


def test_a_force_push_between_read_and_push_never_brings_the_lost_commit_back(world):
    """T2: fast-forwarding would do; comparing with the value that was planned from does not."""
    first = world.person.commit({"a": b"1"})
    second = world.person.commit({"a": b"2"})
    repo = world.repo()
    repo.head()
    world.person.force(first)

    with pytest.raises(RaceLost):
        repo.publish(second, {"models/m": b"3"}, "Release\n")

    assert first == repo.head()


def test_a_branch_deleted_before_the_push_stays_deleted(world):
    base = world.person.commit({"a": b"1"})
    repo = world.repo()
    repo.head()
    world.person.force(None)

    with pytest.raises(RaceLost):
        repo.publish(base, {"b": b"2"}, "Release\n")

    assert repo.head() is None


def test_publishing_to_another_branch_leaves_the_watched_one(world):
    base = world.person.commit({"a": b"1"})
    repo = world.repo()
    repo.head()

    commit = repo.publish(None, {"models/m": b"2"}, "Release\n", branch="releases")

    assert commit == world.repo("releases").head()
    assert base == repo.head()


def test_a_file_is_never_written_where_a_folder_stands(world):
    base = world.person.commit({"a/b": b"1"})
    repo = world.repo()
    repo.head()

    with pytest.raises(Stalled, match="is a folder where gitwf would write a file"):
        repo.publish(base, {"a": b"2"}, "Release\n")
    with pytest.raises(Stalled, match="is a file where gitwf needs a folder"):
        repo.publish(base, {"a/b/c": b"2"}, "Release\n")
