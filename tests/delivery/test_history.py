"""What an auditor is told: every number, every release, why, by whom, with which metrics."""

import protocol_steps as steps
import pytest
from protocol_world import MODEL, NOW, Universe, owner

from gitwf.delivery import diff, entry, history, plan, status
from gitwf.errors import Stalled

GATES = ["current == nil || metrics.mape <= current.metrics.mape * 1.5"]
METRICS = {"A": {"mape": 0.2}, "B": {"mape": 0.1}, "C": {"mape": 0.9}, "D": {"mape": 0.1}}


@pytest.fixture
def universe():
    return Universe(gates=GATES, metrics=METRICS, bad="D")


@pytest.fixture
def state(universe):
    """1 released; 2 released and taken back by a person; 3 fails its gate; 4 fails to roll out."""
    state = steps.run(universe, steps.begin(universe))
    state = steps.run(universe, steps.person(universe, state, "push", "B"))
    state = steps.run(universe, steps.person(universe, state, "revert-release"))
    state = steps.run(universe, steps.person(universe, state, "push", "C"))
    return steps.run(universe, steps.person(universe, state, "push", "D"))


def places(universe, state):
    view = seen(universe, state).models[MODEL]
    return history.places({one.name: (one.trail(), one.release) for one in view.environments})


def seen(universe, state):
    proc = steps.observe(universe, state, 0).procs[0]
    return universe.observe(proc, owner(0, 0), {})


def test_every_release_is_told_newest_first(universe, state):
    known = universe.ledgers[state.ledger]

    rows = history.releases(MODEL, places(universe, state), known)

    assert [(row.version, row.kind, row.state) for row in rows] == [
        (1, "rollback", "served"),
        (4, "promote", "failed rollout"),
        (1, "person", "replaced"),
        (2, "promote", "replaced"),
        (1, "promote", "replaced"),
    ]
    assert rows[0].metrics == {"mape": 0.2}
    assert [row.who for row in rows] == ["gitwf", "gitwf", "person", "gitwf", "gitwf"]


def test_every_number_is_accounted_for(universe, state):
    known = universe.ledgers[state.ledger]

    rows = history.versions(MODEL, places(universe, state), frozenset({4}), known)

    assert [(row.version, row.run, row.states["prod"]) for row in rows] == [
        (4, "succeeded", history.State.FAILED),
        (3, "succeeded", history.State.GATED),
        (2, "succeeded", history.State.WITHDRAWN),
        (1, "succeeded", history.State.SERVED),
    ]
    assert rows[1].verdicts[0].compared == 1
    assert "metrics.mape = 0.9" in rows[1].verdicts[0].words
    assert [one.ok for one in rows[0].rollouts] == [False]


def test_a_run_that_gave_nothing_has_a_row_too(universe):
    state = steps.act(universe, steps.observe(universe, steps.begin(universe), 0), 0)
    known = universe.ledgers[state.ledger]
    (claim,) = known.open_claims(MODEL)
    running = history.version(MODEL, 1, {}, frozenset(), known)
    ended = entry.Ended(MODEL, claim.key, 1, "failed", "exit code 1", NOW)
    state = steps.append(universe, state, lambda _: entry.additions(ended))
    failed = history.version(MODEL, 1, {}, frozenset(), universe.ledgers[state.ledger])

    assert (running.run, running.reason) == ("running", "process 0 on host holds the claim")
    assert (failed.run, failed.reason) == ("failed", "exit code 1")


def test_two_versions_differ_in_what_made_them_and_what_they_measure(universe, state):
    found = diff.diff(MODEL, 1, 2, universe.ledgers[state.ledger])

    assert found.parts == ("parameters.code: A -> B",)
    assert not found.same_model
    assert [(one.name, one.old, one.new) for one in found.metrics] == [("mape", 0.2, 0.1)]
    assert found.metrics[0].change == pytest.approx(-0.1)


def test_a_version_without_a_result_cannot_be_compared(universe, state):
    with pytest.raises(Stalled, match="no version 9 with a result"):
        diff.diff(MODEL, 1, 9, universe.ledgers[state.ledger])


def test_status_says_what_is_served_and_what_is_next(universe, state):
    read = seen(universe, state)

    (row,) = status.rows(read, plan.plan(read, NOW))

    assert (row.named, row.served, row.ready) == (1, "m-v1", True)
    assert row.held == "versions 4"
    pushed = seen(universe, steps.person(universe, state, "push", "E"))
    (row,) = status.rows(pushed, plan.plan(pushed, NOW))
    assert (row.state, row.next) == ("pending", "train version 5: parameters.code: D -> E")
