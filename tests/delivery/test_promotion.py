"""When a version goes further by itself, when it waits, and what the reports say."""

import json

import protocol_steps as steps
import pytest
from protocol_world import MODEL, NOW, Universe, owner

from gitwf.delivery import action, plan


def reports(universe, state, now=NOW):
    proc = steps.observe(universe, state, 0).procs[0]
    seen = universe.observe(proc, owner(0, 0), {})
    return [one for one in plan.plan(seen, now).actions if isinstance(one, action.Report)]


def named(universe, state, environment):
    return universe.trail(state.head, environment).last


def test_manual_waits_for_a_person_and_says_what_to_type():
    universe = Universe(promote={"prod": "manual"})

    state = steps.run(universe, steps.begin(universe))

    (report,) = reports(universe, state)
    assert report.state is action.State.HELD
    assert report.hint == "gitwf promote m@1 --in prod"


def test_a_version_soaks_before_it_goes_further():
    universe = Universe(
        environments=("staging", "prod"), promote={"prod": {"after": "staging", "soak": "1h"}}
    )

    state = steps.run(universe, steps.begin(universe))

    assert named(universe, state, "prod") is None
    waiting = [one for one in reports(universe, state) if one.environment == "prod"]
    assert waiting[0].until == NOW.after(3600)
    assert "soaks in staging until 2026-11-23T13:00:00Z" in waiting[0].reason
    proc = steps.observe(universe, state, 0).procs[0]
    later = plan.plan(universe.observe(proc, owner(0, 0), {}), NOW.after(3600))
    assert isinstance(later.pending[0], action.Judge)


def test_a_version_that_fails_its_gates_is_held_back_with_the_numbers():
    universe = Universe(gates=["metrics.mape < 0.25"], metrics={"A": {"mape": 0.9}})

    state = steps.run(universe, steps.begin(universe))

    (report,) = reports(universe, state)
    assert report.reason == (
        "version 1 is held back by its gates: `metrics.mape < 0.25` is false (metrics.mape = 0.9)"
    )
    assert named(universe, state, "prod") is None


def test_an_edited_gate_is_asked_anew_and_trains_nothing():
    universe = Universe(gates=["metrics.mape < 0.25"], metrics={"A": {"mape": 0.9}})
    state = steps.run(universe, steps.begin(universe))
    looser = Universe(gates=["metrics.mape < 1"], metrics={"A": {"mape": 0.9}})
    looser.commits, looser.ledgers, looser.claims = (
        universe.commits,
        universe.ledgers,
        universe.claims,
    )

    after = steps.run(looser, state)

    assert named(looser, after, "prod").version == 1
    assert after.starts == state.starts


def test_in_sync_says_what_is_served():
    universe = Universe()

    (report,) = reports(universe, steps.run(universe, steps.begin(universe)))

    assert (report.state, report.reason) == (action.State.SYNCED, "serves version 1")


def test_an_environment_that_a_pipeline_left_is_left_as_it_is():
    universe = Universe()
    state = steps.run(universe, steps.begin(universe))
    served = state.targets
    spec = universe.pipeline.spec.model_copy(update={"deploy": ()})
    left = Universe()
    left.commits, left.ledgers = universe.commits, universe.ledgers
    left.pipeline = universe.pipeline.model_copy(update={"spec": spec})

    after = steps.run(left, steps.person(left, state, "push", "B"))

    assert after.targets == served
    assert "no longer deploys here" in reports(left, after)[0].reason


@pytest.mark.parametrize("field", ["ledger", "parent", "request", "kind", "by"])
def test_the_evidence_is_whole(field):
    universe = Universe()
    state = steps.run(universe, steps.begin(universe))
    source = universe.commits[state.head].read("models/m/prod.yaml")

    found = steps.world.release_of(source, "models/m/prod.yaml")

    assert getattr(found.evidence, field)
    assert json.loads(found.model_dump_json())["metadata"] == {
        "model": MODEL,
        "environment": "prod",
    }
