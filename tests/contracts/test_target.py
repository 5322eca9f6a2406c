"""What every target promises: the one in memory, a real front, a Deployment of a real cluster."""

import dataclasses
import json
import time

import obstore
import pytest

from gitwf import ports
from gitwf.adapters.viewer import control, settings, target
from gitwf.errors import RaceLost
from gitwf.testing import memory_target
from gitwf.values import CommitId, Digest
from tests import waiting

SECONDS = 300
GOOD, BAD, SLOW = "good", "bad", "slow"
CONTENT = {GOOD: json.dumps({"name": "m"}).encode(), BAD: b"[]", SLOW: b"{}"}
HANGS = "import time; time.sleep(600)"


def release(number: int) -> CommitId:
    return CommitId(f"{number:040x}")


@dataclasses.dataclass
class Case:
    """A target and a folder for viewers."""

    target: ports.Target
    folder: object
    manifests: tuple = ()

    def desired(self, number, kind=GOOD, *, viewer_id="", based_on=None):
        serving = self.target.observe()
        viewer = None
        if kind is SLOW:
            viewer = self.folder / "hangs"
            viewer.mkdir(exist_ok=True)
            (viewer / "app.py").write_text(HANGS)
        revision = serving.revision if serving else ""
        return ports.Desired(
            environment="production",
            release=release(number),
            model="m",
            version=number,
            uri=self.uri(kind, number),
            digest=Digest.of(CONTENT[kind]),
            viewer=viewer,
            viewer_id=viewer_id,
            based_on=revision if based_on is None else based_on,
            manifests=self.manifests,
        )

    def uri(self, kind, number):
        return f"memory:{kind}/{number}/model.json"

    def outcome(self, desired):
        """The rollout once it is over."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            rollout = self.target.progress(desired)
            if rollout.state is not ports.RolloutState.PROGRESSING:
                return rollout
            time.sleep(0.01)
        raise AssertionError("the rollout does not end")

    def roll(self, desired):
        self.target.apply(desired)
        return self.outcome(desired)


def in_memory(desired: ports.Desired) -> ports.Rollout:
    kind = desired.uri.removeprefix("memory:").split("/", maxsplit=1)[0]
    states = {
        GOOD: ports.Rollout(ports.RolloutState.COMPLETE),
        BAD: ports.Rollout(ports.RolloutState.FAILED, "it crashes"),
        SLOW: ports.Rollout(ports.RolloutState.PROGRESSING),
    }
    return states[kind]


# A viewer as the one of this machine is: it ends on a bad model, and never answers on a slow one.
SERVE = """
import http.server, json, os, time
model = json.load(open(os.environ["MODEL_FILE"]))
if isinstance(model, list): raise SystemExit("no model")
if not model: time.sleep(600)
http.server.ThreadingHTTPServer(("", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@dataclasses.dataclass
class ClusterCase(Case):
    """The same on a cluster, where a model comes out of a real store."""

    store: object = None
    opened: object = None

    def uri(self, kind, number):
        path = f"{self.folder.name}/{kind}/{number}/model.json"
        obstore.put(self.store, path, CONTENT[kind])
        return f"s3://models/{path}"

    def outcome(self, desired):
        """The rollout once it is over; one that crashed has ten seconds from then on."""
        if f"/{BAD}/" not in desired.uri:
            return super().outcome(desired)
        waiting.until(self.crashed)
        self.has(10)
        found = super().outcome(desired)
        self.has(600)
        return found

    def crashed(self):
        pods, _ = self.opened.listed("v1", "Pod", labels="app=viewer-app")
        found = [one for pod in pods for one in pod["status"].get("containerStatuses", ())]
        return any(one["state"].get("terminated") or one["restartCount"] for one in found)

    def has(self, seconds):
        change = {"spec": {"progressDeadlineSeconds": seconds}}
        self.opened.merge("apps/v1", "Deployment", "viewer-app", change)


def deployment(image):
    container = {
        "name": "viewer",
        "image": image,
        "command": ["python3", "-c", SERVE],
        "readinessProbe": {
            "httpGet": {"path": "/", "port": 8080},
            "periodSeconds": 1,
            "timeoutSeconds": 30,
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "viewer-app"},
        "spec": {
            "selector": {"matchLabels": {"app": "viewer-app"}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": "viewer-app"}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


@pytest.fixture
def on_cluster(request, tmp_path):
    """Made only for the cases that run there."""

    def make():
        from gitwf.adapters import store
        from gitwf.adapters.kubernetes import connection
        from gitwf.adapters.kubernetes import target as kubernetes_target

        cluster, namespace, keys = map(
            request.getfixturevalue, ("cluster", "namespace", "cluster_store")
        )
        place = connection.Settings(namespace, kubeconfig=cluster.kubeconfig)
        opened = connection.Connection(place)
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}}
        opened.create({**secret, "stringData": keys})
        own = kubernetes_target.Settings(
            "m", "production", "viewer", image=cluster.viewer, secret="store"
        )
        bucket, _ = store.ObjectStore(store.Settings(environment=keys))._open("s3://models/x")
        return ClusterCase(
            kubernetes_target.KubernetesTarget(own, opened),
            tmp_path,
            (deployment(cluster.viewer),),
            bucket,
            opened,
        )

    return make


CLUSTER = pytest.param("kubernetes", marks=[pytest.mark.slow, pytest.mark.cluster])


@pytest.fixture(params=["memory", "front", CLUSTER])
def case(request, tmp_path, on_cluster):
    if request.param == "memory":
        yield Case(memory_target.MemoryTarget(in_memory), tmp_path)
        return
    if request.param == "kubernetes":
        yield on_cluster()
        return

    def fetch(uri, _, to):
        to.write_bytes(CONTENT[uri.removeprefix("memory:").split("/")[0]])

    own = settings.FrontSettings(
        "production", tmp_path / "front", ready_seconds=SECONDS, drain_seconds=1
    )
    yield Case(target.LocalTarget(own, fetch), tmp_path)
    control.down(own)


def test_nothing_is_served_before_the_first_rollout(case):
    assert case.target.observe() is None


def test_a_complete_rollout_is_what_is_served(case):
    first = case.desired(1, viewer_id="tree")

    assert case.roll(first).state is ports.RolloutState.COMPLETE

    serving = case.target.observe()
    assert serving == ports.Serving(
        revision=serving.revision,
        release=release(1),
        model="m-v1",
        digest=first.digest,
        viewer="tree",
        ready=True,
        url=serving.url,
    )
    assert serving.revision


def test_a_rollout_based_on_an_old_revision_loses(case):
    case.roll(case.desired(1))
    late = case.desired(3)
    case.roll(case.desired(2))

    with pytest.raises(RaceLost):
        case.target.apply(late)

    assert case.target.observe().release == release(2)
    assert case.target.progress(late).state is ports.RolloutState.SUPERSEDED


def test_the_first_rollout_can_lose_as_well(case):
    late = case.desired(2)
    case.roll(case.desired(1))

    with pytest.raises(RaceLost):
        case.target.apply(late)


def test_a_target_that_is_not_there_has_no_old_revision(case):
    with pytest.raises(RaceLost):
        case.target.apply(case.desired(1, based_on="a-revision"))

    assert case.target.observe() is None


def test_each_rollout_changes_the_revision(case):
    case.roll(case.desired(1))
    before = case.target.observe().revision
    case.roll(case.desired(2))

    assert case.target.observe().revision != before


def test_an_unfinished_rollout_is_progressing_and_not_ready(case):
    slow = case.desired(1, SLOW)
    case.target.apply(slow)

    assert case.target.progress(slow).state is ports.RolloutState.PROGRESSING
    assert not case.target.observe().ready


def test_a_newer_rollout_ends_an_unfinished_one(case):
    slow = case.desired(1, SLOW)
    case.target.apply(slow)
    newer = case.desired(2)

    assert case.roll(newer).state is ports.RolloutState.COMPLETE
    assert case.target.progress(slow).state is ports.RolloutState.SUPERSEDED


def test_a_failed_rollout_says_why_and_is_not_ready(case):
    case.roll(case.desired(1))
    rollout = case.roll(case.desired(2, BAD))

    assert rollout.state is ports.RolloutState.FAILED
    assert rollout.reason
    assert not rollout.transient
    serving = case.target.observe()
    assert (serving.release, serving.model, serving.ready) == (release(2), "m-v2", False)


def test_after_a_failure_the_former_version_is_ready_again(case):
    case.roll(case.desired(1))
    case.roll(case.desired(2, BAD))

    back = dataclasses.replace(case.desired(1), release=release(3))

    assert case.roll(back).state is ports.RolloutState.COMPLETE
    serving = case.target.observe()
    assert (serving.release, serving.model, serving.ready) == (release(3), "m-v1", True)


def test_the_same_rollout_may_be_applied_again(case):
    case.roll(case.desired(1))

    assert case.roll(case.desired(1)).state is ports.RolloutState.COMPLETE
    assert case.target.observe().ready


def test_another_viewer_of_the_same_release_is_another_rollout(case):
    old = case.desired(1, viewer_id="old")
    case.roll(old)
    case.roll(case.desired(1, viewer_id="new"))

    assert case.target.observe().viewer == "new"
    assert case.target.progress(old).state is ports.RolloutState.SUPERSEDED
