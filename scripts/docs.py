"""Write the generated parts of the docs: `docs.py` writes, `docs.py --check` fails on drift.

docs/commands.md comes from the command line itself, docs/settings.md from the table of settings,
and docs/schemas from the document models, so that no command, flag, setting or field can be
missing.
"""

import dataclasses
import difflib
import json
import pathlib
import sys

import click

from gitwf import cli
from gitwf.delivery import schema
from gitwf.wiring import settings

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def commands() -> str:
    """One section for each command, in the order of `gitwf --help`."""
    parts = ["# Commands\n\nMade from the command line by `make docs`.\n"]
    parent = click.Context(cli.gitwf, info_name="gitwf", max_content_width=96, terminal_width=96)
    for section, names in cli.SECTIONS.items():
        parts.append(f"## {section}\n")
        for name in names:
            command = cli.gitwf.get_command(parent, name)
            if command is None:
                sys.exit(f"no command behind {name}")
            context = click.Context(command, info_name=name, parent=parent)
            context.max_content_width = context.terminal_width = 96
            parts.append(f"### gitwf {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def setting_table() -> str:
    """One row for each setting."""
    rows = [
        "# Settings",
        "",
        "What differs from machine to machine; the rest is in `gitwf.yaml`. Made by `make docs`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for item in dataclasses.fields(settings.Settings):
        default = f"`{item.default}`" if item.default else ""
        rows.append(f"| `{item.metadata['variable']}` | {default} | {item.metadata['meaning']} |")
    return "\n".join(rows) + "\n"


def wanted() -> dict[pathlib.Path, str]:
    """Every generated file and what it should hold."""
    files = {DOCS / "commands.md": commands(), DOCS / "settings.md": setting_table()}
    for kind in schema.KINDS:
        text = json.dumps(schema.schema(kind), indent=2) + "\n"
        files[DOCS / "schemas" / f"{kind}.json"] = text
    return files


def main() -> None:
    """Write, or compare and say what differs."""
    check = "--check" in sys.argv[1:]
    drifted = False
    for path, text in wanted().items():
        there = path.read_text("utf-8") if path.exists() else ""
        if there == text:
            continue
        drifted = True
        if check:
            lines = difflib.unified_diff(there.splitlines(), text.splitlines(), str(path.name), "")
            print("\n".join(list(lines)[:40]))
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"wrote docs/{path.relative_to(DOCS)}")
    if check and drifted:
        sys.exit("the docs have drifted from the code: run `make docs`")


if __name__ == "__main__":
    main()
