"""Runs driven by a process of their own, which can be killed without asking."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys

# FREEZE: after so many entries of the journal it stops for good, so that the kill meets exactly
# that moment.
DRIVER = """
import sys, pathlib, threading
sys.path[:0] = sys.argv[5].split(":")
import conftest
from gitwf.adapters.local import engine, journal
text, state, isolation, freeze = sys.argv[1:5]
append = journal.Journal.append
count = 0
def counting(self, entry):
    global count
    append(self, entry)
    count += 1
    if count == int(freeze):
        print("frozen", flush=True)
        threading.Event().wait()
journal.Journal.append = counting
made = engine.LocalEngine(engine.Settings(pathlib.Path(state), isolation, grace=0.3))
made.start(conftest.order(text))
for seen in made.watch("run"):
    pass
print(seen.phase, flush=True)
made.close()
"""


def sleepers(state):
    home = f"HOME={state}".encode()
    found = []
    for environ in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if home in environ.read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return found


def stop_sleepers(state):
    for pid in sleepers(state):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def starting():
    """Start drivers; they end with the block, their steps too, whatever became of them."""
    here = pathlib.Path(__file__).parent
    paths = f"{here}:{here.parents[1]}"
    with contextlib.ExitStack() as ends:

        def start(text, state, isolation, freeze=0):
            ends.callback(stop_sleepers, state)
            arguments = [text, str(state), isolation, str(freeze), paths]
            process = ends.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", DRIVER, *arguments], stdout=subprocess.PIPE, text=True
                )
            )
            ends.callback(process.kill)
            return process

        yield start
