"""Twenty reconcilers at once on one remote, each a process with a machine of its own.

Half share a machine, half have a state folder each, as on hosts of their own; all race for the same
claim, the same release and the same rollout.
"""

import dataclasses
import re

import pytest

from gitwf.testing import git_server
from tests.e2e import conftest

pytestmark = pytest.mark.slow

RECONCILERS = 20


def test_twenty_reconcilers_give_one_result_and_one_release(world):
    running = [world.start("-m", "gitwf", "reconcile") for _ in range(RECONCILERS)]
    outs = [one.communicate(timeout=conftest.PATIENCE_SECONDS)[0] for one in running]
    assert [one.returncode for one in running] == [0] * RECONCILERS, outs

    entries = world.ledger()
    results = [path for path in entries if path.endswith("/result.json")]
    assert len(results) == 1
    assert len(world.releases()) == 1
    assert [path for path in entries if path.startswith("versions/")] == ["versions/toy/1.json"]
    assert world.served() == "toy-v1"


def test_no_ledger_entry_is_ever_lost(world):
    running = [world.start("-m", "gitwf", "reconcile") for _ in range(8)]
    for one in running:
        one.communicate(timeout=conftest.PATIENCE_SECONDS)
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")

    history = world.remote.git(
        "log", "--format=", "--name-status", "--diff-filter=DM", "gitwf/ledger"
    )
    assert re.findall(r"^[DM]\t(.*)$", history, re.MULTILINE) == []


def test_reconcilers_on_several_machines_over_http_agree(world, gateway):
    world.write({"gitwf.yaml": conftest.PROJECT.replace("file:store", "s3://models/many")})
    with git_server.GitServer(world.folder) as server:
        url = server.url("shop.git")
        machines = [
            dataclasses.replace(world, url=url, state=world.folder / f"state-{number}")
            for number in range(4)
        ]
        running = [one.start("-m", "gitwf", "plan", **gateway) for one in machines]
        outs = [one.communicate(timeout=conftest.PATIENCE_SECONDS)[0] for one in running]

    assert [one.returncode for one in running] == [0] * 4, outs
    assert len(set(outs)) == 1
