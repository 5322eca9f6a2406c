"""What a person sees: the R-Shiny app in a real browser, over a release."""

import pathlib
import shutil
import sys

import pytest

from gitwf.adapters.viewer import launch
from tests import waiting

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
VIEWER = ROOT / "pipelines" / "ad-effect" / "viewer"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def model(strength):
    """A model as pipelines/ad-effect/README.md has it; `strength` scales what spend brings."""
    spend = [250.0 * step for step in range(41)]

    def channel(share):
        effect = [strength * amount / (amount + 4000) for amount in spend]
        return {
            "spend": spend,
            "effect": effect,
            "low": [0.6 * point for point in effect],
            "high": [1.4 * point for point in effect],
            "share": share,
        }

    return {
        "name": "ad-effect",
        "channels": {"television": channel(0.75), "radio": channel(0.25)},
        "baseline": 100.0,
        "units": {"spend": "guilders", "effect": "index points", "period": "month"},
        "budget": {"min": 0, "max": 12000, "default": 8000},
        "metrics": {"mape": 0.0285, "r2": 0.8449, "bias": -0.0046},
        "parameters": {"window": 168},
        "trained_rows": 168,
        "period": {"from": "1981-01", "to": "1994-12"},
    }


@pytest.fixture
def browser():
    from playwright import sync_api

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = started.new_context()
        context.set_default_timeout(180_000)
        yield context
        started.close()


@pytest.fixture
def r():
    if launch.r_libraries(shutil.which("Rscript")) is None:
        pytest.skip("no R with shiny and jsonlite")


def troubles(page):
    """What goes wrong on a page from now on; written out for a test that fails before it asks."""
    found = []

    def note(what):
        found.append(what)
        sys.stderr.write(f"{what}\n")

    page.on("pageerror", lambda error: note(str(error)))
    page.on("response", lambda answer: answer.status >= 400 and note(answer.url))
    page.on("requestfailed", lambda asked: sys.stderr.write(f"{asked.url}: {asked.failure}\n"))
    return found


def named(page):
    return page.locator("meta[name=gitwf-model]").get_attribute("content")


def number(page, *, other_than=""):
    """The expected extra sales, once the server has told another than before."""
    page.wait_for_function(
        "old => { const n = document.querySelector('#extra').textContent; return n && n !== old }",
        arg=other_than,
    )
    return page.locator("#extra").text_content()


def drag_budget(page, pixels):
    """Move the budget's slider as a hand does."""
    box = page.locator(
        ".irs:has(+ #budget) .irs-handle, .irs--shiny .irs-handle"
    ).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=5)
    page.mouse.up()


def expected(strength, budget):
    """What the model says of a budget, by its own definition."""
    return sum(strength * budget * share / (budget * share + 4000) for share in (0.75, 0.25))


def test_an_open_page_keeps_working_over_a_release_and_a_reload_shows_the_new_model(
    site, browser, r
):
    first = site.roll(1, viewer=str(VIEWER), model=model(10), MODEL_COMMIT="0123456789abcdef")
    assert first.state == "complete", first.reason
    page = browser.new_page()
    wrong = troubles(page)

    page.goto(site.url)
    start = number(page)
    assert named(page) == "ad-effect-v1"
    assert float(start) == pytest.approx(expected(10, 8000), abs=0.02)
    shown = page.locator("body").inner_text()
    assert [
        part for part in ("ad-effect-v1", "01234567", "2.9%", "0.84", "-0.5%") if part not in shown
    ] == []
    assert page.locator("svg polyline").count() == 2

    drag_budget(page, -60)
    moved = number(page, other_than=start)
    assert float(moved) < float(start)

    second = site.roll(2, viewer=str(VIEWER), model=model(20), MODEL_COMMIT="f" * 40)
    assert second.state == "complete", second.reason

    drag_budget(page, 30)
    again = number(page, other_than=moved)
    assert float(moved) < float(again) < float(start)
    assert named(page) == "ad-effect-v1"

    page.reload()
    assert named(page) == "ad-effect-v2"
    assert float(number(page)) == pytest.approx(expected(20, 8000), abs=0.02)
    assert wrong == []


def test_a_page_whose_viewer_ends_loads_the_new_one_by_itself(brisk_r, browser, r):
    brisk_r.roll(1, viewer=str(VIEWER), model=model(10))
    page = browser.new_page()
    page.goto(brisk_r.url)
    number(page)

    brisk_r.roll(2, viewer=str(VIEWER), model=model(20))

    page.wait_for_selector("meta[name=gitwf-model][content=ad-effect-v2]", state="attached")
    assert float(number(page)) == pytest.approx(expected(20, 8000), abs=0.02)


def test_a_page_that_meets_a_newer_viewer_loads_itself_anew(site, browser, r):
    site.roll(1, viewer=str(VIEWER), model=model(10))
    page = browser.new_page()
    held, loads = [], []
    page.on("request", lambda asked: asked.is_navigation_request() and loads.append(asked.url))
    page.route("**/shiny.min.js", lambda route: held.append(route), times=1)  # noqa: PLW0108  playwright marks it
    page.goto(site.url, wait_until="commit")
    waiting.until(lambda: page.wait_for_timeout(10) or held)

    site.roll(2, viewer=str(VIEWER), model=model(20))
    held[0].continue_()

    page.wait_for_selector("meta[name=gitwf-model][content=ad-effect-v2]", state="attached")
    assert float(number(page)) == pytest.approx(expected(20, 8000), abs=0.02)
    assert loads == [site.url, site.url]


def test_where_r_is_missing_the_page_shows_the_same_model(site, browser):
    site.roll(1, viewer="page", model=model(10))
    page = browser.new_page()
    page.goto(site.url)

    assert named(page) == "ad-effect-v1"
    assert page.locator("svg polyline").count() == 2
