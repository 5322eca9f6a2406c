"""What works while the remote is out of reach: looking back, and stopping what runs here."""

import dataclasses
import subprocess

import pytest

from gitwf.testing import git_server
from tests.e2e import conftest

pytestmark = pytest.mark.slow


def told(world, folder=None, **more):
    """What an auditor is told."""
    commands = (["history", "toy"], ["history", "--releases"], ["show", "toy@1"])
    said = []
    for command in (*commands, ["diff", "toy@1", "2"]):
        process = world.start("-m", "gitwf", *command, folder=folder, **more)
        out, _ = process.communicate(timeout=conftest.PATIENCE_SECONDS)
        assert process.returncode == 0, out
        said.append(out)
    return said


def without_notice(said):
    """The results alone; each must say that it is as of an earlier time."""
    results = [one.split("\n", 2) for one in said]
    assert all(lines[1].startswith("offline: as of ") for lines in results)
    return [lines[2] for lines in results]


def test_a_server_that_is_down_leaves_the_history_that_was_seen_last(two):
    with git_server.GitServer(two.folder) as server:
        world = dataclasses.replace(two, url=server.url("shop.git"))
        before = told(world)

    after = told(world)

    assert without_notice(after) == before
    assert all("could not be reached" in one for one in after)
    assert "could not be reached" in world.gitwf("plan", code=1)


def test_a_folder_that_is_gone_leaves_the_history_that_a_clone_has(two):
    clone = two.folder / "clone"
    subprocess.run(["git", "clone", "-q", two.url, str(clone)], check=True)
    before = told(two, clone)
    two.remote.path.rename(two.folder / "moved.git")

    after = told(two, clone)

    assert without_notice(after) == before
    assert all("there is no Git repository at" in one for one in after)
    (two.folder / "moved.git").rename(two.remote.path)


def test_who_may_not_read_the_remote_any_more_still_has_a_clone(two, tmp_path):
    clone = two.folder / "clone"
    with git_server.GitServer(two.folder, user="ada", password="s3cret") as server:
        url = server.url("shop.git")
        subprocess.run(["git", "clone", "-q", two.url, str(clone)], check=True)
        subprocess.run(["git", "-C", str(clone), "remote", "set-url", "origin", url], check=True)
        world = dataclasses.replace(two, url=url, state=tmp_path / "auditor")

        after = told(world, clone, GITWF_GIT_PASSWORD="of-last-year", GITWF_GIT_USERNAME="ada")

    assert without_notice(after) == told(two)
    assert all("did not accept the credentials" in one for one in after)
    assert not any("of-last-year" in one for one in after)


def test_without_a_clone_and_without_a_cache_it_is_the_error_that_it_is(two, tmp_path):
    two.remote.path.rename(two.folder / "moved.git")

    out = dataclasses.replace(two, state=tmp_path / "new").gitwf("history", "toy", code=1)

    assert "there is no Git repository at" in out
    (two.folder / "moved.git").rename(two.remote.path)


def test_a_viewer_is_stopped_although_the_remote_is_gone(two):
    two.remote.path.rename(two.folder / "moved.git")

    assert "production: stopped" in two.gitwf("down", "production")
    assert two.answering() == []
    (two.folder / "moved.git").rename(two.remote.path)


def test_a_folder_is_one_remote_by_whatever_way_it_is_named(two):
    by_file = dataclasses.replace(two, url=two.remote.path.as_uri())
    link = two.folder / "link.git"
    link.symlink_to(two.remote.path)

    for world in (by_file, dataclasses.replace(two, url=str(link))):
        assert "toy-v2 at http://127.0.0.1:" in world.gitwf("status")
        assert "nothing to do" in world.gitwf("plan")
