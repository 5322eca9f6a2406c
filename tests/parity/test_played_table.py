"""`make played` says what it needs, and how each random workflow came out on both sides."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
pytestmark = pytest.mark.slow

# In place of Go it makes a program, which says of every workflow that Argo refuses it.
GO = """#!{python}
import pathlib, sys
program = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
overlay = pathlib.Path(sys.argv[sys.argv.index("-overlay") + 1])
assert "workflow/controller/gitwf_controller_test.go" in overlay.read_text()
program.write_text('''#!{python}
import os, pathlib
for case in pathlib.Path(os.environ["PLAYED_CASES"]).iterdir():
    to = pathlib.Path(os.environ["PLAYED_RECORDINGS"], case.stem + ".json")
    to.write_text('{{"refused": "it is odd"}}')
''')
program.chmod(0o755)
"""


# One that Argo's code loses a node of, once, ends the process; what comes after it is played anew.
CRASHES = """#!{python}
import pathlib, sys
program = pathlib.Path(sys.argv[sys.argv.index("-o") + 1])
program.write_text('''#!{python}
import os, pathlib, sys
for case in sorted(pathlib.Path(os.environ["PLAYED_CASES"]).iterdir()):
    to = pathlib.Path(os.environ["PLAYED_RECORDINGS"], case.stem + ".json")
    if case.stem == "w1" and not to.exists():
        sys.exit("it lost a node")
    to.exists() or to.write_text(\'{{"refused": "it is odd"}}\')
''')
program.chmod(0o755)
"""


def played(*given, path=os.environ["PATH"]):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "played.py", *given],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def argo(tmp_path):
    """A folder that looks like a checkout of Argo."""
    folder = tmp_path / "argo"
    folder.mkdir()
    (folder / "go.mod").write_text("module github.com/argoproj/argo-workflows/v4\n\ngo 1.25\n")
    return folder


@pytest.mark.parametrize("words", ["", "ARGO=docs"])
def test_without_a_checkout_of_argo_it_says_what_to_give(words):
    shown = subprocess.run(
        [
            "make",
            "-s",
            "-o",
            ".venv/installed-dev",
            "played",
            f"BIN={sys.prefix}/bin",
            words or "ARGO=",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.stderr.startswith("played: ARGO=FOLDER must name a checkout of Argo Workflows v4")
    assert shown.returncode != 0


def test_without_go_it_says_so(argo, tmp_path):
    shown = played("--argo", argo, path=str(tmp_path))

    assert shown.stderr.startswith("played: there is no `go` on the PATH")
    assert shown.returncode == 1


def test_what_go_says_of_a_build_that_fails_is_shown(argo, tmp_path):
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho this does not compile >&2\nexit 1\n")
    go.chmod(0o755)

    shown = played("--argo", argo, path=f"{tmp_path}:{os.environ['PATH']}")

    assert shown.stderr == "played: Argo's code was not built:\nthis does not compile\n"
    assert shown.returncode == 1


def test_each_difference_stands_below_its_workflow_and_the_last_line_sums_up(argo, tmp_path):
    go = tmp_path / "go"
    go.write_text(GO.format(python=sys.executable))
    go.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    shown = played("--argo", argo, "--seeds", "0-9", path=path)

    assert shown.stderr == ""
    *differences, last = shown.stdout.splitlines()
    different = differences.count("    ran, Argo says: it is odd")
    assert 0 < different < 10
    assert last == (
        f"played: 10 workflows of 0 nodes: 0 equal, {10 - different} refused by both, "
        f"0 that Argo never ends, {different} different, 0 of them as is known"
    )
    assert shown.returncode == 1
    assert [one.name for one in argo.iterdir()] == ["go.mod"]


def test_a_workflow_that_ends_argos_process_counts_as_one_that_it_never_ends(argo, tmp_path):
    go = tmp_path / "go"
    go.write_text(CRASHES.format(python=sys.executable))
    go.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    shown = played("--argo", argo, "--seeds", "0-9", "--keep", tmp_path / "kept", path=path)

    recordings = tmp_path / "kept" / "recordings"
    assert len([*recordings.iterdir()]) == 10
    assert "it lost a node" in (recordings / "w1.json").read_text()
    assert shown.stderr == ""
