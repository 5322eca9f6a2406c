# Names are relative to open folders, which pathlib does not know.
# ruff: noqa: PTH115, PTH116
"""Copy a file or a folder into an open folder, whoever owns the names in it.

A step chooses what its outputs are, so nothing here follows a symbolic link inside a tree: links
are copied as links, and only the name that was asked for is followed. The destination is an open
directory, because the launcher copies out of a view from which the destination cannot be named.
Standard library only: `gitwf.adapters.local.launcher` loads this file where no package is.
"""

import os
import stat
from collections.abc import Iterable

_CHUNK = 1 << 24


def copy(source: str, to: int, name: str) -> None:
    """Copy what `source` leads to as `name` in the directory open at `to`; modes are kept.

    Sockets, pipes and devices are left out of trees. OSError where something cannot be read;
    FileNotFoundError where there is nothing.
    """
    status = os.stat(source)
    if stat.S_ISDIR(status.st_mode):
        _folder(source, to, name, stat.S_IMODE(status.st_mode))
    elif stat.S_ISREG(status.st_mode):
        _file(source, to, name)
    else:
        raise OSError(22, "neither a file nor a folder", source)


def _folder(source: str, to: int, name: str, mode: int) -> None:
    os.mkdir(name, 0o700, dir_fd=to)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=to)
    try:
        with os.scandir(source) as entries:
            for entry in entries:
                _entry(entry, inner)
        os.fchmod(inner, mode)
    finally:
        os.close(inner)


def _entry(entry: "os.DirEntry[str]", to: int) -> None:
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), entry.name, dir_fd=to)
    elif entry.is_dir():
        _folder(entry.path, to, entry.name, stat.S_IMODE(entry.stat().st_mode))
    elif entry.is_file():
        _file(entry.path, to, entry.name)


def _file(source: str, to: int, name: str) -> None:
    given = os.open(source, os.O_RDONLY)
    try:
        mode = stat.S_IMODE(os.fstat(given).st_mode)
        made = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=to)
        try:
            _content(given, made)
            os.fchmod(made, mode)
        finally:
            os.close(made)
    finally:
        os.close(given)


def _content(given: int, made: int) -> None:
    """Copy all bytes, inside the kernel where it can: a file system may share the blocks."""
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(given, made, _CHUNK):
                pass
        except OSError:
            os.lseek(given, os.lseek(made, 0, os.SEEK_CUR), os.SEEK_SET)
        # A file of /proc copies as nothing; what is left, if anything, is read below.
    while chunk := os.read(given, _CHUNK):
        view = memoryview(chunk)
        while view:
            view = view[os.write(made, view) :]


def collect(outputs: Iterable[str], to: int) -> list[str | None]:
    """Copy each declared path out as its number; gives one error or None for each."""
    errors: list[str | None] = []
    for number, path in enumerate(outputs):
        try:
            copy(path, to, str(number))
            errors.append(None)
        except OSError as error:
            errors.append((error.strerror or str(error)).lower())
    return errors
