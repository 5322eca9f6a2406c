"""The repository stands alone: no file leads to a registry's host or to somebody's machine."""

import ast
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]

# Put together here from pieces, so that this file names none of them.
HOSTS = [
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("k8s", "io"),
        ("golang", "org"),
        ("npmjs", "org"),
        ("crates", "io"),
        ("r-project", "org"),
        ("anaconda", "org"),
        ("amazonaws", "com"),
    )
]
# The workflows under tests/parity/cases stand as Argo took them, this image's name included.
RECORDED = "/".join((HOSTS[2], "library", "steps"))
# People's home folders, and the folders this was written in. /home/step is the one inside a step.
PLACES = [
    rf"/{'home'}/(?!step\b)\w",
    rf"/{'Users'}/\w",
    rf"/{'root'}/\w",
    rf"/{'work'}/(?:shared|main)\b",
    rf"/{'work'}/\.\w",
    rf"/{'tmp'}/(?:venv|brief)\b",
]
VAGUE = re.compile("manager|helper|util", re.IGNORECASE)


def tracked():
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def texts():
    """What each file of the repository says; pictures and such say nothing."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8", errors="replace")
        for path in tracked()
    }


def those_that_hold(pattern, texts):
    return sorted(name for name, text in texts.items() if re.search(pattern, text))


@pytest.mark.parametrize("host", HOSTS)
def test_no_file_names_the_host_of_a_registry(host, texts):
    without = {
        name: text.replace(RECORDED, "") if name.startswith("tests/parity/cases/") else text
        for name, text in texts.items()
    }

    assert [] == those_that_hold(rf"\b{re.escape(host)}\b", without)


@pytest.mark.parametrize("place", PLACES)
def test_no_file_names_a_place_on_a_machine(place, texts):
    assert [] == those_that_hold(place, texts)


def test_modules_and_classes_have_names_that_say_something():
    modules = [path for path in tracked() if path.suffix == ".py"]
    classes = [
        node.name
        for path in modules
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    folders = {part for path in modules for part in path.relative_to(ROOT).parts}

    assert classes
    assert [] == sorted(name for name in {*classes, *folders} if VAGUE.search(name))
