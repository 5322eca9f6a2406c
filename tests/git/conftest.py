"""Remotes to test against: each is real, most are behind a real Git server."""

import pytest

from gitwf.testing import git_worlds


@pytest.fixture(params=git_worlds.REAL_KINDS)
def world(request, tmp_path):
    with git_worlds.real_world(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def served(tmp_path):
    with git_worlds.real_world("http", tmp_path) as made:
        yield made


@pytest.fixture
def folder(tmp_path):
    with git_worlds.real_world("path", tmp_path) as made:
        yield made
