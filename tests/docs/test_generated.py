"""What is written from the code is what the code says now, and leaves nothing out."""

import dataclasses
import pathlib
import re
import subprocess
import sys

import click
import pytest
import yaml

from gitwf import cli
from gitwf.delivery import schema
from gitwf.text import models, yaml_reader
from gitwf.wiring import settings

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = (DOCS / "documents.md").read_text("utf-8")


def test_the_generated_docs_have_not_drifted():
    command = [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_and_option_is_told(name):
    told = (DOCS / "commands.md").read_text("utf-8")
    section = told.partition(f"### gitwf {name}\n")[2].partition("\n### ")[0]
    command = cli.gitwf.get_command(click.Context(cli.gitwf), name)

    assert command is not None
    wanted = {option for one in command.params for option in one.opts if option.startswith("-")}
    assert {option for option in wanted if option not in section} == set()
    assert command.help
    assert all(getattr(one, "help", "") for one in command.params if one.opts[0].startswith("-"))


def test_every_setting_is_told():
    told = (DOCS / "settings.md").read_text("utf-8")
    variables = [one.metadata["variable"] for one in dataclasses.fields(settings.Settings)]

    assert [name for name in variables if f"| `{name}` |" not in told] == []


def sections() -> dict[str, str]:
    """The text of documents.md by kind."""
    parts = re.split(r"^## (\w+)$", DOCUMENTS, flags=re.MULTILINE)[1:]
    return dict(zip(map(str.lower, parts[::2]), parts[1::2], strict=True))


def fields(kind: str) -> set[str]:
    """Every field of a kind that is no mapping of fields itself, as documents.md spells it."""
    whole = schema.schema(kind)
    found: set[str] = set()

    def walk(part: dict[str, object], path: str) -> None:
        branches = [*part.get("anyOf", []), *part.get("allOf", [])]
        if "$ref" in part:
            branches.append(whole["definitions"][part["$ref"].rpartition("/")[2]])
        if "items" in part:
            walk(part["items"], f"{path}[]")
        elif "properties" in part:
            for name, inner in part["properties"].items():
                walk(inner, f"{path}.{name}" if path else name)
        elif isinstance(part.get("additionalProperties"), dict | bool) and "type" in part:
            inner = part["additionalProperties"]
            walk(inner if isinstance(inner, dict) else {}, f"{path}.*")
        elif not branches:
            found.add(path)
        for branch in branches:
            if branch.get("type") != "null":
                walk(branch, path)

    walk(whole, "")
    return found - {"apiVersion", "kind"}


@pytest.mark.parametrize("kind", list(schema.KINDS))
def test_every_field_is_told_and_no_other(kind):
    rows = set(re.findall(r"^\| `([^`]+)` \|", sections()[kind], flags=re.MULTILINE))

    extra = {"spec.environments.*"} if kind == "project" else set()
    assert rows - extra == fields(kind)


@pytest.mark.parametrize("kind", list(schema.KINDS))
def test_the_example_is_right(kind):
    example = re.findall(r"```yaml\n(.*?)```", sections()[kind], flags=re.DOTALL)[0]

    assert yaml.safe_load(example)["kind"].lower() == kind
    _, problems = models.check(schema.KINDS[kind], yaml_reader.read_one(example, "example.yaml"))
    assert problems == []
