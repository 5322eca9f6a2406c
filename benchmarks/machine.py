"""The run as a state machine, alone: what planning and following a wide or a long run costs.

Prints, for each shape and size, processor time in all and for a node: to plan (until the
first commands are out), to follow every pod to its end, and to take the record. The time a node
takes must not grow with the number of nodes. No process is started.

    python benchmarks/machine.py [--sizes 1000 10000 100000]

`--one SHAPE SIZE` prints bare numbers for a table.
"""

import argparse
import itertools
import json
import resource
import sys
import time
from collections import deque
from pathlib import Path

from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.document import load, resolve, resolved
from gitwf.workflow.machine import messages

START = Instant.parse("2026-01-01T00:00:00Z")
KINDS = ("steps", "dag", "two at a time")
DONE = record.Outputs(exit_code="0")
LEAF = {
    "name": "echo",
    "inputs": {"parameters": [{"name": "m"}]},
    "container": {"image": "x", "command": ["echo"], "args": ["{{inputs.parameters.m}}"]},
}


def workflow(kind: str, size: int) -> resolved.Resolved:
    """Resolve a fan-out over `size` items, as steps or as a dag, perhaps two at a time."""
    step = {
        "name": "each",
        "template": "echo",
        "arguments": {"parameters": [{"name": "m", "value": "{{item}} of {{workflow.name}}"}]},
        "withSequence": {"count": str(size)},
    }
    body: dict[str, object] = {"dag": {"tasks": [step]}} if kind == "dag" else {"steps": [[step]]}
    if kind == "two at a time":
        body["parallelism"] = 2
    document = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "wide"},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", **body}, LEAF]},
    }
    loaded = load.load({"wide.yaml": json.dumps(document).encode()})
    return resolve.resolve(loaded.runnable("wide.yaml"), loaded)


def follow(run: machine.Run, commands: list[messages.Command]) -> None:
    """Let every pod start and succeed, in the order they were asked for."""
    waiting, now = deque(commands), START
    while waiting:
        command = waiting.popleft()
        if isinstance(command, messages.StartPod):
            now = now.after(0.001)
            waiting.extend(run.advance(messages.PodStarted(command.node, now)))
            ended = messages.PodEnded(command.node, now, record.Phase.SUCCEEDED, "", DONE)
            waiting.extend(run.advance(ended))


def peak() -> int:
    """Give the most memory that this process has had, in MB; a child does not inherit it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text("ascii").splitlines())
        return int(lines["VmHWM"].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(kind: str, size: int) -> tuple[list[float], int]:
    """Give the seconds to plan, to follow and to record, and the peak of memory in MB."""
    whole = workflow(kind, size)
    times = [time.process_time()]
    run = machine.begin(whole, "wide", {}, START)
    commands = run.start()
    times.append(time.process_time())
    follow(run, commands)
    times.append(time.process_time())
    final = run.record()
    times.append(time.process_time())
    if final.phase is not record.Phase.SUCCEEDED:
        sys.exit(f"the run ended {final.phase}: {final.message}")
    spans = [later - earlier for earlier, later in itertools.pairwise(times)]
    return spans, peak()


def main() -> None:
    """Measure every shape and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 10_000, 100_000])
    parser.add_argument("--one", nargs=2, metavar=("SHAPE", "SIZE"))
    given = parser.parse_args()
    if given.one:
        kind, size = given.one[0], int(given.one[1])
        spans, most = measure(kind, size)
        print(*(f"{span * 1e6 / size:.1f}" for span in spans), most)
        return
    for size in given.sizes:
        for kind in KINDS:
            spans, most = measure(kind, size)
            parts = "  ".join(
                f"{name} {span * 1e3:8.0f} ms {span * 1e6 / size:6.1f} us"
                for name, span in zip(("plan", "follow", "record"), spans, strict=True)
            )
            print(f"{kind:14} {size:7}  {parts}  peak {most} MB")


if __name__ == "__main__":
    main()
