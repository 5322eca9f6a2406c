"""Objects of the cluster's own tests, as plain values, and waiting for what becomes of them."""

import contextlib
import time

import kubernetes
import requests

SECONDS = 90
VIEWER_PORT = 3838


def pod(image, command, environment=None):
    """A pod that runs once."""
    variables = [{"name": name, "value": value} for name, value in (environment or {}).items()]
    container = {"name": "main", "image": image, "command": command, "env": variables}
    return {
        "metadata": {"name": "once"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }


def viewer(image, model_file, environment, replicas=1):
    """A Deployment of the viewer; the model comes from the ConfigMap `model`."""
    variables = {"MODEL": "ad-effect-v1", "MODEL_FILE": f"/model/{model_file}", **environment}
    container = {
        "name": "viewer",
        "image": image,
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "ports": [{"containerPort": VIEWER_PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": VIEWER_PORT}, "periodSeconds": 1},
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": "model", "mountPath": "/model"}],
    }
    labels = {"app": "viewer-app"}
    volumes = [{"name": "model", "configMap": {"name": "model"}}]
    return {
        "metadata": {"name": "viewer-app"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "volumes": volumes},
            },
        },
    }


def node_port():
    """A Service that the machine reaches at a port of the node."""
    return {
        "metadata": {"name": "viewer-app"},
        "spec": {
            "type": "NodePort",
            "selector": {"app": "viewer-app"},
            "ports": [{"port": VIEWER_PORT, "targetPort": VIEWER_PORT}],
        },
    }


def run_once(client, namespace, image, command, environment=None):
    """Phase that a pod ends in, and what it wrote."""
    core = kubernetes.client.CoreV1Api(client)
    core.create_namespaced_pod(namespace, pod(image, command, environment))
    ended = await_(
        lambda: core.read_namespaced_pod("once", namespace),
        lambda found: found.status.phase in {"Succeeded", "Failed"},
    )
    return ended.status.phase, core.read_namespaced_pod_log("once", namespace)


def answer(url):
    """The page at the URL, once there is one."""

    def ask():
        with contextlib.suppress(requests.RequestException):
            return requests.get(url, timeout=5)

    return await_(ask, lambda page: page is not None and page.ok)


def await_(ask, enough):
    """What `ask()` gives when `enough` says that it is; AssertionError with the last one."""
    deadline = time.monotonic() + SECONDS
    while not enough(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found
