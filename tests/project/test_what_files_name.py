"""The repository stands alone: no file leads to a registry's host or to somebody's machine."""

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
        ("registry", "k8s", "io"),
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
# In Go's own files a module's name may begin like a host, and is a name all the same.
GO_FILES = {f"tests/cluster/{one}go.{end}" for one in ("", "kubectl/") for end in ("mod", "sum")}
# People's home folders, and the folders this was written in. /home/step is the one inside a step.
PLACES = [
    rf"/{'home'}/(?!step\b)\w",
    rf"/{'Users'}/\w",
    rf"/{'root'}/\w",
    rf"/{'work'}/(?:shared|main)\b",
    rf"/{'work'}/\.\w",
    rf"/{'tmp'}/(?:venv|brief)\b",
]
CLASS = re.compile(r"^ *class (\w+)", re.MULTILINE)
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


@pytest.mark.parametrize("host", HOSTS)
def test_no_file_names_the_host_of_a_registry(host, texts):
    found = {name for name, text in texts.items() if host in text and name not in GO_FILES}
    recorded = {
        name
        for name in found
        if name.startswith("tests/parity/cases/") and host not in texts[name].replace(RECORDED, "")
    }

    assert [] == sorted(found - recorded)


@pytest.mark.parametrize("place", PLACES)
def test_no_file_names_a_place_on_a_machine(place, texts):
    assert [] == sorted(name for name, text in texts.items() if re.search(place, text))


def test_modules_and_classes_have_names_that_say_something(texts):
    modules = {name: text for name, text in texts.items() if name.endswith(".py")}
    folders = {part for name in modules for part in name.split("/")}
    classes = {name for text in modules.values() for name in CLASS.findall(text)}

    assert "GitwfError" in classes
    assert [] == sorted(name for name in folders | classes if VAGUE.search(name))
