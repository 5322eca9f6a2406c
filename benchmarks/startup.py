"""What it costs to start: commands of gitwf beside an empty Python, as ratios within one run.

Times whole processes in turns, so that a busy machine slows all alike, and prints for each command
the median, its ratio to an empty interpreter, and how many modules it loaded. The repository that
`plan` and `history` look at is a fresh bare one with the scaffold of `gitwf init` on it; `run` runs
a step that does nothing. Bytecode is there, as after an installation.

    python benchmarks/startup.py [--rounds 15]
"""

import argparse
import compileall
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import engine_chain

import gitwf

EMPTY = "empty Python"
COMMANDS: dict[str, list[str]] = {
    EMPTY: ["-c", ""],
    "import click": ["-c", "import click"],
    "gitwf --help": ["-m", "gitwf", "--help"],
    "gitwf --version": ["-m", "gitwf", "--version"],
    "gitwf run": ["-m", "gitwf", "run", "one.yaml"],
    "gitwf lint": ["-m", "gitwf", "lint"],
    "gitwf plan": ["-m", "gitwf", "plan"],
    "gitwf plan -o json": ["-m", "gitwf", "plan", "-o", "json"],
    "gitwf history": ["-m", "gitwf", "history"],
}
GOALS = {"gitwf --help": 10.0}


def checkout(folder: pathlib.Path) -> pathlib.Path:
    """Make a checkout of a remote that holds a scaffolded project."""
    work, remote = folder / "shop", folder / "shop.git"
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-C", str(work)]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(work)], check=True)
    init = [sys.executable, "-m", "gitwf", "init", str(work)]
    subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "Begin"], check=True)
    subprocess.run([*git, "remote", "add", "origin", str(remote)], check=True)
    subprocess.run([*git, "push", "-q", "origin", "main"], check=True)
    (work / "one.yaml").write_text(engine_chain.document(1, fan_out=False), "utf-8")
    return work


def seconds(arguments: list[str], work: pathlib.Path, environment: dict[str, str]) -> float:
    """Run Python with these arguments once, for its wall time."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=work,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def modules(arguments: list[str], work: pathlib.Path, environment: dict[str, str]) -> int:
    """How many modules a command loads."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=work,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return sum(line.startswith("import time:") for line in done.stderr.splitlines()) - 1


def measured(rounds: int) -> list[tuple[str, float, float, int]]:
    """Measure every command: its name, milliseconds, ratio to an empty Python, modules."""
    compileall.compile_dir(pathlib.Path(gitwf.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        work = checkout(pathlib.Path(folder))
        environment = {**os.environ, "GITWF_STATE": str(pathlib.Path(folder) / "state")}
        taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, arguments in COMMANDS.items():
                taken[name].append(seconds(arguments, work, environment))
        floor = statistics.median(taken[EMPTY])
        found = []
        for name, arguments in COMMANDS.items():
            median = statistics.median(taken[name])
            count = modules(arguments, work, environment)
            found.append((name, 1000 * median, median / floor, count))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    for name, milliseconds, ratio, count in measured(parser.parse_args().rounds):
        goal = f"  goal <= {GOALS[name]:g}" if name in GOALS else ""
        print(f"{name:<20} {milliseconds:7.1f} ms {ratio:6.1f} x {count:5} modules{goal}")


if __name__ == "__main__":
    main()
