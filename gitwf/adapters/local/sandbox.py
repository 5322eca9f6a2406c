"""The rungs that give each step a view of its own, by Linux namespaces.

`base` and `view` are the heart and are pure: from the machine's lay-out and a box they make the
lists of mount operations that `gitwf.adapters.local.launcher` carries out. As root the whole
machine is an overlay (a step may write anywhere and nothing of it stays); as another user the root
is a fresh folder in which the machine's folders stand read-only, and those that the step must write
to are opened. Both hide homes, temporary folders, run-time sockets, gitwf's own state and the
secrets.
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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from gitwf.adapters.local import box, launcher, scratch

_HIDDEN = (
    "/home", "/root", "/run", "/var/tmp", "/mnt", "/media", "/tmp",  # noqa: S108 - hidden, not used
    "/var/lib/containerd", "/var/lib/containers", "/var/lib/docker", "/var/lib/kubelet",
)  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kfd", "dri")
_LINKS = {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_FRESH = ("/proc", "/sys", "/dev")
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
        shown=tuple(_topmost(path for path in wanted if _below_any(path, all_hidden))),
        mounted=_mounted(Path("/proc/self/mountinfo").read_text("utf-8"), all_hidden),
        devices=present,
        root_entries=frozenset(path.name for path in Path("/").iterdir()),
    )


def _below_any(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _topmost(paths: Iterable[Path]) -> list[Path]:
    """Leave out what is in another of the folders, and so is shown with it."""
    found: list[Path] = []
    for path in sorted(set(paths)):
        if not _below_any(path, found):
            found.append(path)
    return found


def _mounted(mountinfo: str, hidden: Iterable[Path]) -> tuple[str, ...]:
    """The mount points other than the root that an overlay of the root does not show."""
    # Blanks and backslashes in names are written as octal numbers.
    names = [line.split()[4] for line in mountinfo.splitlines()]
    points = [re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), name) for name in names]
    elsewhere = (*map(Path, _NOT_OURS), *hidden)
    outside = [point for point in points if point != "/" and not _below_any(Path(point), elsewhere)]
    return tuple(dict.fromkeys(outside))


def base(machine: Layout, *, user: bool) -> list[Operation]:
    """List the mounts that make the part of the world which all steps of a run have, in order."""
    operations: list[Operation]
    if user:
        operations = [
            _fresh_root(machine),
            *map(_hiding, machine.hidden),
            ("tmpfs", "/dev", "0755"),
        ]
    else:
        operations = [("overlay", "", "/", ["/dev", *map(str, machine.hidden)])]
        operations += [("mounted", point, point) for point in machine.mounted]
    return operations + _system(machine) + [_showing(one) for one in machine.shown]


def view(given: box.Box, machine: Layout, *, user: bool) -> list[Operation]:
    """List what is mounted upon the base for one step, in order."""
    opened = _to_open(given, machine) if user else []
    operations: list[Operation] = [("open", folder, folder, []) for folder in opened]
    # What is mounted covers what the base has there, so that this is hidden and shown once more.
    folders = [Path(folder) for folder in opened]
    operations += [_hiding(one) for one in machine.hidden if _below_any(one, folders)]
    folders += [Path(mount.path) for mount in given.mounts]
    covered = [_showing(one) for one in machine.shown if _below_any(one, folders)]
    mounted = [_mounting(mount) for mount in given.mounts]
    # Parents come before what is in them.
    return operations + sorted([*covered, *mounted], key=lambda operation: operation[1])


def _showing(folder: Path) -> Operation:
    return ("bind", str(folder), str(folder), True)


def _hiding(folder: Path) -> Operation:
    return ("tmpfs", str(folder), "0755")


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
        kept = (*machine.hidden, *map(Path, _FRESH))
        if str(folder) == "/" or _below_any(Path(folder), kept) or Path(path).exists():
            continue
        wanted.append(str(folder))
    return sorted(set(wanted))


def _system(machine: Layout) -> list[Operation]:
    operations: list[Operation] = [
        ("proc", "/proc"),
        ("bind", "/sys", "/sys", True),
        ("tmpfs", "/dev/shm", "1777"),  # noqa: S108 - the step's own
    ]
    operations += [("device", f"/dev/{name}", f"/dev/{name}") for name in machine.devices]
    operations += [("link", f"/dev/{name}", f"/proc/self/{to}") for name, to in _LINKS.items()]
    return operations


def _mounting(mount: box.Mount) -> Operation:
    if mount.kind is box.Kind.LAYER and mount.source.is_dir():
        return ("overlay", mount.path, str(mount.source))
    verb = "volume" if mount.kind in (box.Kind.SHARED, box.Kind.READ) else "bind"
    return (verb, mount.path, str(mount.source), mount.kind is box.Kind.READ)


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
        """Read the report; over when the step's world has said how it ended, or is gone."""
        while self._ended is None:
            try:
                chunk = os.read(self._report, 65536)
            except BlockingIOError:
                return None
            self._text += chunk
            *lines, _ = self._text.split(b"\n")
            said = [json.loads(line) for line in lines]
            self.pid = said[0]["pid"] if said and "pid" in said[0] else self.pid
            if not chunk or (said and "pid" not in said[-1]):
                self._ended = _told(said)
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


def _told(said: Iterable[Mapping[str, Any]]) -> box.Ended:
    """How a step ended by what was reported; nothing but its number: it was killed."""
    end: dict[str, Any] = {}
    for line in said:
        end.update(line)
    return box.Ended(
        code=end.get("code"),
        refused=end.get("refused", ""),
        broken=end.get("broken", ""),
        missing=tuple(end.get("outputs", ())),
        reason=end.get("reason", "Error"),
        message=end.get("message", ""),
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
        }
        report, writer = os.pipe()
        to = work
        if given.outputs:
            to = work / scratch.OUTPUTS
            to.mkdir()
        folder = os.open(to, os.O_RDONLY | os.O_DIRECTORY)
        try:
            requests = self._connect()
            _send(requests, spec, writer, folder, stdout, stderr)
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
            common = base(self._machine, user=self._user)
            world = {"view": common, "scratch": str(self._stage), "user": self._user}
            _send(self._requests, world)
        return self._requests

    def close(self) -> None:
        """End the launcher, and with it every step."""
        if self._requests is not None and self._launcher is not None:
            self._requests.close()
            self._launcher.wait()
            self._requests = self._launcher = None


def _send(requests: socket.socket, message: Mapping[str, Any], *files: int) -> None:
    """Send the launcher a message, and open files with it."""
    body = json.dumps(message).encode()
    socket.send_fds(requests, [struct.pack("!I", len(body))], files)
    requests.sendall(body)
