"""docs/performance.md tells how its figures are made: each command in it is there to be run."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "performance.md"
COMMANDS = [
    line.split("#")[0].split()
    for line in DOCUMENT.read_text("utf-8").splitlines()
    if line.startswith("    python ")
]


def test_the_page_names_commands_to_run():
    assert len(COMMANDS) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_exists_with_all_its_options(command):
    _, script, *options = command
    assert script in subprocess.check_output(["git", "ls-files", "benchmarks"], cwd=ROOT, text=True)
    told = subprocess.run(
        [sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    wanted = {one for one in options if one.startswith("--")}
    assert wanted <= set(re.findall(r"--[a-z-]+", told))


def test_the_tables_stand_between_their_marks():
    text = DOCUMENT.read_text("utf-8")
    measured = text.partition("<!-- measured -->")[2].partition("<!-- /measured -->")[0]
    assert re.search(r"\| \*\*gitwf, in a process\*\* \| \d+\.\d+ \|", measured)
