"""Objects of the cluster's own tests, as plain values, and waiting for what becomes of them.

They are what a cluster must be able to do for gitwf, written by hand: no code of gitwf makes them.
"""

import contextlib
import time

import kubernetes
import requests

SECONDS = 300
VIEWER_PORT = 3838
LABELS = {"app": "viewer-app"}


def variables(environment):
    """A container's `env`."""
    return [{"name": name, "value": value} for name, value in environment.items()]


def pod(image, command, environment):
    """A pod that runs once."""
    container = {"name": "main", "image": image, "command": command, "env": variables(environment)}
    return {
        "metadata": {"name": "once"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }


def viewer(image, model, store, replicas=1):
    """A Deployment of the viewer; `gitwf fetch` in the same image brings the stored model first."""
    mounts = [{"name": "model", "mountPath": "/model"}]
    fetch = ["gitwf", "fetch", model.uri, "--digest", str(model.digest), "--to", "/model/m.json"]
    first = {"name": "model", "image": image, "command": fetch, "volumeMounts": mounts}
    shows = {
        "name": "viewer",
        "image": image,
        "env": variables({"MODEL": "ad-effect-v1", "MODEL_FILE": "/model/m.json"}),
        "ports": [{"containerPort": VIEWER_PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": VIEWER_PORT}, "periodSeconds": 1},
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
        "volumeMounts": mounts,
    }
    spec = {
        "initContainers": [{**first, "env": variables(store)}],
        "containers": [shows],
        "volumes": [{"name": "model", "emptyDir": {}}],
    }
    return {
        "metadata": {"name": "viewer-app"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": spec},
        },
    }


def node_port():
    """A Service that the machine reaches at a port of the node, and pods at an address."""
    ports = [{"port": VIEWER_PORT, "targetPort": VIEWER_PORT}]
    return {
        "metadata": {"name": "viewer-app"},
        "spec": {"type": "NodePort", "selector": LABELS, "ports": ports},
    }


def run_once(client, namespace, image, command, environment=None):
    """Phase that a pod ends in, and what it wrote."""
    core = kubernetes.client.CoreV1Api(client)
    core.create_namespaced_pod(namespace, pod(image, command, environment or {}))
    ended = wait(
        lambda: core.read_namespaced_pod("once", namespace),
        lambda found: found.status.phase in {"Succeeded", "Failed"},
    )
    return ended.status.phase, core.read_namespaced_pod_log("once", namespace)


def run(client, namespace, image, resources=None):
    """Start a pod that stays, and wait until it runs."""
    core = kubernetes.client.CoreV1Api(client)
    made = pod(image, ["sleep", "infinity"], {})
    made["spec"]["containers"][0]["resources"] = resources or {}
    core.create_namespaced_pod(namespace, made)
    wait(
        lambda: core.read_namespaced_pod("once", namespace),
        lambda found: found.status.phase == "Running",
    )


def page(url):
    """The text at the URL, once there is one."""

    def ask():
        with contextlib.suppress(requests.RequestException):
            return requests.get(url, timeout=30)

    return wait(ask, lambda answer: answer is not None and answer.ok).text


def wait(ask, enough):
    """What `ask()` gives when `enough` says that it is; AssertionError with the last one."""
    deadline = time.monotonic() + SECONDS
    while not enough(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found
