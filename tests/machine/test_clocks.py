"""Deadlines, waits, stops: what time and people do to a run."""

import pytest

from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

START = Instant.parse("2026-01-01T00:00:00Z")
GOOD = (record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0"))
BAD = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))


def container(**more):
    return {"container": {"image": "x", "command": ["true"]}, **more}


def single(**more):
    return {"templates": [{"name": "main", **container(**more)}]}


def steps(*names, **more):
    return {"name": "main", "steps": [[{"name": n, "template": n}] for n in names], **more}


@pytest.mark.parametrize(
    ("limit", "message", "after"),
    [
        ({"timeout": "3s"}, "timeout", 3.0),
        (
            {"timeout": "4s"},
            "Pod was active on the node longer than the specified deadline",
            4.0,
        ),
        (
            {"timeout": "10s", "activeDeadlineSeconds": 2},
            "Pod was active on the node longer than the specified deadline",
            10.0,
        ),
        (
            {"activeDeadlineSeconds": 2},
            "Pod was active on the node longer than the specified deadline",
            2.001,
        ),
    ],
)
def test_a_pod_whose_time_is_over_is_stopped_and_has_failed(player, limit, message, after):
    played = player(single(**limit), outcome=lambda _: None)
    final = played.play()
    node = final.nodes["w"]
    assert played.stops == {"w": message}
    assert (node.phase, node.message, node.outputs) == ("Failed", message, record.Outputs())
    assert node.finished == START.after(after + 0.01)


@pytest.mark.parametrize("limit", ["1s", "1900ms", "2s"])
def test_a_timeout_that_leaves_a_pod_no_whole_second_to_spare_is_an_error(player, limit):
    played = player(single(timeout=limit))
    final = played.play()
    assert played.starts == {}
    assert (final.nodes["w"].type, final.nodes["w"].phase) == ("Pod", "Error")
    assert final.message == "error in entry template execution: w exceeded its deadline"


def test_an_attempt_is_killed_when_its_retries_have_no_time_left(player):
    backoff = {"duration": "1s", "maxDuration": "6s"}
    spec = single(retryStrategy={"limit": 3, "backoff": backoff})
    played = player(spec, outcome=lambda start: BAD if start.name == "w(0)" else None)
    final = played.play()
    assert played.stops == {final.nodes["w(1)"].id: "Step exceeded its deadline"}
    assert final.nodes["w(1)"].finished == START.after(6.01)
    assert (final.phase, final.message) == ("Failed", "Max duration limit exceeded")


def test_a_pod_that_is_done_in_time_is_not_stopped(player):
    played = player(single(timeout="3s"))
    assert played.play().phase == "Succeeded"
    assert played.stops == {}


def test_the_workflows_deadline_spares_the_exit_handler(player):
    spec = {
        "activeDeadlineSeconds": 5,
        "onExit": "bye",
        "templates": [
            steps("slow", "never"),
            *({"name": n, **container()} for n in ("slow", "never", "bye")),
        ],
    }
    ends = {"w.onExit": GOOD}
    final = player(spec, outcome=lambda start: ends.get(start.name)).play()
    assert final.nodes["w[0].slow"].message == "Step exceeded its deadline"
    assert "w[1]" not in final.nodes
    assert final.nodes["w.onExit"].phase == "Succeeded"
    assert final.phase == "Failed"


def test_after_a_shutdown_nothing_starts_but_the_exit_handler(player):
    spec = {
        "onExit": "bye",
        "parallelism": 1,
        "templates": [
            {"name": "main", "steps": [[{"name": n, "template": "a"} for n in ("x", "y")]]},
            {"name": "a", **container()},
            {"name": "bye", **container()},
        ],
    }
    played = player(spec, outcome=lambda start: GOOD if start.name == "w.onExit" else None)
    played.send(messages.Shutdown(START.after(1.0), "stopped by Kim"))
    final = played.play()
    assert [n.message for n in final.nodes.values() if n.type == "Pod"] == [
        "stopped by Kim",
        "stopped by Kim",
        "",
    ]
    assert sorted(played.starts) == ["w.onExit", "w[0].x"]
    assert final.phase == "Failed"


def test_a_termination_runs_no_exit_handler(player):
    spec = {**single(), "onExit": "bye"}
    spec["templates"].append({"name": "bye", **container()})
    played = player(spec, outcome=lambda _: None)
    played.send(messages.Shutdown(START.after(1.0), "cancelled", terminate=True))
    final = played.play()
    assert list(final.nodes) == ["w"]
    assert (final.phase, final.message) == ("Failed", "cancelled")


def test_a_wait_between_attempts_is_shown_and_kept(player):
    strategy = {"limit": "2", "backoff": {"duration": "10", "factor": 2}}
    played = player(single(retryStrategy=strategy), outcome=lambda _: BAD)
    while len(played.starts) < 2:
        before = played.run.record().nodes["w"].message
        played.send(played.queue.pop(0)[2])
    assert before == "Backoff for 10 seconds"
    assert played.run.record().nodes["w"].message == ""
    assert played.now == START.after(11.0)
    final = played.play()
    assert final.nodes["w"].finished == START.after(33.0)
    assert final.nodes["w"].message == "No more retries left"


@pytest.mark.parametrize(
    ("strategy", "said"),
    [("", "main: Error (exit code 1)"), ("Stop", "Stopped with strategy 'Stop'")],
)
def test_a_shutdown_ends_a_wait_between_attempts(player, strategy, said):
    slowly = {"limit": "2", "backoff": {"duration": "1h"}}
    played = player(single(retryStrategy=slowly), outcome=lambda _: BAD)
    while played.active:
        played.send(played.queue.pop(0)[2])
    played.send(messages.Shutdown(START.after(5.0), "cancelled", strategy=strategy))
    assert played.run.over
    assert played.run.record().nodes["w"].message == said


def test_a_suspended_node_waits_for_its_duration(player):
    spec = {"templates": [{"name": "main", "suspend": {"duration": "1m"}}]}
    final = player(spec).play()
    assert (final.phase, final.finished) == ("Succeeded", START.after(60.0))


def test_a_person_lets_a_suspended_node_go_on_with_values(player):
    wait = {
        "name": "wait",
        "suspend": {},
        "outputs": {"parameters": [{"name": "who", "valueFrom": {"supplied": {}}}]},
    }
    use = {"name": "use", "inputs": {"parameters": [{"name": "who"}]}, **container()}
    main = {
        "name": "main",
        "steps": [
            [{"name": "wait", "template": "wait"}],
            [
                {
                    "name": "use",
                    "template": "use",
                    "arguments": {
                        "parameters": [
                            {"name": "who", "value": "{{steps.wait.outputs.parameters.who}}"}
                        ]
                    },
                }
            ],
        ],
    }
    played = player({"templates": [main, wait, use]})
    node = played.run.record().nodes["w[0].wait"]
    played.send(messages.Resume(START.after(1.0), node.id))
    assert played.run.record().nodes["w[0].wait"].message == (
        "raw output parameter 'who' has not been set and does not have a default value"
    )
    played.send(messages.Resume(START.after(2.0), node.id, {"who": "Kim"}))
    final = played.play()
    assert final.nodes["w[1].use"].inputs == {"who": "Kim"}
    assert final.phase == "Succeeded"


def test_an_output_that_nobody_supplies_is_the_default_of_the_input_of_its_name(player):
    own = {"name": "colour", "valueFrom": {"supplied": {}, "default": "blue"}}
    wait = {
        "name": "main",
        "suspend": {"duration": "1m"},
        "inputs": {
            "parameters": [
                {"name": "answer", "default": "yes", "enum": ["yes", "no"]},
                {"name": "colour", "default": "red"},
            ]
        },
        "outputs": {"parameters": [{"name": "answer", "valueFrom": {"supplied": {}}}, own]},
    }
    final = player({"templates": [wait]}).play()

    assert final.phase == "Succeeded"
    assert final.nodes["w"].outputs.parameters == {"answer": "yes", "colour": "blue"}


def test_a_run_may_begin_suspended(player):
    played = player({**single(), "suspend": True})
    assert played.run.record().nodes == {}
    played.send(messages.Resume(START.after(9.0)))
    assert played.play().phase == "Succeeded"


def test_events_after_the_end_or_about_strangers_change_nothing(player):
    played = player(single())
    played.send(messages.PodEnded("nobody", START, *GOOD))
    final = played.play()
    assert played.run.advance(messages.PodEnded("w", START.after(9.0), *BAD)) == []
    assert played.run.record() == final
    assert played.finishes == [record.Phase.SUCCEEDED]
