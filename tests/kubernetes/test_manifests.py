"""The manifests that people install: the API server takes each as kubectl hands it over."""

import os
import pathlib
import subprocess

import pytest

from gitwf.adapters import manifests as templates
from gitwf.adapters.kubernetes import connection
from gitwf.text import yaml_reader
from tests.kubernetes import replayer

MANIFESTS = pathlib.Path(__file__).parents[2] / "manifests"
KNOWN = {
    "environment": "production",
    "release": {
        "model": "ad-effect",
        "version": 42,
        "uri": "s3://models/ad-effect/sha256/ab/model.json",
        "digest": f"sha256:{'a' * 64}",
        "commit": "b" * 40,
        "source": "c" * 40,
    },
    "viewer": {
        "id": "d" * 40,
        "files": {"app.R": "library(shiny)\n", "words.txt": 'a "word": {{ and }}\n'},
        "binary": {"logo.png": "iVBORw0KGgo="},
    },
}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@pytest.fixture(scope="module")
def kubectl(cluster):
    """kubectl in a namespace that enforces `restricted`; what it says."""
    from tests.cluster import binaries, fixtures

    with fixtures.new_namespace(cluster, RESTRICTED) as namespace:

        def run(*arguments, within=namespace, given=None, code=0):
            where = [f"--kubeconfig={cluster.kubeconfig}", f"--namespace={within}"]
            done = subprocess.run(
                [str(binaries.kubectl()), *where, *arguments],
                input=given,
                capture_output=True,
                text=True,
                timeout=600,
                check=False,
            )
            assert done.returncode == code, done.stderr
            assert arguments[0] != "apply" or "Warning" not in done.stderr, done.stderr
            return done.stdout

        run.namespace = namespace
        yield run


VIEWERS = sorted((MANIFESTS / "viewer").glob("*.j2"))


@pytest.mark.parametrize("file", VIEWERS, ids=[file.name for file in VIEWERS])
def test_a_viewers_manifest_is_accepted(kubectl, file):
    text = templates.render(file.read_text(), KNOWN)
    (manifest,) = [one.value for one in yaml_reader.read(text, file.name)]

    said = kubectl("apply", "--dry-run=server", "--validate=strict", "-f-", given=text)

    assert said == f"{_named(manifest)} created (server dry run)\n"


@pytest.mark.parametrize("base", ["base", "namespace"])
def test_an_install_in_one_namespace_is_accepted(kubectl, base):
    folder = MANIFESTS / "controller" / base

    said = kubectl("apply", "--dry-run=server", "--validate=strict", "-k", str(folder))

    assert "deployment.apps/gitwf created (server dry run)" in said
    assert "networkpolicy.networking.k8s.io/gitwf created (server dry run)" in said


def test_an_install_for_the_cluster_may_deliver_in_every_namespace(kubectl, cluster, tmp_path):
    own = f"{kubectl.namespace}-own"
    base = os.path.relpath(MANIFESTS / "controller" / "cluster", tmp_path)
    overlay = f"namespace: {own}\nresources: [{base}]\nreplicas: [{{name: gitwf, count: 0}}]\n"
    (tmp_path / "kustomization.yaml").write_text(overlay)
    replayer.define(
        connection.Connection(connection.Settings("default", kubeconfig=cluster.kubeconfig))
    )
    kubectl("apply", "--validate=strict", "-k", str(tmp_path), within=own)
    try:
        account = f"--as=system:serviceaccount:{own}:gitwf"

        for what in ("patch deployments", "list pods", "create workflows.argoproj.io"):
            assert kubectl("auth", "can-i", *what.split(), account) == "yes\n"
        assert kubectl("auth", "can-i", "get", "secrets", account, code=1) == "no\n"
        assert kubectl("auth", "can-i", "get", "leases/gitwf", account, code=1) == "no\n"
    finally:
        kubectl("delete", "-k", str(tmp_path), within=own)


def _named(manifest):
    kind = {"Deployment": "deployment.apps", "Service": "service", "ConfigMap": "configmap"}
    return f"{kind[manifest['kind']]}/{manifest['metadata']['name']}"
