"""What runs beside and after a node."""

import json

import pytest

from gitwf.workflow import record

BAD = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))
GOOD = (record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0"))


def echo(name, *inputs):
    return {
        "name": name,
        "inputs": {"parameters": [{"name": one} for one in inputs]},
        "container": {
            "image": "x",
            "command": ["echo", *(f"{{{{inputs.parameters.{one}}}}}" for one in inputs)],
        },
    }


def told(text):
    return {"parameters": [{"name": "m", "value": text}]}


def test_a_named_hook_starts_once_when_its_expression_comes_true(player):
    hooks = {
        "begun": {
            "template": "say",
            "expression": 'steps["a"].status == "Running"',
            "arguments": told("b"),
        },
        "ended": {
            "template": "say",
            "expression": 'steps["a"].status == "Failed"',
            "arguments": told("e"),
        },
        "never": {
            "template": "say",
            "expression": 'steps["a"].status == "Skipped"',
            "arguments": told("n"),
        },
    }
    step = {"name": "a", "template": "ok", "hooks": hooks, "continueOn": {"failed": True}}
    main = {"name": "main", "steps": [[step], [{"name": "b", "template": "ok"}]]}
    played = player(
        {"templates": [main, echo("ok"), echo("say", "m")]},
        outcome=lambda start: BAD if start.name == "w[0].a" else GOOD,
        seconds=lambda start: 5.0 if start.name == "w[0].a.hooks.begun" else 1.0,
    )
    final = played.play()
    assert [name for name in final.nodes if "hooks" in name] == [
        "w[0].a.hooks.begun",
        "w[0].a.hooks.ended",
    ]
    assert final.nodes["w[0].a.hooks.begun"].hooked
    # The next group waits for the slowest hook.
    assert final.nodes["w[1].b"].started >= final.nodes["w[0].a.hooks.begun"].finished
    assert final.phase == "Succeeded"


@pytest.mark.parametrize("expression", ["true", 'steps.a.status == "Pending"'])
def test_the_hooks_of_a_step_are_looked_at_before_its_pod_runs(player, expression):
    hooks = {"now": {"template": "say", "expression": expression, "arguments": told("m")}}
    step = {"name": "a", "template": "ok", "hooks": hooks}
    played = player(
        {"templates": [{"name": "main", "steps": [[step]]}, echo("ok"), echo("say", "m")]}
    )
    assert [*played.starts] == ["w[0].a", "w[0].a.hooks.now"]


def test_the_hooks_of_a_loop_know_their_item(play):
    step = {
        "name": "a",
        "template": "ok",
        "withItems": ["x", "y"],
        "hooks": {"exit": {"template": "say", "arguments": told("after {{item}}")}},
    }
    final = play({"templates": [{"name": "main", "steps": [[step]]}, echo("ok"), echo("say", "m")]})
    said = {n.name: n.inputs["m"] for n in final.nodes.values() if n.hooked}
    assert said == {
        "w[0].a(0:x).onExit": "after x",
        "w[0].a(1:y).onExit": "after y",
    }


def test_a_loop_in_a_dag_has_an_exit_hook_for_each_turn_and_one_for_all(play):
    task = {
        "name": "a",
        "template": "ok",
        "withItems": [1, 2],
        "hooks": {"exit": {"template": "say", "arguments": told("{{workflow.name}}")}},
    }
    final = play(
        {"templates": [{"name": "main", "dag": {"tasks": [task]}}, echo("ok"), echo("say", "m")]}
    )
    said = {n.name: n.inputs["m"] for n in final.nodes.values() if n.hooked}
    assert said == {
        "w.a(0:1).onExit": "w",
        "w.a(1:2).onExit": "w",
        "w.a.onExit": "w",
    }


@pytest.mark.parametrize("kind", ["steps", "tasks"])
def test_the_hooks_of_a_loop_cannot_speak_of_the_loop_itself(play, kind):
    tag = f"{{{{{kind}.a.status}}}}"
    call = {
        "name": "a",
        "template": "ok",
        "withItems": [1, 2],
        "hooks": {"exit": {"template": "say", "arguments": told(tag)}},
    }
    body = {"steps": [[call]]} if kind == "steps" else {"dag": {"tasks": [call]}}
    final = play({"templates": [{"name": "main", **body}, echo("ok"), echo("say", "m")]})
    node = final.nodes["w[0]" if kind == "steps" else "w.a"]
    assert (node.phase, node.message) == ("Error", f"failed to resolve {tag}")
    # A task has its exit hook even so.
    assert ("w.a.onExit" in final.nodes) == (kind == "tasks")


def test_a_skipped_step_has_no_exit_hook(play):
    step = {"name": "a", "template": "ok", "when": "1 == 2", "hooks": {"exit": {"template": "ok"}}}
    final = play({"templates": [{"name": "main", "steps": [[step]]}, echo("ok")]})
    assert list(final.nodes) == ["w", "w[0]", "w[0].a"]


def test_an_exit_hook_that_cannot_start_ends_the_group_of_its_step(play):
    step = {"name": "a", "template": "ok", "hooks": {"exit": {"template": "say"}}}
    final = play({"templates": [{"name": "main", "steps": [[step]]}, echo("ok"), echo("say", "m")]})
    hook = final.nodes["w[0].a.onExit"]
    assert (hook.type, hook.phase) == ("Skipped", "Error")
    assert hook.message == "inputs.parameters.m was not supplied"
    assert final.nodes["w[0].a"].phase == "Succeeded"
    assert final.nodes["w[0]"].phase == "Error"
    assert (final.phase, final.message) == ("Error", hook.message)


def test_the_exit_handler_is_told_what_failed(player):
    spec = {
        "arguments": {"parameters": [{"name": "m", "value": "from the workflow"}]},
        "onExit": "bye",
        "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "ok"}]]},
            echo("ok"),
            {
                "name": "bye",
                "inputs": {"parameters": [{"name": "m"}]},
                "script": {
                    "image": "x",
                    "command": ["sh"],
                    "source": "{{workflow.status}} {{workflow.duration}} {{workflow.failures}}",
                },
            },
        ],
    }
    played = player(spec, outcome=lambda start: BAD if start.name == "w[0].a" else GOOD)
    final = played.play()
    status, duration, listed = played.starts["w.onExit"].template.script.source.split(" ", 2)
    rows = json.loads(json.loads(listed))
    assert (status, duration) == ("Failed", "1.000000")
    assert {row["displayName"]: row["phase"] for row in rows} == dict.fromkeys(
        ("w", "[0]", "a"), "Failed"
    )
    assert rows[-1]["podName"].startswith("w-ok-")
    assert final.nodes["w.onExit"].inputs == {"m": "from the workflow"}


def test_the_workflows_hooks_run_beside_it(play):
    spec = {
        "hooks": {
            "begun": {"template": "ok", "expression": 'workflow.status == "Running"'},
            "good": {"template": "ok", "expression": 'workflow.status == "Succeeded"'},
            "bad": {"template": "ok", "expression": 'workflow.status == "Failed"'},
        },
        "templates": [{**echo("main")}, echo("ok")],
    }
    final = play(spec)
    assert sorted(final.nodes) == ["w", "w.hooks.begun", "w.hooks.good"]
    assert final.phase == "Succeeded"


def test_a_hook_that_is_tried_again_is_flagged_as_both(play):
    say = {**echo("say"), "retryStrategy": {"limit": 1}}
    final = play({"templates": [{**echo("main")}, say], "onExit": "say"})
    flags = {n.name: (n.hooked, n.retried) for n in final.nodes.values()}
    assert flags == {"w": (False, False), "w.onExit": (True, True), "w.onExit(0)": (True, True)}


MADE = (
    record.Phase.SUCCEEDED,
    "",
    record.Outputs(parameters={"p": "cake"}, result="text", exit_code="0"),
)


@pytest.mark.parametrize("kind", ["steps", "tasks"])
def test_a_hook_sees_the_status_and_the_parameters_of_its_own_node_and_nothing_else(play, kind):
    own = f"{kind}.a"
    text = f"{{{{{own}.status}}}} {{{{{own}.outputs.parameters.p}}}} {{{{{own}.exitCode}}}}"
    call = {
        "name": "a",
        "template": "makes",
        "hooks": {"exit": {"template": "say", "arguments": told(text)}},
    }
    makes = {
        **echo("makes"),
        "outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/p"}}]},
    }
    body = {"steps": [[call]]} if kind == "steps" else {"dag": {"tasks": [call]}}
    final = play(
        {"templates": [{"name": "main", **body}, makes, echo("say", "m")]}, outcome=lambda _: MADE
    )
    (hook,) = (node for node in final.nodes.values() if node.hooked)
    assert hook.inputs == {"m": f"Succeeded cake {{{{{own}.exitCode}}}}"}


def test_the_arguments_of_a_named_hook_wait_for_no_outputs_and_stay_as_they_are(play):
    hooks = {
        name: {
            "template": "say",
            "expression": f'steps.b.status == "{status}"',
            "arguments": told("{{steps.a.status}} {{workflow.name}}"),
        }
        for name, status in (("begun", "Running"), ("ended", "Succeeded"))
    }
    first, second = {"name": "a", "template": "ok"}, {"name": "b", "template": "ok", "hooks": hooks}
    main = {"name": "main", "steps": [[first], [second]]}
    final = play({"templates": [main, echo("ok"), echo("say", "m")]})
    said = {n.display_name: n.inputs["m"] for n in final.nodes.values() if n.hooked}
    assert said == {
        "b.hooks.begun": "{{steps.a.status}} w",
        "b.hooks.ended": "Succeeded w",
    }


@pytest.mark.parametrize("call", [{}, {"withItems": [1]}])
def test_a_hook_whose_expression_cannot_be_worked_out_ends_its_group_in_error(play, call):
    # In a loop, a turn goes by the turn's own name.
    expression = "steps.a.outputs.parameters.p == 'x'" if not call else "steps.a.status == 'Failed'"
    step = {
        "name": "a",
        "template": "ok",
        "hooks": {"h": {"template": "ok", "expression": expression}},
        **call,
    }
    final = play({"templates": [{"name": "main", "steps": [[step]]}, echo("ok")]})
    assert final.nodes["w[0]"].phase == "Error"
    assert final.message.startswith(f"unable to evaluate expression '{expression}': ")
    assert final.phase == "Failed"


def told_of(final, *names):
    return [(str(final.nodes[name].phase), final.nodes[name].message) for name in names]


NOWHERE = {"exit": {"template": "nowhere"}}
WRONG = {"late": {"expression": "nosuch + 1", "template": "ok"}}
UNKNOWN = "unknown name nosuch (1:1)\n | nosuch + 1\n | ^"
MISSING = "template nowhere not found"


def steps_of(hooks):
    return {"name": "main", "steps": [[{"name": "a", "template": "ok", "hooks": hooks}]]}


def test_an_exit_hook_without_template_ends_the_entry_steps_as_their_group(play):
    """Argo: executeSteps hands the group back, which operate takes for the entry node."""
    final = play({"templates": [steps_of(NOWHERE), echo("ok")]})
    assert (str(final.phase), final.message) == ("Error", MISSING)
    assert told_of(final, "w", "w[0]", "w[0].a", "w[0].a.onExit") == [
        ("Error", "Workflow operation error"),
        ("Error", MISSING),
        ("Succeeded", ""),
        ("Error", MISSING),
    ]
    assert final.nodes["w[0].a.onExit"].type == "Skipped"


def test_an_exit_hook_without_template_fails_steps_inside_others(play):
    inner = {**steps_of(NOWHERE), "name": "inner"}
    main = {"name": "main", "steps": [[{"name": "n", "template": "inner"}]]}
    final = play({"templates": [main, inner, echo("ok")]})
    assert told_of(final, "w[0].n", "w[0].n[0]") == [("Failed", MISSING), ("Error", MISSING)]
    assert final.message == f"child '{final.nodes['w[0].n'].id}' failed"


def test_a_named_hook_that_cannot_be_evaluated_ends_a_group_of_steps(play):
    final = play({"templates": [steps_of(WRONG), echo("ok")]})
    assert (str(final.phase), final.message) == ("Failed", UNKNOWN)
    assert told_of(final, "w[0]", "w[0].a") == [("Error", UNKNOWN), ("Succeeded", "")]


def test_a_named_hook_that_cannot_be_evaluated_ends_its_task(play):
    """Argo: executeDAGTask marks the task's own node; what depends on it is omitted."""
    tasks = [
        {"name": "a", "template": "ok", "hooks": WRONG},
        {"name": "b", "template": "ok", "depends": "a"},
    ]
    final = play({"templates": [{"name": "main", "dag": {"tasks": tasks}}, echo("ok")]})
    assert (str(final.phase), final.message) == ("Error", "")
    assert told_of(final, "w", "w.a") == [("Error", ""), ("Error", UNKNOWN)]
    assert final.nodes["w.b"].phase == "Omitted"


def test_a_hook_that_cannot_be_evaluated_ends_the_dag_of_a_target(play):
    """Argo: executeDAG gives the error up, before it notes where the DAG comes out."""
    tasks = [{"name": "a", "template": "ok", "hooks": WRONG}]
    final = play({"templates": [{"name": "main", "dag": {"tasks": tasks}}, echo("ok")]})
    assert final.message == f"error in entry template execution: {UNKNOWN}"
    assert told_of(final, "w", "w.a") == [("Error", UNKNOWN), ("Error", UNKNOWN)]
    assert final.nodes["w"].outbound == ()


def test_an_exit_hook_without_template_stops_no_task_that_comes_after(play):
    tasks = [
        {"name": "a", "template": "ok", "hooks": NOWHERE},
        {"name": "b", "template": "ok", "depends": "a"},
    ]
    final = play({"templates": [{"name": "main", "dag": {"tasks": tasks}}, echo("ok")]})
    assert told_of(final, "w", "w.a.onExit") == [("Succeeded", ""), ("Error", MISSING)]


def test_a_hook_of_the_workflow_that_cannot_be_evaluated_ends_the_entry_node(play):
    """Argo: operate marks the entry node. Here its work comes to an end first."""
    final = play({"hooks": WRONG, "templates": [steps_of({}), echo("ok")]})
    assert (str(final.phase), final.message) == ("Error", UNKNOWN)
    assert told_of(final, "w", "w[0].a") == [("Error", UNKNOWN), ("Succeeded", "")]


def test_an_exit_hook_whose_arguments_cannot_be_filled_gets_no_node(play):
    """Argo: runOnExitNode gives the error back before it executes the template."""
    makes = {**echo("makes"), "outputs": {"artifacts": [{"name": "o", "path": "/o"}]}}
    source = {"name": "i", "from": "{{steps.a.outputs.artifacts.o}}"}
    hook = {"exit": {"template": "ok", "arguments": {"artifacts": [source]}}}
    main = {"name": "main", "steps": [[{"name": "a", "template": "makes", "hooks": hook}]]}
    final = play({"templates": [main, makes, echo("ok")]}, outcome=lambda _: GOOD)
    assert "w[0].a.onExit" not in final.nodes
    assert (str(final.phase), final.nodes["w"].message) == ("Error", "Workflow operation error")
    assert final.message == final.nodes["w[0]"].message
    assert "steps.a.outputs.artifacts.o" in final.message


def test_the_handler_of_the_workflow_gets_no_artifact_from_elsewhere(play):
    """Argo: operate hands it the arguments as they are written."""
    source = {"name": "i", "from": "{{workflow.outputs.artifacts.o}}"}
    hook = {"exit": {"template": "takes", "arguments": {"artifacts": [source]}}}
    takes = {**echo("takes"), "inputs": {"artifacts": [{"name": "i", "path": "/i"}]}}
    final = play({"hooks": hook, "templates": [{**echo("ok"), "name": "main"}, takes]})
    why = "inputs.artifacts.i missing location information"
    assert final.message == f"error in exit template execution : {why}"
    assert told_of(final, "w.onExit") == [("Error", why)]
