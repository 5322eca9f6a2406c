"""Mutexes and semaphores of templates, within one run."""

import pytest

from gitwf.errors import Rejected
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

SIZES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sizes"}, "data": {"n": "2"}}
MUTEX = {"mutexes": [{"name": "m"}]}
SEMAPHORE = {"semaphores": [{"configMapKeyRef": {"name": "sizes", "key": "n"}}]}
BAD = (record.Phase.FAILED, "no", record.Outputs(exit_code="1"))


def spec(*leaves, count=5):
    steps = [
        {"name": leaf["name"], "template": leaf["name"], "withSequence": {"count": str(count)}}
        for leaf in leaves
    ]
    return {"templates": [{"name": "main", "steps": [steps]}, *leaves]}


def leaf(name, synchronization, **more):
    container = {"image": "x", "command": ["true"]}
    return {"name": name, "container": container, "synchronization": synchronization, **more}


@pytest.mark.parametrize(("lock", "limit"), [(MUTEX, 1), (SEMAPHORE, 2)])
def test_a_lock_has_as_many_holders_as_it_has_places(player, lock, limit):
    played = player(spec(leaf("a", lock), leaf("b", lock)), SIZES)

    assert played.play().phase == "Succeeded"
    assert (len(played.starts), played.most_active) == (10, limit)


def test_locks_with_other_names_do_not_wait_for_each_other(player):
    a = leaf("a", {"mutexes": [{"name": "{{inputs.parameters.of}}"}]})
    a["inputs"] = {"parameters": [{"name": "of"}]}
    body = spec(a)
    given = {"parameters": [{"name": "of", "value": "{{item}}"}]}
    body["templates"][0]["steps"][0][0]["arguments"] = given
    played = player(body)

    assert played.play().phase == "Succeeded"
    assert played.most_active == 5


def test_who_needs_two_locks_takes_both_or_none(player):
    both = {**MUTEX, **SEMAPHORE}
    played = player(spec(leaf("a", both), leaf("b", MUTEX), leaf("c", SEMAPHORE)), SIZES)

    assert played.play().phase == "Succeeded"
    assert (len(played.starts), played.most_active) == (15, 2)


def test_a_lock_is_held_over_all_attempts(player):
    played = player(
        spec(leaf("a", MUTEX, retryStrategy={"limit": 2}), count=2), outcome=lambda _: BAD
    )

    assert played.play().phase == "Failed"
    names = [name.split("a(")[1] for name in played.starts]
    assert names == ["0:0)(0)", "0:0)(1)", "0:0)(2)", "1:1)(0)", "1:1)(1)", "1:1)(2)"]
    assert played.most_active == 1


def test_a_lock_is_free_before_the_place_that_its_holder_had(player):
    body = spec(leaf("a", MUTEX), leaf("b", {}), count=2)
    played = player({**body, "parallelism": 1})

    assert played.play().phase == "Succeeded"
    assert list(played.starts) == ["w[0].a(0:0)", "w[0].a(1:1)", "w[0].b(0:0)", "w[0].b(1:1)"]


def test_what_waits_for_a_lock_has_its_place_in_the_template(player):
    body = spec(leaf("a", MUTEX), leaf("b", {}), count=2)
    body["templates"][0]["parallelism"] = 2
    played = player(body)

    assert played.play().phase == "Succeeded"
    assert list(played.starts)[:2] == ["w[0].a(0:0)", "w[0].a(1:1)"]


def test_no_failure_stops_what_waits_for_a_lock(player):
    body = spec(leaf("a", MUTEX), count=3)
    body["templates"][0].update(failFast=True, parallelism=2)
    played = player(body, outcome=lambda _: BAD)

    assert played.play().phase == "Failed"
    assert list(played.starts) == ["w[0].a(0:0)", "w[0].a(1:1)"]


def test_what_waits_for_a_lock_ends_with_the_run(player):
    played = player(spec(leaf("a", MUTEX)), outcome=lambda _: None)
    played.send(messages.Shutdown(Instant.parse("2026-01-01T00:00:05Z"), "enough"))
    final = played.play()

    assert final.phase == "Failed"
    assert len(played.starts) == 1
    assert {node.message for node in final.nodes.values() if node.type == "Pod"} == {"enough"}
    assert sum(node.type == "Pod" for node in final.nodes.values()) == 5


def test_a_lock_that_needs_itself_ends_when_the_run_is_ended(player):
    inner = leaf("a", MUTEX)
    outer = {"name": "main", "synchronization": MUTEX, "steps": [[{"name": "s", "template": "a"}]]}
    played = player({"templates": [outer, inner]})
    played.play()
    assert played.starts == {}

    played.send(messages.Shutdown(Instant.parse("2026-01-01T00:00:05Z"), "enough"))
    assert played.run.record().phase == "Failed"


@pytest.mark.parametrize("size", [{}, {"m": "many"}, {"m": "0"}], ids=["none", "word", "zero"])
def test_a_semaphore_that_nobody_could_ever_hold_is_an_error(play, size):
    nowhere = {"semaphores": [{"configMapKeyRef": {"name": "sizes", "key": "m"}}]}
    final = play(spec(leaf("a", nowhere), count=1), {**SIZES, "data": size})

    [message] = [node.message for node in final.nodes.values() if node.type == "Skipped"]
    assert message.endswith("/ConfigMap/sizes/m with limit")
    assert message.startswith("failed to initialize semaphore ")


def test_the_workflows_own_locks_are_named_for_whoever_drives_it(player):
    own = {"mutexes": [{"name": "of-{{workflow.name}}"}], **SEMAPHORE}
    body = {"synchronization": own, **spec(leaf("a", MUTEX), count=1)}
    held = player(body, SIZES).run.held

    assert [(one.name.split("/", 1)[1], one.limit) for one in held] == [
        ("Mutex/of-w", 1),
        ("ConfigMap/sizes/n", 2),
    ]
    with pytest.raises(Rejected) as refused:
        player(body)
    [one] = refused.value.diagnostics
    assert one.line > 0
    assert one.message == (
        "Failed to acquire the synchronization lock. "
        "failed to initialize semaphore default/ConfigMap/sizes/n with limit"
    )
