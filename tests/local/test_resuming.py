"""A killed gitwf picks its run up where it was: nothing with a recorded end runs again."""

import contextlib
import functools
import os
import pathlib
import signal

import pytest

from gitwf.adapters.local import engine, journal, orders
from gitwf.errors import Stalled
from gitwf.workflow.machine import messages
from tests import waiting
from tests.local import conftest, drivers

pytestmark = pytest.mark.slow

WORKFLOW = """
  volumes: [{{name: v, persistentVolumeClaim: {{claimName: v}}}}]
  onExit: bye
  templates:
  - name: main
    steps:
    - - {{name: a, template: t, arguments: {{parameters: [{{name: 'n', value: a}}]}}}}
    - - {{name: b, template: t, arguments: {{parameters: [{{name: 'n', value: b}}]}}}}
      - {{name: c, template: quiet}}
    - - {{name: d, template: t, arguments: {{parameters: [
          {{name: 'n', value: "d-{{{{steps.b.outputs.parameters.o}}}}"}}]}}}}
  - name: bye
    container: {{image: none, command: [echo, "{{{{workflow.status}}}}"]}}
  - name: quiet
    retryStrategy: {{limit: 2}}
    container: {{image: none, command: [sh, -c, "exit 0"]}}
  - name: t
    inputs: {{parameters: [{{name: 'n'}}]}}
    container:
      image: none
      command: [sh, -c, "echo x >> {place}/ran-{{{{inputs.parameters.n}}}};
        echo out-{{{{inputs.parameters.n}}}} > {place}/out-{{{{inputs.parameters.n}}}}"]
      volumeMounts: [{{name: v, mountPath: {place}}}]
    outputs:
      parameters: [{{name: o, valueFrom: {{path: "{place}/out-{{{{inputs.parameters.n}}}}"}}}}]
"""


def timeless(one):
    """A record without its times and ids of processes."""
    nodes = {
        name: (node.type, node.phase, node.message, node.inputs, node.outputs, node.children)
        for name, node in one.nodes.items()
    }
    return one.phase, one.message, one.outputs, nodes


def ended_in(path):
    with journal.Journal(path) as history:
        return {one.node for one in history.read() if isinstance(one, messages.PodEnded)}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The record of a run that nobody kills, on a rung."""

    @functools.cache
    def run(rung):
        folder = tmp_path_factory.mktemp("undisturbed")
        local = conftest.Local(rung, folder)
        with contextlib.closing(local.engine):
            return local.run(WORKFLOW.format(place=folder / "place")).record

    return run


@pytest.mark.parametrize("freeze", range(1, 11))
def test_a_run_that_is_killed_anywhere_ends_as_if_it_had_not_been(
    make, drive, rung, place, freeze, undisturbed
):
    text = WORKFLOW.format(place=place)
    local = make(rung)
    process = drive(text, local.state, rung, freeze)
    assert process.stdout.readline() == "frozen\n"
    process.kill()
    process.wait()
    ended = ended_in(local.state / "runs" / "run" / "journal.jsonl")
    volume = local.state / "volumes" / "v"
    before = {path.name: path.read_text("utf-8") for path in volume.glob("ran-*")}

    ran = local.run(text)

    assert timeless(ran.record) == timeless(undisturbed(rung))
    after = {path.name: path.read_text("utf-8") for path in volume.glob("ran-*")}
    for name in ("a", "b", "d-out-b"):
        node = next(one for one in ran.record.nodes.values() if one.inputs.get("n") == name)
        if node.id in ended:
            assert after[f"ran-{name}"] == before[f"ran-{name}"] == "x\n"


def alive(pid):
    try:
        os.kill(pid, 0)
        stat = pathlib.Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


LONG = """
  volumes: [{{name: v, persistentVolumeClaim: {{claimName: v}}}}]
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "test -e {place}/go && exit; setsid sleep 611 & sleep 611 &
        echo $$$$ > {place}/pid; wait"]
      volumeMounts: [{{name: v, mountPath: {place}}}]
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_gitwf_left_running_is_killed_before_its_step_starts_again(
    make, drive, rung, place, how
):
    text = LONG.format(place=place)
    local = make(rung)
    volume = local.state / "volumes" / "v"
    process = drive(text, local.state, rung)
    waiting.until(lambda: (volume / "pid").exists() and (volume / "pid").read_text("utf-8").strip())
    process.send_signal(how)
    process.wait()
    left = drivers.sleepers(local.state)
    (volume / "go").touch()

    assert rung != "none" or len(left) >= 3
    assert local.run(text).record.phase == "Succeeded"
    waiting.until(lambda: not any(map(alive, left)))
    waiting.until(lambda: drivers.sleepers(local.state) == [])


def test_a_second_process_attaches_and_takes_over_when_the_first_dies(make, drive, rung, place):
    text = LONG.format(place=place)
    local = make(rung)
    volume = local.state / "volumes" / "v"
    process = drive(text, local.state, rung)
    waiting.until((volume / "pid").exists)
    local.start(text)
    watching = local.engine.watch("run")

    assert next(watching).phase == "Running"
    waiting.until(lambda: local.engine.observe("run").nodes["wf"].phase == "Running")
    assert process.poll() is None
    (volume / "go").touch()
    process.kill()
    process.wait()
    *_, last = watching
    assert last.phase == "Succeeded"


def test_an_onlooker_sees_a_run_that_another_process_drives_and_may_cancel_it(
    make, drive, rung, place
):
    local = make(rung)
    process = drive(LONG.format(place=place), local.state, rung)
    waiting.until((local.state / "volumes" / "v" / "pid").exists)

    seen = local.engine.watch("run")
    assert next(seen).phase == "Running"
    local.engine.cancel("run", "not wanted any more")
    *_, last = seen
    assert (last.phase, last.nodes["wf"].message) == ("Failed", "not wanted any more")
    assert process.stdout.read() == "Failed\n"
    assert process.wait() == 0


def test_starting_a_run_again_attaches_to_it(local, written):
    text = written("echo once")
    first = local.run(text)

    assert local.run(text) == first
    other = engine.LocalEngine(local.settings)
    other.start(orders.read(local.state / "runs" / "run" / "order.json", "run").order)
    *_, last = other.watch("run")
    other.close()
    assert last == first.record


@pytest.mark.parametrize(
    "other", [{"parameters": {"a": "2"}}, {"requirements": "x"}, {"entrypoint": "elsewhere"}]
)
def test_another_order_under_the_same_id_is_refused(local, written, other):
    text = written("true", "  - name: elsewhere\n    container: {image: none, command: [ls]}")
    local.run(text)

    with pytest.raises(Stalled, match="ordered with another content before"):
        local.start(text, **other)
    with pytest.raises(Stalled, match="ordered with another content before"):
        local.start(text.replace("true", "false"))


def test_a_template_on_its_own_is_a_run_of_its_own(local):
    text = """
  templates:
  - name: main
    container: {image: none, command: [echo, main]}
  - name: update-viewer
    container: {image: none, command: [echo, updated]}
"""
    assert local.run(text, run="one", entrypoint="update-viewer").text == "updated\n"
    other = engine.LocalEngine(local.settings)
    assert other.observe("one").phase == "Succeeded"
    assert [line.text for line in other.logs("one")] == ["updated"]
