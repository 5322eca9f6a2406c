"""`run PIPELINE`, with its viewer and without: a developer's loop on uncommitted files."""

import re
import subprocess

import pytest

from tests.e2e import conftest

pytestmark = pytest.mark.slow
OTHER = {
    path.replace("/toy/", "/other/"): text.replace("{name: toy}", "{name: other}")
    for path, text in conftest.FILES.items()
    if "/toy/" in path
}


@pytest.fixture
def begun(world):
    """A folder that Git was only just told of: no commit, no remote; `run` calls gitwf in it."""
    folder = world.folder / "begun"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)

    def write(files):
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")

    def run(*arguments, code=0):
        process = world.start("-m", "gitwf", "run", *arguments, folder=folder, GITWF_REMOTE="")
        out, _ = process.communicate(timeout=conftest.PATIENCE_SECONDS)
        assert process.returncode == code, out
        return out

    write(conftest.FILES)
    return write, run


def test_a_pipeline_runs_before_anything_is_committed(begun):
    _, run = begun

    assert "Succeeded  toy" in run("toy")


def test_a_view_shows_what_is_not_committed_and_takes_its_viewer_down_at_the_end(world, begun):
    write, run = begun
    write({"pipelines/toy/mape.txt": "0.3\n"})

    out = run("toy", "--view", "-p", "scale=7")

    assert "version 1 passes its gates" in out
    assert re.search(r"^toy is shown at http://127\.0\.0\.1:\d+/$", out, re.MULTILINE)
    assert list(world.state.glob("local/*/state/remotes/*/fronts/*/*")) == []
    (model,) = world.state.glob("local/*/store/toy/sha256/*/model.json")
    assert '"mape": 0.3' in model.read_text()
    assert '"scale": 7' in model.read_text()


def test_a_view_runs_no_other_pipeline_and_waits_for_nobody(begun):
    write, run = begun
    manual = conftest.PIPELINE.replace("viewer}", "viewer, promote: manual}")
    write({**OTHER, "pipelines/other/before.sh": "exit 3\n", "pipelines/toy/pipeline.yaml": manual})

    out = run("toy", "--view")

    assert "toy is shown at" in out
    assert "other" not in out


def test_a_view_of_a_model_that_its_gates_hold_back_is_no_success(begun):
    write, run = begun
    write({"pipelines/toy/mape.txt": "0.9\n"})

    out = run("toy", "--view", code=1)

    assert "held back by its gates: `metrics.mape < 0.5` is false" in out
    assert "error: toy is not served" in out


def test_a_pipeline_that_is_deployed_nowhere_has_no_viewer(begun):
    write, run = begun
    write({"pipelines/toy/pipeline.yaml": conftest.PIPELINE.partition("  deploy:")[0]})

    out = run("toy", "--view", code=1)

    assert "toy is deployed nowhere, so it has no viewer" in out
    assert "Running" not in out


def test_a_mistake_in_a_pipeline_is_told_at_its_place(begun):
    write, run = begun
    write({"pipelines/toy/pipeline.yaml": conftest.PIPELINE.replace("triggers:", "trigers:")})

    out = run("toy", code=2)

    assert out == (
        "pipelines/toy/pipeline.yaml:6:3: unknown field `trigers` (did you mean `triggers`?)\n"
    )


def test_a_parameter_that_the_workflow_does_not_have_is_refused(begun):
    _, run = begun

    out = run("toy", "-p", "scael=7", code=2)

    assert "the workflow of toy has no parameter scael; did you mean `scale`?" in out


def test_a_name_that_is_neither_file_nor_pipeline_is_told_with_those_there_are(begun):
    _, run = begun

    out = run("tyo", code=1)

    assert "there is no file and no pipeline tyo" in out
    assert "pipelines: toy" in out
