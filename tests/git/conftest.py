"""Remotes to test against: each is real, most are behind a real Git server."""

import pytest

from gitwf.testing import git_worlds


def pytest_collection_modifyitems(items):
    """A test that starts a server is a slow one."""
    for item in items:
        if {"served", "server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["path", "file", pytest.param("http", marks=pytest.mark.slow)])
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
