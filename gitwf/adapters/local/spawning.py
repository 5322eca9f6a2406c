"""Starting a step's program in a session of its own.

Where a step does nothing, what `subprocess` does around the start is felt. `posix_spawn` does with
less, but starts a program in the caller's own folder. On Linux a thread can have a current folder
that is its alone (unshare, CLONE_FS), so the thread which starts a run's steps goes there for the
moment of the start. Everywhere else `subprocess` does it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_CLONE_FS = 0x200
_STDERR = 2
# What Python ignores and programs do not expect to be ignored.
_DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ)


class Started(Protocol):
    """A process that was started here."""

    @property
    def pid(self) -> int:
        """Its number, and its group's."""
        ...

    def wait(self) -> int:
        """Wait for the end; gives the exit code, or minus the signal that ended it."""
        ...


@dataclass(frozen=True)
class _Spawned:
    pid: int

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Spawner:
    """Starts programs for one run. Made and used by the run's thread; close it when done."""

    def __init__(self) -> None:
        self._thread = threading.get_ident() if _set_apart() else None
        self._home = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        self._kept = [(os.POSIX_SPAWN_CLOSE, file) for file in _inherited()]

    def start(
        self, command: list[str], env: Mapping[str, str], cwd: str, stdout: int, stderr: int
    ) -> Started:
        """Start a command, whose first word is a path, with nothing to read. Raises OSError."""
        if threading.get_ident() != self._thread:
            return subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_DUP2, stderr, 2),
            *self._kept,
        ]
        os.chdir(cwd)
        try:
            return _Spawned(
                os.posix_spawn(
                    command[0], command, env, file_actions=files, setsid=True, setsigdef=_DEFAULTS
                )
            )
        finally:
            os.fchdir(self._home)

    def close(self) -> None:
        """Give back what was held open."""
        os.close(self._home)


def _set_apart() -> bool:
    """Give this thread a current folder of its own, where that can be had.

    Where the end is told by a thread that waits too (`bare`), `subprocess` remembers it for both.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).unshare(_CLONE_FS) == 0)


def _inherited() -> list[int]:
    """The files that whoever started this process left open for it; its own are not passed on."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - every run passes here
            with contextlib.suppress(OSError):  # The folder's own file is closed already.
                if os.get_inheritable(int(name)):
                    found.append(int(name))
    return [file for file in found if file > _STDERR]
