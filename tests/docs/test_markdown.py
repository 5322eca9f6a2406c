"""Links in Markdown lead somewhere, and commands that docs show can be called."""

import pathlib
import re
import shlex
import subprocess
from urllib.parse import unquote

import click
import pytest
import yaml

from gitwf import cli

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in map(
        ROOT.joinpath,
        subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines(),
    )
    if path.exists()
)
SHOWN = [path for path in PAGES if path.name == "README.md" or path.is_relative_to(ROOT / "docs")]
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def named(path: pathlib.Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: pathlib.Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)[^)]*\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def commands(page: pathlib.Path) -> list[str]:
    """The commands in code blocks and in `code` that begin with gitwf or make."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    lines += re.findall(r"^    (?:\$ )?((?:gitwf|make) .*)$", text, re.MULTILINE)
    lines += re.findall(
        r"`((?:gitwf|make) [^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    )
    return [line for line in lines if re.match(r"(gitwf|make) [a-z-]", line)]


def wrong(line: str) -> str:
    """What is wrong with a command: no such target, no such command, no such option."""
    words = shlex.split(line.partition("#")[0].replace("…", ""))
    words = words[
        : next((at for at, one in enumerate(words) if one in {"&&", "|", ">", ";"}), None)
    ]
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
        return "" if set(targets) <= set(TARGETS) else f"no make target in {line}"
    if words[1].startswith("-"):
        return ""
    command = cli.gitwf.get_command(click.Context(cli.gitwf), words[1])
    if command is None:
        return f"no command {words[1]}"
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    given = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
    unknown = given - known - {"--help", "-h"}
    return f"no option {', '.join(sorted(unknown))} in {line}" if unknown else ""


@pytest.mark.parametrize("page", SHOWN, ids=named)
def test_every_command_shown_exists(page):
    told = [found for line in commands(page) if (found := wrong(line))]

    assert told == []


def test_the_pre_commit_hook_calls_a_command_that_exists():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))

    assert [(hook["id"], wrong(hook["entry"])) for hook in hooks] == [("gitwf-lint", "")]


def test_a_command_that_does_not_exist_would_be_found():
    assert wrong("gitwf reconcil") == "no command reconcil"
    assert wrong("gitwf plan --exitcode") == "no option --exitcode in gitwf plan --exitcode"
    assert wrong("make dmeo") == "no make target in make dmeo"
    assert wrong("gitwf plan --exit-code -o json") == ""
