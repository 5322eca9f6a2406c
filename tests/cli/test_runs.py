"""What a run that failed says, and how it is tried again."""

import pytest

from tests.cli import running

slow = pytest.mark.slow


def test_a_failure_shows_what_the_step_wrote_and_how_to_go_on(gitwf, place):
    told = gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]

    assert told.code == 1
    assert "check wrote at the end:\n  x\n" in told.out
    assert told.out.endswith(f"once it is mended: gitwf retry {run}\n")
    assert told.err == (
        "error: the run did not succeed: step check failed: main: Error (exit code 1)\n"
    )


def test_a_failed_run_is_tried_again_and_only_what_failed_runs(gitwf, place):
    gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]
    (place / "ok").touch()
    told = gitwf("retry", run)

    assert told.code == 0
    assert "Kept       2 that went well before" in told.out
    assert "Running    toy[1].check" in told.out
    assert "each" not in told.out
    assert (place / "bye").read_text("utf-8") == "bye Succeeded\n"
    again = gitwf("retry", run)
    assert (again.code, again.err) == (
        1,
        "error: toy has succeeded; only what has failed can be tried again\n",
    )


def test_what_is_neither_a_run_nor_a_model_is_said_to_be_neither(gitwf, place):
    told = gitwf("retry", "nothing")
    assert told.code == 1
    assert told.err.startswith("error: there is no run nothing on this machine, and as a model: ")

    gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]
    assert "--reason is for a model" in gitwf("retry", run, "--reason", "because").err
    assert "-p is for a run" in gitwf("retry", "nothing", "-p", "a=b").err
    assert f"{run} has no parameter pp" in gitwf("retry", run, "-p", "pp=1").err
