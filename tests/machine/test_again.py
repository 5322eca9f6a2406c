"""A run that failed is tried again: what went well is kept, the rest is done anew."""

import pytest

from gitwf.errors import Rejected, Stalled
from gitwf.workflow import machine, record
from gitwf.workflow.machine import messages
from tests.machine import conftest

LATER = conftest.START.after(100.0)
ECHO = {
    "name": "echo",
    "inputs": {"parameters": [{"name": "m", "value": "x"}]},
    "container": {"image": "i", "command": ["echo", "{{inputs.parameters.m}}"]},
    "outputs": {"parameters": [{"name": "o", "valueFrom": {"path": "/o"}}]},
}


def said(value):
    return (record.Phase.SUCCEEDED, "", record.Outputs({"o": value}, exit_code="0"))


def step(name, template="echo", **more):
    return {"name": name, "template": template, **more}


def steps(*groups, name="main", **more):
    return {"name": name, "steps": [list(group) for group in groups], **more}


def again(player, outcome, parameters=None):
    """Try a played run again; gives the new player, not yet played."""
    first = player.run
    event = messages.Retry(LATER, parameters or {})
    made = machine.begin(first.workflow, "w", parameters or {}, conftest.START, uid="u")
    second = conftest.Player(first.workflow, outcome)
    second.run = machine.try_again(made, first.record(), event)
    second.now = LATER
    return second.start()


def failing(*names):
    return lambda pod: conftest.BAD if pod.name in names else said(pod.name)


def test_only_what_failed_and_what_came_of_it_is_done_again(player):
    spec = {
        "templates": [
            ECHO,
            steps(
                [step("a")],
                [
                    step("b", arguments=given("{{steps.a.outputs.parameters.o}}")),
                    step("c"),
                ],
                [step("d", arguments=given("{{steps.b.outputs.parameters.o}}"))],
            ),
        ]
    }
    first = player(spec, outcome=failing("w[1].b"))
    before = first.play()
    second = again(first, failing())
    after = second.play()

    assert (before.phase, list(first.starts)) == ("Failed", ["w[0].a", "w[1].b", "w[1].c"])
    assert (after.phase, list(second.starts)) == ("Succeeded", ["w[1].b", "w[2].d"])
    assert after.nodes["w[0].a"] == before.nodes["w[0].a"]
    assert after.nodes["w[1].c"].finished == before.nodes["w[1].c"].finished
    assert after.nodes["w[0]"] == before.nodes["w[0]"]
    assert after.nodes["w[2].d"].inputs == {"m": "w[1].b"}
    assert (after.started, after.nodes["w"].message) == (LATER, "")


def given(value):
    return {"parameters": [{"name": "m", "value": value}]}


def test_a_run_tried_again_has_the_nodes_of_one_that_never_failed(player):
    inner = steps([step("x"), step("y")], name="inner")
    spec = {
        "onExit": "echo",
        "templates": [
            ECHO,
            inner,
            {**ECHO, "name": "flaky", "retryStrategy": {"limit": 1}},
            {
                "name": "main",
                "dag": {
                    "tasks": [
                        step("a", "inner", hooks={"exit": {"template": "echo"}}),
                        step("loop", withItems=[1, 2, 3], depends="a"),
                        step("r", "flaky", depends="a"),
                        step("z", "inner", depends="loop && r"),
                    ]
                },
            },
        ],
    }
    good = player(spec, outcome=failing()).play()
    first = player(spec, outcome=failing("w.loop(1:2)", "w.r(0)", "w.r(1)"))
    before = first.play()
    second = again(first, failing())
    after = second.play()

    def shape(run):
        return {
            name: (one.type, one.phase, one.message, set(one.children), one.outbound, one.outputs)
            for name, one in run.nodes.items()
        }

    assert before.phase == "Failed"
    assert shape(after) == shape(good)
    assert set(second.starts) == {
        "w.loop(1:2)", "w.r(0)", "w.z[0].x", "w.z[0].y", "w.onExit",
    }  # fmt: skip


@pytest.mark.parametrize("loops", [["a"], ["a", "b"]])
def test_what_failed_but_was_followed_by_a_success_is_kept(player, loops):
    excused = [step(name, continueOn={"failed": True}) for name in loops]
    spec = {"templates": [ECHO, steps(excused, [step("ok")], [step("last")])]}
    first = player(spec, outcome=failing("w[0].a", "w[2].last"))
    first.play()
    second = again(first, failing())
    after = second.play()

    assert list(second.starts) == ["w[2].last"]
    assert (after.phase, after.nodes["w[0].a"].phase) == ("Succeeded", "Failed")


def test_where_all_that_failed_was_followed_by_a_success_it_is_done_again(player):
    dag = {"tasks": [step("a"), step("tidy", depends="a.Failed"), step("b", depends="a")]}
    spec = {"templates": [ECHO, {"name": "main", "dag": dag}]}
    first = player(spec, outcome=failing("w.a"))
    assert first.play().phase == "Failed"
    second = again(first, failing())
    after = second.play()

    assert list(second.starts) == ["w.a", "w.b"]
    assert (after.phase, after.nodes["w.tidy"].phase) == ("Succeeded", "Omitted")


def test_only_the_handler_is_done_again_where_only_it_failed(player):
    spec = {"onExit": "echo", "templates": [ECHO, steps([step("a")])]}
    first = player(spec, outcome=failing("w.onExit"))
    assert first.play().phase == "Failed"
    second = again(first, failing())

    assert second.play().phase == "Succeeded"
    assert list(second.starts) == ["w.onExit"]


def test_a_run_that_was_stopped_goes_on_when_it_is_tried_again(player):
    wait = {"name": "wait", "suspend": {}}
    spec = {"templates": [ECHO, wait, steps([step("a")], [step("ask", "wait")], [step("b")])]}
    first = player(spec, outcome=failing())
    first.play()
    stop = messages.Shutdown(conftest.START.after(9.0), "enough", strategy="Stop")
    first.send(stop)
    before = first.play()
    second = again(first, failing())
    second.play()
    second.send(messages.Resume(LATER.after(1.0)))
    after = second.play()

    assert (before.phase, before.message) == ("Failed", "Stopped with strategy 'Stop'")
    assert before.nodes["w[1].ask"].message == "enough"
    assert (after.phase, list(second.starts)) == ("Succeeded", ["w[2].b"])


def test_a_parameter_may_be_another_the_next_time(player):
    main = steps([step("a")], [step("b", arguments=given("{{workflow.parameters.p}}"))])
    spec = {
        "arguments": {"parameters": [{"name": "p", "value": "old", "enum": ["old", "new"]}]},
        "templates": [ECHO, main],
    }
    first = player(spec, outcome=failing("w[1].b"))
    first.play()
    after = again(first, failing(), {"p": "new"}).play()

    assert after.nodes["w[1].b"].inputs == {"m": "new"}
    assert after.parameters == {"p": "new"}
    with pytest.raises(Rejected, match="should be present"):
        again(first, failing(), {"p": "other"})


def test_global_outputs_of_what_is_kept_are_still_there(player):
    told = {"name": "o", "globalName": "g", "valueFrom": {"path": "/o"}}
    main = steps(
        [step("a", "tell")], [step("b", arguments=given("{{workflow.outputs.parameters.g}}"))]
    )
    spec = {"templates": [ECHO, {**ECHO, "name": "tell", "outputs": {"parameters": [told]}}, main]}
    first = player(spec, outcome=failing("w[1].b"))
    first.play()
    after = again(first, failing()).play()

    assert after.nodes["w[1].b"].inputs == {"m": "w[0].a"}
    assert after.outputs.parameters == {"g": "w[0].a"}


def test_what_went_well_or_goes_on_is_not_tried_again(player):
    spec = {"templates": [ECHO, steps([step("a")])]}
    good = player(spec, outcome=failing())
    going = player(spec, outcome=failing())
    good.play()

    with pytest.raises(Stalled, match="w has succeeded; only what has failed"):
        again(good, failing())
    with pytest.raises(Stalled, match="w is still under way"):
        again(going, failing())


def test_a_run_may_be_tried_again_and_again(player):
    spec = {"templates": [ECHO, steps([step("a")], [step("b")], [step("c")])]}
    first = player(spec, outcome=failing("w[1].b"))
    first.play()
    second = again(first, failing("w[2].c"))
    assert second.play().phase == "Failed"
    third = again(second, failing())

    assert third.play().phase == "Succeeded"
    assert list(third.starts) == ["w[2].c"]


def test_what_a_person_gives_up_fails_and_says_so(player):
    spec = {"templates": [ECHO, {"name": "wait", "suspend": {}}, steps([step("ask", "wait")])]}
    asked = player(spec)
    node = asked.run.nodes["w[0].ask"].id
    asked.send(messages.GiveUp(LATER, "other", "no"))
    assert asked.run.record().nodes["w[0].ask"].phase == "Running"
    asked.send(messages.GiveUp(LATER, node, "not good enough"))

    after = asked.play()
    assert (after.phase, after.nodes["w[0].ask"].message) == ("Failed", "not good enough")


def test_who_lets_a_node_go_on_may_say_why(player):
    spec = {"templates": [ECHO, {"name": "wait", "suspend": {}}, steps([step("ask", "wait")])]}
    asked = player(spec)
    asked.send(messages.Resume(LATER, asked.run.nodes["w[0].ask"].id, message="looks good"))

    after = asked.play()
    assert (after.phase, after.nodes["w[0].ask"].message) == ("Succeeded", "looks good")


def test_the_hook_of_a_retried_node_is_kept_beside_it(player):
    flaky = {**ECHO, "name": "flaky", "retryStrategy": {"limit": 1}}
    hooks = {"named": {"template": "flaky", "expression": "true"}}
    spec = {"templates": [ECHO, flaky, steps([step("a"), step("b", "flaky", hooks=hooks)])]}
    first = player(spec, outcome=failing("w[0].a"))
    first.play()
    second = again(first, failing())
    after = second.play()

    assert list(second.starts) == ["w[0].a"]
    assert after.nodes["w[0].b.hooks.named(0)"].phase == "Succeeded"


def test_a_good_attempt_of_a_retried_node_that_ended_badly_is_done_again_at_its_own_time(player):
    retried = {**ECHO, "name": "retried", "retryStrategy": {"limit": 1}}
    hooks = {"exit": {"template": "echo"}, "named": {"template": "echo", "expression": "nobody"}}
    tasks = [step("a", "retried", hooks=hooks)]
    spec = {"templates": [{"name": "main", "dag": {"tasks": tasks}}, ECHO, retried]}
    first = player(spec, outcome=failing())
    before = first.play()
    second = again(first, failing())
    after = second.play()

    assert [before.nodes[name].phase for name in ("w.a", "w.a(0)")] == ["Error", "Succeeded"]
    assert next(iter(second.starts)) == "w.a(0)"
    assert after.nodes["w.a(0)"].started >= LATER
