"""What a workflow would run is told before anything runs, as far as it can be known."""

import pytest

from gitwf.errors import Rejected
from gitwf.workflow import preview

ECHO = {
    "name": "echo",
    "inputs": {"parameters": [{"name": "m", "value": "hi"}]},
    "container": {"image": "i", "command": ["echo", "{{inputs.parameters.m}}"]},
}


def steps(*groups, name="main", **more):
    return {"name": name, "steps": [list(group) for group in groups], **more}


def step(name, template="echo", **more):
    return {"name": name, "template": template, **more}


def given(value, name="m"):
    return {"parameters": [{"name": name, "value": value}]}


@pytest.fixture
def planned(resolve_spec):
    """Preview a spec; gives the nodes inside the entry node by name."""

    def make(*templates, given=None, **spec):
        whole = resolve_spec({"templates": [ECHO, *templates], **spec})
        entry, *others = preview.of(whole, "w", given or {})
        return {one.name: one for one in (*entry.inside, *others)}

    return make


def test_loops_over_what_is_known_are_expanded(planned):
    nodes = planned(
        steps(
            [step("a", withItems=[1, {"k": "v"}], arguments=given("{{item}}"))],
            [step("b", withSequence={"count": "{{workflow.parameters.n}}"})],
            [step("c", withParam="{{workflow.parameters.l}}", arguments=given("{{item.x}}"))],
            [step("none", withParam="[]")],
        ),
        arguments={"parameters": [{"name": "n", "value": "2"}, {"name": "l"}]},
        given={"l": '[{"x":"y"}]'},
    )

    assert {name: one.inputs["m"] for name, one in nodes.items()} == {
        "a(0:1)": "1", "a(1:k:v)": '{"k":"v"}', "b(0:0)": "hi", "b(1:1)": "hi", "c(0:x:y)": "y",
    }  # fmt: skip


def test_what_only_the_run_will_know_is_unknown(planned):
    nodes = planned(
        steps(
            [step("a")],
            [
                step("b", withParam="{{steps.a.outputs.result}}", arguments=given("{{item}}")),
                step("c", arguments=given("at {{workflow.creationTimestamp}}")),
                step("d", when="{{steps.a.status}} == Succeeded"),
            ],
        )
    )

    assert nodes["b(?)"].loop == "{{steps.a.outputs.result}}"
    assert nodes["b(?)"].inputs == nodes["c"].inputs == {"m": None}
    assert (nodes["d"].runs, nodes["d"].when) == (None, "{{steps.a.status}} == Succeeded")


def test_a_condition_that_can_be_decided_is(planned):
    nodes = planned(
        steps(
            [
                step("no", when="{{workflow.parameters.p}} == 2"),
                step("yes", when="{{workflow.parameters.p}} == 1"),
            ]
        ),
        arguments={"parameters": [{"name": "p", "value": "1"}]},
    )

    assert (nodes["no"].runs, nodes["no"].when) == (False, "1 == 2")
    assert nodes["yes"].runs is True


def test_inputs_are_handed_down_and_tasks_name_what_they_wait_for(planned):
    dag = {"tasks": [step("x", arguments=given("{{inputs.parameters.p}}")), step("y", depends="x")]}
    inner = {"name": "inner", "inputs": {"parameters": [{"name": "p"}]}, "dag": dag}
    nodes = planned(steps([step("sub", "inner", arguments=given("deep", "p"))]), inner)
    x, y = nodes["sub"].inside

    assert (x.inputs, x.after, y.after) == ({"m": "deep"}, (), ("x",))
    assert (nodes["sub"].kind, x.kind) == ("dag", "container")


def test_hooks_and_the_exit_handler_are_shown(planned):
    hooks = {"exit": {"template": "echo"}, "late": {"template": "echo", "expression": "1 == 1"}}
    nodes = planned(steps([step("a", hooks=hooks)]), onExit="echo")

    assert set(nodes) == {"a", "a.onExit", "a.hooks.late", "w.onExit"}
    assert (nodes["a.hooks.late"].runs, nodes["a.hooks.late"].when) == (None, "1 == 1")


def test_a_template_that_calls_itself_is_followed_while_it_is_known_to_and_no_further(planned):
    down = steps(
        [
            step(
                "again",
                "down",
                when="{{inputs.parameters.n}} > 0",
                arguments=given("{{=sprig.int(inputs.parameters.n) - 1}}", "n"),
            )
        ],
        name="down",
        inputs={"parameters": [{"name": "n"}]},
    )
    flip = steps(
        [step("coin")], [step("more", "flip", when="{{steps.coin.status}} == x")], name="flip"
    )
    nodes = planned(
        steps([step("count", "down", arguments=given("2", "n"))], [step("flip", "flip")]),
        down,
        flip,
    )

    depth, node = 0, nodes["count"]
    while node.inside:
        depth, node = depth + 1, node.inside[0]
    assert (depth, node.runs) == (3, False)
    depth, node = 0, nodes["flip"]
    while node.inside:
        depth, node = depth + 1, node.inside[-1]
    assert (node.cut, depth < 20) == (True, True)


def test_a_huge_workflow_is_told_in_bounded_time(planned):
    inner = steps([step("x", withSequence={"count": 1000})], name="inner")
    nodes = planned(steps([step("a", "inner", withSequence={"count": 1000})]), inner)

    assert sum(len(one.inside) for one in nodes.values()) < 25_000


def test_a_parameter_without_a_value_is_refused(planned):
    with pytest.raises(Rejected, match=r"spec\.arguments\.p\.value"):
        planned(steps([step("a")]), arguments={"parameters": [{"name": "p"}]})
