"""What a run says of a template that could not be carried out, at every place it is called from."""

import pytest

from gitwf.workflow import record

OK = {"name": "ok", "container": {"image": "x", "command": ["true"]}}
NEEDY = {
    "name": "needy",
    "inputs": {"parameters": [{"name": "m"}]},
    "container": {"image": "x", "command": ["echo", "{{inputs.parameters.m}}"]},
}
MAYBE = {
    "name": "maybe",
    "container": {"image": "x", "command": ["true"]},
    "outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]},
}
ESCAPE = (record.Phase.SUCCEEDED, "", record.Outputs({"p": "a\x1bb"}, exit_code="0"))
INVALID = "cannot finish template replacement because the result was invalid JSON"
ABSENT = (
    "inputs.parameters.m: argument references an absent optional "
    "(skipped/omitted node output with no default)"
)


def steps(*groups, **more):
    return {"name": "main", "steps": [list(group) for group in groups], **more}


def dag(*tasks, **more):
    return {"name": "main", "dag": {"tasks": list(tasks)}, **more}


def call(name, template="ok", **more):
    return {"name": name, "template": template, **more}


def with_message(value):
    return {"parameters": [{"name": "m", "value": value}]}


def test_a_step_without_its_input_ends_the_group_in_error(play):
    final = play({"templates": [steps([call("a"), call("b", "needy"), call("c")]), OK, NEEDY]})
    told = "inputs.parameters.m was not supplied"
    assert (final.nodes["w[0].b"].type, final.nodes["w[0].b"].message) == ("Skipped", told)
    group = final.nodes["w[0]"]
    assert group.phase == "Error"
    assert group.message == f"step group deemed errored due to child w[0].b error: {told}"
    assert (final.phase, final.message) == ("Failed", group.message)
    assert "w[0].c" not in final.nodes


def test_a_task_without_its_input_says_so_in_its_own_name(play):
    final = play({"templates": [dag(call("a", "needy"), call("b", depends="a")), OK, NEEDY]})
    a = final.nodes["w.a"]
    assert a.message == "task 'w.a' errored: inputs.parameters.m was not supplied"
    assert (a.type, a.phase, final.nodes["w.b"].phase) == ("Skipped", "Error", "Omitted")
    assert (final.phase, final.message) == ("Error", "")


def test_an_entrypoint_that_cannot_begin_ends_the_run_without_its_exit_handler(play):
    final = play({"templates": [{**NEEDY, "name": "main"}, OK], "onExit": "ok"})
    assert list(final.nodes) == ["w"]
    assert final.nodes["w"].message == "inputs.parameters.m was not supplied"
    assert final.phase == "Error"
    assert (
        final.message == "error in entry template execution: inputs.parameters.m was not supplied"
    )


def test_an_exit_handler_that_cannot_begin_is_an_error_of_the_run(play):
    final = play({"templates": [{**OK, "name": "main"}, NEEDY], "onExit": "needy"})
    assert final.nodes["w"].phase == "Succeeded"
    assert final.phase == "Error"
    assert (
        final.message == "error in exit template execution : inputs.parameters.m was not supplied"
    )


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            {
                "parameters": [
                    {"name": "p", "valueFrom": {"parameter": "{{steps.a.outputs.result}}"}}
                ]
            },
            'Unable to resolve: "steps.a.outputs.result"',
        ),
        (
            {"parameters": [{"name": "p", "valueFrom": {"expression": "steps.a.exitCode ?? nil"}}]},
            None,
        ),
        (
            {"parameters": [{"name": "p", "valueFrom": {"expression": "steps.b ?? nil"}}]},
            'failed to evaluate expression "steps.b ?? nil"',
        ),
        (
            {"artifacts": [{"name": "f", "from": "{{steps.a.outputs.artifacts.f}}"}]},
            'unable to resolve outputs from scope: Unable to resolve: "steps.a.outputs.artifacts.f"',
        ),
    ],
)
def test_outputs_that_cannot_be_gathered_are_an_error_of_the_run(play, outputs, message):
    final = play({"templates": [steps([call("a")], outputs=outputs), OK]})
    if message is None:
        assert final.phase == "Succeeded"
    else:
        assert (final.nodes["w"].phase, final.nodes["w"].message) == ("Error", message)
        assert final.message == f"error in entry template execution: {message}"


@pytest.mark.parametrize("inside", [steps, dag])
def test_a_value_that_is_no_json_ends_what_reads_it(play, inside):
    kind = "steps" if inside is steps else "tasks"
    reads = call("b", "needy", arguments=with_message(f"{{{{{kind}.a.outputs.parameters.p}}}}"))
    calls = ([call("a", "maybe")], [reads]) if inside is steps else (
        call("a", "maybe"), {**reads, "depends": "a"},
    )  # fmt: skip
    final = play({"templates": [inside(*calls), MAYBE, NEEDY]}, outcome=lambda _: ESCAPE)
    told = {node.name: node.message for node in final.nodes.values() if node.message}
    if inside is steps:
        assert told["w[1]"] == f"failed to resolve references: {INVALID}"
    else:
        assert told == {"w.b": INVALID}


@pytest.mark.parametrize("inside", ["steps", "tasks"])
def test_an_argument_that_is_an_absent_output_needs_a_default(play, inside):
    reads = call("b", "needy", arguments=with_message(f"{{{{{inside}.a.outputs.parameters.p}}}}"))
    skipped = call("a", "maybe", when="false")
    main = (
        steps([skipped], [reads]) if inside == "steps" else dag(skipped, {**reads, "depends": "a"})
    )
    final = play({"templates": [main, MAYBE, NEEDY]})
    node = final.nodes["w[1].b" if inside == "steps" else "w.b"]
    prefix = "" if inside == "steps" else "task 'w.b' errored: "
    assert (node.type, node.phase, node.message) == ("Skipped", "Error", prefix + ABSENT)
    defaulted = {**NEEDY, "inputs": {"parameters": [{"name": "m", "default": "d"}]}}
    good = play({"templates": [main, MAYBE, defaulted]})
    assert [dict(one.inputs) for one in good.nodes.values() if one.inputs] == [{"m": "d"}]


def test_an_artifact_of_a_skipped_step_has_no_place_and_of_a_skipped_task_no_name(play):
    makes = {**OK, "name": "makes", "outputs": {"artifacts": [{"name": "f", "path": "/f"}]}}
    takes = {**OK, "name": "takes", "inputs": {"artifacts": [{"name": "f", "path": "/f"}]}}

    def reads(kind):
        named = {"name": "f", "from": f"{{{{{kind}.a.outputs.artifacts.f}}}}"}
        return call("b", "takes", arguments={"artifacts": [named]})

    skipped = call("a", "makes", when="false")
    final = play({"templates": [steps([skipped], [reads("steps")]), makes, takes]})
    assert final.nodes["w[1].b"].message == "inputs.artifacts.f missing location information"
    final = play({"templates": [dag(skipped, {**reads("tasks"), "depends": "a"}), makes, takes]})
    assert final.nodes["w.b"].message == 'Unable to resolve: "tasks.a.outputs.artifacts.f"'


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"timeout": "1d"}, 'invalid timeout format. time: unknown unit "d" in duration "1d"'),
        (
            {"memoize": {"key": "k", "maxAge": "10", "cache": {"configMap": {"name": "c"}}}},
            'invalid maxAge: time: missing unit in duration "10"',
        ),
    ],
)
def test_a_time_that_is_none_ends_the_run_in_gos_words(play, template, message):
    final = play({"templates": [{**OK, "name": "main", **template}]})
    assert (final.phase, final.nodes["w"].message) == ("Error", message)
    assert final.message == f"error in entry template execution: {message}"


def test_a_suspension_that_is_no_time_ends_in_gos_words(play):
    final = play({"templates": [{"name": "main", "suspend": {"duration": "soon"}}]})
    message = 'unable to parse soon as a duration: time: invalid duration "soon"'
    assert (final.phase, final.nodes["w"].message) == ("Error", message)


def test_a_suspension_below_zero_is_over_at_once(play):
    assert (
        play({"templates": [{"name": "main", "suspend": {"duration": "-3s"}}]}).phase == "Succeeded"
    )


@pytest.mark.parametrize(
    ("expression", "fired", "phase"),
    [
        ("true", True, "Succeeded"),
        ("steps.a.status == 'Failed'", False, "Succeeded"),
        ("1 + 1", False, "Error"),
        ("nobody", False, "Error"),
    ],
)
def test_an_exit_hook_may_have_an_expression(play, expression, fired, phase):
    hook = {"exit": {"template": "ok", "expression": expression}}
    final = play({"templates": [steps([call("a", hooks=hook)]), OK]})
    assert ("w[0].a.onExit" in final.nodes, final.phase) == (fired, phase)


def test_a_named_hook_of_a_skipped_task_is_looked_at_but_not_that_of_a_skipped_step(play):
    hook = {"h": {"template": "ok", "expression": "true"}}
    skipped = call("a", when="false", hooks=hook)
    assert "w.a.hooks.h" in play({"templates": [dag(skipped), OK]}).nodes
    assert "w[0].a.hooks.h" not in play({"templates": [steps([skipped]), OK]}).nodes


def test_what_follows_steps_that_end_nowhere_has_no_parent_in_steps_and_one_in_a_dag(play):
    wrong = call("x", "needy", arguments=with_message("{{=asInt('z')}}"))
    inner = {**steps([wrong]), "name": "inner"}
    first = call("a", "inner", continueOn={"failed": True})
    nodes = play({"templates": [steps([first], [call("b")]), inner, NEEDY, OK]}).nodes
    assert nodes["w[1].b"].phase == "Succeeded"
    assert nodes["w[0].a"].children == (nodes["w[0].a[0]"].id,)
    tasks = dag(call("a", "inner"), call("b", depends="a.Failed"))
    nodes = play({"templates": [tasks, inner, NEEDY, OK]}).nodes
    assert nodes["w.b"].id in nodes["w.a"].children
