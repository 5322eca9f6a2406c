"""The life of a run from the command line: begun, looked at, steered from elsewhere, tried again."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import yaml

from gitwf.adapters.local import ladder
from tests.local import test_stopping

slow = pytest.mark.slow
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: toy}
spec:
  entrypoint: main
  onExit: bye
  arguments: {parameters: [{name: p, value: one}, {name: l, value: "[1,2]"}]}
  templates:
  - name: main
    steps:
    - - {name: each, template: say, withParam: "{{workflow.parameters.l}}",
         arguments: {parameters: [{name: m, value: "{{workflow.parameters.p}} {{item}}"}]}}
    - - {name: ask, template: ask}
    - - {name: check, template: check, arguments: {parameters: [
          {name: m, value: "{{steps.ask.outputs.parameters.answer}}"}]}}
  - name: ask
    suspend: {}
    outputs: {parameters: [{name: answer, valueFrom: {supplied: {}}}]}
  - name: say
    inputs: {parameters: [{name: m}]}
    container: {image: none, command: [echo, "{{inputs.parameters.m}}"]}
  - name: check
    inputs: {parameters: [{name: m}]}
    container:
      image: none
      command: [sh, -c, "echo {{inputs.parameters.m}}; test -e PLACE/ok"]
  - name: bye
    container: {image: none, command: [sh, -c, "echo bye {{workflow.status}} > PLACE/bye"]}
"""
SLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: toy}
spec:
  entrypoint: main
  onExit: bye
  templates:
  - {name: main, container: {image: none, command: [sh, -c, "echo on; sleep 100"]}}
  - {name: bye, container: {image: none, command: [sh, -c, "echo bye > PLACE/bye; LAST"]}}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with two workflows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITWF_ISOLATION", "none")
    write(tmp_path, "wf.yaml", WORKFLOW)
    write(tmp_path, "slow.yaml", SLOW.replace("LAST", "true"))
    write(tmp_path, "stuck.yaml", SLOW.replace("LAST", "sleep 100"))
    quick = {**yaml.safe_load(WORKFLOW)}
    quick["spec"]["templates"][0]["steps"].pop(1)
    quick["spec"]["templates"][0]["steps"][1][0]["arguments"]["parameters"][0]["value"] = "x"
    write(tmp_path, "quick.yaml", yaml.safe_dump(quick))
    return tmp_path


def write(folder, name, text):
    (folder / name).write_text(text.replace("PLACE", str(folder)), "utf-8")


class Process:
    """A gitwf in a process of its own; what it printed goes to a file."""

    def __init__(self, folder: pathlib.Path, *arguments: str) -> None:
        self._file = (folder / "printed").open("w")
        self.path = folder / "printed"
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "gitwf", *arguments],
            cwd=folder, stdout=self._file, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    @property
    def printed(self) -> str:
        return self.path.read_text("utf-8")

    def until(self, text: str) -> None:
        test_stopping.await_that(lambda: text in self.printed, seconds=300)

    def end(self) -> int:
        code = self.popen.wait(300)
        self._file.close()
        return code


@pytest.fixture
def begun(place):
    """Begin gitwf in a process of its own, killed at the end if it is still there."""
    made = []

    def begin(*arguments):
        made.append(Process(place, *arguments))
        return made[-1]

    yield begin
    for one in made:
        one.popen.kill()
        one.end()


def newest(gitwf):
    return json.loads(gitwf("runs", "-o", "json").out)[0]


def until_it_waits(gitwf):
    def waits():
        found = json.loads(gitwf("runs", "-o", "json").out)
        return found and " waits: " in gitwf("runs", found[0]["run"]).out

    test_stopping.await_that(waits, seconds=300)
    return newest(gitwf)["run"]


def test_a_dry_run_shows_what_would_run_and_starts_nothing(gitwf, place):
    told = gitwf("run", "wf.yaml", "--dry-run")

    assert told.code == 0
    assert told.out == (
        "◷ toy  steps main\n"
        "├── ◷ each(0:1)  container say  m=one 1\n"
        "├── ◷ each(1:2)  container say  m=one 2\n"
        "├── ◷ ask  suspend ask\n"
        "├── ◷ check  container check  m=?\n"
        "└── ◷ toy.onExit  container bye\n"
    )
    assert not (place / "state").exists()


def test_a_dry_run_is_told_to_programs_too(gitwf, place):
    entry, handler = json.loads(gitwf("run", "wf.yaml", "--dry-run", "-o", "json").out)

    assert (entry["name"], handler["name"]) == ("toy", "toy.onExit")
    assert entry["inside"][-1]["inputs"] == {"m": None}
    assert yaml.safe_load(gitwf("run", "wf.yaml", "--dry-run", "-o", "yaml").out)[0] == entry


def test_parameters_come_from_a_file_and_p_goes_before_it(gitwf, place):
    (place / "p.yaml").write_text("p: 3.10\nl: [{a: yes}, null]\n", "utf-8")
    entry, _ = json.loads(
        gitwf("run", "wf.yaml", "--dry-run", "-o", "json", "-f", "p.yaml", "-p", "p=mine").out
    )
    first, second = (one["inputs"]["m"] for one in entry["inside"][:2])
    assert (first, second) == ('mine {"a":true}', "mine null")

    entry, _ = json.loads(gitwf("run", "wf.yaml", "--dry-run", "-o", "json", "-f", "p.yaml").out)
    assert entry["inside"][1]["inputs"] == {"m": "3.1 null"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- p\n", "p.yaml:1:1: a parameter file is a mapping of name to value"),
        ("p: 1\np: 2\n", "p.yaml:2:1"),
        ("", "p.yaml: the file is empty"),
        ("p: .inf\n", "p.yaml:1:4: "),
    ],
)
def test_a_parameter_file_that_is_wrong_is_refused_at_its_place(gitwf, place, text, said):
    (place / "p.yaml").write_text(text, "utf-8")
    told = gitwf("run", "wf.yaml", "-f", "p.yaml")

    assert (told.code, told.err[: len(said)]) == (2, said)
    assert not (place / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quik.yaml"], "quik.yaml: there is no such file (did you mean `quick.yaml`?)\n"),
        (["gone/wf"], "gone/wf: there is no such file\n"),
        (["wf.yaml", "-p", "pp=1"], "Error: wf.yaml has no parameter pp\n"),
        (["wf.yaml", "-p", "ll=1", "-p", "l=2"], "Error: wf.yaml has no parameter ll\n"),
    ],
)
def test_a_file_or_a_parameter_that_is_none_is_refused(gitwf, place, arguments, said):
    told = gitwf("run", *arguments)

    assert (told.code, told.out, told.err[-len(said) :]) == (2, "", said)
    assert not (place / "state").exists()


def test_a_folder_is_said_to_be_one(gitwf, place):
    (place / "flows").mkdir()

    assert gitwf("run", "flows").err.startswith("error: flows is a folder, and no pipeline of that")


@pytest.mark.parametrize(
    "use",
    [
        "{{workflow.parameters.free}}",
        "{{=workflow.parameters['free']}}",
        "{{=workflow.parameters.free + '!'}}",
        "{{workflow.parameters}}",
        "{{=toJson(workflow.parameters)}}",
    ],
)
def test_a_parameter_that_is_used_needs_no_declaration(gitwf, place, use):
    text = WORKFLOW.replace("{{inputs.parameters.m}}", use, 1)
    write(place, "free.yaml", text)

    assert gitwf("run", "free.yaml", "--dry-run", "-p", "free=1").code == 0


def test_a_parameter_of_the_template_that_is_begun_at_is_taken(gitwf, place):
    told = gitwf("run", "wf.yaml", "--entrypoint", "say", "-p", "m=hello", "--dry-run")

    assert told.out.splitlines()[0] == "◷ toy  container say  m=hello"


def test_a_workflow_is_read_from_standard_input(place):
    told = subprocess.run(
        [sys.executable, "-m", "gitwf", "run", "-", "--dry-run"],
        cwd=place, input=(place / "wf.yaml").read_bytes(), capture_output=True, check=True,
    )  # fmt: skip

    assert told.stdout.decode().startswith("◷ toy  steps main\n├── ◷ each(0:1)")


def test_a_run_may_have_another_name(gitwf, place):
    (place / "ok").touch()
    done = json.loads(gitwf("run", "quick.yaml", "--name", "other", "-o", "json").out)

    assert done["metadata"]["name"] == "other"
    assert done["status"]["nodes"]["other"]["phase"] == "Succeeded"
    wrong = gitwf("run", "quick.yaml", "--name", "Other/1")
    assert (wrong.code, "cannot name a workflow" in wrong.err) == (2, True)


def test_a_run_is_told_as_a_workflow_document(gitwf, place):
    (place / "ok").touch()
    told = gitwf("run", "quick.yaml", "-o", "yaml", "-p", "p=two")
    document = yaml.safe_load(told.out)
    node = next(
        one for one in document["status"]["nodes"].values() if one["displayName"] == "each(0:1)"
    )

    assert (document["apiVersion"], document["kind"]) == ("argoproj.io/v1alpha1", "Workflow")
    assert document["spec"]["entrypoint"] == "main"
    assert document["spec"]["arguments"]["parameters"][0] == {"name": "p", "value": "two"}
    assert document["status"]["progress"] == "4/4"
    assert node["inputs"] == {"parameters": [{"name": "m", "value": "two 1"}]}
    assert (node["templateScope"], node["progress"]) == ("local/toy", "1/1")
    run = document["metadata"]["annotations"]["gitwf.dev/run"]
    assert yaml.safe_load(gitwf("runs", run, "-o", "yaml").out) == document


def test_a_failure_shows_what_the_step_wrote_and_how_to_go_on(gitwf, place):
    told = gitwf("run", "quick.yaml")
    run = newest(gitwf)["run"]

    assert told.code == 1
    assert "check wrote at the end:\n  x\n" in told.out
    assert told.out.endswith(f"once it is mended: gitwf retry {run}\n")
    assert told.err == (
        "error: the run did not succeed: step check failed: main: Error (exit code 1)\n"
    )


def test_a_failed_run_is_tried_again_and_only_what_failed_runs(gitwf, place):
    gitwf("run", "quick.yaml")
    run = newest(gitwf)["run"]
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
    run = newest(gitwf)["run"]
    assert "--reason is for a model" in gitwf("retry", run, "--reason", "because").err
    assert "-p is for a run" in gitwf("retry", "nothing", "-p", "a=b").err
    assert f"{run} has no parameter pp" in gitwf("retry", run, "-p", "pp=1").err


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
    broken = newest(gitwf)["run"]
    gitwf("run", "quick.yaml")
    whole = newest(gitwf)["run"]
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

    assert order_of(place, newest(gitwf)["run"]).stat().st_mode & 0o777 == 0o600


def test_runs_can_be_looked_at_where_nothing_can_be_written(gitwf, place):
    if not ladder.works("root"):
        pytest.skip("only root of Linux can mount a folder for reading alone")
    gitwf("run", "quick.yaml")
    run = newest(gitwf)["run"]
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
    run = newest(gitwf)["run"]
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
    write(place, "groups.yaml", GROUPS)
    gitwf("run", "groups.yaml")
    run = newest(gitwf)["run"]

    def lines(node, *more):
        return gitwf("logs", run, node, *more).out.splitlines()

    assert lines("loop") == lines("loop", "--follow") == LOOP
    assert lines("again") == lines("nest") == lines("groups.nest[0]") == TRIES
    assert sorted(lines("groups")) == sorted([*LOOP, *TRIES, "groups.looped: other"])
    assert lines("looped") == ["other"]
    skipped = gitwf("logs", run, "skipped")
    assert (skipped.code, skipped.out, skipped.err) == (0, "", "skipped wrote nothing\n")


@pytest.mark.parametrize("command", ["stop", "terminate", "resume"])
def test_nothing_can_be_asked_of_a_run_that_is_over(gitwf, place, command):
    gitwf("run", "quick.yaml")
    run = newest(gitwf)["run"]
    told = gitwf(command, run)

    assert (told.code, told.err) == (
        1,
        f"error: {run} is over: Failed\n  try: `gitwf retry {run}` tries it again\n",
    )


@slow
def test_a_run_that_waits_says_how_and_goes_on_from_another_process(gitwf, place, begun):
    (place / "ok").touch()
    running = begun("run", "wf.yaml")
    run = until_it_waits(gitwf)
    running.until(f"toy[1].ask waits: gitwf resume {run} 'toy[1].ask' -p answer=…")
    assert newest(gitwf)["driven"] is True
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
    assert running.end() == 0
    assert gitwf("logs", run, "check").out == "yes\n"


@slow
def test_the_step_that_waits_is_meant_where_the_workflow_has_its_name(gitwf, place, begun):
    (place / "ok").touch()
    running = begun("run", "wf.yaml", "--name", "ask")
    run = until_it_waits(gitwf)

    told = gitwf("resume", run, "ask", "-p", "answer=yes")

    assert told.out == f"{run}: asked to let ask[1].ask go on\n"
    assert running.end() == 0


@slow
@pytest.mark.parametrize("command", ["stop", "terminate"])
def test_a_run_is_ended_from_another_process(gitwf, place, begun, command):
    running = begun("run", "wf.yaml")
    run = until_it_waits(gitwf)
    assert gitwf(command, run).out == f"{run}: asked to {command}\n"

    assert running.end() == 1
    assert f"Stopped with strategy '{command.capitalize()}'" in running.printed
    assert f"to go on: gitwf retry {run}\n" in running.printed
    assert "wrote at the end" not in running.printed
    assert (place / "bye").exists() is (command == "stop")


@slow
def test_a_person_says_no_to_one_node(gitwf, place, begun):
    running = begun("run", "wf.yaml")
    run = until_it_waits(gitwf)
    told = gitwf("stop", run, "ask", "--message", "not today")

    assert told.out == f"{run}: asked to give toy[1].ask up\n"
    assert running.end() == 1
    assert "not today" in running.printed
    assert (place / "bye").read_text("utf-8") == "bye Failed\n"


@slow
def test_ctrl_c_stops_and_a_second_one_terminates(gitwf, place, begun):
    running = begun("run", "slow.yaml")
    running.until("Running    toy")
    running.popen.send_signal(signal.SIGINT)
    assert running.end() == 1
    assert "stopping: exit handlers still run" in running.printed
    assert "Stopped with strategy 'Stop'" in running.printed
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
    run = until_it_waits(gitwf)
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
    run = newest(gitwf)["run"]
    told = gitwf("stop", run)

    assert told.code == 0
    assert f"{run}: nobody drives it; going on here" in told.err
    assert (place / "bye").exists()
    assert newest(gitwf)["phase"] == "Failed"


@slow
def test_logs_follow_a_run_until_it_is_over(gitwf, place, begun):
    running = begun("run", "slow.yaml")
    running.until("Running    toy")
    run = newest(gitwf)["run"]
    (place / "seen").mkdir()
    following = Process(place / "seen", "logs", "-f", run)
    following.until("toy: on\n")
    gitwf("stop", run)

    assert (running.end(), following.end()) == (1, 0)


@slow
def test_whoever_follows_the_logs_is_told_that_nobody_drives_the_run_any_more(gitwf, place, begun):
    running = begun("run", "slow.yaml")
    running.until("Running    toy")
    run = newest(gitwf)["run"]
    test_stopping.await_that(lambda: gitwf("logs", run).out == "toy: on\n", seconds=300)
    running.popen.kill()
    running.end()
    told = gitwf("logs", "--follow", run)

    assert (told.code, told.out) == (0, "toy: on\n")
    assert told.err == f"nobody drives {run} any more; `gitwf resume {run}` goes on\n"
    assert gitwf("terminate", run).code == 0


@slow
def test_the_end_of_the_terminal_leaves_the_run_and_what_it_ran(gitwf, place, begun):
    write(place, "slow.yaml", SLOW.replace("echo on; sleep", "echo $$$$ > PLACE/pid; exec sleep"))
    running = begun("run", "slow.yaml")
    test_stopping.await_that(lambda: (place / "pid").exists() and pid(place), seconds=300)
    step = pid(place)
    running.popen.send_signal(signal.SIGHUP)

    assert running.end() == 130
    run = newest(gitwf)["run"]
    assert f"the run is left as it is; `gitwf resume {run}` goes on" in running.printed
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
    ) as running:  # fmt: skip
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        _, said = running.communicate(timeout=300)
    run = newest(gitwf)["run"]

    assert running.returncode == 1
    assert said == (
        "error: nobody reads the output any more; the run is left as it is\n"
        f"  try: `gitwf resume {run}` goes on\n"
    )
    assert f"{run}: Running; nobody drives it" in gitwf("runs", run).out
