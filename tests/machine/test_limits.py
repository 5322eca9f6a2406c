"""How many at once, how deep, and what a large run costs."""

import itertools
import sys

import pytest

from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import nodes

START = Instant.parse("2026-01-01T00:00:00Z")
BAD = (record.Phase.FAILED, "no", record.Outputs(exit_code="1"))
OK = {"name": "ok", "container": {"image": "x", "command": ["true"]}}


def fan(count, kind="steps", **more):
    step = {"name": "each", "template": "ok", "withSequence": {"count": str(count)}}
    body = {"steps": [[step]]} if kind == "steps" else {"dag": {"tasks": [step]}}
    return {"name": "main", **body, **more}


@pytest.mark.parametrize("kind", ["steps", "dag"])
@pytest.mark.parametrize("limit", [1, 3])
def test_parallelism_bounds_the_pods_of_the_workflow_and_the_children_of_a_template(
    player, kind, limit
):
    for spec in (
        {"parallelism": limit, "templates": [fan(10, kind), OK]},
        {"templates": [fan(10, kind, parallelism=limit), OK]},
    ):
        played = player(spec, seconds=lambda start: 1.0 + len(start.name) % 3)
        final = played.play()
        assert (final.phase, len(played.starts), played.most_active) == ("Succeeded", 10, limit)


@pytest.mark.parametrize("more", [{}, {"backoff": {"duration": "3s"}}])
@pytest.mark.parametrize("kind", ["steps", "dag"])
@pytest.mark.parametrize("of", ["workflow", "template"])
def test_attempts_wait_for_room_too(player, of, kind, more):
    retried = {**OK, "retryStrategy": {"limit": 1, **more}}
    for memory in ({}, {"memoize": {"key": "k", "cache": {"configMap": {"name": "c"}}}}):
        limited = {"parallelism": 1} if of == "template" else {}
        spec = {"templates": [fan(4, kind, **limited), {**retried, **memory}]}
        spec |= {"parallelism": 1} if of == "workflow" else {}
        played = player(spec, outcome=lambda _: BAD)
        assert played.play().phase == "Failed"
        assert (len(played.starts), played.most_active) == (8, 1)


def test_what_is_tried_again_goes_before_what_has_not_begun(player):
    retried = {**OK, "retryStrategy": {"limit": 1}}
    played = player({"templates": [fan(3, parallelism=1), retried]}, outcome=lambda _: BAD)
    played.play()
    begun = list(played.starts)
    assert begun.index("w[0].each(0:0)(1)") < begun.index("w[0].each(2:2)(0)")


@pytest.mark.parametrize("of", ["workflow", "template"])
def test_first_in_line_is_what_argo_comes_to_first(player, of):
    """Argo goes through the tasks in one order at each look, and into each before the next."""
    tasks = [
        {"name": "a", "template": "inner"},
        {"name": "b", "template": "ok"},
        {"name": "c", "template": "ok", "depends": "b"},
        {"name": "d", "template": "inner", "depends": "b"},
        {"name": "e", "template": "ok"},
    ]
    steps = [[{"name": "one", "template": "ok"}, {"name": "two", "template": "ok"}]]
    inner = {"name": "inner", "steps": [*steps, [{"name": "three", "template": "ok"}]]}
    main = {"name": "main", "dag": {"tasks": tasks}}
    spec = {"templates": [main, inner, OK]}
    (spec if of == "workflow" else main)["parallelism"] = 1
    played = player(spec)
    assert played.play().phase == "Succeeded"
    order = "a[0].one a[0].two a[1].three b c d[0].one d[0].two d[1].three e"
    assert [name.removeprefix("w.") for name in played.starts] == order.split()


def test_what_is_suspended_waits_for_room_among_the_pods_too(play):
    wait = {"name": "wait", "suspend": {"duration": "5s"}}
    steps = [{"name": name, "template": of} for name, of in (("a", "ok"), ("b", "wait"))]
    final = play({"parallelism": 1, "templates": [{"name": "main", "steps": [steps]}, OK, wait]})
    assert final.nodes["w[0].b"].started == final.nodes["w[0].a"].finished


def test_nothing_waits_for_ever_where_one_of_the_line_fails_fast(play):
    odd = {**OK, "name": "odd", "annotations": {"workflows.argoproj.io/display-name": "-/"}}
    steps = [
        {"name": name, "template": of} for name, of in zip("abc", ("ok", "odd", "odd"), strict=True)
    ]
    final = play({"templates": [fast({"steps": [steps]}, parallelism=1), OK, odd]})
    assert (final.phase, final.message) == (
        "Failed",
        "template has failed or errored children and failFast enabled",
    )
    assert "w[0].c" not in final.nodes


def test_a_template_that_calls_itself_for_ever_ends_in_error(play):
    main = {"name": "main", "steps": [[{"name": "again", "template": "main"}]]}
    final = play({"templates": [main]})
    deepest = max(final.nodes.values(), key=lambda node: len(node.name))
    assert deepest.phase == "Error"
    assert deepest.message.startswith("Maximum recursion depth exceeded. See https://")
    assert len(final.nodes) == 2 * 99 + 1
    assert (final.phase, final.message[:9]) == ("Failed", "child 'w-")


def test_nodes_whose_names_hash_alike_are_told_apart(play):
    assert nodes.fnv32("w.jtqm") == nodes.fnv32("w.laeea")
    tasks = [{"name": name, "template": "ok"} for name in ("jtqm", "laeea")]
    final = play({"templates": [{"name": "main", "dag": {"tasks": tasks}}, OK]})
    first, second = (final.nodes[f"w.{task['name']}"].id for task in tasks)
    assert second == f"{first}-2"
    assert final.phase == "Succeeded"


def cost(player, spec):
    """Count the functions called from the first command to the end of the run."""
    played = player(spec)
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        final = played.play()
    finally:
        sys.setprofile(None)
    assert final.phase == "Succeeded"
    return calls


def chain(count):
    tasks = [{"name": f"t{i}", "template": "ok"} for i in range(count)]
    for before, task in itertools.pairwise(tasks):
        task["depends"] = before["name"]
    return {"templates": [{"name": "main", "dag": {"tasks": tasks}}, OK]}


def row(count):
    groups = [[{"name": f"s{i}", "template": "ok"}] for i in range(count)]
    return {"templates": [{"name": "main", "steps": groups}, OK]}


@pytest.mark.parametrize(
    "spec_of",
    [
        lambda n: {"templates": [fan(n), OK]},
        lambda n: {"templates": [fan(n, "dag"), OK]},
        lambda n: {"parallelism": 2, "templates": [fan(n), OK]},
        lambda n: {"templates": [fan(n, parallelism=2), OK]},
        chain,
        row,
    ],
    ids=["steps", "dag", "workflow-limit", "template-limit", "chain", "row"],
)
def test_the_cost_of_a_run_grows_with_its_nodes_and_no_faster(player, spec_of):
    small, large = cost(player, spec_of(50)), cost(player, spec_of(500))
    assert large < 11 * small


def leaf(name):
    return {**OK, "name": name}


def fast(body, **more):
    return {"name": "main", "failFast": True, **body, **more}


def test_a_template_that_fails_fast_tries_nothing_again(play):
    tries = {**leaf("tries"), "retryStrategy": {"limit": 2}}
    main = fast({"steps": [[{"name": "a", "template": "tries"}]]})
    final = play({"templates": [main, tries]}, outcome=lambda _: BAD)
    assert "w[0].a(1)" not in final.nodes
    assert final.nodes["w[0].a"].phase == "Running"
    assert (final.phase, final.message) == (
        "Failed",
        "template has failed or errored children and failFast enabled",
    )


def test_a_loop_stays_as_it_is_where_its_dag_fails_fast(play):
    """Argo: checkParallelism ends the DAG before anything looks at the loop again."""
    task = {"name": "a", "template": "bad", "withItems": [1, 2]}
    main = fast({"dag": {"tasks": [task]}}, parallelism=1)
    final = play({"templates": [main, leaf("bad")]}, outcome=lambda _: BAD)
    assert {name: str(node.phase) for name, node in final.nodes.items()} == {
        "w": "Failed",
        "w.a": "Running",
        "w.a(0:1)": "Failed",
    }


def test_a_dag_whose_last_task_is_omitted_in_the_same_look_says_nothing_of_failing_fast(play):
    inner = {"name": "inner", "steps": [[{"name": "b", "template": "bad"}]]}
    tasks = [
        {"name": "a", "template": "inner"},
        {"name": "c", "template": "bad", "dependencies": ["a"]},
    ]
    main = fast({"dag": {"tasks": tasks}})
    final = play({"templates": [main, inner, leaf("bad")]}, outcome=lambda _: BAD)
    assert (final.nodes["w.c"].phase, final.phase, final.message) == ("Omitted", "Failed", "")


def test_a_template_that_fails_fast_runs_no_hook_after_a_failure(play):
    task = {"name": "a", "template": "bad", "hooks": {"exit": {"template": "bad"}}}
    final = play(
        {"templates": [fast({"dag": {"tasks": [task]}}), leaf("bad")]}, outcome=lambda _: BAD
    )
    assert sorted(final.nodes) == ["w", "w.a"]
    assert final.phase == "Failed"


def test_a_template_that_fails_fast_ends_as_its_last_child_where_that_is_a_template(play):
    inner = {"name": "inner", "steps": [[{"name": "x", "template": "bad"}]]}
    main = fast({"steps": [[{"name": "a", "template": "inner"}]]})
    final = play({"templates": [main, inner, leaf("bad")]}, outcome=lambda _: BAD)
    assert final.message == f"child '{final.nodes['w[0].a'].id}' failed"


def test_an_attempt_that_fails_fast_tries_again_what_has_begun(player):
    """Argo looks at the Retry node, inside which nothing has failed, so that the run can end."""
    again = {**leaf("again"), "retryStrategy": {"limit": 1}}
    body = {"dag": {"tasks": [{"name": "a", "template": "again"}]}}
    main = {**fast(body), "retryStrategy": {"limit": 1}}
    final = player({"templates": [main, again]}, outcome=lambda _: BAD).play()
    assert final.phase == "Failed"
    assert {"w(0).a(1)", "w(1).a(1)"} <= final.nodes.keys()
    assert "failFast" not in final.nodes["w(0)"].message


@pytest.mark.parametrize("again", [{"limit": 1}, {"limit": 0}])
def test_what_stays_as_it_is_gives_its_locks_back(player, again):
    lock = {"synchronization": {"mutexes": [{"name": "m"}]}}
    alone = {**leaf("alone"), "retryStrategy": again, **lock}
    handler = {**leaf("handler"), **lock}
    main = fast({"dag": {"tasks": [{"name": "a", "template": "alone"}]}})
    spec = {"onExit": "handler", "templates": [main, alone, handler]}
    final = player(spec, outcome=lambda _: BAD).play()
    assert final.phase == "Failed"
    assert final.nodes["w.onExit"].phase == "Failed"
