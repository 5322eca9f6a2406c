"""The shell steps of action.yml, run by bash as a runner of GitHub Actions would run them."""

import pytest

from tests.action import conftest
from tests.e2e import conftest as e2e

pytestmark = pytest.mark.slow


def test_a_plan_tells_what_is_pending_and_does_nothing(act, world):
    before = world.remote.git("for-each-ref")

    done = act(command="plan")

    assert done.code == 0, done.log
    assert done.outputs["result"] == "pending"
    assert done.outputs["exit-code"] == "0"
    assert [(row["model"], row["action"]) for row in conftest.rows(done.outputs["plan"])][:1] == [
        ("toy", "claim")
    ]
    assert "| model | environment | action | why |" in done.summary
    assert "it was never trained" in done.summary
    assert done.annotations() == []
    assert world.remote.git("for-each-ref") == before


def test_a_reconcile_tells_what_is_served(act, world):
    done = act(command="reconcile")

    assert done.code == 0, done.log
    assert world.served() == "toy-v1"
    assert done.outputs["result"] == "in-sync"
    assert done.outputs["exit-code"] == "0"
    assert [
        (row["model"], row["environment"], row["state"], row["reason"])
        for row in conftest.rows(done.outputs["releases"])
    ] == [("toy", "production", "synced", "serves version 1")]
    assert done.summary.splitlines()[0] == "### gitwf reconcile: in-sync"
    assert done.annotations() == []


@pytest.mark.parametrize("command", ["plan", "reconcile"])
def test_a_broken_document_is_annotated_at_its_place(act, world, command):
    broken = e2e.PIPELINE.replace("environment: production", "environment: prodution")
    world.write({"pipelines/toy/pipeline.yaml": broken}, "Break it")

    done = act(command=command)

    says = "the environment `prodution` is not in gitwf.yaml (did you mean `production`?)"
    assert done.code == 2
    assert done.outputs["result"] == "rejected"
    assert done.outputs["exit-code"] == "2"
    assert done.annotations() == [
        f"::error file=pipelines/toy/pipeline.yaml,line=15,col=19::{says}"
    ]
    assert f"pipelines/toy/pipeline.yaml:15:19: {says}" in done.summary


def test_a_broken_project_is_annotated_too(act, world):
    world.write({"gitwf.yaml": e2e.PROJECT.replace("store:", "stores:")}, "Break it")

    done = act(command="plan")

    assert (done.code, done.outputs["result"], done.outputs["exit-code"]) == (2, "rejected", "2")
    assert done.annotations() == [
        "::error file=gitwf.yaml,line=5,col=3::`spec`: `store` is required",
        "::error file=gitwf.yaml,line=5,col=3::unknown field `stores` (did you mean `store`?)",
    ]
    assert "gitwf.yaml:5:3: unknown field `stores`" in done.summary


def test_a_failed_step_fails_the_job_and_says_so(act, world):
    world.push("Broken", before="exit 3\n")

    done = act(command="reconcile")

    assert (done.code, done.outputs["result"], done.outputs["exit-code"]) == (1, "failed", "1")
    assert "version 1 failed" in done.summary
    assert "exit code 3" in done.log
    (annotation,) = done.annotations()
    assert annotation.startswith("::error::toy: ")
    assert "exit code 3" in annotation


def test_what_only_a_person_can_mend_is_annotated(act, world):
    world.write(dict.fromkeys(e2e.FILES), "Empty it")

    done = act(command="reconcile", arguments="--remote\n/nowhere/shop.git")

    assert (done.code, done.outputs["result"]) == (1, "failed")
    assert done.annotations()[0].startswith("::error::there is no Git repository at /nowhere")
    assert done.summary.splitlines()[0] == "### gitwf: failed"


def test_an_unknown_command_is_refused_before_anything_runs(act, world):
    done = act(command="rollback; echo injected")

    assert done.code == 2
    assert done.annotations() == [
        "::error::command must be plan or reconcile, not rollback; echo injected"
    ]
    assert set(done.outputs.values()) == {""}


def test_arguments_are_one_a_line_and_never_read_by_the_shell(act, world):
    done = act(command="plan", arguments="--exit-code\n\n--remote\n/no such $(touch injected)\n")

    assert done.code == 1
    assert "/no such $(touch injected)" in done.log
    assert list(world.folder.rglob("injected")) == []
    assert act(command="plan", arguments="--exit-code").outputs["exit-code"] == "3"


def test_a_pull_request_is_planned_by_its_own_commit(act, world):
    world.gitwf("reconcile")
    assert act(command="plan").outputs["result"] == "in-sync"

    done = act({"pipelines/toy/mape.txt": "0.1\n"}, event="pull_request", command="plan")

    assert done.code == 0, done.log
    assert done.outputs["result"] == "pending"
    assert "pipelines/toy" in done.summary


def test_pip_installs_the_pinned_action_or_what_was_asked_for(act, tmp_path):
    act(command="plan")
    pinned = ["--constraint", str(conftest.ROOT / "constraints.txt")]
    assert (tmp_path / "runner" / "pip.txt").read_text().split()[-3:] == [
        *pinned,
        str(conftest.ROOT),
    ]

    act(command="plan", source="gitwf==0.1.0")
    assert (tmp_path / "runner" / "pip.txt").read_text().split()[-3:] == [*pinned, "gitwf==0.1.0"]


def test_the_token_is_never_shown(act, world):
    done = act(command="reconcile")
    wrong = act(command="plan", arguments=f"--remote\nhttp://x:{conftest.TOKEN}@127.0.0.1:9/a.git")

    assert wrong.code == 1
    for shown in (done, wrong):
        assert conftest.TOKEN not in shown.log + shown.summary + str(shown.outputs)
