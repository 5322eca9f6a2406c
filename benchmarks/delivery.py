"""What it costs to look, in a repository of many pipelines with a long history; ratios in one run.

Makes a bare repository of the pipelines asked for, each trained already, and of that many commits.
Then measures: a pass of a running `gitwf serve` that finds nothing to do, the first pass of a new
process, the memory that both leave for each pipeline, and `gitwf reconcile` as a whole process,
beside `git rev-parse` as one. With `--versions` one model has so many versions, and `gitwf history`
lists them.

    python benchmarks/delivery.py [--pipelines 2000] [--commits 20000] [--versions 0] [--json]
"""

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import machine

from gitwf import wiring
from gitwf.delivery import entry, facts
from gitwf.service import edge, observe, reconcile
from gitwf.testing import git_repository
from gitwf.values import Digest, Instant
from gitwf.wiring import settings

PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {name: many}
spec: {store: "file:store", engine: {name: local}}
"""
PIPELINE = """\
apiVersion: gitwf.dev/v1
kind: Pipeline
metadata: {name: NAME}
spec: {workflow: workflow.yaml, model: {artifact: model}}
"""
WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: none, command: ["true"]}
    outputs:
      artifacts: [{name: model, path: /model.json, globalName: model, archive: {none: {}}}]
"""
THEN = Instant.of_seconds(1_700_000_000)


def make(path: Path, pipelines: int, commits: int) -> git_repository.Repository:
    """Make the repository: the pipelines in its first commit, a line in a README in all others."""
    made = git_repository.Repository.create(path)
    files = {"gitwf.yaml": PROJECT}
    for number in range(pipelines):
        name = f"model-{number:05}"
        folder = f"pipelines/{name}"
        files[f"{folder}/pipeline.yaml"] = PIPELINE.replace("NAME", name)
        files[f"{folder}/workflow.yaml"] = WORKFLOW.replace("NAME", name)
    made.commit({name: text.encode() for name, text in files.items()}, time=THEN)
    made.git("fast-import", "--quiet", text="".join(_history(commits - 1)).encode())
    made.git("gc", "--quiet")
    return made


def _history(commits: int) -> Iterator[str]:
    for number in range(commits):
        when = f"Ada <ada@example.org> {int(THEN.seconds) + 60 * (number + 1)} +0000"
        text = f"line {number}\n"
        yield f"commit refs/heads/main\nauthor {when}\ncommitter {when}\ndata 4\nEdit\n"
        yield "from refs/heads/main^0\n" if number == 0 else ""
        yield f"M 644 inline README\ndata {len(text)}\n{text}\n"


def opened(remote: Path, state: Path) -> edge.Edge:
    """The ports of a reconciler that works on the repository."""
    chosen = settings.Settings(remote=str(remote), state=str(state), isolation="none")
    return wiring.edge(chosen, wiring.repository(chosen))


def trained(around: edge.Edge, seen: observe.Pass, versions: int) -> None:
    """Write into the ledger that every pipeline has its result, and the first many versions."""
    added: list[entry.Entry] = []
    for number, (name, view) in enumerate(seen.observed.models.items()):
        request = view.request()
        wanted = view.parts.key(None)
        many = range(1, versions if number == 0 else 1)
        keys = [view.parts.key(f"occasion {one}") for one in many] + [wanted]
        for version, key in enumerate(keys, 1):
            claim = entry.Claim(
                name, key, 1, version, request.commit, f"{name}-{version}", around.me, THEN, 60.0,
                request.commit, parts=view.parts.body(None),
            )  # fmt: skip
            digest = Digest("sha256:" + f"{version:064x}")
            result = entry.Result(
                name, key, 1, version, request.commit, name, "local", THEN, THEN, digest,
                f"file:{name}/{version}", {"mape": 0.1},
            )  # fmt: skip
            added += [claim, entry.Version(name, version, key), result]

    def decide(now: facts.Facts) -> entry.Additions | None:
        return entry.additions(*added) if not now.entries else None

    around.ledger.append(decide, "Train everything")


def prepared(remote: Path, state: Path, versions: int) -> None:
    """Look at the repository for the first time, and write that all of it is trained."""
    around = opened(remote, state)
    trained(around, reconcile.Reconciler(around).look()[0], versions)


def resident() -> float:
    """The memory that this process has now, in KiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def process(command: list[str], folder: Path, rounds: int) -> float:
    """The median of the milliseconds that a command takes."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def measured(pipelines: int, commits: int, versions: int, rounds: int) -> dict[str, float]:
    """Measure everything; milliseconds, KiB for a pipeline and MB."""
    with tempfile.TemporaryDirectory() as place:
        remote, state = Path(place, "many.git"), Path(place, "state")
        make(remote, pipelines, commits)
        # In a process of its own, so that no memory is left of it here.
        before = multiprocessing.get_context("fork").Process(
            target=prepared, args=(remote, state, versions)
        )
        before.start()
        before.join()
        empty = resident()
        began = time.perf_counter()
        reconciler = reconcile.Reconciler(opened(remote, state))
        outcome = reconciler.run(wait=False)
        first = 1000 * (time.perf_counter() - began)
        if outcome.verdict is not reconcile.Verdict.IN_SYNC:
            sys.exit(f"{outcome.verdict}: {outcome.failures} {outcome.reports[:3]}")
        kept = resident() - empty
        passes = []
        for _ in range(rounds):
            began = time.perf_counter()
            reconciler.run(wait=False)
            passes.append(1000 * (time.perf_counter() - began))
        ours = [sys.executable, "-m", "gitwf"]
        where = ["--remote", str(remote), "--state", str(state)]
        git = ["git", "-C", str(remote), "rev-parse", "HEAD"]
        return {
            "rev-parse": process(git, state, rounds),
            "pass": statistics.median(passes),
            "first pass": first,
            "reconcile": process([*ours, "reconcile", *where], state, 1),
            "history": process([*ours, "history", "model-00000", *where], state, 3),
            "KiB": kept / pipelines,
            "MB": machine.peak(),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipelines", type=int, default=2000)
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--versions", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.pipelines, given.commits, given.versions, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        ratio = (
            f"{value / found['rev-parse']:8.1f} x rev-parse" if name not in {"KiB", "MB"} else ""
        )
        print(f"{name:12} {value:10.2f} {ratio}")


if __name__ == "__main__":
    main()
