"""Rollouts that fail on a real cluster: what is told, what is undone, and who goes on being served.

One world for all of them: each begins with a good version served, and ends with a newer good one.
Clients ask all the time.
"""

import contextlib
import http.client
import itertools
import re
import time

import pytest

from gitwf.values import Instant
from tests.e2e.test_load import Load
from tests.kubernetes import worlds

DEADLINE = 25
PATIENCE_SECONDS = 90
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
GOOD = (f"0.14{number}\n" for number in itertools.count(100))


class Clients(Load):
    """Clients that open a connection for each page: one that is kept ends with its pod."""

    def ask(self, *, keep):
        try:
            super().ask(keep=False)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append((len(self.seen), repr(error)))
            self.over.set()


class Shop(worlds.ClusterWorld):
    """A world whose viewer refuses some models, and what is on record about a failure."""

    def number(self):
        """The number of the version that is served."""
        return int(self.served().removeprefix("toy-v"))

    @contextlib.contextmanager
    def asked(self, newest=0):
        """Clients ask, and see nothing but the version served now, or up to `newest`."""
        served = self.number()
        load = Clients(self.address(), oldest=served, newest=newest or served)
        with load.asking():
            yield load
            asked = len(load.seen)
            load.wait_for(lambda: len(load.seen) > asked)
        assert load.wrong == []

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

    def assert_taken_back(self, good, bad, reason):
        """One commit names the good version, holds the bad one and says why."""
        newest, promoted, *_ = self.releases()
        subjects = [self.remote.git("log", "-1", "--format=%s", one) for one in (newest, promoted)]
        assert subjects == [
            f"Roll toy in production back to version {good}",
            f"Release toy@{bad} to production",
        ]
        changed = self.remote.git("diff", "--name-only", f"{newest}^", newest).splitlines()
        assert changed == ["models/toy/production.yaml", "models/toy/rejected.yaml"]
        version, held = self.release()
        assert (version, held[-1]) == (str(good), str(bad))
        assert reason in self.rejection(bad)
        fact = self.rollout(bad)
        assert (fact["ok"], reason in fact["reason"]) == (False, True), fact

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
        until = time.monotonic() + PATIENCE_SECONDS
        while "used" not in cluster.get("v1", "ResourceQuota", "small").get("status", {}):
            assert time.monotonic() < until
            time.sleep(0.1)

    def goes_on(self, files=()):
        """Push a better model, and what else there is to mend: it is served."""
        wanted = self.number() + 2
        with self.asked(newest=wanted):
            self.write({"pipelines/toy/mape.txt": next(GOOD), **dict(files)}, "Better")
            self.gitwf("reconcile")
            assert self.comes_to_serve(f"toy-v{wanted}") == f"toy-v{wanted}"


@pytest.fixture(scope="module")
def failing(tmp_path_factory, cluster, cluster_store):
    from tests.cluster import fixtures

    with fixtures.new_namespace(cluster) as namespace:
        folder = tmp_path_factory.mktemp("failing") / "world"
        made = worlds.make(folder, cluster, namespace, cluster_store, Shop)
        manifest = made.manifest(deadline=DEADLINE, replicas=1)
        made.write({worlds.VIEWER: PICKY, worlds.MANIFEST: manifest})
        made.gitwf("reconcile")
        made.comes_to_serve("toy-v1")
        yield made


@pytest.fixture
def shop(failing):
    """The world with a good version served that no other test made, and no quota."""
    yield failing
    failing.connection().delete("v1", "ResourceQuota", "small")


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
    good = shop.number()

    with shop.asked():
        shop.push("Other", mape=f"{model}\n")
        out = shop.gitwf("reconcile", code=1)

    assert f"failed: toy in production: {reason}" in out
    shop.assert_taken_back(good, good + 1, reason)
    shop.gitwf("plan", "--exit-code")
    shop.goes_on()


def test_bytes_that_are_not_those_recorded_fail_at_once_and_are_never_served(shop):
    good = shop.number()
    path = "pipelines/toy/pipeline.yaml"
    text = shop.remote.git("show", f"main:{path}")
    by_hand = text.replace("/manifests/viewer}", "/manifests/viewer, promote: manual}")
    shop.write({path: by_hand, "pipelines/toy/mape.txt": next(GOOD)}, "Better")
    shop.gitwf("reconcile")
    shop.tamper(good + 1)
    shop.write({path: text}, "Promote by itself")

    with shop.asked():
        out = shop.gitwf("reconcile", code=1)

    assert "not the recorded sha256:" in out
    shop.assert_taken_back(good, good + 1, "the model cannot be put in place")
    fact = shop.rollout(good + 1)
    took = Instant.parse(fact["finished"]).since(Instant.parse(fact["started"]))
    assert took < DEADLINE
    shop.goes_on()


def test_an_image_that_is_not_there_is_named_and_a_rollback_that_needs_it_is_for_a_person(shop):
    good = shop.number()
    manifest = shop.remote.show(worlds.MANIFEST)
    nowhere = manifest.replace(
        f"image: {shop.cluster.viewer}",
        "image: localhost/nowhere:test\n        imagePullPolicy: Never",
    )

    with shop.asked():
        shop.write({worlds.MANIFEST: nowhere, "pipelines/toy/mape.txt": next(GOOD)}, "Other image")
        out = shop.gitwf("reconcile", code=1)

    reason = "the image localhost/nowhere:test cannot be pulled"
    shop.assert_taken_back(good, good + 1, reason)
    assert f"the rollback to version {good} failed as well: {reason}" in out
    shop.goes_on({worlds.MANIFEST: manifest})


def test_a_full_quota_rejects_nothing_and_the_release_goes_on_when_there_is_room(shop):
    good = shop.number()
    cluster = shop.connection()
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}}
    cluster.create({**quota, "spec": {"hard": {"pods": "1"}}})
    shop.full(cluster)

    with shop.asked():
        shop.push("Better", mape=next(GOOD))
        out = shop.gitwf("reconcile", code=1)

    assert f"version {good + 1} is not served: pods cannot be made: " in out
    assert "exceeded quota" in out
    assert shop.release()[0] == str(good + 1)
    assert shop.rejection(good + 1) == ""

    with shop.asked(newest=good + 1):
        cluster.delete("v1", "ResourceQuota", "small")
        assert shop.comes_to_serve(f"toy-v{good + 1}") == f"toy-v{good + 1}"
        shop.gitwf("reconcile")
    assert shop.rollout(good + 1)["ok"]
