"""The Argo engine against Argo's own controller, where GITWF_TEST_ARGO=1 says that one is there.

The recorded workflows give what they gave when they were recorded, and the main job goes from a
push to a page. The controller must watch every namespace, as its own install manifest has it.
"""

import json
import re
import urllib.parse

import pytest

from gitwf import ports
from gitwf.adapters.kubernetes import argo, submission
from gitwf.workflow import record
from gitwf.workflow.document import load, resolve
from tests.e2e import conftest as e2e
from tests.kubernetes import worlds
from tests.kubernetes.test_argo_on_a_cluster import CASES, RECORDED
from tests.kubernetes.test_controller import PROJECT
from tests.parity import comparing

IMAGE = re.compile(r"[\w./]+/steps:1")  # As the recorded cases name it.
RBAC = "rbac.authorization.k8s.io/v1"
BUCKET = "models"


@pytest.fixture
def world(tmp_path, cluster, namespace, cluster_store):
    """A world whose namespace lets Argo's steps tell their results and keep their artifacts."""
    made = worlds.make(tmp_path / "world", cluster, namespace, cluster_store)
    opened = made.connection()
    allowed = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"]}
    rules = [{**allowed, "verbs": ["create", "patch"]}]
    meta = {"metadata": {"name": "executor"}}
    opened.create({"apiVersion": RBAC, "kind": "Role", **meta, "rules": rules})
    account = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "executor"}
    opened.create(
        {"apiVersion": RBAC, "kind": "RoleBinding", **meta, "roleRef": role, "subjects": [account]}
    )
    endpoint = urllib.parse.urlsplit(cluster_store["AWS_ENDPOINT_URL"])
    s3 = {
        "endpoint": endpoint.netloc,
        "insecure": endpoint.scheme == "http",
        "bucket": BUCKET,
        "accessKeySecret": {"name": "store", "key": "AWS_ACCESS_KEY_ID"},
        "secretKeySecret": {"name": "store", "key": "AWS_SECRET_ACCESS_KEY"},
    }
    known = {"workflows.argoproj.io/default-artifact-repository": "tests"}
    opened.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "artifact-repositories", "annotations": known},
            "data": {"tests": json.dumps({"s3": s3})},
        }
    )
    return made


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_workflow_gives_what_it_gave(world, tmp_path, name):
    text = IMAGE.sub(world.cluster.steps, CASES[name].path.read_text())
    loaded = load.load({"wf.yaml": text.encode()})
    workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
    engine = argo.ArgoEngine(argo.Settings(tmp_path / "scratch"), world.connection(), None)

    engine.start(ports.Order(name, name, workflow, {}))
    *_, last = engine.watch(name)

    assert list(comparing.differences(CASES[name], last)) == []
    assert engine.observe(name) == last


def test_a_cancelled_run_ends_on_the_controller(world, tmp_path):
    text = b"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: slow}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: IMAGE, command: [sleep, "600"]}
"""
    loaded = load.load({"wf.yaml": text.replace(b"IMAGE", world.cluster.steps.encode())})
    workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
    engine = argo.ArgoEngine(argo.Settings(tmp_path / "scratch"), world.connection(), None)
    engine.start(ports.Order("slow", "slow", workflow, {}))
    watching = engine.watch("slow")
    while next(watching).phase is not record.Phase.RUNNING:
        pass

    engine.cancel("slow", "a newer commit")
    *_, last = watching

    assert last.phase is record.Phase.FAILED
    assert world.connection().get(submission.API, "Workflow", "slow")["spec"]["shutdown"] == "Stop"


def test_a_push_is_trained_on_argo_released_and_served(world):
    project = PROJECT.format(namespace=world.namespace, image=world.cluster.viewer)
    workflow = e2e.WORKFLOW.replace("image: alpine", f"image: {world.cluster.steps}")
    world.write({"gitwf.yaml": project, "pipelines/toy/workflow.yaml": workflow})

    world.gitwf("reconcile")
    assert world.comes_to_serve("toy-v1") == "toy-v1"
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")

    assert world.comes_to_serve("toy-v2") == "toy-v2"
    assert len(world.trained()) == 2
