"""zizmor, which knows how workflows and actions go wrong, finds nothing in ours."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
ZIZMOR = pathlib.Path(sys.executable).parent / "zizmor"
OURS = [ROOT / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]


def zizmor(*paths: pathlib.Path) -> tuple[int, str]:
    command = [str(ZIZMOR), "--offline", "--no-config", "--format", "plain", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_found_in_what_github_runs_for_us(path):
    code, told = zizmor(path)

    assert code == 0, told
    assert "No findings to report" in told


def test_an_action_that_is_not_pinned_would_be_found(tmp_path):
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    bad = tmp_path / ".github" / "workflows" / "bad.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(re.sub(r"@[0-9a-f]{40} # (v[0-9]+)\S*", r"@\1", workflow))

    code, told = zizmor(bad)

    assert code != 0
    assert "unpinned-uses" in told
