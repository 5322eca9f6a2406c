"""A model of which there is nothing to say costs nothing until something of it moves."""

import pytest

from gitwf.delivery import action, verbs
from gitwf.service import reconcile
from tests.e2e import conftest as toys

UNDEPLOYED = toys.PIPELINE.partition("  deploy:")[0]
SCHEDULED = UNDEPLOYED.replace(
    'paths: ["."]', 'paths: ["."], schedule: {cron: "0 * * * *", timezone: UTC}'
)


def pushed(world, pipeline):
    """Trained and settled, as a reconciler knows it that goes on."""
    world.commit({"pipelines/toy/pipeline.yaml": pipeline.encode()})
    reconciler = reconcile.Reconciler(world.edge())
    reconciler.run()
    reconciler.look()
    return reconciler


def test_it_is_not_planned_for_again_while_nothing_moves(world):
    reconciler = pushed(world, UNDEPLOYED)

    seen, planned = reconciler.look()

    assert seen.observed.settled == {"toy"}
    assert planned.actions == ()
    assert reconciler.run().verdict is reconcile.Verdict.IN_SYNC


@pytest.mark.parametrize("pipeline", [toys.PIPELINE, SCHEDULED], ids=["deployed", "scheduled"])
def test_one_that_a_target_or_the_time_can_change_is_always_looked_at(world, pipeline):
    seen = pushed(world, pipeline).look()[0]

    assert not seen.diagnostics()
    assert seen.observed.settled == frozenset()


def test_a_commit_and_a_wish_are_seen_at_once(world):
    reconciler = pushed(world, UNDEPLOYED)

    world.wishes(lambda view, _, now: verbs.retrain(view, "w1", "ann", "new rows", now))

    assert isinstance(reconciler.look()[1].actions[0], action.Claim)
    reconciler.run()
    reconciler.look()
    assert reconciler.look()[0].observed.settled == {"toy"}

    world.push(0.11)

    assert isinstance(reconciler.look()[1].actions[0], action.Claim)
