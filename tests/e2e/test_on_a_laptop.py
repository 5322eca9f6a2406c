"""`--local`: the whole loop on a checkout that gitwf has released from, with nothing pushed."""

import subprocess

import pytest

from tests.e2e import conftest

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(two):
    """A person's clone of a world whose second version was released."""
    folder = two.folder / "clone"
    subprocess.run(["git", "clone", "-q", two.url, str(folder)], check=True)
    return folder


def everything(world, checkout):
    """What a person has: refs and objects of remote and checkout, and the checkout's files."""
    told = [
        subprocess.check_output(["git", *command], text=True, cwd=folder)
        for folder in (world.remote.path, checkout)
        for command in (["for-each-ref"], ["count-objects", "-v"])
    ]
    files = [path for path in checkout.rglob("*") if ".git" not in path.parts]
    return told, {path: path.read_bytes() for path in files if path.is_file()}


def at(world, checkout, *arguments, code=0):
    process = world.start("-m", "gitwf", *arguments, folder=checkout)
    out, _ = process.communicate(timeout=conftest.PATIENCE_SECONDS)
    assert process.returncode == code, out
    return out


def test_a_checkout_with_release_commits_is_delivered_locally_and_nothing_is_left(world, checkout):
    before = everything(world, checkout)

    first = at(world, checkout, "reconcile", "--local")
    again = at(world, checkout, "reconcile", "--local")

    for out in (first, again):
        assert "production serves toy-v1 at" in out
        assert "reconcile: in-sync" in out
    assert everything(world, checkout) == before
    assert world.served() == "toy-v2"
    assert "production: stopped" in at(world, checkout, "down", "production", "--local")
    assert list((world.state / "local").iterdir()) == []
    assert "was not running" in at(world, checkout, "down", "production", "--local")
    assert everything(world, checkout) == before


def test_a_local_reconcile_that_fails_leaves_the_branch_alone_as_well(world, checkout):
    (checkout / "pipelines/toy/before.sh").write_text("exit 3\n")
    subprocess.run(
        ["git", "-c", "user.name=Eve", "-c", "user.email=e@example.com", "commit", "-qam", "Break"],
        cwd=checkout,
        check=True,
    )
    before = everything(world, checkout)

    out = at(world, checkout, "reconcile", "--local", code=1)

    assert "step estimate failed: main: Error (exit code 3)" in out
    assert everything(world, checkout) == before
    assert world.served() == "toy-v2"
