"""The rungs that give each step a view of its own, by Linux namespaces.

`view` is the heart and is pure: from a box and the machine's lay-out it makes the list of mount
operations that `gitwf.adapters.local.launcher` carries out. As root the whole machine is an overlay
(a step may write anywhere and nothing of it stays); as another user the root is a fresh folder in
which the machine's folders stand read-only, and those that the step must write to are opened. Both
hide homes, temporary folders, run-time sockets, gitwf's own state and the secrets.
"""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gitwf.adapters.local import box, launcher, scratch

_HIDDEN = ("/home", "/root", "/run", "/var/tmp", "/mnt", "/media", "/tmp")  # noqa: S108 - hidden, not used
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kfd", "dri")
_LINKS = {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_NOT_OURS = ("/proc", "/sys", "/dev", "/run", "/tmp")  # noqa: S108 - never written to

Operation = tuple[Any, ...]


@dataclass(frozen=True)
class Layout:
    """What of this machine a view depends on. `hidden` folders are shown empty."""

    hidden: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()
    mounted: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    root_entries: frozenset[str] = frozenset()


def layout(hidden: Iterable[Path], shown: Iterable[Path]) -> Layout:
    """Look at this machine. `shown` are folders that a step needs even where homes are hidden."""
    names = [*_DEVICES, *(path.name for path in Path("/dev").glob("nvidia*"))]
    present = tuple(name for name in names if Path("/dev", name).exists())
    all_hidden = [Path(name) for name in _HIDDEN if Path(name).is_dir()]
    ours = [path for path in map(Path.resolve, hidden) if path.is_dir()]
    all_hidden += [path for path in ours if not _below_any(path, all_hidden)]
    resolver = Path("/etc/resolv.conf").resolve()
    wanted = [path for path in (*shown, resolver) if path.exists()]
    return Layout(
        hidden=tuple(dict.fromkeys(all_hidden)),
        shown=tuple(path for path in dict.fromkeys(wanted) if _below_any(path, all_hidden)),
        mounted=_mounted(Path("/proc/self/mountinfo").read_text("utf-8")),
        devices=present,
        root_entries=frozenset(path.name for path in Path("/").iterdir()),
    )


def _below_any(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _mounted(mountinfo: str) -> tuple[str, ...]:
    """The mount points other than the root that an overlay of the root does not show."""
    # Blanks and backslashes in names are written as octal numbers.
    names = [line.split()[4] for line in mountinfo.splitlines()]
    points = [re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), name) for name in names]
    outside = [
        point
        for point in points
        if point != "/" and not any(f"{point}/".startswith(f"{one}/") for one in _NOT_OURS)
    ]
    return tuple(dict.fromkeys(outside))


def view(given: box.Box, machine: Layout, *, user: bool) -> list[Operation]:
    """List the mounts that make the step's world, in order."""
    operations: list[Operation] = []
    if user:
        operations.append(_fresh_root(machine))
        operations += [("open", folder, folder, []) for folder in _to_open(given, machine)]
    else:
        operations.append(("overlay", "", "/"))
        operations += [("mounted", point, point) for point in machine.mounted]
    operations += [("tmpfs", str(folder), "0755") for folder in machine.hidden]
    operations += _system(machine)
    shown = [box.Mount(str(path), path, box.Kind.READ) for path in machine.shown]
    # Parents come before what is in them.
    ordered = sorted([*shown, *given.mounts], key=lambda mount: mount.path)
    return operations + [_mounting(mount) for mount in ordered]


def _fresh_root(machine: Layout) -> Operation:
    hidden = {"proc", "sys", "dev"} | {str(path)[1:] for path in machine.hidden}
    return ("open", "", "/", sorted(hidden & machine.root_entries))


def _to_open(given: box.Box, machine: Layout) -> list[str]:
    """The folders of the machine in which the step must be able to make new names.

    Of each path that is put in place or taken out: its nearest folder that exists, below the root.
    """
    wanted = []
    for path in (*(mount.path for mount in given.mounts), *given.outputs, given.cwd):
        folder = PurePosixPath(path).parent
        while not Path(folder).is_dir():
            folder = folder.parent
        if str(folder) == "/" or _below_any(Path(folder), machine.hidden) or Path(path).exists():
            continue
        wanted.append(str(folder))
    return sorted(set(wanted))


def _system(machine: Layout) -> list[Operation]:
    operations: list[Operation] = [
        ("proc", "/proc"),
        ("bind", "/sys", "/sys", True),
        ("tmpfs", "/dev", "0755"),
        ("tmpfs", "/dev/shm", "1777"),  # noqa: S108 - the step's own
    ]
    operations += [("bind", f"/dev/{name}", f"/dev/{name}", False) for name in machine.devices]
    operations += [("link", f"/dev/{name}", f"/proc/self/{to}") for name, to in _LINKS.items()]
    return operations


def _mounting(mount: box.Mount) -> Operation:
    if mount.kind is box.Kind.LAYER and mount.source.is_dir():
        return ("overlay", mount.path, str(mount.source))
    return ("bind", mount.path, str(mount.source), mount.kind is box.Kind.READ)


class Step:
    """A step under way in its own world; see `box.Running`."""

    def __init__(self, report: int) -> None:
        self.pid = 0
        self._report = report
        self._text = b""
        self._ended: box.Ended | None = None
        self._wanted = 0
        os.set_blocking(report, False)

    def fileno(self) -> int:
        """Readable when there is something to read of the report."""
        return self._report

    def poll(self) -> box.Ended | None:
        """Read the report; over when the launcher's child has gone."""
        while self._ended is None:
            try:
                chunk = os.read(self._report, 65536)
            except BlockingIOError:
                return None
            self._text += chunk
            for line in self._text.splitlines():
                with contextlib.suppress(ValueError):
                    self.pid = json.loads(line).get("pid", self.pid)
            if not chunk:
                self._ended = _read(self._text)
            # A signal may have been asked for before the process had a number.
            self._signal()
        return self._ended

    def stop(self, *, kill: bool) -> None:
        """Signal process 1 of the step's world: it passes SIGTERM on, and with it all die."""
        self.poll()
        self._wanted = signal.SIGKILL if kill else signal.SIGTERM
        self._signal()

    def _signal(self) -> None:
        if self._ended is None and self.pid and self._wanted:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, self._wanted)
            self._wanted = 0

    def close(self) -> None:
        """Close the report."""
        os.close(self._report)


def _read(report: bytes) -> box.Ended:
    said: dict[str, Any] = {}
    for line in report.splitlines():
        said.update(json.loads(line))
    return box.Ended(
        code=said.get("code"),
        refused=said.get("refused", ""),
        broken=said.get("broken", ""),
        missing=tuple(said.get("outputs", ())),
    )


class Sandbox:
    """Rungs `root` and `user`: one launcher, started when the first step is."""

    def __init__(self, machine: Layout, stage: Path, *, user: bool) -> None:
        self.name = "user" if user else "root"
        self._machine = machine
        self._stage = stage
        self._user = user
        self._launcher: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None

    def start(self, given: box.Box, work: Path, stdout: int, stderr: int) -> box.Running:
        """Ask the launcher for one step. OSError when it is gone."""
        spec = {
            "argv": given.argv,
            "env": dict(given.env),
            "cwd": given.cwd,
            "outputs": given.outputs,
            "attempts": given.attempts,
            "pause": given.pause,
            "view": view(given, self._machine, user=self._user),
            "scratch": str(self._stage),
            "user": self._user,
        }
        body = json.dumps(spec).encode()
        report, writer = os.pipe()
        outputs = work / scratch.OUTPUTS
        outputs.mkdir()
        folder = os.open(outputs, os.O_RDONLY | os.O_DIRECTORY)
        try:
            requests = self._connect()
            head = struct.pack("!I", len(body))
            socket.send_fds(requests, [head], [writer, folder, stdout, stderr])
            requests.sendall(body)
        except OSError:
            os.close(report)
            raise
        finally:
            os.close(writer)
            os.close(folder)
        return Step(report)

    def _connect(self) -> socket.socket:
        if self._requests is None or self._launcher is None or self._launcher.poll() is not None:
            self.close()
            self._stage.mkdir(parents=True, exist_ok=True)
            self._requests, theirs = socket.socketpair()
            command = [sys.executable, "-I", "-S", launcher.__file__]
            self._launcher = subprocess.Popen(
                command, stdin=theirs.fileno(), env={}, cwd="/", start_new_session=True
            )
            theirs.close()
        return self._requests

    def close(self) -> None:
        """End the launcher, and with it every step."""
        if self._requests is not None and self._launcher is not None:
            self._requests.close()
            self._launcher.wait()
            self._requests = self._launcher = None
