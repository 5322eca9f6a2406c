"""The main job, each line of it as a user would see it: push, train, release, serve, revert."""

import re
import shlex
import shutil

import pytest

from gitwf.testing.clock import NOON
from tests.e2e import conftest

pytestmark = pytest.mark.slow


def test_a_push_becomes_a_served_model(world):
    out = world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert "reconcile: in-sync" in out
    assert len(world.trained()) == 1


def test_a_second_reconcile_does_nothing(world):
    world.gitwf("reconcile")
    before = world.remote.git("rev-parse", "main", "gitwf/ledger")

    world.gitwf("reconcile")

    assert world.remote.git("rev-parse", "main", "gitwf/ledger") == before


def test_a_reconcile_that_runs_nothing_loads_no_engine(world):
    world.gitwf("reconcile")
    program = (
        "import sys\nfrom gitwf import cli\n"
        "try: cli.main(['reconcile'])\nexcept SystemExit as ended: assert not ended.code\n"
        "print('gitwf.workflow.machine' in sys.modules)"
    )

    said, _ = world.start("-c", program).communicate(timeout=conftest.PATIENCE_SECONDS)

    assert said.splitlines()[-2:] == ["reconcile: in-sync", "False"]


def test_a_better_model_follows_and_a_worse_one_is_held_back(world):
    world.gitwf("reconcile")
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    assert world.served() == "toy-v2"

    world.push("Worse", mape="0.3\n")
    out = world.gitwf("reconcile")

    assert world.served() == "toy-v2"
    assert "held back by its gates" in out
    assert "0.3" in out


def test_a_release_revert_serves_the_old_model_untrained_and_sticks(world):
    world.gitwf("reconcile")
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    trained = world.trained()

    world.revert(world.releases()[0])
    world.gitwf("reconcile")
    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert world.trained() == trained


def test_a_code_revert_serves_the_old_model_untrained(world):
    world.gitwf("reconcile")
    newer = world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    trained = world.trained()
    assert world.served() == "toy-v2"

    world.write(
        {
            "pipelines/toy/pipeline.yaml": conftest.PIPELINE.split("    gates:")[0]
            + "  deploy:\n  - {environment: production, manifests: /manifests/viewer}\n"
        }
    )
    world.revert(newer)
    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert world.trained() == trained


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipelines/toy/README.md", "Words.\n"),
        ("pipelines/toy/pipeline.yaml", conftest.PIPELINE.replace("< 0.5", "< 0.6")),
        ("models/notes.txt", "not read\n"),
        ("elsewhere/code.py", "1\n"),
    ],
    ids=["a README", "a gate", "a file in models", "another folder"],
)
def test_what_is_no_input_trains_nothing(world, path, text):
    world.gitwf("reconcile")
    trained, pid = world.trained(), world.front()["serving"]["pid"]

    world.write({path: text})
    world.gitwf("reconcile")

    assert world.trained() == trained
    assert world.front()["serving"]["pid"] == pid


def test_a_changed_viewer_rolls_out_and_trains_nothing(world):
    world.gitwf("reconcile")
    trained, before = world.trained(), world.front()["serving"]

    world.write({"pipelines/toy/viewer/notes.txt": "new\n"})
    world.gitwf("reconcile")

    after = world.front()["serving"]
    assert world.trained() == trained
    assert after["model"] == before["model"]
    assert after["viewer"] != before["viewer"]
    assert after["pid"] != before["pid"]


def test_a_schedule_trains_again_with_git_unchanged(world):
    scheduled = conftest.PIPELINE.replace(
        'paths: ["."]', 'paths: ["."], schedule: {cron: "0 * * * *", timezone: Asia/Tokyo}'
    )
    world.write({"pipelines/toy/pipeline.yaml": scheduled})
    world.reconcile_at(NOON.after(600))
    code = world.remote.git("rev-parse", "main:pipelines")

    world.reconcile_at(NOON.after(4000))
    world.reconcile_at(NOON.after(4001))
    world.reconcile_at(NOON.after(7300))

    assert world.remote.git("rev-parse", "main:pipelines") == code
    assert len(world.trained()) == 3
    assert world.served() == "toy-v3"
    assert "asked by   its schedule, due at 20" in world.gitwf("show", "toy@2")


def test_everything_outside_git_and_the_store_can_be_deleted(world):
    world.gitwf("reconcile")
    before = world.remote.git("rev-parse", "main")
    trained = world.trained()
    world.down()
    shutil.rmtree(world.state)

    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert world.trained() == trained
    assert world.remote.git("rev-parse", "main") == before


def test_a_step_that_fails_fails_the_reconcile_and_keeps_what_is_served(world):
    world.gitwf("reconcile")
    world.push("Broken", before="echo no luck >&2; exit 3\n")

    out = world.gitwf("reconcile", code=1)

    assert world.served() == "toy-v1"
    assert "step estimate failed: main: Error (exit code 3)" in out
    assert "no luck" in world.gitwf(*shlex.split(re.search("`gitwf (logs [^`]+)`", out)[1]))
    again = world.gitwf("reconcile", code=1)
    assert "gitwf retry toy" in again
