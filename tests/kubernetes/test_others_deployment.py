"""A Deployment that others own: gitwf sets its own fields there, or a step of the workflow does."""

import os
import re

import pytest
import requests
import yaml

from tests.kubernetes import worlds

NAME = "viewer-app"
PIPELINE = "pipelines/toy/pipeline.yaml"
WORKFLOW = "pipelines/toy/workflow.yaml"
# Their viewer shows whatever MODEL says, and the model's file where there is one.
SERVE = worlds.SERVE.replace(
    'model = json.load(open(os.environ["MODEL_FILE"]))',
    'file = os.environ.get("MODEL_FILE")\nmodel = json.load(open(file)) if file else "no file"',
)
UPDATE_VIEWER = """\
  - name: update-viewer
    script:
      image: kubectl
      command: [sh]
      env:
      - name: KUBECONFIG_TEXT
        valueFrom: {secretKeyRef: {name: kubeconfig, key: config}}
      source: |
        set -e
        printf '%s' "$KUBECONFIG_TEXT" > /tmp/config
        export KUBECONFIG=/tmp/config
        kubectl set env deployment/viewer-app MODEL={{workflow.parameters.model}}
"""


def theirs(world, *, model="toy-v0"):
    """The Deployment as its owners made it, with a Service and the viewer's file."""
    import kubernetes

    container = {
        "name": "viewer",
        "image": world.cluster.viewer,
        "command": ["python3", "/srv/viewer/serve.py"],
        "env": [{"name": "MODEL", "value": model}, {"name": "TEAM", "value": "marketing"}],
        "readinessProbe": {
            "httpGet": {"path": "/", "port": worlds.PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 30,
        },
        "volumeMounts": [{"name": "app", "mountPath": "/srv/viewer"}],
    }
    pod = {
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
        "volumes": [{"name": "app", "configMap": {"name": "app"}}],
    }
    labels = {"app": "theirs"}
    with world.cluster.client() as client:
        core, apps = kubernetes.client.CoreV1Api(client), kubernetes.client.AppsV1Api(client)
        owner = {"field_manager": "team"}
        files = {"metadata": {"name": "app"}, "data": {"serve.py": SERVE}}
        core.create_namespaced_config_map(world.namespace, files, **owner)
        ports = [{"port": worlds.PORT}]
        service = {"type": "NodePort", "selector": labels, "ports": ports}
        whole = {"metadata": {"name": NAME}, "spec": service}
        core.create_namespaced_service(world.namespace, whole, **owner)
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        whole = {"metadata": {"name": NAME}, "spec": spec}
        apps.create_namespaced_deployment(world.namespace, whole, **owner)


def edit(world, change):
    """Change their Deployment as its owners do."""
    import kubernetes

    with world.cluster.client() as client:
        kubernetes.client.AppsV1Api(client).patch_namespaced_deployment(
            NAME, world.namespace, change, field_manager="team"
        )


class World(worlds.ClusterWorld):
    """A world that deploys to a Deployment of others."""

    serving = NAME

    def deploys(self, how):
        """Deploy in another way from now on."""
        text = self.remote.git("show", f"main:{PIPELINE}")
        self.write({PIPELINE: re.sub(r"- \{environment: .*\}", f"- {{environment: {how}}}", text)})

    def evidence(self):
        return self.remote.show("models/toy/production.yaml").partition("evidence:")[2]


@pytest.fixture
def world(tmp_path, cluster, namespace, cluster_store):
    return worlds.make(tmp_path / "world", cluster, namespace, cluster_store, World)


def test_a_deployment_that_is_not_there_is_for_a_person_to_make(world):
    world.deploys("production, deployment: viewer-app")

    out = world.gitwf("reconcile", code=1)

    assert f"there is no Deployment viewer-app in namespace {world.namespace}" in out
    assert "create it, or give the pipeline `manifests`" in out


def test_fields_of_others_are_taken_over_only_when_that_is_asked_for_and_all_else_is_left(world):
    theirs(world)
    world.deploys("production, deployment: viewer-app")

    out = world.gitwf("reconcile", code=1)

    assert "Deployment viewer-app has fields that others own: " in out
    assert "(team)" in out
    assert "`adopt: true` in the pipeline's deploy section takes them over" in out
    assert world.variable("MODEL") == "toy-v0"

    world.deploys("production, deployment: viewer-app, adopt: true")
    world.gitwf("reconcile")

    assert world.comes_to_serve("toy-v1") == "toy-v1"
    assert world.variable("TEAM") == "marketing"
    assert "'name': 'toy'" in requests.get(world.address(), timeout=60).text
    assert "verified" not in world.evidence()
    edit(world, {"spec": {"replicas": 1, "revisionHistoryLimit": 2}})
    world.gitwf("plan", "--exit-code")


def test_without_verifying_the_model_alone_is_set_and_the_release_says_so(world):
    theirs(world)
    world.deploys("production, deployment: viewer-app, adopt: true, verify: none")

    world.gitwf("reconcile")

    assert world.comes_to_serve("toy-v1") == "toy-v1"
    pod = world.deployment()["spec"]["template"]["spec"]
    assert "initContainers" not in pod
    assert [one["name"] for one in pod["containers"][0]["env"]] == ["MODEL", "TEAM"]
    assert "  verified: false" in world.evidence()


@pytest.fixture
def stepped(world):
    """A world whose workflow has the step that updates the viewer, granted the kubeconfig."""
    from tests.cluster import binaries

    secret = world.folder / "secrets" / "kubeconfig"
    secret.mkdir(parents=True)
    config = yaml.safe_load(world.cluster.kubeconfig.read_text())
    for one in config["contexts"]:
        one["context"]["namespace"] = world.namespace
    (secret / "config").write_text(yaml.safe_dump(config))
    theirs(world)
    workflow = world.remote.git("show", f"main:{WORKFLOW}") + "\n"
    granted = f'\n  policy: {{secrets: {{"{WORKFLOW}#update-viewer": [kubeconfig]}}}}\n'
    world.write(
        {
            WORKFLOW: workflow + UPDATE_VIEWER,
            "gitwf.yaml": world.remote.git("show", "main:gitwf.yaml").rstrip() + granted,
        }
    )
    world.deploys("production, template: update-viewer, watch: viewer-app")
    path = f"{binaries.kubectl().parent}{os.pathsep}{os.environ['PATH']}"
    world.secrets = {"GITWF_SECRETS_DIR": str(world.folder / "secrets"), "PATH": path}
    return world


def runs(world):
    """The runs of the step, by the engine's own folders."""
    return sorted(one.name for one in world.state.glob("remotes/*/engine/runs/rollout-*"))


def test_a_step_of_the_workflow_rolls_out_once_for_each_release(stepped):
    stepped.gitwf("reconcile", **stepped.secrets)

    assert stepped.comes_to_serve("toy-v1") == "toy-v1"
    (release,) = stepped.releases()
    assert runs(stepped) == [f"rollout-{release[:16]}-1"]
    assert "  verified: false" in stepped.evidence()

    stepped.gitwf("plan", "--exit-code", **stepped.secrets)
    stepped.gitwf("reconcile", **stepped.secrets)
    assert runs(stepped) == [f"rollout-{release[:16]}-1"]

    change = {"name": "viewer", "env": [{"name": "MODEL", "value": "toy-v99"}]}
    edit(stepped, {"spec": {"template": {"spec": {"containers": [change]}}}})
    stepped.gitwf("reconcile", **stepped.secrets)
    assert stepped.comes_to_serve("toy-v1") == "toy-v1"
    assert runs(stepped) == [f"rollout-{release[:16]}-{number}" for number in (1, 2)]
    assert [path for path in stepped.ledger() if path.startswith("drift/")] != []


def test_a_step_that_fails_or_does_nothing_takes_the_release_back(stepped):
    stepped.gitwf("reconcile", **stepped.secrets)
    assert stepped.comes_to_serve("toy-v1") == "toy-v1"
    text = stepped.remote.git("show", f"main:{WORKFLOW}") + "\n"
    idle = re.sub(
        r"(?<=\n)        kubectl set env.*\n", "        echo no cluster today >&2; exit 7\n", text
    )
    stepped.write({WORKFLOW: idle, "pipelines/toy/mape.txt": "0.1\n"}, "Better, and a broken step")

    out = stepped.gitwf("reconcile", code=1, **stepped.secrets)

    assert "the template update-viewer failed: main: Error (exit code 7)" in out
    assert "it wrote: no cluster today" in out
    assert stepped.served() == "toy-v1"
    assert "versions: [2]" in stepped.remote.show("models/toy/production.yaml")


def test_a_template_that_the_workflow_does_not_have_is_refused_at_its_place(stepped):
    stepped.deploys("production, template: update-view, watch: viewer-app")

    out = stepped.gitwf("reconcile", code=2, **stepped.secrets)

    assert "the workflow has no template `update-view`" in out
    assert re.search(rf"{PIPELINE}:\d+:\d+", out)
