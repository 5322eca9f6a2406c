"""Time limits, cancelling and closing end everything that a step has started."""

import contextlib
import os
import pathlib

import pytest

from gitwf.errors import Transient
from gitwf.workflow import record
from tests import waiting

pytestmark = pytest.mark.slow


def processes_with(text):
    found = []
    for cmdline in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if text.encode() in cmdline.read_bytes():
                found.append(int(cmdline.parent.name))
    return found


@pytest.fixture
def mark(tmp_path):
    """A number of seconds that no other process sleeps for."""
    return f"{1000 + os.getpid() % 1000}.{abs(hash(str(tmp_path))) % 10**9}"


LIMITED = """
  templates:
  - name: main
    {limit}
    container: {{image: none, command: [sh, -c, "{command}"]}}
"""


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("timeout: 2100ms", "timeout"),
        (
            "activeDeadlineSeconds: 1",
            "Pod was active on the node longer than the specified deadline",
        ),
    ],
)
def test_a_step_past_its_time_is_killed_with_all_its_children(local, mark, limit, message):
    command = f"sleep {mark} & setsid sleep {mark} & sleep {mark}"
    ran = local.run(LIMITED.format(limit=limit, command=command))
    local.engine.close()

    node = ran["wf"]
    assert (node.phase, node.message) == ("Failed", message)
    assert node.outputs == record.Outputs()
    waiting.until(lambda: not processes_with(mark))


def test_a_step_that_ignores_the_request_to_end_is_killed_after_the_grace(local, mark):
    command = f"trap '' TERM; sleep {mark} & wait; while true; do sleep 0.05; done"
    ran = local.run(LIMITED.format(limit="activeDeadlineSeconds: 1", command=command))
    local.engine.close()

    assert ran["wf"].message.startswith("Pod was active on the node longer")
    assert ran.record.finished.since(ran.record.started) > 1.0
    waiting.until(lambda: not processes_with(mark))


def test_a_step_may_tidy_up_when_it_is_asked_to_end(make, rung, written):
    local = make(rung, grace=600)
    local.start(written("trap 'echo tidy; exit 0' TERM; echo on; while true; do sleep 0.05; done"))
    waiting.until(lambda: any(local.engine.logs("run")))
    local.engine.cancel("run", "enough")
    ran = local.wait()

    assert (ran.text[:3], ran.text[-5:]) == ("on\n", "tidy\n")


def test_cancelling_ends_the_step_and_runs_the_exit_handler(local, mark):
    local.start(f"""
  onExit: bye
  templates:
  - name: main
    steps:
    - - {{name: slow, template: slow}}
    - - {{name: never, template: bye}}
  - name: slow
    container: {{image: none, command: [sh, -c, "echo on; sleep {mark}"]}}
  - name: bye
    container: {{image: none, command: [echo, "bye {{{{workflow.status}}}}"]}}
""")
    waiting.until(lambda: any(line.text == "on" for line in local.engine.logs("run")))
    local.engine.cancel("run", "a newer commit came")
    ran = local.wait()
    local.engine.close()

    assert ran[".slow"].message == "a newer commit came"
    assert ran.log["wf.onExit"] == "bye Failed\n"
    assert "wf[1]" not in ran.record.nodes
    waiting.until(lambda: not processes_with(mark))


def test_cancelling_what_is_over_or_unknown_does_nothing(local, written):
    ran = local.run(written("true"))
    local.engine.cancel("run", "too late")
    local.engine.cancel("unknown", "nobody")

    assert local.engine.observe("run") == ran.record
    assert local.engine.observe("unknown") is None


def test_closing_the_engine_kills_steps_and_tells_watchers(local, mark, written):
    local.start(written(f"echo on; sleep {mark}"))
    waiting.until(lambda: any(local.engine.logs("run")))
    watching = local.engine.watch("run")
    next(watching)
    local.engine.close()

    with pytest.raises(Transient, match="was closed while the run went on"):
        list(watching)
    waiting.until(lambda: not processes_with(mark))


def test_another_engine_takes_a_closed_ones_run_up(make, rung, tmp_path):
    count = tmp_path / "count"
    count.mkdir()
    text = f"""
  volumes: [{{name: v, persistentVolumeClaim: {{claimName: v}}}}]
  templates:
  - name: main
    steps:
    - - {{name: first, template: t, arguments: {{parameters: [{{name: 'n', value: first}}]}}}}
    - - {{name: second, template: t, arguments: {{parameters: [{{name: 'n', value: second}}]}}}}
  - name: t
    inputs: {{parameters: [{{name: 'n'}}]}}
    container:
      image: none
      command: [sh, -c, "echo x >> {tmp_path}/place/{{{{inputs.parameters.n}}}};
        test {{{{inputs.parameters.n}}}} = first || test -e {tmp_path}/place/go || sleep 600"]
      volumeMounts: [{{name: v, mountPath: {tmp_path}/place}}]
"""
    first = make(rung)
    volume = first.state / "volumes" / "v"
    first.start(text)
    waiting.until((volume / "second").exists)
    first.engine.close()
    (volume / "go").touch()
    ran = make(rung).run(text)

    assert ran.record.phase == "Succeeded"
    assert (volume / "first").read_text("utf-8") == "x\n"
    assert (volume / "second").read_text("utf-8") == "x\nx\n"


def test_a_fault_of_the_machine_is_transient_and_the_run_goes_on_later(make, written, monkeypatch):
    from gitwf.adapters.local import placing

    def full(*_):
        raise OSError(28, "No space left on device", "/somewhere")

    local = make("none")
    with monkeypatch.context() as patch:
        patch.setattr(placing.Places, "put", full)
        local.start(written("echo fine"))
        with pytest.raises(Transient, match=r"wf could not be started: .*No space left on device"):
            list(local.engine.watch("run"))

    assert local.engine.observe("run").phase == "Running"
    assert local.run(written("echo fine")).text == "fine\n"


def test_an_attempt_whose_retries_run_out_of_time_ends_as_it_was_killed(hosted):
    ran = hosted.run("""
  templates:
  - name: main
    retryStrategy: {limit: 3, backoff: {duration: 10ms, maxDuration: 5s}}
    script: {image: none, command: [sh], source: "[ {{retries}} = 0 ] && exit 1; exec sleep 60"}
""")

    assert (ran["wf(1)"].phase, ran["wf(1)"].message) == (
        "Failed",
        "main: Error (exit code 143)",
    )
    assert ran["wf"].message == "Max duration limit exceeded"
