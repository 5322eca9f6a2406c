"""`reconcile --no-wait` while a reconciler of another host holds the claim."""

import dataclasses
import json

import pytest

from gitwf import wiring
from gitwf.delivery import entry
from gitwf.service import reconcile
from gitwf.wiring import settings
from tests.e2e import conftest as e2e


@pytest.fixture
def claimed(tmp_path, monkeypatch):
    """A remote on which another host has claimed the toy's first version."""
    world = e2e.make(tmp_path / "world")
    monkeypatch.chdir(world.folder)
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    chosen = settings.Settings(remote=world.url, branch="main", state=str(tmp_path / "there"))
    around = wiring.edge(chosen, wiring.repository(chosen))
    there = dataclasses.replace(around, me=entry.Owner("there", "boot", 7, "start"))
    reconcile.Reconciler(there, stopping=lambda: bool(world.trained())).run()
    assert len(world.trained()) == 1
    return world


def test_it_exits_with_3_says_who_and_writes_nothing(gitwf, claimed):
    before = claimed.remote.git("for-each-ref")

    done = gitwf("reconcile", "--no-wait", "-o", "json")

    assert done.code == 3
    told = json.loads(done.out)
    assert told["result"] == "pending"
    assert "version 1 runs: process 7 on there holds the claim" in told["reports"][0]["reason"]
    assert claimed.remote.git("for-each-ref") == before
