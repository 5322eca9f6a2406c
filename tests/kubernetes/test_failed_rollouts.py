"""Rollouts that fail on a real cluster: what is told, what is undone, and who goes on being served.

Each begins with version 1 served and ends with a newer good one. Clients ask all the time.
"""

import contextlib
import re

import pytest

from gitwf.adapters.kubernetes import rollout
from gitwf.values import Instant
from tests import waiting
from tests.kubernetes import worlds
from tests.kubernetes.test_load import Clients

DEADLINE = 600  # what Kubernetes gives a Deployment that says nothing
PATIENCE_SECONDS = 300
# A viewer that some models are too much for: by their error it knows them.
CRASHES, HANGS = "0.151", "0.152"
PICKY = worlds.SERVE.replace(
    "page = f'",
    f"""\
mape = model["metrics"]["mape"]
if mape == {CRASHES}:
    raise SystemExit("no such column: spend")
if mape == {HANGS}:
    threading.Event().wait()
page = f'""",
)
BETTER, BEST = "0.15\n", "0.14\n"


class Shop(worlds.ClusterWorld):
    """A world whose viewer refuses some models, and what is on record about a failure."""

    @contextlib.contextmanager
    def asked(self, newest=1):
        """Clients ask, and see nothing but version 1, or what comes up to `newest`."""
        load = Clients(self.address(), newest=newest)
        with load.asking():
            yield
            asked = len(load.seen)
            load.wait_for(lambda: len(load.seen) > asked)
        assert load.wrong == []

    def fails(self, reason, seconds=10):
        """Reconcile what fails; what gitwf says. `seconds`: what it has for the rollback as well.

        When version 2 shows its trouble, the Deployment's deadline is made that short.
        """
        reconciling = self.start("-m", "gitwf", "reconcile")
        waiting.until(lambda: self.troubled("toy-v2", reason))
        self.has(seconds)
        out, _ = reconciling.communicate(timeout=PATIENCE_SECONDS)
        assert reconciling.returncode == 1, out
        self.has(DEADLINE)
        return out

    def troubled(self, model, reason):
        """Whether a pod of a model, or the Deployment, shows why the model fails."""
        pods = [one for one in self.pods() if worlds.variable(one, "MODEL") == model]
        found = rollout.trouble(self.deployment(), pods)
        return found is not None and (found.reason in reason or reason in found.reason)

    def has(self, seconds):
        """Give the Deployment's rollouts so much time, as its owners may."""
        change = {"spec": {"progressDeadlineSeconds": seconds}}
        self.connection().merge(worlds.APPS, "Deployment", self.serving, change)

    def release(self):
        """The version that the release file names, and those it holds."""
        text = self.remote.show("models/toy/production.yaml")
        (version,) = re.findall(r"^  version: (.*)$", text, re.MULTILINE)
        held = re.findall(r"^    versions: \[(.*)\]$", text, re.MULTILINE)
        return version, held[0].split(", ") if held else []

    def rejection(self, version):
        """Why a version is rejected."""
        text = self.remote.show("models/toy/rejected.yaml")
        return text.partition(f"version: {version}\n")[2].partition("version: ")[0]

    def rollout(self, version):
        """What the ledger says of the first rollout of a version."""
        (found,) = (
            body
            for path, body in self.ledger().items()
            if path.startswith("rollouts/") and path.endswith(f"/{version}.json")
        )
        return found

    def assert_taken_back(self, reason):
        """One commit names version 1, holds version 2 and says why."""
        newest, promoted, *_ = self.releases()
        subjects = [self.remote.git("log", "-1", "--format=%s", one) for one in (newest, promoted)]
        assert subjects == [
            "Roll toy in production back to version 1",
            "Release toy@2 to production",
        ]
        changed = self.remote.git("diff", "--name-only", f"{newest}^", newest).splitlines()
        assert changed == ["models/toy/production.yaml", "models/toy/rejected.yaml"]
        version, held = self.release()
        assert (version, held) == ("1", ["2"])
        assert reason in self.rejection(2)
        fact = self.rollout(2)
        assert (fact["ok"], reason in fact["reason"]) == (False, True), fact

    def pods(self):
        """The viewer's pods."""
        return self.connection().listed("v1", "Pod", labels="app=toy")[0]

    def tamper(self, version):
        """Put other bytes where a version's are."""
        from gitwf.adapters import store

        key = self.ledger()[f"versions/toy/{version}.json"]["key"]
        uri = self.ledger()[f"runs/toy/{key}/result.json"]["uri"]
        opened = store.ObjectStore(store.Settings(environment=self.keys))
        bucket, path = opened._open(uri)
        bucket.put(path, b'{"name": "toy", "made": "elsewhere"}', mode="overwrite")

    def full(self, cluster):
        """Wait till the quota knows what there is."""
        waiting.until(
            lambda: "used" in cluster.get("v1", "ResourceQuota", "small").get("status", {})
        )

    def goes_on(self, files=()):
        """Push an even better model, and what else there is to mend: it is served."""
        with self.asked(newest=3):
            self.write({"pipelines/toy/mape.txt": BEST, **dict(files)}, "Better")
            self.gitwf("reconcile")
            assert self.comes_to_serve("toy-v3") == "toy-v3"


def ready(pod):
    found = rollout.condition(pod, "Ready")
    return found is not None and found["status"] == "True"


@pytest.fixture
def shop(tmp_path, cluster, namespace, cluster_store):
    """The world with version 1 served."""
    made = worlds.make(tmp_path / "world", cluster, namespace, cluster_store, Shop)
    manifest = made.manifest(replicas=1)
    made.write({worlds.VIEWER: PICKY, worlds.MANIFEST: manifest})
    made.gitwf("reconcile")
    assert made.comes_to_serve("toy-v1") == "toy-v1"
    return made


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (CRASHES, "container viewer crashed (exit code 1); it wrote: no such column: spend"),
        (HANGS, "container viewer runs but is not ready"),
    ],
)
def test_a_model_that_its_viewer_cannot_show_is_taken_back_and_the_next_goes_through(
    shop, model, reason
):
    with shop.asked():
        shop.push("Other", mape=f"{model}\n")
        out = shop.fails(reason)

    assert f"failed: toy in production: {reason}" in out
    shop.assert_taken_back(reason)
    shop.gitwf("plan", "--exit-code")
    shop.goes_on()


def test_bytes_that_are_not_those_recorded_fail_at_once_and_are_never_served(shop):
    path = "pipelines/toy/pipeline.yaml"
    text = shop.remote.git("show", f"main:{path}")
    by_hand = text.replace("/manifests/viewer}", "/manifests/viewer, promote: manual}")
    shop.write({path: by_hand, "pipelines/toy/mape.txt": BETTER}, "Better")
    shop.gitwf("reconcile")
    shop.tamper(2)
    shop.write({path: text}, "Promote by itself")

    with shop.asked():
        out = shop.gitwf("reconcile", code=1)

    assert "not the recorded sha256:" in out
    shop.assert_taken_back("the model cannot be put in place")
    fact = shop.rollout(2)
    took = Instant.parse(fact["finished"]).since(Instant.parse(fact["started"]))
    assert took < DEADLINE
    shop.goes_on()


def test_an_image_that_is_not_there_is_named_and_a_rollback_that_needs_it_is_for_a_person(shop):
    manifest = shop.remote.show(worlds.MANIFEST)
    nowhere = manifest.replace(
        f"image: {shop.cluster.viewer}",
        "image: localhost/nowhere:test\n        imagePullPolicy: Never",
    )
    reason = "the image localhost/nowhere:test cannot be pulled"

    with shop.asked():
        shop.write({worlds.MANIFEST: nowhere, "pipelines/toy/mape.txt": BETTER}, "Other image")
        # A node under load is slow to start a pod and to say what keeps it, in the rollback too.
        out = shop.fails(reason, seconds=40)

    shop.assert_taken_back(reason)
    # What the pods that serve were started with is there for them to be started again.
    (pod,) = [one for one in shop.pods() if ready(one)]
    (app,) = [one["configMap"]["name"] for one in pod["spec"]["volumes"] if "configMap" in one]
    assert shop.connection().get("v1", "ConfigMap", app) is not None
    assert f"the rollback to version 1 failed as well: {reason}" in out
    shop.goes_on({worlds.MANIFEST: manifest})


def test_a_full_quota_rejects_nothing_and_the_release_goes_on_when_there_is_room(shop):
    cluster = shop.connection()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    cluster.create({**quota, "spec": {"hard": {"pods": "1"}}})
    shop.full(cluster)

    with shop.asked():
        shop.push("Better", mape=BETTER)
        out = shop.fails("exceeded quota")

    assert "version 2 is not served: pods cannot be made: " in out
    assert "exceeded quota" in out
    assert shop.release()[0] == "2"
    assert "models/toy/rejected.yaml" not in shop.remote.git("ls-tree", "-r", "--name-only", "main")

    with shop.asked(newest=2):
        cluster.delete("v1", "ResourceQuota", "small")
        assert shop.comes_to_serve("toy-v2") == "toy-v2"
        shop.gitwf("reconcile")
    assert shop.rollout(2)["ok"]
