"""The tests' cluster is one: it runs pods, serves the viewer, and reaches the S3 gateway."""

import kubernetes
import pytest

from tests.cluster import manifests


@pytest.fixture
def client(cluster):
    with cluster.client() as opened:
        yield opened


def test_a_node_is_ready(client):
    nodes = kubernetes.client.CoreV1Api(client).list_node().items

    ready = [
        each.status for node in nodes for each in node.status.conditions if each.type == "Ready"
    ]
    assert "True" in ready


def test_a_pod_runs_and_its_log_is_read(cluster, client, namespace):
    ran = manifests.run_once(
        client, namespace, cluster.steps, ["python3", "-c", "print('one step')"]
    )

    assert ("Succeeded", "one step\n") == ran


def test_a_pod_that_fails_says_so(cluster, client, namespace):
    phase, _ = manifests.run_once(client, namespace, cluster.steps, ["sh", "-c", "exit 3"])

    assert phase == "Failed"
