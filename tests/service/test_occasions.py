"""When a model is trained and goes further with nothing changed in Git: clocks, faults, chains."""

import pytest

from gitwf.delivery import action, verbs
from gitwf.errors import Transient
from gitwf.service import reconcile
from gitwf.values import Instant
from gitwf.workflow import record
from tests.e2e import conftest as toys

PIPELINE = "pipelines/toy/pipeline.yaml"
NIGHTLY = toys.PIPELINE.replace(
    'paths: ["."]', 'paths: ["."], schedule: {cron: "0 3 * * *", timezone: Asia/Tokyo}'
)
CHAIN = toys.PIPELINE.replace(
    "- {environment: production, manifests: /manifests/viewer}",
    "- {environment: staging, manifests: /manifests/viewer}\n"
    "  - {environment: production, manifests: /manifests/viewer,\n"
    "     promote: {after: staging, soak: 1h}}",
)
STAGED = toys.PROJECT.replace("  environments:\n", "  environments:\n    staging: {local: {}}\n")
GOOD, BAD = (record.Phase.SUCCEEDED, ""), (record.Phase.FAILED, "no luck")


def until(world, moment):
    """Let the time come."""
    world.clock.advance(Instant.parse(moment).since(world.clock.now()))


def occasions(world):
    """The occasions that runs were claimed for, in time."""
    claims = [body for path, body in world.facts().items() if path.endswith("claim-1.json")]
    return [one["parts"]["occasion"] for one in sorted(claims, key=lambda body: body["at"])]


def ends(world):
    """When attempts ended without a result."""
    found = [body for path, body in world.facts().items() if "/ended-" in path]
    return sorted(Instant.parse(body["at"]) for body in found)


def test_a_schedule_is_due_in_its_own_time_zone(world):
    world.commit({PIPELINE: NIGHTLY.encode()})
    world.reconcile()
    until(world, "2026-11-23T17:59:00Z")
    world.reconcile()
    assert occasions(world) == [None]

    until(world, "2026-11-23T18:00:00Z")
    world.reconcile()
    world.reconcile()

    assert occasions(world) == [None, "2026-11-23T18:00:00Z"]
    assert world.served() == "toy-v2"


def test_of_missed_occasions_only_the_latest_is_made_up_for(world):
    world.commit({PIPELINE: NIGHTLY.encode()})
    world.reconcile()

    until(world, "2026-11-28T09:00:00Z")
    world.reconcile()
    world.reconcile()

    assert occasions(world) == [None, "2026-11-27T18:00:00Z"]
    assert world.served() == "toy-v2"


def test_what_was_due_before_the_code_came_is_no_occasion_of_it(world):
    world.commit({PIPELINE: NIGHTLY.encode()})
    until(world, "2026-11-26T00:00:00Z")
    world.push(0.19)

    world.reconcile()

    assert occasions(world) == [None]


def test_a_retrain_is_for_the_code_it_was_asked_for(world):
    world.reconcile()
    world.wishes(lambda view, _, now: verbs.retrain(view, "w1", "ann", "new rows", now))
    world.push(0.19)

    world.reconcile()

    assert world.entries("retrain/") == ["retrain/toy/w1.json"]
    assert occasions(world) == [None, None]


def test_a_transient_fault_is_tried_three_times_with_growing_pauses(world, monkeypatch):
    started = []

    def fails(order):
        started.append(order.id)
        raise Transient("the machine has no memory left")

    monkeypatch.setattr(world.engine, "start", fails)

    outcome = world.reconcile()

    first, second, third = ends(world)
    assert 10 <= second.since(first) < 20
    assert 20 <= third.since(second) < 40
    assert len(set(started)) == 3
    assert outcome.verdict is reconcile.Verdict.FAILED
    monkeypatch.undo()
    assert world.reconcile().verdict is reconcile.Verdict.FAILED
    assert world.engine.orders == {}
    world.wishes(lambda view, seen, now: verbs.retry(view, seen, "ann", "more memory", now))
    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v1"


def test_a_transient_fault_that_passes_stops_nothing(world, monkeypatch):
    start, faults = world.engine.start, [Transient("the disk is full")]

    def once(order):
        if faults:
            raise faults.pop()
        start(order)

    monkeypatch.setattr(world.engine, "start", once)

    world.reconcile()

    assert world.served() == "toy-v1"
    assert len(ends(world)) == 1


def test_a_step_that_fails_is_not_tried_again_by_itself(world):
    world.engine.play = lambda _: BAD

    world.reconcile()
    world.clock.advance(3600)
    world.reconcile()

    assert len(world.engine.orders) == 1


@pytest.fixture
def chained(world):
    """Staging first, and production after an hour of it."""
    world.commit({PIPELINE: CHAIN.encode(), "gitwf.yaml": STAGED.encode()})
    return world


def test_a_version_soaks_in_staging_before_production_gets_it(chained):
    outcome = chained.reconcile()

    assert (chained.served("staging"), chained.served()) == ("toy-v1", None)
    (waiting,) = [one for one in outcome.reports if one.environment == "production"]
    assert waiting.state is action.State.WAITING
    assert "soaks in staging until" in waiting.reason
    chained.clock.advance(3500)
    chained.reconcile(wait=False)
    assert chained.served() is None
    chained.clock.advance(200)
    chained.reconcile()
    assert chained.served() == "toy-v1"


def test_what_a_person_does_to_staging_does_not_travel(chained):
    chained.reconcile()
    chained.push(0.19)
    chained.reconcile()
    chained.asks(lambda view, seen: verbs.rollback(view, "staging", seen, "ann"))
    chained.reconcile()
    assert chained.served("staging") == "toy-v1"

    chained.clock.advance(7200)
    chained.reconcile()

    assert chained.served() is None


def test_a_newer_version_in_staging_soaks_anew(chained):
    chained.reconcile()
    chained.clock.advance(3000)
    chained.push(0.19)
    chained.reconcile()

    chained.clock.advance(1000)
    chained.reconcile()

    assert (chained.served("staging"), chained.served()) == ("toy-v2", None)
    chained.clock.advance(2700)
    chained.reconcile()
    assert chained.served() == "toy-v2"
