"""What steps and dag templates give back, and what of it the whole workflow sees."""

import pytest

from gitwf.workflow import record

LEAF = {"name": "leaf", "container": {"image": "x", "command": ["true"]}}


def shared(name, **source):
    return {"name": name, "globalName": f"global-{name}", "valueFrom": source}


def made(name, *outputs):
    return {**LEAF, "name": name, "outputs": {"parameters": list(outputs)}}


def gives(**values):
    outputs = record.Outputs(parameters=values, exit_code="0")
    return lambda _: (record.Phase.SUCCEEDED, "", outputs)


def steps(*groups, name="main", outputs=None):
    return {"name": name, "steps": [list(group) for group in groups], "outputs": outputs or {}}


def dag(*tasks, name="main", outputs=None):
    return {"name": name, "dag": {"tasks": list(tasks)}, "outputs": outputs or {}}


def call(name, template="leaf", **more):
    return {"name": name, "template": template, **more}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'as it is'", "as it is"),
        ("1 + 1", "2"),
        ("3.0 / 2", "1.5"),
        ("1e6 * 10", "1e+07"),
        ("1 < 2", "true"),
        ("['a', 1, nil]", "[a 1 <nil>]"),
        ("{'b': [true], 'a': 'x'}", "map[a:x b:[true]]"),
        ("toJson(['a', 1])", '["a",1]'),
    ],
)
def test_an_expression_gives_text_as_go_prints_values(play, expression, text):
    output = {"name": "p", "valueFrom": {"expression": expression}}
    final = play({"templates": [steps([call("a")], outputs={"parameters": [output]}), LEAF]})
    assert final.nodes["w"].outputs.parameters == {"p": text}


def test_a_reference_that_is_an_expression_compiles_over_no_names(play):
    output = {"name": "p", "valueFrom": {"parameter": "{{=steps.a.status + '!'}}"}}
    final = play({"templates": [steps([call("a")], outputs={"parameters": [output]}), LEAF]})
    assert final.nodes["w"].message == "Unable to compile: \"steps.a.status + '!'\""


def test_outputs_see_their_own_scope_and_not_the_workflows_variables(play):
    output = {"name": "p", "valueFrom": {"expression": "workflow.name"}}
    final = play({"templates": [steps([call("a")], outputs={"parameters": [output]}), LEAF]})
    assert final.nodes["w"].phase == "Error"
    assert "unknown name workflow" in final.message


def test_an_output_of_steps_needs_a_source(play):
    output = {"name": "p", "value": "v"}
    final = play({"templates": [steps([call("a")], outputs={"parameters": [output]}), LEAF]})
    assert final.nodes["w"].message == "output parameters must have a valueFrom specified"


def test_steps_make_their_outputs_global_and_a_dag_leaves_its_own_to_a_dag_around_it(play):
    def inner(make, kind):
        return make(
            *([call("x", "makes")] if make is dag else [[call("x", "makes")]]),
            name="inner",
            outputs={
                "parameters": [shared("o", parameter=f"{{{{{kind}.x.outputs.parameters.p}}}}")]
            },
        )

    makes = made("makes", {"name": "p", "valueFrom": {"path": "/p"}})
    in_steps, in_dag = steps([call("a", "inner")]), dag(call("a", "inner"))
    found = {
        (around, inside): dict(
            play(
                {"templates": [main, inner(make, kind), makes]}, outcome=gives(p="1")
            ).outputs.parameters
        )
        for around, main in (("steps", in_steps), ("dag", in_dag))
        for inside, make, kind in (("steps", steps, "steps"), ("dag", dag, "tasks"))
    }
    assert found == {
        ("steps", "steps"): {"global-o": "1"},
        ("steps", "dag"): {},
        ("dag", "steps"): {"global-o": "1"},
        ("dag", "dag"): {"global-o": "1"},
    }


def test_of_tasks_with_one_global_name_the_last_of_the_document_counts_in_the_end(player):
    makes = made("makes", shared("p", path="/p"))
    first, last = call("early", "makes"), call("late", "makes")
    final = player(
        {"templates": [dag(first, last), makes]},
        outcome=lambda start: gives(p=start.name)(start),
        seconds=lambda start: 2.0 if start.name == "w.early" else 1.0,
    ).play()
    assert final.outputs.parameters == {"global-p": "w.late"}


MAKES = {**LEAF, "name": "makes", "outputs": {"artifacts": [{"name": "o", "path": "/o"}]}}
TAKES = {
    **LEAF,
    "name": "takes",
    "inputs": {"artifacts": [{"name": "i", "path": "/i", "optional": True}]},
}


def taking(name, source):
    given = {"artifacts": [{"name": "i", "from": f"{{{{{source}}}}}"}]}
    return call(name, "takes", arguments=given)


def test_an_optional_artifact_that_nobody_gave_can_be_passed_on(play):
    middle = {
        **steps([taking("x", "inputs.artifacts.m")], name="middle"),
        "inputs": {"artifacts": [{"name": "m", "optional": True}]},
    }
    final = play({"templates": [steps([call("a", "middle")]), middle, TAKES]})
    assert final.phase == "Succeeded"
    assert final.nodes["w[0].a[0].x"].input_artifacts == ("i",)


@pytest.mark.parametrize(
    "expression",
    [
        "steps.a.outputs.artifacts.x ?? steps.b.outputs.artifacts.x",
        "steps.a.outputs.artifacts.x == nil ? steps.b.outputs.artifacts.x : steps.a.outputs.artifacts.x",
    ],
)
def test_an_expression_finds_the_artifact_of_a_skipped_step_which_leads_nowhere(play, expression):
    """Argo puts an empty one into the scope of steps (Argo: addSkippedNodeOutputsToScope)."""
    leaf = {**LEAF, "outputs": {"artifacts": [{"name": "x", "path": "/x"}]}}
    outputs = {"artifacts": [{"name": "r", "fromExpression": expression}]}
    main = steps([call("a", when="false"), call("b")], outputs=outputs)
    kept = record.Outputs(artifacts={"x": record.ArtifactLocation("x", node="w-1")}, exit_code="0")
    final = play({"templates": [main, leaf]}, outcome=lambda _: (record.Phase.SUCCEEDED, "", kept))
    assert final.nodes["w"].outputs.artifacts["r"].nowhere


def test_steps_list_the_artifact_of_a_step_that_was_skipped_and_it_leads_nowhere(player):
    passed = {"artifacts": [{"name": "p", "from": "{{steps.x.outputs.artifacts.o}}"}]}
    inner = steps([call("x", "makes", when="false")], name="inner", outputs=passed)
    main = steps([call("a", "inner")], [taking("b", "steps.a.outputs.artifacts.p")])
    played = player({"templates": [main, inner, MAKES, TAKES]})
    final = played.play()
    assert list(final.nodes["w[0].a"].outputs.artifacts) == ["p"]
    assert played.starts["w[1].b"].artifacts == ()
