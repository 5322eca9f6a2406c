"""The server that tests talk to, asked by Git itself."""

import os
import subprocess

import pytest

from gitwf.testing import git_server


@pytest.fixture
def server(tmp_path):
    with git_server.GitServer(tmp_path) as made:
        made.create()
        yield made


def git(*arguments, cwd):
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", *identity, *arguments]
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "false"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def cloned(server, tmp_path):
    git("clone", "-q", server.url("remote.git"), "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / "big").write_bytes(bytes(range(256)) * 8000)
    git("checkout", "-q", "-B", "main", cwd=work)
    git("add", ".", cwd=work)
    git("commit", "-q", "-m", "Big", cwd=work)
    return work


def test_git_clones_and_pushes(server, tmp_path):
    work = cloned(server, tmp_path)
    pushed = git("push", "-q", "origin", "main", cwd=work)
    again = git("clone", "-q", server.url("remote.git"), "again", cwd=tmp_path)

    assert (pushed.returncode, again.returncode) == (0, 0)
    assert (tmp_path / "again" / "big").stat().st_size == 256 * 8000
    assert server.counts["git-receive-pack"] >= 1


def test_git_is_declined_by_the_hook(server, tmp_path):
    work = cloned(server, tmp_path)
    server.decline("remote.git", "it's $5, `not` for you")
    pushed = git("push", "-q", "origin", "main", cwd=work)

    assert pushed.returncode != 0
    assert "it's $5, `not` for you" in pushed.stderr


def test_git_hears_nothing_of_an_answer_that_is_lost(server, tmp_path):
    work = cloned(server, tmp_path)
    server.lose_answers()
    pushed = git("push", "-q", "origin", "main", cwd=work)
    head = git("ls-remote", server.url("remote.git"), "refs/heads/main", cwd=tmp_path)

    assert pushed.returncode != 0
    assert head.stdout.split()[0] == git("rev-parse", "HEAD", cwd=work).stdout.strip()


def test_git_is_asked_for_credentials(tmp_path):
    with git_server.GitServer(tmp_path, user="ada", password="swordfish") as server:
        server.create()
        without = git("ls-remote", server.url("remote.git"), cwd=tmp_path)
        with_them = git("ls-remote", server.url("remote.git", credentials=True), cwd=tmp_path)

    assert without.returncode != 0
    assert with_them.returncode == 0
