"""Every library that the project leans on was weighed, and the weighing is written down."""

import pathlib
import re
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DECISIONS = "\n".join(
    path.read_text("utf-8") for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))
).lower()


def dependencies():
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = whole["project"]
    written = [
        *whole["build-system"]["requires"],
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    names = {re.split(r"[\[<>=~!; ]", one, maxsplit=1)[0].lower() for one in written}
    return sorted(names - {project["name"]})


@pytest.mark.parametrize("name", dependencies())
def test_a_dependency_has_its_reason_among_the_decisions(name):
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", DECISIONS)
