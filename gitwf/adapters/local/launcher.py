# Paths are text here: pathlib costs as much start-up as all the rest.
# ruff: noqa: PTH101, PTH102, PTH103, PTH110, PTH112, PTH113, PTH114, PTH115, PTH116, PTH118
# ruff: noqa: PTH120, PTH208, PTH211
"""A small process that puts each step into a world of its own; Linux only.

Started once a run, as a plain script with nothing of gitwf in it. For each step it clones a child
with fresh mount, process and IPC namespaces (and a user namespace where it is not root). The child
builds the step's view by the mount operations it was given, makes it its root, runs the step, and
is process 1 of that world: when it ends, everything the step left running is gone. Then it copies
the declared outputs out through a directory that it holds open and writes one line of JSON.

A step is asked for with one message: a length, JSON, and four open files (report, output folder,
standard output, standard error). When the socket closes, all children die with
this process. It decides nothing: `gitwf.adapters.local.sandbox` says what the view is.
"""

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Any

if __name__ != "__main__":
    from gitwf.adapters.local import again, copying
else:
    sys.path.append(os.path.dirname(__file__))
    import again  # type: ignore[import-not-found,no-redef]
    import copying  # type: ignore[import-not-found,no-redef]  # found beside this file

NEWNS, NEWIPC, NEWUSER, NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_BIND, _REC, _PRIVATE, _DETACH = 0x1000, 0x4000, 0x40000, 2
_CLONE3, _MOUNT_SETATTR = 435, 442  # These numbers are the same on every architecture.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_PDEATHSIG, _CAPBSET_DROP = 1, 24

# The capabilities that container runtimes leave to root by default, by number (capability.h).
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
_LAST_CAPABILITY = 40

# PyDLL: the child of a clone must not find the interpreter's lock given away.
_libc = ctypes.PyDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def _syscall(number: int, *arguments: int | bytes) -> int:
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *wide)
    return result


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Put a file system in place; OSError names the target."""
    arguments = [text.encode() or None for text in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None)
    _check(result, f"mount {kind or source} on {target}")


def _read_only(target: str) -> None:
    """Make `target` and all mounts below it read-only, keeping the flags they have."""
    attributes = struct.pack("QQQQ", _RDONLY, 0, 0, 0)
    recursive = 0x8000
    result = _syscall(_MOUNT_SETATTR, -1, target.encode(), recursive, attributes, 32)
    _check(result, f"make {target} read-only")


def _clone(flags: int) -> int:
    """Fork into new namespaces: clone3(2) with no stack of its own acts as fork."""
    arguments = struct.pack("11Q", flags, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    return _check(_syscall(_CLONE3, arguments, len(arguments)), "clone")


def _place(target: str, like: str) -> None:
    """Make the empty file or folder that a mount needs under it."""
    if os.path.isdir(like):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))


class View:
    """The mounts of one step, built below `scratch`, a tmpfs that only this child sees."""

    def __init__(self, scratch: str, options: str) -> None:
        self.scratch = scratch
        self.root = scratch + "/root"
        self.layers = 0
        self.options = options
        mount("none", "/", "", _REC | _PRIVATE)
        mount("gitwf", scratch, "tmpfs", _NOSUID, "mode=0755")
        os.mkdir(self.root)

    def apply(self, operation: list[Any]) -> None:
        """Do one of: tmpfs, folder, link, bind, overlay, mounted, open, proc. Paths are the step's."""
        verb, path, *rest = operation
        if rest[:1] == [path] and not os.path.lexists(path):
            return  # The machine's own mounts come and go.
        getattr(self, "do_" + verb)(self.root + path, *rest)

    def do_tmpfs(self, target: str, mode: str) -> None:
        """Hide what is there behind an empty folder."""
        os.makedirs(target, exist_ok=True)
        mount("gitwf", target, "tmpfs", _NOSUID | _NODEV, f"mode={mode}")

    def do_folder(self, target: str, mode: int) -> None:
        """Make a folder."""
        os.makedirs(target, exist_ok=True)
        os.chmod(target, mode)

    def do_link(self, target: str, to: str) -> None:
        """Make a symbolic link."""
        os.symlink(to, target)

    def do_bind(self, target: str, source: str, read_only: bool) -> None:  # noqa: FBT001
        """Show `source` of the host, with what is mounted below it."""
        _place(target, source)
        mount(source, target, "", _BIND | _REC)
        if read_only:
            _read_only(target)

    def do_overlay(self, target: str, lower: str) -> None:
        """Show the folder `lower` of the host so that writes to it stay in this view.

        A file system that takes no overlay is shown read-only.
        """
        self.layers += 1
        layer = f"{self.scratch}/{self.layers}"
        for name in ("lower", "upper", "work"):
            os.makedirs(f"{layer}/{name}")
        os.makedirs(target, exist_ok=True)
        # The lower folder is named through a mount: its own name may hold a comma or colon.
        mount(lower, layer + "/lower", "", _BIND)
        status = os.stat(lower)
        os.chmod(layer + "/upper", status.st_mode & 0o7777)
        folders = f"lowerdir={layer}/lower,upperdir={layer}/upper,workdir={layer}/work"
        try:
            mount("gitwf", target, "overlay", 0, folders + self.options)
        except OSError:
            if lower == "/":
                raise
            self.do_bind(target, lower, True)

    def do_mounted(self, target: str, point: str) -> None:
        """Show what is mounted at `point` of the host, unless it went away since somebody looked.

        Mounts come and go with every container of the machine.
        """
        try:
            if os.path.isdir(point):
                self.do_overlay(target, point)
            else:
                self.do_bind(target, point, True)
        except FileNotFoundError:
            return

    def do_open(self, target: str, source: str, without: list[str]) -> None:
        """Show the entries of `source` read-only in a folder that takes new ones."""
        mount("gitwf", target, "tmpfs", _NOSUID, "mode=0755")
        for name in sorted(set(os.listdir(source)) - set(without)):
            entry = os.path.join(source, name)
            if os.path.islink(entry):
                os.symlink(os.readlink(entry), os.path.join(target, name))
            elif os.path.isdir(entry) or os.path.isfile(entry):
                self.do_bind(os.path.join(target, name), entry, True)

    def do_proc(self, target: str) -> None:
        """Show this world's processes and no others."""
        os.makedirs(target, exist_ok=True)
        mount("proc", target, "proc", _NOSUID | _NODEV | _NOEXEC)

    def enter(self) -> None:
        """Make the view the root; nothing of the host can be named any more."""
        os.chdir(self.root)
        number = _PIVOT_ROOT.get(os.uname().machine)
        if number is None:
            os.chroot(".")
        else:
            _check(_syscall(number, b".", b"."), "pivot_root")
            _check(_libc.umount2(b".", _DETACH), "umount the host's root")
        os.chdir("/")


def exhausted(error: OSError) -> bool:
    """Whether the machine had no more to give; any other failure to start is the program's."""
    return error.errno in {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


def find_program(name: str, path: str) -> str:
    """Find an executable as Go's exec.LookPath does; LookupError carries its message."""
    if "/" in name:
        if not os.path.exists(name):
            raise LookupError(f'exec: "{name}": stat {name}: no such file or directory')
        if os.path.isdir(name):
            raise LookupError(f'exec: "{name}": is a directory')
        if not os.access(name, os.X_OK):
            raise LookupError(f'exec: "{name}": permission denied')
        return name
    for folder in path.split(":"):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    raise LookupError(f'exec: "{name}": executable file not found in $PATH')


def _limit() -> None:
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in _KEPT_CAPABILITIES:
            _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)


def _own_users(uid: int, gid: int) -> None:
    """Be root in this user namespace and the caller outside it."""
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {uid} 1"),
        ("gid_map", f"0 {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(content)


def _run(spec: dict[str, Any], stdout: int, stderr: int) -> dict[str, Any]:
    """Run the step to its end in the view that is root now; says how it ended."""
    os.makedirs(spec["cwd"], exist_ok=True)
    os.chdir(spec["cwd"])
    try:
        program = find_program(spec["argv"][0], spec["env"].get("PATH", ""))
    except LookupError as error:
        return {"code": 64, "refused": f"failed to find name in PATH: {error}"}
    try:
        code = again.repeat(
            lambda: _attempt(program, spec, stdout, stderr), spec["attempts"], spec["pause"]
        )
    except OSError as error:
        if exhausted(error):
            raise
        return {
            "code": 64,
            "refused": f"fork/exec {program}: {(error.strerror or str(error)).lower()}",
        }
    os.close(stdout)
    os.close(stderr)
    return {"code": code}


def _attempt(program: str, spec: dict[str, Any], stdout: int, stderr: int) -> tuple[int, bool]:
    """Run the program once, and end what it leaves running; see `again.repeat`."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, stdout, 1),
        (os.POSIX_SPAWN_DUP2, stderr, 2),
    ]
    # As Argo's emissary does, the program is told the path that it was found at.
    main = os.posix_spawn(
        program, [program, *spec["argv"][1:]], spec["env"], file_actions=actions, setsid=True,
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )  # fmt: skip

    asked = False

    def forward(number: int, _frame: object) -> None:
        nonlocal asked
        asked = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(main, number)

    signal.signal(signal.SIGTERM, forward)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == main:
            break
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code, asked


def collect(outputs: Iterable[str], to: int) -> list[str | None]:
    """Copy each declared path out as its number; gives one error or None for each."""
    errors: list[str | None] = []
    for number, path in enumerate(outputs):
        try:
            copying.copy(path, to, str(number))
            errors.append(None)
        except OSError as error:
            errors.append((error.strerror or str(error)).lower())
    return errors


def _child(spec: dict[str, Any], fds: list[int], ids: tuple[int, int]) -> None:
    report, outputs, stdout, stderr = fds
    _libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        if spec["user"]:
            _own_users(*ids)
        view = View(spec["scratch"], ",userxattr" if spec["user"] else "")
        for operation in spec["view"]:
            view.apply(operation)
        view.enter()
        _limit()
        answer = _run(spec, stdout, stderr)
        answer["outputs"] = collect(spec["outputs"], outputs)
    except OSError as error:
        answer = {"broken": f"{error.strerror}: {error.filename}"}
    os.write(report, json.dumps(answer).encode() + b"\n")


def _receive(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    head, fds, _, _ = socket.recv_fds(requests, 4, 4)
    if not head:
        return None
    (length,) = struct.unpack("!I", head)
    body = b""
    while len(body) < length:
        body += requests.recv(length - len(body))
    for fd in fds:
        os.set_inheritable(fd, False)
    return json.loads(body), list(fds)


def main() -> None:
    """Serve the socket given as file 0 until it closes."""
    requests = socket.socket(fileno=0)
    # Children are reaped by nobody: their end shows by the report pipe closing.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ids = os.getuid(), os.getgid()
    while (received := _receive(requests)) is not None:
        spec, fds = received
        flags = NEWNS | NEWPID | NEWIPC | (NEWUSER if spec["user"] else 0)
        try:
            pid = _clone(flags)
        except OSError as error:
            os.write(fds[0], json.dumps({"broken": str(error)}).encode() + b"\n")
            pid = -1
        if pid == 0:
            requests.close()
            _child(spec, fds, ids)
            os._exit(0)
        if pid > 0:
            os.write(fds[0], json.dumps({"pid": pid}).encode() + b"\n")
        for fd in fds:
            os.close(fd)


if __name__ == "__main__":
    main()
