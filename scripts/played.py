"""Play random workflows on the code of Argo's controller and on gitwf's machine, and compare.

Draws the workflow of each seed, builds Argo's own controller package with our tests beside its own,
has it play them, and plays them on gitwf's machine. Prints the differences of each workflow, and
a last line that says how many came out equal. Exits with 1 if there is a difference:

    python scripts/played.py --argo FOLDER [--seeds 1-200] [--keep FOLDER]

FOLDER is a checkout of Argo Workflows at the version that gitwf follows; nothing is written in it.
Needs Go, as new as that version's `go.mod` says. A first build takes minutes.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.parity import comparing  # noqa: E402 - the tests' code is not installed
from tests.parity.played import generating, known, playing  # noqa: E402

PLAYED = comparing.HERE / "played"
VERSION = "v4.0.5"
MODULE = "module github.com/argoproj/argo-workflows/v4\n"
PACKAGE = pathlib.Path("workflow", "controller")
WHERE_FROM = (
    f"ARGO=FOLDER must name a checkout of Argo Workflows {VERSION}, "
    f"of `git clone --depth 1 --branch {VERSION}`"
)


def main() -> None:
    """Draw, play on both sides, and print how it came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--argo", default="", help="a checkout of Argo Workflows")
    parser.add_argument("--seeds", type=seeds, default="1-200", help="FIRST-LAST, or one")
    parser.add_argument("--keep", type=pathlib.Path, help="leave cases and recordings here")
    chosen = parser.parse_args()
    try:
        argo = checkout(chosen.argo)
        with tempfile.TemporaryDirectory() as made:
            folder = chosen.keep or pathlib.Path(made)
            verdicts = compare(argo, chosen.seeds, folder.resolve())
            lines = table(verdicts)
    except CannotPlay as problem:
        sys.exit(f"played: {problem}")
    print("\n".join(lines))
    sys.exit(1 if any(one.differences for one in verdicts) else 0)


class CannotPlay(Exception):
    """Argo's side could not be built or did not get through."""


def seeds(text: str) -> range:
    """Read FIRST-LAST."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def checkout(argo: str) -> pathlib.Path:
    """Find the module and Go. Raises CannotPlay."""
    folder = pathlib.Path(argo).resolve()
    module = folder / "go.mod"
    if not argo or not module.is_file() or MODULE not in module.read_text("utf-8"):
        raise CannotPlay(WHERE_FROM)
    if shutil.which("go") is None:
        raise CannotPlay("there is no `go` on the PATH, which builds the controller's code")
    return folder


def compare(argo: pathlib.Path, chosen: range, folder: pathlib.Path) -> list[comparing.Verdict]:
    """Play on both sides below `folder`."""
    cases, recordings = folder / "cases", folder / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    generating.write(chosen, cases)
    play(build(argo, folder), cases, recordings)
    paths = [cases / f"w{seed}.yaml" for seed in chosen]
    return [playing.compare(comparing.Case(path, recording_of(path, recordings))) for path in paths]


def build(argo: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Build the controller's package with our tests laid over it. Raises CannotPlay."""
    program, overlay = folder / "controller.test", folder / "overlay.json"
    beside = {str(argo / PACKAGE / f"gitwf_{one.name}"): str(one) for one in PLAYED.glob("*.go")}
    overlay.write_text(json.dumps({"Replace": beside}), "utf-8")
    made = ["-vet=off", "-overlay", overlay, "-o", program]
    command = ["go", "test", "-c", *made, f"./{PACKAGE}"]
    built = subprocess.run(command, cwd=argo, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise CannotPlay(f"Argo's code was not built:\n{built.stderr.rstrip()}")
    return program


def play(program: pathlib.Path, cases: pathlib.Path, recordings: pathlib.Path) -> None:
    """Have Argo's code play every case into a recording. Raises CannotPlay.

    Where it loses a node it ends its own process: that case crashed it, and the next ones are left.
    """
    wanted = {path.stem: recordings / f"{path.stem}.json" for path in cases.glob("*.yaml")}
    for recording in wanted.values():
        recording.unlink(missing_ok=True)
    while said := run(program, cases, recordings):
        left = sorted(name for name, recording in wanted.items() if not recording.exists())
        if not left or len(left) == len(wanted):
            raise CannotPlay(f"Argo's code ended with\n{said}")
        wanted[left[0]].write_text(json.dumps({"controllerCrash": said}), "utf-8")


def run(program: pathlib.Path, cases: pathlib.Path, recordings: pathlib.Path) -> str:
    """Play what has no recording yet. Gives the last words of a process that did not end well."""
    folders = {"PLAYED_CASES": str(cases), "PLAYED_RECORDINGS": str(recordings)}
    done = subprocess.run(
        [program, "-test.run", "^TestPlayed$"],
        cwd=cases,
        env={**os.environ, **folders},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    last = "\n".join(done.stdout.splitlines()[-40:])
    return last or f"exit code {done.returncode}" if done.returncode != 0 else ""


def recording_of(path: pathlib.Path, recordings: pathlib.Path) -> dict[str, object]:
    """Read what Argo made of a case."""
    recorded: dict[str, object] = json.loads((recordings / f"{path.stem}.json").read_text("utf-8"))
    return recorded


def table(verdicts: list[comparing.Verdict]) -> list[str]:
    """Every difference below its workflow, then how many came out how."""
    lines = []
    for one in verdicts:
        if one.differences:
            reasons = known.reasons(one)
            lines.append(f"{one.case.path.stem}: {', '.join(reasons) or 'not known yet'}")
            lines += [f"    {difference}" for difference in one.differences]
    different = [one for one in verdicts if one.differences]
    explained = sum(bool(known.reasons(one)) for one in different)
    refused = sum(one.refused and not one.differences for one in verdicts)
    unfinished = sum(one.case.unfinished and not one.refused for one in verdicts)
    equal = len(verdicts) - len(different) - refused - unfinished
    nodes = sum(one.nodes for one in verdicts)
    lines.append(
        f"played: {len(verdicts)} workflows of {nodes} nodes: {equal} equal, {refused} refused by "
        f"both, {unfinished} that Argo never ends, {len(different)} different, "
        f"{explained} of them as is known"
    )
    return lines


if __name__ == "__main__":
    main()
