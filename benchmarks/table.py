"""The tables of docs/performance.md: gitwf, the bare loop and other tools, all in one run.

    python benchmarks/rivals.py --install .cache/rivals   # once; what is not installed is left out
    python benchmarks/table.py [--rounds 5] [--alone] [--write]

Every figure is of a whole process from its start to its end, but for the two rows that say
otherwise: an engine inside a process that runs already, as under `gitwf serve`, and the loop in the
same process. Rounds are taken in turn; shown are median, least and most, and the median of what
each took beside the loop of its own round, since the machine's mood changes. `--write` puts the
tables between the marks in the document.
"""

import argparse
import compileall
import datetime as dt
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import engine_chain
import machine
import rivals
import startup

import gitwf
from gitwf.adapters.local import ladder

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "performance.md"
_MOST = 1000  # Steps that other tools are given.
START, END = "<!-- measured -->\n", "<!-- /measured -->\n"


@dataclass
class Row:
    """One thing that is measured; `take` gives seconds and the most memory in MB, 0 if unknown."""

    name: str
    take: Callable[[], tuple[float, int]]
    rounds: int
    seconds: list[float] = field(default_factory=list)
    peak: int = 0

    def round(self) -> None:
        """Measure once more, unless it was often enough."""
        if len(self.seconds) < self.rounds:
            took, memory = self.take()
            self.seconds.append(took)
            self.peak = max(self.peak, memory)


def process(command: list[str], folder: str) -> tuple[float, int]:
    """Run a command to its end; seconds, and the MB that it prints. Exits when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{command}: {done.stderr[-500:]}")
    return took, int(done.stdout) if done.stdout.strip().isdecimal() else 0


def rival(one: rivals.Rival, command: list[str], steps: int, *, fan_out: bool) -> tuple[float, int]:
    """Run a rival once in a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in one.files(steps, fan_out=fan_out).items():
            (Path(folder) / name).write_text(text, "utf-8")
        return process(command, folder)


def rows(steps: int, *, fan_out: bool, rounds: int, tools: Path, others: bool) -> list[Row]:
    """List what is measured for one shape."""
    text = engine_chain.document(steps, fan_out=fan_out)

    def whole(rung: str) -> Callable[[], tuple[float, int]]:
        shape = ["--fan-out"] if fan_out else []
        script = str(HERE / "engine_chain.py")
        command = [sys.executable, script, "--steps", str(steps), "--once", rung, *shape]
        return lambda: process(command, "/")

    found = [
        Row("posix_spawn loop", lambda: (engine_chain.loop(steps, fan_out=fan_out), 0), rounds),
        Row("**gitwf, in a process**", lambda: (engine_chain.run("none", text), 0), rounds),
        Row("gitwf, whole process", whole("none"), rounds),
    ]
    found += [
        Row(f"gitwf, isolation `{rung}`", whole(rung), 1 if fan_out else rounds)
        for rung in ("user", "root")
        if others and ladder.works(rung)
    ]
    for one in rivals.RIVALS if others else ():
        command = one.ready(tools)
        if command is not None and not (one.name.startswith("snakemake") and fan_out):
            take = _taking(one, command, steps, fan_out=fan_out)
            found.append(Row(one.name, take, 1 if one.slow else rounds))
    return found


def _taking(
    one: rivals.Rival, command: list[str], steps: int, *, fan_out: bool
) -> Callable[[], tuple[float, int]]:
    return lambda: rival(one, command, steps, fan_out=fan_out)


def measured(title: str, found: list[Row]) -> str:
    """Measure every row in turn and write a table."""
    for _ in range(max(row.rounds for row in found)):
        for row in found:
            row.round()
    lines = [f"### {title}", "", "| | s | least to most | x loop | MB |", "|---|---|---|---|---|"]
    for row in found:
        middle = statistics.median(row.seconds)
        pairs = zip(row.seconds, found[0].seconds, strict=False)
        ratio = statistics.median(own / floor for own, floor in pairs)
        spread = f"{min(row.seconds):.3f} to {max(row.seconds):.3f}" if row.rounds > 1 else "once"
        memory = str(row.peak or "")
        lines.append(f"| {row.name} | {middle:.3f} | {spread} | {ratio:.2f} | {memory} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def planned(sizes: tuple[int, ...]) -> str:
    """Measure the state machine alone and write a table; a fresh process for each size."""
    lines = [
        "### The state machine alone: processor time for one node, in microseconds",
        "",
        "| shape | nodes | plan | follow | record | MB at most |",
        "|---|---|---|---|---|---|",
    ]
    for size in sizes:
        for kind in machine.KINDS:
            command = [sys.executable, str(HERE / "machine.py"), "--one", kind, str(size)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            plan, follow, record, peak = told.split()
            lines.append(f"| {kind} | {size:,} | {plan} | {follow} | {record} | {peak} |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def told(script: str, *arguments: str) -> dict[str, float]:
    """Run another benchmark in a process of its own; what it prints as JSON."""
    command = [sys.executable, str(HERE / script), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        sys.exit(f"{command}: {done.stderr[-500:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def looked(pipelines: int, histories: tuple[int, ...], versions: int) -> str:
    """Measure looking at a repository of many pipelines and write a table."""
    names = ["commits", "`git rev-parse`", "a pass of `serve`", "its first", "`gitwf reconcile`"]
    names += [f"`gitwf history`, {versions:,} versions", "KiB a pipeline"]
    lines = [
        f"### Looking at {pipelines:,} pipelines that are all trained, in milliseconds",
        "",
        f"| {' | '.join(names)} |",
        "|---|---|---|---|---|---|---|",
    ]
    for commits in histories:
        sizes = ("--pipelines", str(pipelines), "--commits", str(commits))
        one = told("delivery.py", *sizes, "--versions", str(versions))
        lines.append(
            f"| {commits:,} | {one['rev-parse']:.1f} | {one['pass']:.1f} | {one['first pass']:.0f}"
            f" | {one['reconcile']:.0f} | {one['history']:.0f} | {one['KiB']:.1f} |"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def written(writers: int) -> str:
    """Measure many writers at once on one remote and write a table."""
    lines = [
        f"### {writers} writers at once on one remote, an entry of the ledger each, in seconds",
        "",
        "| remote | lost | median | p99 |",
        "|---|---|---|---|",
    ]
    for name, more in (("a folder", ()), ("Git behind HTTP, on this machine", ("--http",))):
        one = told("writers.py", "--writers", str(writers), *more)
        lines.append(f"| {name} | {one['lost']:.0f} | {one['median']:.1f} | {one['p99']:.1f} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def started(rounds: int) -> str:
    """Measure what commands cost to start and write a table."""
    lines = ["### Start-up, whole processes", "", "| | ms | x empty Python | modules |"]
    lines.append("|---|---|---|---|")
    for name, milliseconds, ratio, count in startup.measured(rounds):
        shown = f"`{name}`" if name.startswith("gitwf") else name
        lines.append(f"| {shown} | {milliseconds:.0f} | {ratio:.1f} | {count} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write the document where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", type=Path, default=HERE.parent / ".cache" / "rivals")
    parser.add_argument("--alone", action="store_true", help="at real-time priority")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    quiet = given.alone and engine_chain.alone()
    # As after an installation, and as the command line does when it has loaded a command.
    compileall.compile_dir(Path(gitwf.__file__).parent, quiet=1)
    gc.freeze()
    # The shorter, the more often.
    often, seldom = 3 * given.rounds, (given.rounds + 1) // 2
    shapes = ((100, False, often), (1000, True, given.rounds), (10_000, True, seldom))
    parts = []
    for steps, fan_out, rounds in shapes:
        title = f"{'Fan-out' if fan_out else 'Chain'} of {steps:,} no-op steps"
        title += ", two at a time" if fan_out else ""
        others = steps <= _MOST
        found = rows(steps, fan_out=fan_out, rounds=rounds, tools=given.tools, others=others)
        parts.append(measured(title, found))
    parts.append(planned((1000, 10_000, 100_000)))
    parts.append(started(often))
    parts.append(looked(2000, (1000, 20_000), 2000))
    parts.append(written(50))
    today = dt.datetime.now(dt.UTC).date()
    about = (
        f"Measured {today:%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}, Linux"
        f" {platform.release().split('-')[0]}), Python {platform.python_version()},"
        f" {'at real-time priority' if quiet else 'at ordinary priority'} beside other work.\n"
    )
    text = "\n".join([about, *parts])
    if given.write:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(START)
        DOCUMENT.write_text(
            before + START + "\n" + text + "\n" + END + rest.partition(END)[2], "utf-8"
        )
    else:
        print(text)


if __name__ == "__main__":
    main()
