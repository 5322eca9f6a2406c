"""The lowest rung: a process in a group of its own that sees the machine's files as they are.

What the step needs at a path is put exactly there and taken away afterwards (`placing`), because
there is no view to hide it in. Works on any POSIX system; the sandbox is
`gitwf.adapters.local.sandbox`.
"""

import contextlib
import dataclasses
import os
import select
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitwf.adapters import host
from gitwf.adapters.local import again, box, copying, placing, programs, scratch, spawning

_FIRST = 1 << 16  # Bytes of a process's variables, among which a step's own home is.


class Process:
    """A process under way on the bare machine; see `box.Running`."""

    def __init__(
        self,
        started: spawning.Started,
        given: box.Box,
        work: Path,
        places: placing.Places,
    ) -> None:
        self.pid = started.pid
        self._places = places
        self._process = started
        self._box = given
        self._work = work
        self._fd = _end_of(started)
        self._ended: box.Ended | None = None

    def fileno(self) -> int:
        """Readable once the process is over."""
        return self._fd

    def poll(self) -> box.Ended | None:
        """Collect the outputs and clear the paths when it has ended."""
        if self._ended is None and select.select([self._fd], [], [], 0)[0]:
            # What the step left running goes with it, as it would with a container; before the
            # process is reaped, so that its number still names its group.
            self.stop(kill=True)
            code = self._process.wait()
            missing = tuple(collect(self._box.outputs, self._work))
            self._places.take_away(self._box)
            self._ended = box.Ended(code=code if code >= 0 else 128 - code, missing=missing)
        return self._ended

    def stop(self, *, kill: bool) -> None:
        """Signal the whole group."""
        try:  # noqa: SIM105 - every step passes
            os.killpg(self.pid, signal.SIGKILL if kill else signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self) -> None:
        """Close the file that tells the end."""
        os.close(self._fd)


class Refused:
    """A program that could not be started: over before it began."""

    pid = 0

    def __init__(self, ended: box.Ended) -> None:
        self._ended = ended
        self._fd, writer = os.pipe()
        os.close(writer)

    def fileno(self) -> int:
        """Readable at once."""
        return self._fd

    def poll(self) -> box.Ended | None:
        """Why it was not started."""
        return self._ended

    def stop(self, *, kill: bool) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


class Bare:
    """Rung `none`."""

    name = "none"

    def __init__(self, run: Path) -> None:
        self._run = run
        self._places = placing.Places()
        self._spawner = spawning.Spawner()
        self._found: dict[tuple[str, str], str] = {}

    def start(self, given: box.Box, work: Path, stdout: int, stderr: int) -> box.Running:
        """Put everything in place and start the program."""
        try:
            self._places.put(given, work)
            # Text, not paths, where every step passes.
            if not os.path.isdir(given.cwd):  # noqa: PTH112
                os.makedirs(given.cwd, exist_ok=True)  # noqa: PTH103
        except programs.MISPLACED as error:
            self._places.take_away(given)
            return Refused(box.Ended(**programs.not_started(error)))
        try:
            return Process(self._spawn(given, stdout, stderr), given, work, self._places)
        except LookupError as error:
            why = f"failed to find name in PATH: {error}"
        except OSError as error:
            if programs.exhausted(error):
                raise
            why = programs.unstartable(given.argv[0], error)
        self._places.take_away(given)
        return Refused(box.Ended(code=64, refused=why))

    def _spawn(self, given: box.Box, stdout: int, stderr: int) -> spawning.Started:
        program = self._program(given.argv[0], given.env.get("PATH", ""))
        # As Argo's emissary does, the program is told the path that it was found at.
        command = [program, *given.argv[1:]]
        if given.attempts > 1:
            terms = [str(given.attempts), str(given.pause)]
            command = [sys.executable, "-I", "-S", again.__file__, *terms, *command]
        return self._spawner.start(command, given.env, given.cwd, stdout, stderr)

    def _program(self, name: str, path: str) -> str:
        """Find a program; one found before is only asked whether it is still there."""
        found = self._found.get((name, path), "")
        if not os.access(found, os.X_OK):
            found = self._found[name, path] = programs.find_program(name, path)
        return found

    def close(self) -> None:
        """End what steps left running in groups of their own, and clear their paths."""
        self._spawner.close()
        kill_strays(self._run)
        placing.clear(self._run / "work")


def kill_leftover(left: host.Process) -> None:
    """Kill the group of a step that a killed gitwf left, if it is still that very process."""
    now = dataclasses.replace(host.this_process(), pid=left.pid, start=host.start_time(left.pid))
    if now == left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(left.pid, signal.SIGKILL)


def kill_strays(run: Path) -> None:
    """Kill what steps of a run left in groups of their own: each has the run's private home.

    Only Linux tells the variables of a process; elsewhere a step that makes itself a daemon
    outlives its run.
    """
    home = f"\0HOME={run}/work/".encode()
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):  # noqa: PTH208 - there are many
            if name.isdecimal() and home in _variables(name):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(int(name), signal.SIGKILL)


def _variables(process: str) -> bytes:
    """The first variables of a process, each after a zero; none where it is gone."""
    try:
        file = os.open(f"/proc/{process}/environ", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return b"\0" + os.read(file, _FIRST)
    except OSError:
        return b""
    finally:
        os.close(file)


def collect(outputs: Sequence[str], work: Path) -> Iterable[str | None]:
    """Copy each output under its number; gives the reason or None for each."""
    if not outputs:
        return ()
    to = work / scratch.OUTPUTS
    to.mkdir()
    folder = os.open(to, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return copying.collect(outputs, folder)
    finally:
        os.close(folder)


def _end_of(process: spawning.Started) -> int:
    """Open a file that turns readable when the process ends."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(process.pid)
    reader, writer = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(writer)

    threading.Thread(target=wait, daemon=True).start()
    return reader
