"""No-op steps through the local engine, against a bare loop that starts the same processes.

Prints, for each rung of the isolation ladder that works here, the seconds of the engine, those of
the loop and their ratio, from rounds taken in turn, because the machine's mood changes. The goal is
a ratio of 1.5 without isolation, with the durable journal on.

    python benchmarks/engine_chain.py [--steps 100] [--rounds 5] [--fan-out] [--alone]

With `--alone` it asks for real-time priority, so that whatever else the machine does counts less.
`--once RUNG` runs the steps once and prints the most memory it had, in MB: for a whole process.
"""

import argparse
import collections
import gc
import os
import statistics
import tempfile
import time
from pathlib import Path

import machine

from gitwf import ports
from gitwf.adapters.local import engine, ladder
from gitwf.workflow.document import load, resolve

SLOTS = 2


def document(steps: int, *, fan_out: bool) -> str:
    """Write the workflow."""
    lines = [
        "apiVersion: argoproj.io/v1alpha1",
        "kind: Workflow",
        "metadata: {name: chain}",
        "spec:",
        "  entrypoint: main",
        "  templates:",
        "  - name: noop",
        '    container: {image: none, command: ["true"]}',
        "  - name: main",
        "    steps:",
    ]
    if fan_out:
        lines.append(f"    - - {{name: s, template: noop, withSequence: {{count: '{steps}'}}}}")
    else:
        lines += [f"    - - {{name: s{number}, template: noop}}" for number in range(steps)]
    return "\n".join(lines) + "\n"


def loop(steps: int, *, fan_out: bool = False) -> float:
    """Start and await the same processes with nothing around them, as many at once."""
    began = time.perf_counter()
    running = 0
    for _ in range(steps):
        os.posix_spawnp("true", ["true"], os.environ)
        running += 1
        if running == (SLOTS if fan_out else 1):
            os.wait()
            running -= 1
    for _ in range(running):
        os.wait()
    return time.perf_counter() - began


def run(isolation: str, text: str) -> float:
    """Run the workflow once, in a new state folder; seconds from start to the last snapshot."""
    files = {"chain.yaml": text.encode()}
    loaded = load.load(files)
    workflow = resolve.resolve(loaded.runnable("chain.yaml"), loaded)
    with tempfile.TemporaryDirectory() as state:
        made = engine.LocalEngine(engine.Settings(Path(state), isolation=isolation, slots=SLOTS))
        assert made.isolation
        began = time.perf_counter()
        made.start(ports.Order("chain", "chain", workflow, {}))
        # Snapshots are not kept, of which a slow run gives more.
        (last,) = collections.deque(made.watch("chain"), maxlen=1)
        took = time.perf_counter() - began
        made.close()
    assert last.phase == "Succeeded", last.message
    return took


def alone() -> bool:
    """Ask for real-time priority, which processes started later inherit; says whether it is had."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(10))
    except (AttributeError, PermissionError):
        return False
    return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fan-out", action="store_true", help="side by side, two at a time")
    parser.add_argument("--alone", action="store_true", help="at real-time priority")
    parser.add_argument("--once", default="", help="a rung")
    given = parser.parse_args()
    if given.alone:
        alone()
    gc.freeze()  # As the command line does when it has loaded a command.
    text = document(given.steps, fan_out=given.fan_out)
    if given.once:
        run(given.once, text)
        print(machine.peak())
        return
    for isolation in ("none", "user", "root"):
        if isolation != "none" and not ladder.works(isolation):
            print(f"{isolation}: does not work here")
            continue
        pairs = [
            (run(isolation, text), loop(given.steps, fan_out=given.fan_out))
            for _ in range(given.rounds)
        ]
        ours, floor = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(one / other for one, other in pairs)
        print(
            f"{isolation}: {ours:.3f} s, the loop {floor:.3f} s: {ours / floor:.2f}x"
            f" (rounds {ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
