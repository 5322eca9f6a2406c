"""Reading a branch without a checkout: modes, links, shallow clones, what changed when."""

import stat

import pytest

from gitwf.adapters.git import remote, repo
from gitwf.errors import Stalled, Transient
from gitwf.testing.clock import ManualClock
from gitwf.testing.git_repository import Link, Script
from gitwf.values import CommitId


def test_a_link_is_neither_read_nor_listed_nor_exported(folder, tmp_path):
    commit = folder.person.commit({"p/link": Link("/etc/passwd"), "p/file": b"1"})
    view = folder.repo()
    view.head()

    view.export(commit, ["p"], tmp_path / "out")

    assert view.read(commit, "p/link") is None
    assert [path for path, _ in view.files(commit)] == ["p/file"]
    assert [path.name for path in (tmp_path / "out" / "p").iterdir()] == ["file"]
    assert view.object_id(commit, "p/link") is not None


def test_modes_are_kept_when_exporting_and_when_publishing(folder, tmp_path):
    base = folder.person.commit({"run.sh": Script(b"#!/bin/sh\n"), "plain": b"1"})
    view = folder.repo()
    view.head()

    commit = view.publish(base, {"run.sh": b"#!/bin/sh\ntrue\n", "plain": b"2"}, "Edit\n")
    view.export(commit, ["."], tmp_path / "out")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {"run.sh": 0o755, "plain": 0o644}
    assert folder.person.git("ls-tree", commit, "run.sh").startswith("100755 blob")


def test_publishing_over_a_link_writes_a_file(folder):
    base = folder.person.commit({"models/m.yaml": Link("elsewhere")})
    view = folder.repo()
    view.head()

    commit = view.publish(base, {"models/m.yaml": b"1"}, "Release\n")

    assert folder.person.git("ls-tree", commit, "models/m.yaml").startswith("100644 blob")


def test_exporting_where_nothing_can_be_written_is_a_matter_for_a_person(folder, tmp_path):
    commit = folder.person.commit({"a/b": b"1"})
    view = folder.repo()
    view.head()
    (tmp_path / "file").write_text("")

    with pytest.raises(Stalled, match="cannot be written"):
        view.export(commit, ["a"], tmp_path / "file")


def test_a_message_that_is_not_utf8_is_still_told(folder):
    first = folder.person.commit({"a": b"1"})
    tree = folder.person.git("rev-parse", f"{first}^{{tree}}")
    raw = f"tree {tree}\nauthor \xff <a@b> 1 +0000\ncommitter \xff <a@b> 1 +0000\n\n\xe9t\xe9\n"
    made = folder.person.git(
        "hash-object", "-t", "commit", "-w", "--stdin", text=raw.encode("latin-1")
    )
    folder.person.force(CommitId(made))
    view = folder.repo()

    told = next(view.history(view.head()))

    assert told.message == "\ufffdt\ufffd\n"
    assert told.author == "\ufffd <a@b>"


@pytest.mark.parametrize("kind", ["path", "file"])
def test_the_history_of_a_shallow_clone_ends_in_a_clear_error(folder, tmp_path, kind):
    folder.person.commit({"a": b"1"})
    head = folder.person.commit({"a": b"2"})
    shallow = tmp_path / "shallow.git"
    folder.person.git("clone", "-q", "--bare", "--depth=1", folder.person.path.as_uri(), shallow)
    folder.url = str(shallow) if kind == "path" else shallow.as_uri()
    view = folder.repo()
    history = view.history(view.head())

    assert next(history).id == head
    with pytest.raises(Stalled, match="is a shallow clone") as stalled:
        next(history)
    assert "fetch-depth: 0" in stalled.value.hint


def test_a_server_with_a_shallow_clone_is_refused_clearly(served):
    served.person.commit({"a": b"1"})
    served.person.commit({"a": b"2"})
    shallow = served.person.path.with_name("shallow.git")
    served.person.git("clone", "-q", "--bare", "--depth=1", served.person.path.as_uri(), shallow)
    served.url = served.server.url("shallow.git")

    with pytest.raises(Stalled, match="is a shallow clone") as stalled:
        served.repo().head()
    assert "--unshallow" in stalled.value.hint


def test_changes_of_a_path_are_told_newest_first(world):
    first = world.person.commit({"models/m": b"1", "x": b""}, "First\n")
    world.person.commit({"x": b"1"}, "Something else\n")
    second = world.person.commit({"models/m": b"2"}, "Second\n")
    third = world.person.commit({"models/m": None}, "Third\n")
    tip = world.person.commit({"x": b"2"}, "Something else\n")
    view = world.repo()
    view.head()

    assert [one.id for one in view.changes(tip, "models/m")] == [third, second, first]
    assert [one.id for one in view.changes(tip, "models")] == [third, second, first]
    assert [one.id for one in view.changes(tip, "models/m", 2)] == [third, second]
    assert view.changes(tip, "nothing") == []
    assert view.changes(tip, "x/below") == []
    assert len(view.changes(tip, ".")) == 5


def test_nothing_is_fetched_when_nothing_moved(served):
    served.person.commit({"a": b"1"})
    view = served.repo()
    view.head()
    before = served.server.counts.copy()
    view.head()

    assert served.server.counts - before == {"info git-upload-pack": 1}


def test_what_we_published_is_not_fetched_back(served):
    view = served.repo()
    view.publish(view.head(), {"a": b"1"}, "Release\n")
    view.head()

    assert served.server.counts["git-upload-pack"] == 0


def test_a_person_on_another_branch_does_not_make_us_fetch(served):
    served.person.commit({"a": b"1"})
    view = served.repo()
    view.head()
    served.person.commit({"b": b"1"}, branch="feature")
    before = served.server.counts["git-upload-pack"]
    view.head()

    assert served.server.counts["git-upload-pack"] == before


def test_the_history_of_another_branch_is_part_of_what_a_merge_contains(folder):
    base = folder.person.commit({"a": b"1"})
    side = folder.person.commit({"b": b"1"}, branch="side")
    merge = CommitId(
        folder.person.git(
            *("-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", f"{base}^{{tree}}"),
            *("-p", base, "-p", side, "-m", "Merge"),
        )
    )
    folder.person.force(merge)
    view = folder.repo()
    view.head()

    assert [one.id for one in view.history(merge)] == [merge, base]
    assert view.contains(merge, side)
    assert not view.contains(base, side)


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("/nothing/at/all", Stalled, "there is no Git repository at /nothing/at/all"),
        ("file:///nothing/at/all", Stalled, "there is no Git repository at /nothing"),
        ("http://127.0.0.1:1/r", Transient, "could not be reached"),
        ("ssh://git@127.0.0.1:1/r", Transient, "could not be reached"),
        ("https://nowhere.invalid/r", Transient, "could not be reached"),
    ],
)
def test_a_remote_that_is_not_there_is_told_apart_from_one_that_is_away(tmp_path, url, error, said):
    view = repo.GitRepo(remote.Remote(url, tmp_path / "cache.git"), "main", ManualClock())

    with pytest.raises(error, match=said):
        view.head()


def test_a_folder_that_is_no_repository_is_a_matter_for_a_person(tmp_path):
    (tmp_path / "plain").mkdir()
    there = remote.Remote(str(tmp_path / "plain"), tmp_path / "cache.git")

    with pytest.raises(Stalled, match="there is no Git repository at"):
        repo.GitRepo(there, "main", ManualClock()).head()
