"""gitwf in a cluster: two controllers with the least rights, runs on Argo, a viewer rolled out.

A push over HTTP to a real Git server is all that a person does. Argo's own controller is played.
"""

import pytest

from gitwf.adapters.kubernetes import submission
from gitwf.testing import git_server
from tests import waiting
from tests.e2e import conftest as e2e
from tests.kubernetes import argo_player, kustomize, replayer, worlds
from tests.viewer import test_in_a_browser as chromium

browser = chromium.browser

APP_R = """\
library(shiny)
model <- Sys.getenv("MODEL")
shinyApp(
  ui = fluidPage(tags$head(tags$meta(name = "gitwf-model", content = model)), textOutput("told")),
  server = function(input, output, session) output$told <- renderText(paste("a session of", model))
)
"""
SERVE_R = """[Rscript, -e, "shiny::runApp('/srv/viewer', host = '0.0.0.0', port = 8080)"]"""
PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {{name: shop}}
spec:
  engine:
    name: argo
    argo: {{namespace: {namespace}, artifacts: "s3://models"}}
  store: s3://models/{namespace}
  environments:
    production:
      kubernetes:
        namespace: {namespace}
        fetch: {{image: "{image}", secret: store}}
"""


@pytest.fixture
def world(tmp_path, cluster, namespace, cluster_store):
    """A world whose remote is a server that pods reach, and whose engine is Argo."""
    with git_server.GitServer(tmp_path, address=cluster.machine) as server:
        remote = server.create("shop.git")
        made = worlds.ClusterWorld(
            tmp_path,
            server.url("shop.git"),
            remote,
            tmp_path / "state",
            cluster,
            namespace,
            cluster_store,
        )
        opened = made.connection()
        replayer.define(opened)
        secret = {"apiVersion": "v1", "kind": "Secret"}
        opened.create({**secret, "metadata": {"name": "store"}, "stringData": cluster_store})
        known = {**cluster_store, "GITWF_REMOTE": made.url, "GITWF_BRANCH": "main"}
        known |= {
            "GITWF_POLL": "1",
            "GITWF_LEASE": "20",
            "GITWF_AUTHOR": "gitwf <gitwf@example.com>",
        }
        opened.create({**secret, "metadata": {"name": "gitwf"}, "stringData": known})
        files = {**e2e.FILES, **argo_player.FILES}
        del files["pipelines/toy/viewer/notes.txt"], files["manifests/viewer/deployment.yaml"]
        image = cluster.viewer
        files |= {
            "gitwf.yaml": PROJECT.format(namespace=namespace, image=image),
            worlds.VIEWER: worlds.SERVE,
            worlds.MANIFEST: made.manifest(),
        }
        made.write(files, "Begin")
        yield made


@pytest.fixture
def argo(world):
    with argo_player.Argo(world.connection(), world.keys).at_work() as working:
        yield working


@pytest.fixture
def installed(world, cluster, argo):
    """The controller, installed as its README says."""
    opened = world.connection()
    for manifest in kustomize.resources(kustomize.ROOT / "namespace"):
        if manifest["kind"] == "Deployment":
            (container,) = manifest["spec"]["template"]["spec"]["containers"]
            container["image"] = cluster.controller
        for subject in manifest.get("subjects", ()):
            subject["namespace"] = world.namespace
        opened.apply(manifest)
    return opened


def controllers(opened):
    """The controller's pods that run, by name."""
    found, _ = opened.listed("v1", "Pod", labels="app.kubernetes.io/name=gitwf")
    return {
        one["metadata"]["name"]: one
        for one in found
        if one["status"].get("phase") == "Running" and not one["metadata"].get("deletionTimestamp")
    }


def leader(opened):
    """Name of the pod that leads; "" while nobody does."""
    found = opened.get("coordination.k8s.io/v1", "Lease", "gitwf")
    holder = (found or {}).get("spec", {}).get("holderIdentity") or ""
    return next((name for name in controllers(opened) if holder.startswith(name)), "")


def released(world):
    return "models/toy/production.yaml" in world.remote.git("ls-tree", "-r", "--name-only", "main")


def session(page):
    """What the page says once R-Shiny has answered its session."""
    page.wait_for_function("document.querySelector('#told').textContent")
    return page.locator("#told").text_content()


def test_a_push_is_trained_on_argo_and_shown_in_a_browser_by_a_controller_in_the_cluster(
    world, installed, argo, browser
):
    waiting.until(lambda: released(world))
    waiting.until(lambda: world.deployment() is not None)
    assert world.comes_to_serve("toy-v1") == "toy-v1"

    by_r = world.manifest().replace("[python3, /srv/viewer/serve.py]", SERVE_R)
    shown = {"pipelines/toy/viewer/app.R": APP_R, worlds.MANIFEST: by_r}
    world.write({**shown, "pipelines/toy/mape.txt": "0.15\n"}, "Better, and shown by R-Shiny")
    assert world.comes_to_serve("toy-v2") == "toy-v2"
    page = browser.new_page()
    page.goto(world.address())
    assert (chromium.named(page), session(page)) == ("toy-v2", "a session of toy-v2")

    world.push("Best", mape="0.1\n")
    assert world.comes_to_serve("toy-v3") == "toy-v3"
    page.reload()
    assert (chromium.named(page), session(page)) == ("toy-v3", "a session of toy-v3")
    assert len(argo.ended) == len(world.trained()) == 3


def test_a_leader_that_dies_in_the_middle_of_a_run_is_followed_and_nothing_is_run_twice(
    world, installed, argo
):
    argo.gate.clear()
    found = waiting.until(lambda: installed.listed(submission.API, "Workflow")[0])
    first = waiting.until(lambda: leader(installed))
    installed.delete("v1", "Pod", first, grace=0)

    waiting.until(lambda: leader(installed) not in {"", first})
    argo.gate.set()

    waiting.until(lambda: world.deployment() is not None)
    assert world.comes_to_serve("toy-v1") == "toy-v1"
    assert argo.ended == [found[0]["metadata"]["name"]]
    assert len(world.releases()) == 1


def test_a_reconcile_from_outside_beside_two_controllers_makes_one_release(world, installed, argo):
    waiting.until(lambda: len(controllers(installed)) == 2)

    world.gitwf("reconcile", code=None)

    waiting.until(lambda: released(world))
    waiting.until(lambda: world.deployment() is not None)
    assert world.comes_to_serve("toy-v1") == "toy-v1"
    assert len(argo.ended) == 1
    assert len(world.releases()) == 1
    results = [path for path in world.ledger() if path.endswith("/result.json")]
    assert len(results) == 1
