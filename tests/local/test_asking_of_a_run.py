"""What people ask of a run, from whichever process: stop, terminate, resume, give up, retry."""

import os
import signal

import pytest

from gitwf.adapters.local import engine, requests
from gitwf.errors import Rejected, Stalled
from gitwf.values import Instant
from gitwf.workflow.machine import messages
from tests import waiting
from tests.local import conftest, test_resuming

pytestmark = pytest.mark.slow

ASKING = """
  onExit: bye
  templates:
  - name: main
    steps:
    - - {name: a, template: say, arguments: {parameters: [{name: m, value: first}]}}
    - - {name: ask, template: ask}
    - - {name: b, template: say, arguments: {parameters: [
          {name: m, value: "{{steps.ask.outputs.parameters.answer}}"}]}}
  - name: ask
    suspend: {}
    outputs:
      parameters:
      - {name: answer, valueFrom: {supplied: {}}}
      - {name: mood, valueFrom: {supplied: {}, default: good}}
  - name: say
    inputs: {parameters: [{name: m}]}
    container: {image: none, command: [echo, "{{inputs.parameters.m}}"]}
  - name: bye
    container: {image: none, command: [echo, "bye {{workflow.status}}"]}
"""


@pytest.fixture
def other(bare):
    """The engine of another process that looks at the same state."""
    return engine.LocalEngine(bare.settings)


def until_it_asks(bare):
    waiting.until(lambda: bare.engine.waits("run") and bare.engine.driven("run"))


def test_another_process_lets_a_run_go_on_with_what_it_wants_to_know(bare, other):
    bare.start(ASKING)
    until_it_asks(bare)
    [wait] = other.waits("run")
    other.resume("run", wait.node, {"answer": "yes"}, "said Kim")
    ran = bare.wait()

    assert (wait.name, wait.wanted) == ("wf[1].ask", {"answer": True, "mood": False})
    assert (ran[".ask"].phase, ran[".ask"].message) == ("Succeeded", "said Kim")
    assert ran[".ask"].outputs.parameters == {"answer": "yes", "mood": "good"}
    assert ran.log["wf[2].b"] == "yes\n"
    assert not list((bare.state / "runs/run/requests").iterdir())


def test_another_process_stops_a_run_and_its_exit_handler_runs(bare, other):
    bare.start(ASKING)
    until_it_asks(bare)
    other.stop("run")
    ran = bare.wait()

    assert (ran.record.phase, ran.record.message) == ("Failed", "Stopped with strategy 'Stop'")
    assert ran[".ask"].message == "workflow shutdown with strategy: Stop"
    assert ran.log["wf.onExit"] == "bye Failed\n"


def test_another_process_terminates_a_run_and_nothing_more_runs(bare, other):
    bare.start(ASKING)
    until_it_asks(bare)
    other.stop("run", terminate=True)
    ran = bare.wait()

    assert ran.record.message == "Stopped with strategy 'Terminate'"
    assert "wf.onExit" not in ran.record.nodes


def test_another_process_says_no_to_a_suspended_node(bare, other):
    bare.start(ASKING)
    until_it_asks(bare)
    other.give_up("run", other.waits("run")[0].node, "not good enough")
    ran = bare.wait()

    assert (ran[".ask"].phase, ran[".ask"].message) == ("Failed", "not good enough")
    assert ran.log["wf.onExit"] == "bye Failed\n"


def test_what_is_asked_of_a_run_that_nobody_drives_is_taken_in_when_somebody_does(bare, other):
    bare.start(ASKING)
    until_it_asks(bare)
    bare.engine.close()
    assert not other.driven("run")
    other.resume("run", "", {"answer": "late"})
    other.go_on("run")
    *_, last = other.watch("run")
    other.close()

    assert last.phase == "Succeeded"
    assert last.nodes["wf[2].b"].inputs == {"m": "late"}


@pytest.mark.slow
def test_a_run_whose_process_was_killed_goes_on_where_it_was(make, drive, place):
    bare = make("none")
    text = test_resuming.WORKFLOW.format(place=place)
    process = drive(text, bare.state, "none", freeze=5)
    assert process.stdout.readline() == "frozen\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    bare.engine.go_on("run")
    ran = bare.wait()

    assert ran.record.phase == "Succeeded"


def test_a_wish_is_taken_once_even_if_it_is_still_there(bare, monkeypatch):
    again = ASKING.replace("name: b, template: say", "name: b, template: ask").replace(
        'arguments: {parameters: [\n          {name: m, value: "{{steps.ask.outputs.parameters.answer}}"}]}', ""
    )  # fmt: skip
    again = again.replace("- - {name: b, template: ask, }", "- - {name: b, template: ask}")
    monkeypatch.setattr(requests, "remove", lambda *_: None)
    bare.start(again)
    until_it_asks(bare)
    bare.engine.resume("run", "", {"answer": "one"})
    waiting.until(lambda: "wf[2].b" in bare.engine.observe("run").nodes)
    bare.engine.close()
    monkeypatch.undo()
    bare.engine.go_on("run")
    bare.engine.stop("run")
    ran = bare.wait()

    assert ran["[2].b"].message == "workflow shutdown with strategy: Stop"
    assert not requests.names(bare.state / "runs/run/requests")


def test_a_failed_run_is_tried_again_by_another_process_and_only_what_failed_runs(
    bare, other, place
):
    place.mkdir()
    bare.run(f"""
  templates:
  - name: main
    steps:
    - - {{name: a, template: once}}
    - - {{name: b, template: flaky, arguments: {{parameters: [
          {{name: m, value: "{{{{steps.a.outputs.result}}}}"}}]}}}}
  - name: once
    container: {{image: none, command: [sh, -c, "echo x >> {place}/a; wc -l < {place}/a"]}}
  - name: flaky
    inputs: {{parameters: [{{name: m}}]}}
    container:
      image: none
      command: [sh, -c, "echo {{{{inputs.parameters.m}}}} {{{{workflow.parameters.p}}}}; test -e {place}/ok"]
""", parameters={"p": "old"})  # fmt: skip
    before = other.observe("run")
    (place / "ok").touch()
    other.retry("run", {"p": "new"})
    *_, after = other.watch("run")
    log = [line.text for line in other.logs("run", "wf[1].b")]
    other.close()

    assert (before.phase, after.phase) == ("Failed", "Succeeded")
    assert after.nodes["wf[0].a"] == before.nodes["wf[0].a"]
    assert (place / "a").read_text("utf-8") == "x\n"
    assert log == ["1 new"]
    assert after.parameters == {"p": "new"}
    assert engine.LocalEngine(bare.settings).observe("run") == after


def test_what_cannot_be_tried_again_is_left_as_it_is(bare, written):
    bare.run(written("true"), run="good")
    bare.run(written("false"), run="bad", parameters={"p": "1"})

    with pytest.raises(Stalled, match="wf has succeeded"):
        bare.engine.retry("good", {})
    with pytest.raises(Stalled, match="knows no run none"):
        bare.engine.retry("none", {})
    assert not (bare.state / "runs/good/requests").exists()
    bare.engine.retry("bad", {})
    assert bare.wait("bad").record.phase == "Failed"


def test_a_parameter_that_is_not_allowed_is_refused_before_anything_is_asked(bare):
    bare.run("""
  arguments: {parameters: [{name: p, value: a, enum: [a, b]}]}
  templates:
  - {name: main, container: {image: none, command: ["false"]}}
""")
    with pytest.raises(Rejected, match="should be present in"):
        bare.engine.retry("run", {"p": "c"})
    assert not (bare.state / "runs/run/requests").exists()


def test_a_stop_that_comes_when_the_run_is_over_does_not_stop_its_next_try(bare, place):
    text = conftest.container(f"test -e {place}")
    bare.run(text)
    folder = bare.state / "runs/run/requests"
    requests.put(folder, messages.Shutdown(Instant(0), "late", strategy="Stop"))
    place.mkdir()
    bare.engine.retry("run", {})

    assert bare.wait().record.phase == "Succeeded"


def test_runs_are_listed_newest_first(bare, written):
    for name in ("one", "two", "three"):
        bare.run(written("true"), run=name)

    assert [run for _, run in bare.engine.runs()] == ["three", "two", "one"]


def test_a_wish_that_cannot_be_read_says_what_to_do(bare, written):
    bare.run(written("false"))
    folder = bare.state / "runs/run/requests"
    folder.mkdir()
    (folder / "1.json").write_text("{", "utf-8")

    with pytest.raises(Stalled, match="cannot be read") as told:
        list(requests.take(folder, Instant(0)))
    assert told.value.hint == "remove it"
