"""Behind an API server that fails every other write, rollouts end as they do behind a good one."""

import pytest

from tests.kubernetes import faulty, worlds
from tests.kubernetes.test_killed_rollouts import assert_settled


@pytest.mark.parametrize("seed", [1, 2])
def test_rollouts_end_the_same_behind_a_server_that_loses_lies_and_dawdles(world, seed):
    world.write({worlds.MANIFEST: world.manifest(replicas=1)})
    with faulty.between(world.cluster, world.folder, seed) as (kubeconfig, faults):
        bad = {"KUBECONFIG": str(kubeconfig)}
        world.gitwf("reconcile", **bad)
        world.push("Better", mape="0.1\n")
        world.gitwf("reconcile", **bad)
        assert min(faults.met["500"], faults.met["409"], faults.met["slow"]) > 0, faults.met

    assert_settled(world, 2)
    # Nor does the next release, behind a good server, find anything left over.
    world.push("Better", mape="0.09\n")
    world.gitwf("reconcile")
    assert_settled(world, 3)
