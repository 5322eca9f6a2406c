"""The main job as somebody at the viewer lives through it, on a cluster that enforces `restricted`.

The real pipeline, the manifests of this repository, real R-Shiny, real Chromium over a NodePort.
"""

import dataclasses
import pathlib

import pytest

from gitwf.testing import git_repository
from gitwf.wiring import showcase
from tests.e2e.test_browser import facts, missing
from tests.kubernetes import worlds
from tests.viewer import test_in_a_browser as chromium

browser = chromium.browser

MANIFESTS = pathlib.Path(__file__).parents[2] / "manifests" / "viewer"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
NAME = "ad-effect-viewer"


@dataclasses.dataclass
class Shop(worlds.ClusterWorld):
    """A world on the demo's repository: the ad-effect pipeline with its data."""

    serving = NAME
    shop: showcase.Showcase


@pytest.fixture
def world(tmp_path, cluster, cluster_store):
    from tests.cluster import fixtures

    with fixtures.new_namespace(cluster, RESTRICTED) as namespace:
        shop = showcase.Showcase(tmp_path)
        project = worlds.PROJECT.format(namespace=namespace, viewer=cluster.viewer)
        (shop.checkout / "gitwf.yaml").write_text(project)
        folder = shop.checkout / "manifests" / "viewer"
        folder.mkdir(parents=True)
        for file in MANIFESTS.glob("*.j2"):
            text = file.read_text().replace("gitwf-viewer:0.1.0", cluster.viewer)
            (folder / file.name).write_text(text.replace("spec:\n  selector", NODE_PORT))
        remote = git_repository.Repository(shop.remote)
        made = Shop(
            tmp_path,
            str(shop.remote),
            remote,
            tmp_path / "state",
            cluster,
            namespace,
            cluster_store,
            shop,
        )
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}}
        made.connection().create({**secret, "stringData": cluster_store})
        yield made


# Only the Service is written like this.
NODE_PORT = "spec:\n  type: NodePort\n  selector"


def test_an_open_page_keeps_its_model_for_its_time_and_then_shows_the_new_one(world, browser):
    world.shop.data(rows=195)
    world.shop.push("Estimate what advertising does to sales")
    world.gitwf("reconcile")
    page = browser.new_page()
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    assert world.comes_to_serve("ad-effect-v1") == "ad-effect-v1"
    page.goto(world.address())
    start = chromium.number(page)
    assert chromium.named(page) == "ad-effect-v1"
    assert missing(facts(page), "ad-effect-v1", "5.5%", "0.27") == []
    chromium.drag_budget(page, -60)
    moved = chromium.number(page, other_than=start)
    assert float(moved) < float(start)

    world.shop.pull()
    world.shop.data()
    world.shop.push("Add the data of 1993 and 1994")
    reconciling = world.start("-m", "gitwf", "reconcile")
    pod = first_that_ends(world)
    assert pod["metadata"]["deletionTimestamp"]

    chromium.drag_budget(page, 30)
    again = chromium.number(page, other_than=moved)
    assert float(moved) < float(again) < float(start)
    assert chromium.named(page) == "ad-effect-v1"

    out, _ = reconciling.communicate(timeout=600)
    assert reconciling.returncode == 0, out
    assert world.comes_to_serve("ad-effect-v2") == "ad-effect-v2"
    # A connection that the browser keeps goes on with its pod till that ends; then the page loads
    # the new one by itself.
    page.wait_for_selector("meta[name=gitwf-model][content=ad-effect-v2]", state="attached")
    page.reload()
    chromium.number(page)
    assert chromium.named(page) == "ad-effect-v2"
    assert missing(facts(page), "ad-effect-v2", "2.9%", "0.84") == []
    assert wrong == []


def first_that_ends(world):
    """The first pod of the viewer that is told to end."""
    cluster = world.connection()
    pods, version = cluster.listed("v1", "Pod", labels=f"app={NAME}")
    for event in cluster.watch("v1", "Pod", version, seconds=600, labels=f"app={NAME}"):
        if event.type == "MODIFIED" and event.object["metadata"].get("deletionTimestamp"):
            return event.object
    raise AssertionError([one["metadata"]["name"] for one in pods])
