"""Runs are listed and shown, and what their steps wrote is read back or followed."""

import json
import subprocess
import sys

import pytest

from gitwf.adapters.local import ladder
from tests import waiting
from tests.cli import running

slow = pytest.mark.slow


def test_runs_are_listed_and_one_is_shown(gitwf, place):
    gitwf("run", "quick.yaml")
    (place / "ok").touch()
    gitwf("run", "quick.yaml", "--name", "second")
    head, first, second = gitwf("runs").out.splitlines()

    assert head.split() == ["RUN", "WORKFLOW", "PHASE", "STARTED", "DURATION", "PROGRESS"]
    assert (first.split()[1:3], first.split()[-1]) == (["second", "Succeeded"], "4/4")
    assert (second.split()[1:3], second.split()[-1]) == (["toy", "Failed"], "3/4")
    shown = gitwf("runs", second.split()[0]).out
    assert "✖ check" in shown
    assert "Failed: step check failed: main: Error (exit code 1)" in shown
    assert len(gitwf("runs", "-n", "1").out.splitlines()) == 2


def order_of(place, run):
    return place / "state" / "engine" / "runs" / run / "order.json"


@pytest.mark.parametrize(
    "told",
    [
        "{}",
        "[]",
        '{"at": 1, "source": "", "order": {}}',
        '{"at": 1, "source": "", "order": {"name": "x", "workflow": {"templates": {"local/x": 1}}}}',
    ],
)
def test_a_run_that_another_gitwf_left_is_said_to_be_unreadable_and_hides_no_other(
    gitwf, place, told
):
    (place / "ok").touch()
    gitwf("run", "quick.yaml")
    broken = running.newest(gitwf)["run"]
    gitwf("run", "quick.yaml")
    whole = running.newest(gitwf)["run"]
    order_of(place, broken).write_text(told, "utf-8")

    listed = {one["run"]: one["phase"] for one in json.loads(gitwf("runs", "-o", "json").out)}
    assert listed == {broken: "Unreadable", whole: "Succeeded"}
    assert "Unreadable" in gitwf("runs").out
    for command in ("runs", "logs", "retry", "stop", "resume"):
        said = gitwf(command, broken)
        assert (said.code, "order.json cannot be read: " in said.err) == (1, True)
        assert "  try: it was written by another gitwf or damaged" in said.err


def test_what_a_run_was_ordered_with_is_for_its_owner_alone(gitwf, place):
    gitwf("run", "quick.yaml")

    assert order_of(place, running.newest(gitwf)["run"]).stat().st_mode & 0o777 == 0o600


def test_runs_can_be_looked_at_where_nothing_can_be_written(gitwf, place):
    if not ladder.works("root"):
        pytest.skip("only root of Linux can mount a folder for reading alone")
    gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]
    script = (
        "mount --bind state state && mount -o remount,ro,bind state && "
        'for what in "runs" "runs $1" "logs $1" "logs -f $1"; do "$0" -m gitwf $what || exit; done'
    )
    seen = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, run],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (seen.returncode, seen.stderr) == (0, "")
    assert seen.stdout.count("toy[1].check: x\n") == 2


def test_logs_take_the_last_run_and_a_node_by_any_of_its_names(gitwf, place):
    gitwf("run", "quick.yaml")
    run = running.newest(gitwf)["run"]
    nodes = json.loads(gitwf("runs", run, "-o", "json").out)["status"]["nodes"]
    key = next(one["id"] for one in nodes.values() if one["displayName"] == "each(0:1)")

    assert "toy[0].each(0:1): one 1\n" in gitwf("logs").out
    for name in ("toy[0].each(0:1)", "each(0:1)", key):
        assert gitwf("logs", run, name).out == "one 1\n"
    told = gitwf("logs", run, "chek")
    assert (told.code, told.err) == (
        1,
        f"error: {run} has no node chek\n  try: did you mean `check`?\n",
    )
    told = gitwf("logs", run[:-1] + "z")
    assert told.err.endswith(f"  try: did you mean `{run}`?\n")


GROUPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: groups}
spec:
  entrypoint: main
  templates:
  - name: main
    dag:
      tasks:
      - {name: loop, template: say, withItems: [a, b], arguments: {parameters: [
          {name: m, value: "{{item}}"}]}}
      - {name: nest, template: nest}
      - {name: looped, template: say, arguments: {parameters: [{name: m, value: other}]}}
  - name: nest
    steps:
    - - {name: again, template: again}
      - {name: skipped, template: again, when: "1 == 2"}
  - name: say
    inputs: {parameters: [{name: m}]}
    container: {image: none, command: [echo, "{{inputs.parameters.m}}"]}
  - name: again
    retryStrategy: {limit: 1}
    container: {image: none, command: [sh, -c, "echo try {{retries}}; test {{retries}} = 1"]}
"""
TRIES = [
    "groups.nest[0].again(0): try 0",
    "groups.nest[0].again(0): Error: exit status 1",
    "groups.nest[0].again(1): try 1",
]
LOOP = ["groups.loop(0:a): a", "groups.loop(1:b): b"]


def test_logs_of_what_stands_for_others_are_what_those_wrote(gitwf, place):
    running.write(place, "groups.yaml", GROUPS)
    gitwf("run", "groups.yaml")
    run = running.newest(gitwf)["run"]

    def lines(node, *more):
        return gitwf("logs", run, node, *more).out.splitlines()

    assert lines("loop") == lines("loop", "--follow") == LOOP
    assert lines("again") == lines("nest") == lines("groups.nest[0]") == TRIES
    assert sorted(lines("groups")) == sorted([*LOOP, *TRIES, "groups.looped: other"])
    assert lines("looped") == ["other"]
    skipped = gitwf("logs", run, "skipped")
    assert (skipped.code, skipped.out, skipped.err) == (0, "", "skipped wrote nothing\n")


def test_logs_follow_a_run_until_it_is_over(gitwf, place, begun):
    driver = begun("run", "slow.yaml")
    driver.until("Running    toy")
    run = running.newest(gitwf)["run"]
    (place / "seen").mkdir()
    following = running.Process(place / "seen", "logs", "-f", run)
    following.until("toy: on\n")
    gitwf("stop", run)

    assert (driver.end(), following.end()) == (1, 0)


@slow
def test_whoever_follows_the_logs_is_told_that_nobody_drives_the_run_any_more(gitwf, place, begun):
    driver = begun("run", "slow.yaml")
    driver.until("Running    toy")
    run = running.newest(gitwf)["run"]
    waiting.until(lambda: gitwf("logs", run).out == "toy: on\n", seconds=300)
    driver.popen.kill()
    driver.end()
    told = gitwf("logs", "--follow", run)

    assert (told.code, told.out) == (0, "toy: on\n")
    assert told.err == f"nobody drives {run} any more; `gitwf resume {run}` goes on\n"
    assert gitwf("terminate", run).code == 0
