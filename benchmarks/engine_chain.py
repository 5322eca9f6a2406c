"""A chain of no-op steps through the local engine, against a bare loop that starts the same ones.

Prints, for each rung of the isolation ladder that works here, the seconds of the engine, those of
the loop and their ratio; both are medians of several rounds taken in turn, because the machine's
mood changes. The goal is a ratio of 1.5 without isolation, with the durable journal on.

    python benchmarks/engine_chain.py [--steps 100] [--rounds 5] [--fan-out]
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from gitwf import ports
from gitwf.adapters.local import engine, ladder
from gitwf.workflow.document import load, resolve


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


def loop(steps: int) -> float:
    """Start and await the same processes with nothing around them."""
    began = time.perf_counter()
    for _ in range(steps):
        pid = os.posix_spawnp("true", ["true"], os.environ)
        os.waitpid(pid, 0)
    return time.perf_counter() - began


def run(isolation: str, text: str) -> float:
    """Run the workflow once, in a new state folder; seconds from start to the last snapshot."""
    files = {"chain.yaml": text.encode()}
    loaded = load.load(files)
    workflow = resolve.resolve(loaded.runnable("chain.yaml"), loaded)
    with tempfile.TemporaryDirectory() as state:
        made = engine.LocalEngine(engine.Settings(Path(state), isolation=isolation, slots=2))
        assert made.isolation
        began = time.perf_counter()
        made.start(ports.Order("chain", "chain", workflow, {}))
        *_, last = made.watch("chain")
        took = time.perf_counter() - began
        made.close()
    assert last.phase == "Succeeded", last.message
    return took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fan-out", action="store_true", help="side by side, two at a time")
    given = parser.parse_args()
    text = document(given.steps, fan_out=given.fan_out)
    for isolation in ("none", "user", "root"):
        if isolation != "none" and not ladder.works(isolation):
            print(f"{isolation}: does not work here")
            continue
        pairs = [(run(isolation, text), loop(given.steps)) for _ in range(given.rounds)]
        ours, floor = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{isolation}: {ours:.3f} s, the loop {floor:.3f} s: {ours / floor:.2f}x")


if __name__ == "__main__":
    main()
