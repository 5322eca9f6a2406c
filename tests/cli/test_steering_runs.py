"""A run is steered: told to go on or to end by a person, a signal, or whoever goes away."""

import os
import signal
import subprocess
import sys

import pytest

from tests import waiting
from tests.cli import running

slow = pytest.mark.slow


@pytest.mark.parametrize("command", ["stop", "terminate", "resume"])
def test_nothing_can_be_asked_of_a_run_that_is_over(gitwf, place, command):
    gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]
    told = gitwf(command, run)

    assert (told.code, told.err) == (
        1,
        f"error: {run} is over: Failed\n  try: `gitwf retry {run}` tries it again\n",
    )


@slow
def test_a_run_that_waits_says_how_and_goes_on_from_another_process(gitwf, place, begun):
    (place / "ok").touch()
    driver = begun("run", "wf.yaml")
    run = running.until_it_waits(gitwf)
    driver.until(f"toy[1].ask waits: gitwf resume {run} 'toy[1].ask' -p answer=…")
    assert running.newest(gitwf)["driven"] is True
    assert "Running (suspended)" in gitwf("runs").out

    silent = gitwf("resume", run)
    assert (silent.code, silent.err) == (
        1, "error: toy[1].ask needs to be told answer\n  try: -p answer=…\n"
    )  # fmt: skip
    wrong = gitwf("resume", run, "each(0:1)")
    assert wrong.err == (
        "error: each(0:1) does not wait for anybody\n  try: these wait: toy[1].ask\n"
    )
    odd = gitwf("resume", run, "-p", "other=1")
    assert "no output other is to be supplied here" in odd.err
    told = gitwf("resume", run, "ask", "-p", "answer=yes", "--message", "fine")
    assert told.out == f"{run}: asked to let toy[1].ask go on\n"
    assert driver.end() == 0
    assert gitwf("logs", run, "check").out == "yes\n"


@slow
def test_the_step_that_waits_is_meant_where_the_workflow_has_its_name(gitwf, place, begun):
    (place / "ok").touch()
    driver = begun("run", "wf.yaml", "--name", "ask")
    run = running.until_it_waits(gitwf)

    told = gitwf("resume", run, "ask", "-p", "answer=yes")

    assert told.out == f"{run}: asked to let ask[1].ask go on\n"
    assert driver.end() == 0


@slow
@pytest.mark.parametrize("command", ["stop", "terminate"])
def test_a_run_is_ended_from_another_process(gitwf, place, begun, command):
    driver = begun("run", "wf.yaml")
    run = running.until_it_waits(gitwf)
    assert gitwf(command, run).out == f"{run}: asked to {command}\n"

    assert driver.end() == 1
    assert f"Stopped with strategy '{command.capitalize()}'" in driver.printed
    assert f"to go on: gitwf retry {run}\n" in driver.printed
    assert "wrote at the end" not in driver.printed
    assert (place / "bye").exists() is (command == "stop")


@slow
def test_a_person_says_no_to_one_node(gitwf, place, begun):
    driver = begun("run", "wf.yaml")
    run = running.until_it_waits(gitwf)
    told = gitwf("stop", run, "ask", "--message", "not today")

    assert told.out == f"{run}: asked to give toy[1].ask up\n"
    assert driver.end() == 1
    assert "not today" in driver.printed
    assert (place / "bye").read_text("utf-8") == "bye Failed\n"


@slow
def test_ctrl_c_stops_and_a_second_one_terminates(gitwf, place, begun):
    driver = begun("run", "slow.yaml")
    driver.until("Running    toy")
    driver.popen.send_signal(signal.SIGINT)
    assert driver.end() == 1
    assert "stopping: exit handlers still run" in driver.printed
    assert "Stopped with strategy 'Stop'" in driver.printed
    assert (place / "bye").exists()

    stuck = begun("run", "stuck.yaml")
    stuck.until("Running    toy")
    stuck.popen.send_signal(signal.SIGINT)
    stuck.until("Running    toy.onExit")
    stuck.popen.send_signal(signal.SIGINT)
    assert stuck.end() == 1
    assert "Stopped with strategy 'Terminate'" in stuck.printed


@slow
def test_a_run_whose_process_was_killed_is_seen_and_picked_up(gitwf, place, begun):
    (place / "ok").touch()
    killed = begun("run", "wf.yaml")
    run = running.until_it_waits(gitwf)
    os.kill(killed.popen.pid, signal.SIGKILL)
    killed.end()
    assert "Interrupted" in gitwf("runs").out
    assert f"nobody drives it: `gitwf resume {run}` goes on" in gitwf("runs", run).out

    refused = gitwf("resume", run, "-p", "answer=late")
    assert f"nobody drives {run}; name the NODE that is meant" in refused.err
    picked = begun("resume", run)
    picked.until("toy[1].ask waits: ")
    gitwf("resume", run, "ask", "-p", "answer=late")
    assert picked.end() == 0
    assert gitwf("logs", run, "check").out == "late\n"


@slow
def test_a_killed_run_can_be_stopped_and_its_exit_handler_runs(gitwf, place, begun):
    killed = begun("run", "slow.yaml")
    killed.until("Running    toy")
    os.kill(killed.popen.pid, signal.SIGKILL)
    killed.end()
    run = running.newest(gitwf)["run"]
    told = gitwf("stop", run)

    assert told.code == 0
    assert f"{run}: nobody drives it; going on here" in told.err
    assert (place / "bye").exists()
    assert running.newest(gitwf)["phase"] == "Failed"


@pytest.fixture
def with_terminal():
    """Have what is started here hear of the end of its terminal, though the tests may not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@slow
@pytest.mark.usefixtures("with_terminal")
def test_the_end_of_the_terminal_leaves_the_run_and_what_it_ran(gitwf, place, begun):
    running.write(
        place,
        "slow.yaml",
        running.SLOW.replace("echo on; sleep", "echo $$$$ > PLACE/pid; exec sleep"),
    )
    driver = begun("run", "slow.yaml")
    waiting.until(lambda: (place / "pid").exists() and pid(place), seconds=300)
    step = pid(place)
    driver.popen.send_signal(signal.SIGHUP)

    assert driver.end() == 130
    run = running.newest(gitwf)["run"]
    assert f"the run is left as it is; `gitwf resume {run}` goes on" in driver.printed
    assert f"{run}: Running; nobody drives it" in gitwf("runs", run).out
    with pytest.raises(ProcessLookupError):
        os.kill(step, 0)


def pid(place):
    return int((place / "pid").read_text("utf-8") or 0)


@slow
def test_a_run_that_nobody_reads_any_more_is_left_and_says_so(gitwf, place):
    (place / "ok").touch()
    with subprocess.Popen(
        [sys.executable, "-m", "gitwf", "run", "wf.yaml"],
        cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as driver:  # fmt: skip
        assert driver.stdout is not None
        driver.stdout.readline()
        driver.stdout.close()
        _, said = driver.communicate(timeout=300)
    run = running.newest(gitwf)["run"]

    assert driver.returncode == 1
    assert said == (
        "error: nobody reads the output any more; the run is left as it is\n"
        f"  try: `gitwf resume {run}` goes on\n"
    )
    assert f"{run}: Running; nobody drives it" in gitwf("runs", run).out
