"""How a DAG ends, and where its graph goes on, after tasks that failed, were skipped or retried."""

import pytest

from gitwf.workflow import record

OK = {"name": "ok", "container": {"image": "x", "command": ["true"]}}
BAD = {"name": "bad", "container": {"image": "x", "command": ["false"]}}
FAILED = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))
SUCCEEDED = (record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0"))


def outcome(start):
    return FAILED if start.template.container.command == ("false",) else SUCCEEDED


def dag(*tasks, **more):
    return {"name": "main", "dag": {"tasks": list(tasks), **more}}


def task(name, template="ok", **more):
    return {"name": name, "template": template, **more}


EXCUSED = {"continueOn": {"failed": True}}


@pytest.mark.parametrize("fail_fast", [True, False])
@pytest.mark.parametrize(
    ("tasks", "phase"),
    [
        ([task("a", "bad", **EXCUSED), task("b")], "Succeeded"),
        ([task("a", "bad", **EXCUSED), task("b", "bad")], "Failed"),
        ([task("a", "bad"), task("b", when="false", depends="a.Failed")], "Failed"),
        ([task("a", "bad"), task("b", depends="a.Failed")], "Succeeded"),
        ([task("a", "bad"), task("b", depends="a"), task("c", depends="b")], "Failed"),
        ([task("a", "bad"), task("b", depends="a"), task("c", depends="b.Omitted")], "Succeeded"),
        ([task("a"), task("b", depends="a.Failed")], "Succeeded"),
        ([task("a", when="false"), task("b", depends="a")], "Succeeded"),
        ([task("a", "bad"), task("b"), task("c", depends="a && b")], "Failed"),
    ],
)
def test_targets_that_did_not_complete_inherit_what_led_to_them(play, tasks, phase, fail_fast):
    final = play({"templates": [dag(*tasks, failFast=fail_fast), OK, BAD]}, outcome=outcome)
    assert (final.phase, final.message) == (phase, "")


def test_a_skipped_target_inherits_from_inside_of_the_template_before_it(play):
    inner = {"name": "inner", "steps": [[{"name": "s", "template": "bad", **EXCUSED}]]}
    final = play(
        {
            "templates": [
                dag(task("a", "inner"), task("b", when="false", depends="a")),
                inner,
                BAD,
                OK,
            ]
        },
        outcome=outcome,
    )
    assert (final.nodes["w.a"].phase, final.nodes["w.b"].phase) == ("Succeeded", "Skipped")
    assert final.phase == "Failed"


def test_what_follows_a_retried_template_hangs_below_its_last_attempt(play):
    retried = {"name": "again", "retryStrategy": {"limit": 1}, "steps": [[task("s")]]}
    final = play({"templates": [dag(task("a", "again"), task("b", depends="a")), retried, OK]})
    names = {node.id: node.name for node in final.nodes.values()}
    assert [names[child] for child in final.nodes["w.a(0)"].children] == ["w.a(0)[0]", "w.b"]
    assert [names[child] for child in final.nodes["w.a"].children] == ["w.a(0)"]


def test_what_follows_a_retried_task_with_an_exit_hook_hangs_below_the_hook(play):
    retried = {**OK, "name": "again", "retryStrategy": {"limit": 1}}
    a = task("a", "again", hooks={"exit": {"template": "ok"}})
    final = play({"templates": [dag(a, task("b", depends="a")), retried, OK]})
    names = {node.id: node.name for node in final.nodes.values()}
    assert [names[child] for child in final.nodes["w.a.onExit"].children] == ["w.b"]


@pytest.mark.parametrize(
    ("items", "depends", "phase"),
    [
        (["bad", "bad"], "a.AllFailed", "Succeeded"),
        (["bad", "ok"], "a.AllFailed", "Omitted"),
        (["bad", "ok"], "a.AnySucceeded", "Succeeded"),
        (["bad", "bad"], "a.AnySucceeded", "Omitted"),
        (["bad"], "a.Failed || a.AllFailed", "Succeeded"),
        (["ok"], "a.Succeeded && !a.AllFailed", "Succeeded"),
    ],
)
def test_a_task_may_depend_on_all_turns_of_a_loop(play, items, depends, phase):
    each = {
        "name": "each",
        "inputs": {"parameters": [{"name": "t"}]},
        "container": {"image": "x", "command": ["{{inputs.parameters.t}}"]},
    }
    a = task("a", "each", withItems=items)
    a["arguments"] = {"parameters": [{"name": "t", "value": "{{item}}"}]}
    final = play(
        {"templates": [dag(a, task("b", depends=depends)), each, OK]},
        outcome=lambda start: FAILED if start.template.container.command == ("bad",) else SUCCEEDED,
    )
    assert final.nodes["w.b"].phase == phase


def test_the_turns_of_a_loop_are_what_what_follows_hangs_below(play):
    final = play({"templates": [dag(task("a", withItems=[1, 2]), task("b", depends="a")), OK]})
    names = {node.id: node.name for node in final.nodes.values()}
    for turn in ("w.a(0:1)", "w.a(1:2)"):
        assert [names[child] for child in final.nodes[turn].children] == ["w.b"]
    assert [names[end] for end in final.nodes["w"].outbound] == ["w.b"]


def test_a_set_ends_once_for_every_way_that_leads_to_its_last_container(play):
    def container(name, *before):
        return {"name": name, "image": "x", "command": ["true"], "dependencies": list(before)}

    diamond = [
        container("a"),
        container("b", "a"),
        container("c", "a"),
        container("main", "b", "c"),
    ]
    whole = {"name": "whole", "containerSet": {"containers": diamond}}
    main = {"name": "main", "dag": {"tasks": [{"name": "t", "template": "whole"}]}}
    nodes = play({"templates": [main, whole]}).nodes
    assert nodes["w"].outbound == (nodes["w.t.main"].id,) * 2
