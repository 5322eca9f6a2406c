"""The tests' cluster is one: it runs pods, serves the viewer, and its pods reach the S3 gateway."""

import contextlib
import pathlib
import socket
import subprocess
import sys
import time

import kubernetes
import pytest

from gitwf.adapters import store
from tests.cluster import manifests, sharing

SECONDS = 3  # till a node knows a Service
PIPELINE = pathlib.Path(__file__).parents[2] / "pipelines" / "ad-effect"


@pytest.fixture
def client(cluster):
    with cluster.client() as opened:
        yield opened


@pytest.fixture
def model(tmp_path, cluster_store):
    """A real model of the worked pipeline, in the S3 store."""
    made = tmp_path / "model.json"
    estimate = [sys.executable, "estimate.py", "--model", made, "--metrics", tmp_path / "metrics"]
    subprocess.run(estimate, cwd=PIPELINE, check=True, capture_output=True)
    return store.ObjectStore(store.Settings("s3://models/cluster", environment=cluster_store)).put(
        "ad-effect", made
    )


def test_a_node_is_ready(client):
    nodes = kubernetes.client.CoreV1Api(client).list_node().items

    said = [each for node in nodes for each in node.status.conditions if each.type == "Ready"]
    assert "True" in [each.status for each in said]


def test_a_pod_runs_and_its_log_is_read(cluster, client, namespace):
    command = ["python3", "-c", "print('one step')"]

    ran = manifests.run_once(client, namespace, cluster.steps, command)

    assert ran == ("Succeeded", "one step\n")


def test_a_pod_that_fails_says_so(cluster, client, namespace):
    ran = manifests.run_once(client, namespace, cluster.steps, ["sh", "-c", "echo no; exit 3"])

    assert ran == ("Failed", "no\n")


def test_pods_that_are_deleted_by_force_leave_the_node_well(cluster, client, namespace):
    core = kubernetes.client.CoreV1Api(client)
    limited = {"requests": {"memory": "16Mi"}, "limits": {"memory": "64Mi"}}
    for _ in range(5):
        manifests.run(client, namespace, cluster.steps, limited)
        core.delete_namespaced_pod("once", namespace, grace_period_seconds=0)

    ran = manifests.run_once(client, namespace, cluster.steps, ["true"])

    assert ran == ("Succeeded", "")
    assert sharing.ailing() == ""


def test_a_pod_reads_a_model_from_the_s3_gateway(cluster, client, namespace, cluster_store, model):
    fetch = f"gitwf fetch {model.uri} --digest {model.digest} --to /tmp/model.json"
    check = f"{fetch} && sha256sum /tmp/model.json && id -u"

    phase, said = manifests.run_once(
        client, namespace, cluster.viewer, ["sh", "-c", check], cluster_store
    )

    assert (phase, said.splitlines()[1:]) == (
        "Succeeded",
        [f"{model.digest.hex}  /tmp/model.json", "1000"],
    )


def test_a_pod_reaches_the_api_server_as_its_service_account(cluster, client, namespace):
    script = (
        "import os, ssl, urllib.request as r\n"
        "a = '/var/run/secrets/kubernetes.io/serviceaccount/'\n"
        "u = 'https://' + os.environ['KUBERNETES_SERVICE_HOST'] + '/api'\n"
        "h = {'Authorization': 'Bearer ' + open(a + 'token').read()}\n"
        "c = ssl.create_default_context(cafile=a + 'ca.crt')\n"
        "print(r.urlopen(r.Request(u, headers=h), context=c).status)\n"
    )

    ran = manifests.run_once(client, namespace, cluster.steps, ["python3", "-c", script])

    assert ran == ("Succeeded", "200\n")


def test_the_viewer_shows_a_model_of_the_store_at_a_node_port(
    cluster, client, namespace, cluster_store, model
):
    core = kubernetes.client.CoreV1Api(client)
    deployment = manifests.viewer(cluster.viewer, model, cluster_store, replicas=2)
    apps = kubernetes.client.AppsV1Api(client)
    apps.create_namespaced_deployment(namespace, deployment)
    service = core.create_namespaced_service(namespace, manifests.node_port())

    manifests.wait(
        lambda: apps.read_namespaced_deployment("viewer-app", namespace),
        lambda found: found.status.ready_replicas == 2,
    )
    outside = manifests.page(f"http://{cluster.node}:{service.spec.ports[0].node_port}")
    address = f"http://{service.spec.cluster_ip}:{manifests.VIEWER_PORT}"
    script = f"import urllib.request as r; print(r.urlopen({address!r}).read().decode())"
    phase, inside = manifests.run_once(client, namespace, cluster.steps, ["python3", "-c", script])

    assert '<meta name="gitwf-model" content="ad-effect-v1"/>' in outside
    assert (phase, '<meta name="gitwf-model" content="ad-effect-v1"/>' in inside) == (
        "Succeeded",
        True,
    )


def reached(cluster, port, own=0):
    """Whether somebody answers at a node port; `own`: from which port it is asked."""
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.settimeout(30)
        asking.bind(("", own))
        with contextlib.suppress(OSError):
            asking.connect((cluster.node, port))
            return True
    return False


def test_who_was_refused_while_nobody_served_is_not_refused_again(cluster, client, namespace):
    core = kubernetes.client.CoreV1Api(client)
    service = core.create_namespaced_service(namespace, manifests.node_port())
    port = service.spec.ports[0].node_port
    own = range(29_000, 29_050)  # nobody's, and below those that a kernel gives
    rejected = time.monotonic() + SECONDS
    while time.monotonic() < rejected:
        assert not any(reached(cluster, port, one) for one in own)
    server = ["python3", "-m", "http.server", str(manifests.VIEWER_PORT)]
    pod = manifests.pod(cluster.steps, server, {})
    core.create_namespaced_pod(
        namespace, {**pod, "metadata": {"name": "once", "labels": manifests.LABELS}}
    )
    manifests.wait(lambda: all(reached(cluster, port) for _ in range(8)), bool)

    assert [one for one in own if not reached(cluster, port, one)] == []
