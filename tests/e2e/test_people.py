"""What people say by command, by hand and by `git revert`, through the real command line."""

import json
import subprocess

import pytest

from gitwf.adapters.viewer import control
from tests import waiting
from tests.e2e import conftest

pytestmark = pytest.mark.slow
ADA = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}


def named(world):
    """The version that production's release file names."""
    return int(world.remote.git("show", "main:models/toy/production.yaml").split("version: ")[1][0])


def test_a_promotion_is_a_commit_by_its_person_and_is_served(two):
    out = two.gitwf("promote", "toy@1", "--reason", "the fair needs it", **ADA)

    assert "the next reconcile rolls it out" in out
    assert named(two) == 1
    by, said = two.remote.git("log", "-1", "--format=%an <%ae>%n%B", "main").split("\n", 1)
    assert by == "Ada <ada@example.org>"
    assert said.startswith("Release toy@1 to production\n\nthe fair needs it\n\nModel: toy@1\n")
    assert two.served() == "toy-v2"
    two.gitwf("reconcile")
    assert two.served() == "toy-v1"
    assert len(two.trained()) == 2


def test_a_rollback_goes_to_the_last_good_version_untrained_and_sticks(two):
    two.gitwf("rollback", "toy")
    two.gitwf("reconcile")
    two.gitwf("reconcile")

    assert two.served() == "toy-v1"
    assert len(two.trained()) == 2


def test_a_hold_bars_the_next_version_until_it_is_let_go(world):
    world.gitwf("reconcile")
    out = world.gitwf("hold", "toy", "--reason", "the fair is on")
    assert "the next reconcile promotes nothing there" in out
    world.push("Better", mape="0.1\n")

    out = world.gitwf("reconcile")

    assert "the fair is on" in out
    assert world.served() == "toy-v1"
    assert "the fair is on" in world.gitwf("status")
    world.gitwf("unhold", "toy")
    world.gitwf("reconcile")
    assert world.served() == "toy-v2"


def test_a_rejected_version_is_not_chosen_by_automation(world):
    world.gitwf("reconcile")
    world.gitwf("hold", "toy")
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    world.gitwf("reject", "toy@2", "--reason", "trained on the wrong table")
    world.gitwf("unhold", "toy")

    world.gitwf("reconcile")

    assert world.served() == "toy-v1"
    assert "rejected" in world.gitwf("history", "toy")


def test_a_hand_edit_of_the_release_file_is_a_release(two):
    first = two.remote.git("show", f"{two.releases()[-1]}:models/toy/production.yaml")
    two.write({"models/toy/production.yaml": first + "\n"}, "Serve version 1 again")

    two.gitwf("reconcile")

    assert two.served() == "toy-v1"
    assert "person" in two.gitwf("history", "toy", "--releases")


def test_a_hand_edit_that_lies_about_the_digest_is_refused_and_the_old_model_serves(two):
    text = two.remote.git("show", "main:models/toy/production.yaml")
    digest = text.split("digest: ")[1].split()[0]
    lie = text.replace(digest, '"sha256:' + "0" * 64 + '"')
    two.write({"models/toy/production.yaml": lie + "\n"}, "Lie")

    out = two.gitwf("reconcile", code=1)

    assert "uri and digest are not those of version 2" in out
    assert two.served() == "toy-v2"


def test_git_revert_of_a_release_in_a_clone_serves_the_version_before(two):
    clone = two.folder / "clone"

    def git(*arguments):
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=clone, check=True, capture_output=True)

    subprocess.run(["git", "clone", "-q", two.url, str(clone)], check=True)
    git("revert", "--no-edit", two.releases()[0])
    git("push", "-q", "origin", "HEAD:main")

    out = two.gitwf("reconcile")

    assert two.served() == "toy-v1"
    assert "Running" not in out
    assert two.gitwf("history", "toy", "-o", "json").count('"withdrawn"') >= 1


def test_a_retraining_is_asked_for_with_its_reason_and_made_once(world):
    world.gitwf("reconcile")
    head = world.remote.git("rev-parse", "main:pipelines")

    out = world.gitwf("retrain", "toy", "--reason", "the feed was late", **ADA)
    assert "the next reconcile trains it" in out
    out = world.gitwf("reconcile")
    world.gitwf("reconcile")

    assert "the feed was late" in out
    assert len(world.trained()) == 2
    assert world.served() == "toy-v2"
    assert world.remote.git("rev-parse", "main:pipelines") == head
    assert "asked by   Ada <ada@example.org>: the feed was late" in world.gitwf("show", "toy@2")
    assert "asked by" not in world.gitwf("show", "toy@1")


def test_a_failed_key_waits_for_a_person_and_is_tried_again_when_one_says_so(world, tmp_path):
    mended = tmp_path / "mended"
    world.push("Needs a machine", before=f"test -e {mended} || exit 3\n")
    world.gitwf("reconcile", code=1, GITWF_ISOLATION="none")
    mended.touch()
    out = world.gitwf("reconcile", code=1, GITWF_ISOLATION="none")
    assert "gitwf retry toy" in out
    assert len(world.trained()) == 1

    world.gitwf("retry", "toy", "--reason", "the machine is there now")
    world.gitwf("reconcile", GITWF_ISOLATION="none")

    assert world.served() == "toy-v1"
    assert [one["version"] for name, one in world.ledger().items() if name in world.trained()] == [
        1,
        1,
    ]


def test_a_plan_says_by_its_exit_code_whether_changes_are_pending(world):
    assert "1 change pending" in world.gitwf("plan", "--exit-code", code=3)
    world.gitwf("reconcile")
    assert "every environment is what Git says" in world.gitwf("plan", "--exit-code", code=0)


def test_a_changed_port_moves_what_is_served_and_leaves_no_front_behind(world):
    world.gitwf("reconcile")
    old = world.front()
    port = old["port"] + 100
    moved = conftest.PROJECT.replace("{local: {}}", f"{{local: {{port: {port}}}}}")
    world.write({"gitwf.yaml": moved}, "Move")

    plan = json.loads(world.gitwf("plan", "-o", "json"))
    status = json.loads(world.gitwf("status", "-o", "json"))["environments"]
    world.gitwf("reconcile")

    pending = [row for row in plan["actions"] if row["pending"]]
    assert [row["action"] for row in pending] == ["roll out"]
    assert f"no longer at {old['url']}" in pending[0]["reason"]
    assert [(row["served"], row["state"]) for row in status] == [("toy-v1", "pending")]
    waiting.until(lambda: len(world.answering()) == 1)
    assert world.front()["port"] == port
    assert world.served() == "toy-v1"
    assert "nothing to do" in world.gitwf("plan")


@pytest.mark.parametrize("what", ["the model", "the environment"])
def test_a_front_that_nothing_names_any_more_is_reported_and_can_be_stopped(world, what):
    world.gitwf("reconcile")
    url = world.front()["url"]
    removed = {
        "the model": dict.fromkeys(
            [name for name in conftest.FILES if name.startswith("pipelines/")]
            + ["models/toy/production.yaml"]
        ),
        "the environment": {
            "gitwf.yaml": conftest.PROJECT.replace("production:", "staging:"),
            "pipelines/toy/pipeline.yaml": conftest.PIPELINE.split("  deploy:")[0],
            "models/toy/production.yaml": None,
        },
    }
    world.write(removed[what], f"Remove {what}")

    for command in ("plan", "status", "reconcile"):
        out = world.gitwf(command)
        assert f"its viewer still runs at {url}" in out
        assert "toy" in out
    assert "gitwf down production --model toy" in world.gitwf("plan")
    status = world.gitwf("status")
    assert f"a viewer at {url}" in status
    assert "nothing" not in status

    assert "production: stopped" in world.gitwf("down", "production", "--model", "toy")
    assert "still runs" not in world.gitwf("plan")
    assert world.answering() == []


def test_the_status_says_where_people_see_a_model_and_what_a_person_can_do(two):
    (front,) = two.fronts()
    url = control.url(front)
    path = "models/toy/production.yaml"
    lie = two.remote.git("show", f"main:{path}").replace("version: 2", "version: 1")
    two.write({path: lie}, "Lie")

    rows = json.loads(two.gitwf("status", "-o", "json"))["environments"]
    two.gitwf("reconcile", code=1)

    assert [(row["served"], row["url"]) for row in rows] == [("toy-v2", url)]
    out = two.gitwf("status")
    assert f"toy-v2 at {url}" in out
    assert "(try: gitwf promote toy@VERSION --in ENVIRONMENT writes all three fields)" in out


def test_fsck_says_by_its_exit_code_whether_all_fits(two):
    assert two.gitwf("fsck", "--store") == "2 versions checked: nothing wrong\n"
    (first, *_) = sorted(two.folder.glob("store/toy/sha256/*/model.json"))
    first.write_text("{}")

    assert "2 versions checked: nothing wrong" in two.gitwf("fsck")
    out = two.gitwf("fsck", "--store", code=1)
    assert "find out who changed the store" in out
    assert out.splitlines()[-1] == "2 versions checked: 1 thing does not fit"


def test_a_pipeline_that_was_never_trained_has_an_empty_history(world):
    assert world.gitwf("history", "toy") == "toy has no version yet\n"
    out = world.gitwf("history", "tyo", code=1)
    assert "there is no model tyo" in out


def test_nothing_is_called_in_order_while_a_pipeline_cannot_be_read(world):
    world.write({"pipelines/toy/pipeline.yaml": "spec: 3\n"}, "Break it")

    plan, status = world.gitwf("plan", code=2), world.gitwf("status", code=2)

    assert "nothing to do until a person mends the documents" in plan
    assert "in sync" not in status
    assert "no document can be read" in status
