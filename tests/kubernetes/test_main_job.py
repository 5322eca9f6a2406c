"""The main job on a real cluster: push, train, release, roll out; and what people do meanwhile."""

import json

import pytest
import requests

from tests import waiting
from tests.kubernetes import worlds


@pytest.fixture
def served(world):
    """The world with its first version served."""
    world.gitwf("reconcile")
    return world


def test_a_push_is_trained_released_and_served_and_a_revert_brings_the_old_model_back(world):
    world.gitwf("reconcile")
    assert world.comes_to_serve("toy-v1") == "toy-v1"

    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    assert world.comes_to_serve("toy-v2") == "toy-v2"
    assert world.variable("MODEL_URI").startswith(f"s3://models/{world.namespace}/toy/sha256/")

    newest, _ = world.releases()
    world.revert(newest)
    world.gitwf("reconcile")

    assert world.comes_to_serve("toy-v1") == "toy-v1"
    assert len(world.trained()) == 2


def test_a_second_pass_changes_nothing(served):
    before = served.deployment()["metadata"]["resourceVersion"]

    served.gitwf("plan", "--exit-code")
    served.gitwf("reconcile")

    assert served.deployment()["metadata"]["resourceVersion"] == before


def test_an_edited_viewer_rolls_out_without_training(served):
    changed = worlds.SERVE.replace("{model}'", "{model} and more'")
    served.write({worlds.VIEWER: changed})

    served.gitwf("reconcile")

    # A node's own table of addresses follows the cluster's by a moment.
    waiting.until(lambda: "and more" in requests.get(served.address(), timeout=60).text)
    assert len(served.trained()) == 1


def test_objects_that_left_the_manifests_are_deleted_one_release_later(served):
    (first,) = [one["metadata"]["name"] for one in maps(served)]
    for number in range(2):
        served.write({worlds.VIEWER: worlds.SERVE + f"# {number}\n"})
        served.gitwf("reconcile")

    names = [one["metadata"]["name"] for one in maps(served)]
    assert first not in names
    assert len(names) == 2


def maps(world):
    found, _ = world.connection().listed("v1", "ConfigMap", labels="gitwf.dev/model=toy")
    return found


def test_an_edit_of_the_model_is_healed_and_written_down(served):
    change = {"name": "MODEL", "value": "toy-v99"}
    container = {"name": "viewer", "env": [change]}
    by_hand(served, {"spec": {"template": {"spec": {"containers": [container]}}}})
    assert served.variable("MODEL") == "toy-v99"

    out = served.gitwf("reconcile")

    assert served.variable("MODEL") == "toy-v1"
    assert served.comes_to_serve("toy-v1") == "toy-v1"
    assert "MODEL" in out
    (entry,) = [body for path, body in served.ledger().items() if path.startswith("drift/")]
    assert entry["healed"]
    assert entry["fields"] == [
        {
            "field": "Deployment toy-viewer: "
            "spec.template.spec.containers[viewer].env[MODEL].value",
            "manager": "somebody",
            "value": "toy-v99",
        }
    ]


def by_hand(world, change):
    """Change the Deployment as another field manager, taking over what it says."""
    import kubernetes

    with world.cluster.client() as client:
        kubernetes.client.AppsV1Api(client).patch_namespaced_deployment(
            worlds.NAME, world.namespace, change, field_manager="somebody"
        )


def test_a_field_that_the_release_does_not_set_is_left_alone(served):
    by_hand(served, {"spec": {"replicas": 2, "minReadySeconds": 1}})
    by_hand(served, {"metadata": {"annotations": {"team": "marketing"}}})

    served.gitwf("reconcile")

    live = served.deployment()
    assert live["spec"]["minReadySeconds"] == 1
    assert live["metadata"]["annotations"]["team"] == "marketing"
    assert [path for path in served.ledger() if path.startswith("drift/")] == []


def test_a_deleted_deployment_comes_back(served):
    cluster = served.connection()
    cluster.delete(worlds.APPS, "Deployment", worlds.NAME)
    assert served.gone(served.deployment) is None

    served.gitwf("reconcile")

    assert served.comes_to_serve("toy-v1") == "toy-v1"


def test_a_deleted_companion_comes_back_and_is_written_down(served):
    (app,) = maps(served)
    served.connection().delete("v1", "ConfigMap", app["metadata"]["name"])

    served.gitwf("reconcile")

    assert [one["metadata"]["name"] for one in maps(served)] == [app["metadata"]["name"]]
    assert [path for path in served.ledger() if path.startswith("drift/")] != []


def asked_about_drift(served, policy):
    """Have the pipeline say what is done about drift."""
    path = "pipelines/toy/pipeline.yaml"
    text = served.remote.git("show", f"main:{path}")
    said = f"/manifests/viewer, drift: {policy}}}"
    served.write({path: text.replace("/manifests/viewer}", said)})
    served.gitwf("reconcile")


def test_drift_is_only_told_where_the_pipeline_says_so(served):
    asked_about_drift(served, "warn")
    by_hand(served, {"spec": {"replicas": 1}})

    out = served.gitwf("reconcile")

    assert served.deployment()["spec"]["replicas"] == 1
    assert "is not healed here" in out


def test_drift_is_not_looked_at_where_the_pipeline_says_so(served):
    asked_about_drift(served, "off")
    by_hand(served, {"spec": {"replicas": 1}})

    served.gitwf("reconcile")

    assert served.deployment()["spec"]["replicas"] == 1
    assert [path for path in served.ledger() if path.startswith("drift/")] == []


def test_the_plan_is_told_as_json(served):
    assert json.loads(served.gitwf("plan", "-o", "json"))
