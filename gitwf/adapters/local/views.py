# Paths are text here: pathlib costs as much start-up as all the rest.
# ruff: noqa: PTH101, PTH102, PTH103, PTH112, PTH113, PTH114, PTH115, PTH116, PTH118, PTH120, PTH208
# ruff: noqa: PTH211
"""Worlds of a step's own, by system calls: namespaces, the mounts in them, what root may still do.

A `View` is a tree of mounts that becomes the root of the process that built it. What is mounted is
said by `gitwf.adapters.local.sandbox`; here it is done. Linux only, and standard library only:
`gitwf.adapters.local.launcher` loads this file where no package is.
"""

import ctypes
import errno
import os
import signal
import struct
from collections.abc import Sequence
from typing import Any

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_BIND, _REC, _PRIVATE, _DETACH = 0x1000, 0x4000, 0x40000, 2
_RECURSIVE = 0x8000
_MOST_LINKS = 40  # As many as Linux follows.
_CLONE3, _MOUNT_SETATTR = 435, 442  # These numbers are the same on every architecture.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_PDEATHSIG, _CAPBSET_DROP = 1, 24
_OPAQUE = "trusted.overlay.opaque"

# The capabilities that container runtimes leave to root by default, by number (capability.h), but
# for that to make devices: nothing here says which of them may be opened.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31})
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


def _read_only(target: str, *, but_itself: bool = False) -> None:
    """Make `target` and all mounts below it read-only, keeping the flags they have."""
    _set_attributes(target, _RECURSIVE, _RDONLY, 0)
    if but_itself:
        _set_attributes(target, 0, 0, _RDONLY)


def _set_attributes(target: str, flags: int, put: int, taken: int) -> None:
    attributes = struct.pack("QQQQ", put, taken, 0, 0)
    result = _syscall(_MOUNT_SETATTR, -1, target.encode(), flags, attributes, len(attributes))
    _check(result, f"make {target} read-only")


def clone(*, user: bool) -> int:
    """Fork into new namespaces, and have the child die with this process.

    clone3(2) with no stack of its own acts as fork.
    """
    flags = _NEWNS | _NEWPID | _NEWIPC | (_NEWUSER if user else 0)
    arguments = struct.pack("11Q", flags, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    pid = _check(_syscall(_CLONE3, arguments, len(arguments)), "clone")
    if pid == 0:
        _libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return pid


def _within(root: str, path: str) -> str:
    """Say where a path leads for whoever has `root` as its root, links that are there followed.

    A link in a volume or an image may name any place; followed from outside it is the machine's.
    """
    at, left, followed = root, path.split("/")[::-1], 0
    while left:
        name = left.pop()
        if name == "..":
            at = os.path.dirname(at) if at != root else root
        elif name not in {"", "."}:
            one = f"{at}/{name}"
            if not os.path.islink(one):
                at = one
                continue
            followed += 1
            if followed > _MOST_LINKS:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            to = os.readlink(one)
            at = root if to.startswith("/") else at
            left += to.split("/")[::-1]
    return at


def _place(target: str, like: str) -> None:
    """Make the empty file or folder that a mount needs under it."""
    if os.path.isdir(like):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))


def _cover(upper: str, lower: str, path: str) -> None:
    """Make an empty folder that shows nothing of the one below it in an overlay."""
    folder = ""
    for name in path.split("/")[1:-1]:
        folder += "/" + name
        if not os.path.isdir(upper + folder):
            os.mkdir(upper + folder)
            _same(upper + folder, os.stat(lower + folder))
    os.mkdir(upper + path, 0o755)
    os.setxattr(upper + path, _OPAQUE, b"y")


def _same(target: str, status: os.stat_result) -> None:
    """Give `target` the owner and the mode of another file."""
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)


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
        """Do one of the verbs below. Paths are the step's."""
        verb, path, *rest = operation
        if rest[:1] == [path] and not os.path.lexists(path):
            return  # The machine's own mounts come and go.
        getattr(self, "do_" + verb)(_within(self.root, path), *rest)

    def do_tmpfs(self, target: str, mode: str) -> None:
        """Hide what is there behind an empty folder."""
        os.makedirs(target, exist_ok=True)
        mount("gitwf", target, "tmpfs", _NOSUID | _NODEV, f"mode={mode}")

    def do_link(self, target: str, to: str) -> None:
        """Make a symbolic link."""
        os.symlink(to, target)

    def do_bind(self, target: str, source: str, read_only: bool) -> None:  # noqa: FBT001
        """Show `source` of the host, with what is mounted below it."""
        _place(target, source)
        mount(source, target, "", _BIND | _REC)
        if read_only:
            _read_only(target)

    def do_volume(self, target: str, source: str, read_only: bool) -> None:  # noqa: FBT001
        """Show `source`, a path without links, in a volume that other steps may write to just now.

        What it leads to is held before it is looked at: no link put there since is followed.
        """
        held = os.open(source, os.O_PATH)
        try:
            shown = f"/proc/self/fd/{held}"
            if os.readlink(shown) != source:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), source)
            self.do_bind(target, shown, read_only)
        finally:
            os.close(held)

    def do_overlay(self, target: str, lower: str, hidden: Sequence[str] = ()) -> None:
        """Show the folder `lower` of the host so that writes to it stay in this view.

        The folders `hidden` in it are empty. A file system that takes no overlay is shown
        read-only.
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
        for path in hidden:
            _cover(layer + "/upper", lower, path)
        folders = f"lowerdir={layer}/lower,upperdir={layer}/upper,workdir={layer}/work"
        try:
            mount("gitwf", target, "overlay", 0, folders + self.options)
        except OSError:
            if lower == "/":
                raise
            self.do_bind(target, lower, True)

    def do_device(self, target: str, source: str) -> None:
        """Show a device of the host: one of the same number, or a mount where none may be made."""
        status = os.stat(source)
        try:
            os.mknod(target, status.st_mode, status.st_rdev)
        except PermissionError:
            self.do_bind(target, source, False)
        else:
            _same(target, status)

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
                self.do_bind(os.path.join(target, name), entry, False)
        _read_only(target, but_itself=True)

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


def limit_root() -> None:
    """Leave to the programs that root starts here what container runtimes leave to them."""
    for capability in range(_LAST_CAPABILITY + 1):
        if capability not in _KEPT_CAPABILITIES:
            _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)


def own_users(uid: int, gid: int) -> None:
    """Be root in this user namespace and the caller outside it."""
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {uid} 1"),
        ("gid_map", f"0 {gid} 1"),
    ):
        file = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(file, content.encode())
        os.close(file)
