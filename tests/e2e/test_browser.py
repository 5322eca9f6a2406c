"""A release as somebody at the viewer lives through it: real pipeline, real R-Shiny, real Chromium.

`gitwf reconcile` is a process of its own each time; nothing but the page, the repository and the
remote is looked at.
"""

import dataclasses

import pytest

from gitwf.testing import git_repository
from gitwf.wiring import showcase
from tests.e2e import conftest
from tests.viewer import test_in_a_browser as chromium

pytestmark = pytest.mark.slow

browser, r = chromium.browser, chromium.r


@dataclasses.dataclass
class Shop(conftest.World):
    """A world on the demo's repository: the ad-effect pipeline with its data."""

    shop: showcase.Showcase

    def commit(self) -> str:
        """The checkout's commit, as the page shows it."""
        return self.shop.git("rev-parse", "--short=8", "HEAD")


@pytest.fixture
def world(tmp_path):
    shop = showcase.Showcase(tmp_path)
    remote = git_repository.Repository(shop.remote)
    made = Shop(tmp_path, str(shop.remote), remote, tmp_path / "state", shop)
    yield made
    made.down()


def facts(page):
    """The words on the page that tell which model it is and how good."""
    return page.locator("body").inner_text()


def missing(text, *parts):
    return [part for part in parts if part not in text]


def test_an_open_page_lives_through_a_release_and_a_reload_shows_the_new_model(world, browser, r):
    world.shop.data(rows=195)
    world.shop.push("Estimate what advertising does to sales")
    first = world.commit()
    world.gitwf("reconcile")
    assert world.front()["serving"]["with"] == "R-Shiny"
    page = browser.new_page()
    wrong = chromium.troubles(page)

    page.goto(str(world.front()["url"]))
    start = chromium.number(page)
    assert chromium.named(page) == "ad-effect-v1"
    assert missing(facts(page), "ad-effect-v1", first, "5.5%", "0.27") == []

    chromium.drag_budget(page, -60)
    moved = chromium.number(page, other_than=start)
    assert float(moved) < float(start)

    world.shop.pull()
    world.shop.data()
    world.shop.push("Add the data of 1993 and 1994")
    second = world.commit()
    world.gitwf("reconcile")
    assert world.served() == "ad-effect-v2"

    chromium.drag_budget(page, 30)
    again = chromium.number(page, other_than=moved)
    assert float(moved) < float(again) < float(start)
    assert chromium.named(page) == "ad-effect-v1"

    page.reload()
    chromium.number(page)
    assert chromium.named(page) == "ad-effect-v2"
    assert missing(facts(page), "ad-effect-v2", second, "2.9%", "0.84") == []
    assert wrong == []
