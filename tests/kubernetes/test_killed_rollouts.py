"""kill -9 at each boundary of a rollout on a real cluster: the next reconcile ends it the same.

One world; each test rolls out a version more, is killed on the way, and reconciles once.
"""

import itertools
import signal

import pytest

from tests.e2e import conftest as e2e
from tests.e2e.test_kill import KILLED
from tests.kubernetes import worlds

GOOD = (f"0.14{number}\n" for number in itertools.count(100))
# An update applies the Deployment, then its ConfigMap and its Service.
UPDATE = ["before:1", "after:1", "after:2", "after:3"]
# A new Deployment is created, then made gitwf's applied one.
CREATION = ["after:1", "after:2"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory, cluster, cluster_store):
    from tests.cluster import fixtures

    with fixtures.new_namespace(cluster) as namespace:
        folder = tmp_path_factory.mktemp("killed") / "world"
        made = worlds.make(folder, cluster, namespace, cluster_store)
        made.write({worlds.MANIFEST: made.manifest(replicas=1)})
        made.gitwf("reconcile")
        yield made


def killed(world, where):
    """Reconcile and be killed there."""
    process = world.start(KILLED, where, "reconcile", TOUCHED="cluster")
    out, _ = process.communicate(timeout=e2e.PATIENCE_SECONDS)
    assert process.returncode == -signal.SIGKILL, out


def assert_settled(world, version):
    """Nothing tells that it happened: a release a version, its rollout good, nothing left to do."""
    assert world.comes_to_serve(f"toy-v{version}") == f"toy-v{version}"
    assert len(world.releases()) == version
    rollouts = [path for path in world.ledger() if path.endswith(f"/{version}.json")]
    facts = [world.ledger()[path] for path in rollouts if path.startswith("rollouts/")]
    assert [fact["ok"] for fact in facts] == [True]
    world.gitwf("plan", "--exit-code")


@pytest.mark.parametrize("where", CREATION)
def test_a_killed_creation_is_ended_by_the_next_reconcile(shop, where):
    version = len(shop.releases())
    shop.connection().delete(worlds.APPS, "Deployment", worlds.NAME)
    # Nothing of its companions is there either, as the first time.
    for one in shop.connection().listed("v1", "ConfigMap", labels="gitwf.dev/model=toy")[0]:
        shop.connection().delete("v1", "ConfigMap", one["metadata"]["name"])
    assert shop.gone(shop.deployment) is None

    killed(shop, where)
    shop.gitwf("reconcile")

    assert_settled(shop, version)


@pytest.mark.parametrize("where", UPDATE)
def test_a_killed_update_is_ended_by_the_next_reconcile(shop, where):
    version = len(shop.releases()) + 1
    shop.push("Better", mape=next(GOOD))

    killed(shop, where)
    shop.gitwf("reconcile")

    assert_settled(shop, version)
    # What was created is by now applied, so that a release can take fields back.
    gitwfs = [
        entry["operation"]
        for entry in shop.deployment()["metadata"]["managedFields"]
        if entry["manager"] == "gitwf"
    ]
    assert gitwfs == ["Apply"]
