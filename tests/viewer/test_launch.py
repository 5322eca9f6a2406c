"""How a viewer is started, and what it is told."""

import json
import pathlib

import pytest

from gitwf.adapters.viewer import launch, page


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "viewer").mkdir()
    return tmp_path / "viewer"


def test_a_viewer_is_told_its_model_and_nothing_of_the_fronts_secrets(site, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("GITWF_TOKEN", "secret")
    site.roll(1, CAMPAIGN="spring")

    told = json.loads(site.get("env"))
    front = pathlib.Path(f"/proc/{site.seen['pid']}/environ")

    assert not front.exists() or b"secret" not in front.read_bytes()
    desired = site.desired(1)
    assert told["MODEL"] == "ad-effect-v1"
    assert told["MODEL_URI"] == desired.uri
    assert told["MODEL_DIGEST"] == desired.digest
    assert told["MODEL_FILE"].endswith("/model.json")
    assert told["CAMPAIGN"] == "spring"
    assert set(told) <= {
        "MODEL", "MODEL_URI", "MODEL_DIGEST", "MODEL_FILE", "CAMPAIGN", "HOST", "PORT", "HOME",
        "TMPDIR", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "R_HOME",
    }  # fmt: skip


def test_a_folder_with_app_r_is_an_r_shiny_app_where_r_is(folder, monkeypatch):
    (folder / "app.R").write_text("")
    monkeypatch.setattr(launch, "r_libraries", lambda _: "/usr/lib/R/library")

    chosen = launch.choose(folder)

    assert (chosen.kind, chosen.command[0], chosen.cwd) == ("R-Shiny", "Rscript", folder)
    assert chosen.env == {"R_LIBS": "/usr/lib/R/library"}


def test_where_r_is_missing_a_small_page_stands_in_and_says_so(folder, monkeypatch):
    (folder / "app.R").write_text("")
    monkeypatch.setattr(launch, "r_libraries", lambda _: None)

    chosen = launch.choose(folder)

    assert chosen.kind == "Python page"
    assert "R with the packages shiny and jsonlite is not installed" in chosen.env["GITWF_NOTICE"]


def test_without_rscript_there_is_no_r():
    assert launch.r_libraries(None) is None


def test_an_rscript_that_lacks_the_packages_is_no_r(tmp_path):
    rscript = tmp_path / "Rscript"
    rscript.write_text("#!/bin/sh\nexit 1\n")
    rscript.chmod(0o755)

    assert launch.r_libraries(str(rscript)) is None


CURVE = {"spend": [0, 10], "effect": [0, 2.5], "low": [-1, 1], "high": [1, 4]}


def test_the_small_page_names_its_model_and_draws_its_curves():
    shown = page.page("m-v2", {"channels": {"radio": CURVE}, "metrics": {"r2": 0.84444}}, "No R.")

    assert '<meta name="gitwf-model" content="m-v2">' in shown
    assert shown.count("<polyline") == 1
    assert "<th>r2</th><td>0.8444</td>" in shown
    assert "No R." in shown


def test_the_small_page_shows_any_model_and_escapes_it():
    shown = page.page("m-v1", {"name": "<script>", "metrics": {"<b>": "<i>"}}, "")

    assert "<script>" not in shown
    assert "<i>" not in shown


def test_the_small_page_is_what_the_front_serves_where_there_is_no_viewer(site):
    site.roll(1, viewer="page", model={"name": "ad-effect", "channels": {"radio": CURVE}})

    assert "This pipeline has no viewer of its own." in site.get()
    assert site.seen["serving"]["with"] == "Python page"
