"""`gitwf plan --checkout`: what a pull request would do, said before it is merged."""

import json
import subprocess

import pytest

from tests.e2e import conftest

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(world):
    """A person's clone of the served world; `git` runs in it."""
    world.gitwf("reconcile")
    folder = world.folder / "clone"
    subprocess.run(["git", "clone", "-q", world.url, str(folder)], check=True)

    def commit(path, text):
        (folder / path).write_text(text)
        who = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]
        subprocess.run(
            ["git", *who, "commit", "-qam", "Propose"], cwd=folder, check=True, capture_output=True
        )

    return folder, commit


def plan(world, folder, *arguments):
    process = world.start("-m", "gitwf", "plan", "--checkout", *arguments, folder=folder)
    out, _ = process.communicate(timeout=conftest.PATIENCE_SECONDS)
    return process.returncode, out


def test_a_proposal_says_what_would_train_and_why(world, checkout):
    folder, commit = checkout
    commit("pipelines/toy/mape.txt", "0.1\n")
    before = world.remote.git("rev-parse", "main", "gitwf/ledger")

    code, out = plan(world, folder, "--exit-code")

    assert code == 3, out
    assert "pipelines/toy/mape.txt changed" in out
    assert world.remote.git("rev-parse", "main", "gitwf/ledger") == before


def test_a_proposal_of_a_viewer_rolls_out_and_trains_nothing(world, checkout):
    folder, commit = checkout
    commit("pipelines/toy/viewer/notes.txt", "new\n")

    _, out = plan(world, folder, "-o", "json")

    actions = [row["action"] for row in json.loads(out)["actions"] if row["pending"]]
    assert actions == ["roll out"]


def test_a_proposal_is_planned_under_the_gates_of_the_branch(world, checkout):
    folder, commit = checkout
    world.push("Worse", mape="0.4\n")
    world.gitwf("reconcile")
    subprocess.run(["git", "pull", "-q"], cwd=folder, check=True)
    commit(
        "pipelines/toy/pipeline.yaml",
        conftest.PIPELINE.split("    gates:")[0] + "  deploy:\n"
        "  - {environment: production, manifests: /manifests/viewer}\n",
    )

    _, out = plan(world, folder)

    assert "held back by its gates" in out
