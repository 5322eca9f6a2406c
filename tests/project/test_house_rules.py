"""The rules that every module keeps."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MODULES = sorted((ROOT / "gitwf").rglob("*.py"))
MOST_LINES = 500


def named(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_opens_with_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))

    assert docstring is not None
    assert len(docstring.splitlines()) >= 2


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_is_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


def test_pins_are_names_and_versions_and_no_lock_file_names_hosts():
    pins = (ROOT / "constraints.txt").read_text("utf-8").split()

    assert pins
    assert [pin for pin in pins if "==" not in pin or "/" in pin] == []
    assert not (ROOT / "uv.lock").exists()
