"""Memoized templates: asked for, found or kept."""

import pytest

from gitwf.workflow import record

BAD = (record.Phase.FAILED, "no", record.Outputs(exit_code="1"))


def gave(value):
    return (record.Phase.SUCCEEDED, "", record.Outputs({"v": value}, exit_code="0"))


def spec(key="k", **more):
    memo = {"key": key, "maxAge": "1h", "cache": {"configMap": {"name": "c"}}}
    leaf = {
        "name": "leaf",
        "memoize": memo,
        "container": {"image": "x", "command": ["true"]},
        "outputs": {"parameters": [{"name": "v", "valueFrom": {"path": "/v"}}]},
        **more,
    }
    groups = [[{"name": name, "template": "leaf"}] for name in ("a", "b")]
    shown = {"name": "v", "valueFrom": {"parameter": "{{steps.b.outputs.parameters.v}}"}}
    main = {"name": "main", "steps": groups, "outputs": {"parameters": [shown]}}
    return {"templates": [main, leaf]}


def test_the_second_call_takes_what_the_first_gave(player):
    played = player(spec(), outcome=lambda _: gave("1"))
    final = played.play()

    assert [*played.starts] == ["w[0].a"]
    assert [final.nodes[name].memoized.hit for name in ("w[0].a", "w[1].b")] == [False, True]
    assert final.nodes["w[1].b"].type == "Pod"
    assert final.nodes["w"].outputs.parameters == {"v": "1"}


def test_what_failed_is_not_kept(player):
    body = spec()
    body["templates"][0]["steps"][0][0]["continueOn"] = {"failed": True}
    played = player(body, outcome=lambda _: BAD)

    assert played.play().phase == "Failed"
    assert len(played.starts) == 2
    assert played.kept == {}


def test_a_retried_node_is_kept_once_and_found_without_an_attempt(player):
    played = player(spec(retryStrategy={"limit": 1}), outcome=lambda _: gave("1"))
    final = played.play()

    assert [*played.starts] == ["w[0].a(0)"]
    assert final.nodes["w[0].a(0)"].memoized == final.nodes["w[0].a"].memoized
    assert (final.nodes["w[0].a"].type, final.nodes["w[1].b"].type) == ("Retry", "Retry")
    assert final.phase == "Succeeded"


@pytest.mark.parametrize(
    ("around", "shared"),
    [
        ({"steps": [[{"name": "a", "template": "leaf"}]]}, {}),
        ({"dag": {"tasks": [{"name": "a", "template": "leaf"}]}}, {"shared": "2"}),
    ],
)
def test_found_outputs_become_global_in_a_dag_alone(player, around, shared):
    """Argo: executeTemplate publishes nothing of a hit, executeDAG what its tasks gave."""
    output = {"name": "v", "valueFrom": {"path": "/v"}, "globalName": "shared"}
    templates = spec(outputs={"parameters": [output]})["templates"]
    whole = {"templates": [{"name": "main", **around}, *templates[1:]]}
    played = player(whole, kept={("c", "k"): record.Outputs({"v": "2"})})
    final = played.play()

    assert played.starts == {}
    assert final.outputs.parameters == shared


@pytest.mark.parametrize("key", ["", "a/b", "-a"])
def test_a_key_that_is_none_is_an_error(play, key):
    final = play(spec(key))

    assert (final.phase, final.nodes["w[0].a"].message) == ("Failed", f"invalid cache key: {key}")


def test_waiting_for_an_answer_takes_a_place(player):
    body = spec()
    loop = {"name": "a", "template": "leaf", "withSequence": {"count": "5"}}
    body["templates"][0] = {"name": "main", "steps": [[loop]]}
    played = player({"parallelism": 2, **body}, outcome=lambda _: gave("1"))

    assert played.play().phase == "Succeeded"
    assert played.most_active == 2
    assert len(played.starts) == 2


@pytest.mark.parametrize("strategy", ["Stop", "Terminate"])
def test_a_workflow_written_with_shutdown_ends_at_once(player, strategy):
    leaf = {"name": "main", "container": {"image": "x", "command": ["true"]}}
    played = player({"shutdown": strategy, "templates": [leaf], "onExit": "main"})
    final = played.play()

    assert (final.phase, final.message) == ("Failed", f"Stopped with strategy '{strategy}'")
    assert final.nodes["w"].message == f"workflow shutdown with strategy: {strategy}"
    assert ("w.onExit" in final.nodes) == (strategy == "Stop")
