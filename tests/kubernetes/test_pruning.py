"""What a release no longer applies goes, when nothing that serves can need it any more."""

import pytest

from gitwf import ports
from gitwf.adapters.kubernetes import connection, target
from gitwf.values import CommitId, Digest
from tests import waiting


class Releases:
    """Releases of one environment, each with the companions that are named."""

    def __init__(self, opened, image):
        self.opened = opened
        self._image = image
        own = target.Settings("m", "production", "viewer", verified=False)
        self._target = target.KubernetesTarget(own, opened)
        self._number = 0

    def roll(self, *companions, good=True):
        """Apply the next release and see it through."""
        self._number += 1
        serving = self._target.observe()
        release = CommitId(f"{self._number:040x}")
        wanted = ports.Desired(
            "production",
            release,
            "m",
            self._number,
            "s3://models/m/model.json",
            Digest.of(b""),
            None,
            "f" * 40,
            serving.revision if serving else "",
            manifests=(self._deployment(good=good), *map(config_map, companions)),
        )
        self._target.apply(wanted)
        over = {ports.RolloutState.COMPLETE, ports.RolloutState.FAILED}
        return waiting.until(
            lambda: found if (found := self._target.progress(wanted)).state in over else None
        )

    def _deployment(self, *, good):
        # A busy node takes more than the usual second to run a command.
        within = {"periodSeconds": 1, "timeoutSeconds": 30}
        ready = {"exec": {"command": ["true" if good else "false"]}, **within}
        container = {"name": "viewer", "image": self._image, "command": ["sleep", "600"]}
        container["readinessProbe"] = ready
        pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "v"},
            "spec": {
                "progressDeadlineSeconds": 600 if good else 3,
                "selector": {"matchLabels": {"app": "v"}},
                "template": {"metadata": {"labels": {"app": "v"}}, "spec": pod},
            },
        }

    def left(self):
        """The companions that are there."""
        found, _ = self.opened.listed("v1", "ConfigMap", labels="gitwf.dev/model=m")
        return [one["metadata"]["name"] for one in found]


def config_map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}}


@pytest.fixture
def releases(cluster, namespace):
    place = connection.Settings(namespace, kubeconfig=cluster.kubeconfig)
    return Releases(connection.Connection(place), cluster.steps)


def test_a_companion_goes_with_the_first_release_after_one_that_is_complete_without_it(releases):
    releases.roll("a", "c")
    releases.roll("b", "c")
    assert releases.left() == ["a", "b", "c"]

    releases.roll("c")

    assert releases.left() == ["b", "c"]


def test_while_releases_fail_what_the_pods_that_serve_were_made_with_stays(releases):
    releases.roll("a")
    for name in ("b", "d"):
        assert releases.roll(name, good=False).state is ports.RolloutState.FAILED

    assert releases.left() == ["a", "b", "d"]

    releases.roll("e")
    assert releases.left() == ["a", "b", "d", "e"]
    releases.roll("f")
    assert releases.left() == ["e", "f"]


def test_a_release_without_companions_deletes_none(releases):
    releases.roll("a")
    for _ in range(3):
        releases.roll()

    assert releases.left() == ["a"]


def test_what_somebody_took_for_themselves_is_not_deleted(releases):
    releases.roll("a")
    theirs = {"metadata": {"labels": {"gitwf.dev/model": None}}}
    releases.opened.merge("v1", "ConfigMap", "a", theirs)
    releases.roll("b")
    releases.roll("c")

    assert releases.opened.get("v1", "ConfigMap", "a") is not None
