"""`make parity` takes any folder, and says every difference it finds."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.parity import comparing

PROGRAM = pathlib.Path(__file__).parents[2] / "scripts" / "parity.py"
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    """A folder of two cases with their recordings."""
    for kind, suffix in (("cases", "yaml"), ("recordings", "json")):
        for name in ("scripts/script-langs", "reject/rej-cycle"):
            place = tmp_path / kind / f"{name}.{suffix}"
            place.parent.mkdir(parents=True)
            shutil.copy(comparing.HERE / kind / f"{name}.{suffix}", place)
    return tmp_path


def parity(folder):
    given = ["--cases", folder / "cases", "--recordings", folder / "recordings"]
    return subprocess.run(
        [sys.executable, PROGRAM, *given], capture_output=True, text=True, check=False
    )


def test_equal_runs_and_equal_refusals_make_it_succeed(folder):
    shown = parity(folder)

    assert shown.stdout.splitlines()[-1].split()[:5] == ["all", "2", "1", "1", "0"]
    assert shown.returncode == 0


def test_a_difference_is_named_and_makes_it_fail(folder):
    [file] = folder.glob("recordings/scripts/*.json")
    recording = json.loads(file.read_text())
    node = next(name for name, one in recording["nodes"].items() if one.get("log"))
    recording["nodes"][node]["log"] = "something else\n"
    recording["message"] = "it was odd"
    file.write_text(json.dumps(recording))
    [refusal] = folder.glob("recordings/reject/*.json")
    refusal.write_text(json.dumps({"phase": "Failed", "message": "invalid spec: odd", "nodes": {}}))

    shown = parity(folder)

    said = shown.stdout
    assert "message is None, Argo's 'it was odd'" in said
    assert f"node {node}: log is " in said
    assert "Argo says: odd" in said
    assert shown.returncode == 1
