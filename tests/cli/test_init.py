"""What init writes works at once, and what is there stays as it is."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from gitwf.wiring import scaffold
from tests.e2e import conftest as e2e


def git(folder, *arguments):
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    folder = tmp_path / "Ad Shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def texts(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_the_first_push_of_a_new_repository_serves_a_model(empty, gitwf, tmp_path):
    gitwf("init")
    assert gitwf("lint").out == "3 documents checked: nothing wrong\n"
    remote = e2e.git_repository.Repository.create(tmp_path / "shop.git")
    git(empty, "init", "-q", "-b", "main")
    git(empty, "add", "-A")
    git(empty, "commit", "-qm", "Begin")
    git(empty, "push", "-q", str(remote.path), "main")

    world = e2e.World(tmp_path, str(remote.path), remote, tmp_path / "served")
    try:
        out = world.gitwf("reconcile")
        assert "ad-shop in production: synced: serves version 1" in out
        assert world.served() == "ad-shop-v1"
    finally:
        world.down()


def test_every_file_is_told_and_a_second_time_kept(empty, gitwf):
    first = gitwf("init")
    before = texts(empty)
    second = gitwf("init")

    assert first.code == second.code == 0
    assert {line.split()[1] for line in first.out.splitlines()[:-1]} == set(before)
    assert {line.split()[0] for line in first.out.splitlines()[:-1]} == {"created"}
    assert {line.split()[0] for line in second.out.splitlines()[:-1]} == {"kept"}
    assert texts(empty) == before


def test_nothing_is_left_to_fill_in(empty, gitwf):
    gitwf("init", "--name", "sales")

    left = {path: re.findall(r"\$\{(?!\{)\w*\}?", text) for path, text in texts(empty).items()}
    assert "gitwf.yaml" in left
    assert [path for path, found in left.items() if found] == []


def test_the_schema_that_a_document_names_is_there(empty, gitwf):
    gitwf("init", "--pipelines", "ml/*/deep/gitwf.yaml", "--name", "sales")

    named = 0
    for path, text in texts(empty).items():
        found = re.match(r"# yaml-language-server: \$schema=(\S+)", text)
        if found:
            named += 1
            schema = json.loads((empty / path).parent.joinpath(found[1]).read_text("utf-8"))
            assert schema["properties"]["kind"]["const"] == yaml.safe_load(text)["kind"]
    assert named == 2


def test_an_existing_repository_keeps_its_files_and_its_pipelines(empty, gitwf):
    mine = {
        "README.md": "mine\n",
        "ml/a/pipeline.yaml": e2e.PIPELINE,
        "ml/a/workflow.yaml": e2e.WORKFLOW,
        "CODEOWNERS": "* @me\n",
        ".github/workflows/gitwf.yml": "mine: too\n",
    }
    for path, text in mine.items():
        (empty / path).parent.mkdir(parents=True, exist_ok=True)
        (empty / path).write_text(text)

    done = gitwf("init", "--pipelines", "ml/*/pipeline.yaml")

    after = texts(empty)
    assert {path: after[path] for path in mine} == mine
    assert "kept     CODEOWNERS" in done.out
    assert "kept     README.md" in done.out
    assert ".github/CODEOWNERS" not in after
    assert [path for path in after if path.endswith("pipeline.yaml")] == ["ml/a/pipeline.yaml"]
    assert gitwf("lint").out == "3 documents checked: nothing wrong\n"


def test_a_new_pipeline_goes_where_the_pattern_says(empty, gitwf):
    done = gitwf("init", "somewhere/new", "--pipelines", "ml/*/gitwf.yml", "--name", "sales")

    assert done.code == 0
    assert (empty / "somewhere/new/ml/sales/gitwf.yml").is_file()
    assert (empty / "somewhere/new/ml/sales/estimate.py").is_file()
    assert gitwf("lint", "somewhere/new").out == "3 documents checked: nothing wrong\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--name", "Sales 1"], "--name: must be lower-case letters, digits and dashes"),
        (["--name", "s" * 64], "--name: must be lower-case letters, digits and dashes"),
        (["--pipelines", "../*/pipeline.yaml"], "--pipelines: names no place for a pipeline.yaml"),
        (["--pipelines", "pipelines/*"], "--pipelines: names no place for a pipeline.yaml"),
        (["--pipelines", "a?/p.yaml"], "--pipelines: names no place for a pipeline.yaml"),
    ],
)
def test_a_wrong_option_is_said_and_nothing_is_written(empty, gitwf, arguments, says):
    done = gitwf("init", *arguments)

    assert done.code == 2
    assert says in done.err
    assert texts(empty) == {}


def test_nothing_is_written_through_a_link_or_over_a_file(empty, gitwf, tmp_path):
    (tmp_path / "outside").mkdir()
    (empty / "manifests").symlink_to(tmp_path / "outside")
    done = gitwf("init")
    assert (done.code, "a symbolic link is on the way" in done.err) == (1, True)
    assert list((tmp_path / "outside").iterdir()) == []

    (empty / "manifests").unlink()
    (empty / "manifests").write_text("a file\n")
    done = gitwf("init")
    assert (done.code, "cannot be written" in done.err) == (1, True)


def test_the_scaffold_s_program_is_one_that_runs(tmp_path):
    home = scaffold.PACKAGED / "pipeline"
    out = [f"--{name}={tmp_path / name}" for name in ("model", "metrics")]
    command = [sys.executable, str(home / "estimate.py"), "--name=x", *out]
    subprocess.run([*command, f"--data={home / 'data' / 'sales.csv'}"], check=True)

    assert 0 < json.loads((tmp_path / "metrics").read_text())["mape"] < 0.25
