"""A folder as a tree that documents can be read from: the working tree, before any commit.

It answers like one commit, whichever is asked for, and only for what lies in the folder itself: a
symbolic link is never followed, so that nothing outside can be read through it. Git's own folder is
no part of it, nor is what `ignored` says; ids are those that Git would give the same files. A file
that cannot be read is listed, and refused to whoever needs what is in it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gitwf import values
from gitwf.errors import Diagnostic, Rejected
from gitwf.values import CommitId, ObjectId

NO_COMMIT = CommitId("0" * 40)
"""The name of what is not committed."""


class FolderTree:
    """The files below `root`: implements `gitwf.ports.Tree`."""

    def __init__(self, root: Path, ignored: Callable[[str], bool] = lambda _: False) -> None:
        self._root = root
        self._ignored = ignored

    def object_id(self, commit: CommitId, path: str) -> ObjectId | None:
        """The id of what is at `path`, or None; a folder's is made of its files' ids."""
        content = self.read(commit, path)
        if content is not None:
            return _id("blob", content)
        below = [f"{one}\0{found}" for one, found in self.files(commit, path)]
        return _id("tree", "\n".join(below).encode()) if below else None

    def read(self, commit: CommitId, path: str) -> bytes | None:
        """The content of a file, or None for anything else. Rejected: it cannot be read."""
        del commit
        place = self._place(values.inside(path))
        try:
            return place.read_bytes() if place is not None and place.is_file() else None
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise Rejected([Diagnostic(path, 0, 0, what)]) from error

    def files(self, commit: CommitId, under: str = ".") -> Iterator[tuple[str, ObjectId]]:
        """Every file at or below `under`, with its blob id, in path order."""
        for path in sorted(self._paths(values.inside(under))):
            try:
                content = self.read(commit, path)
            except Rejected:
                yield path, _id("unreadable", path.encode())
                continue
            if content is not None:
                yield path, _id("blob", content)

    def _paths(self, under: str) -> Iterator[str]:
        top = self._place(under)
        if top is None:
            return
        if top.is_file():
            yield under
            return
        for folder, inner, names in os.walk(top):
            here = Path(folder).relative_to(self._root)
            inner[:] = [
                name
                for name in inner
                if name != ".git" and not self._ignored((here / name).as_posix() + "/")
            ]
            yield from (
                path for name in names if not self._ignored(path := (here / name).as_posix())
            )

    def _place(self, path: str) -> Path | None:
        """Where `path` is on the disk; None where a link is on the way to it, or it."""
        place = self._root
        for name in path.split("/") if path != "." else ():
            place /= name
            if place.is_symlink():
                return None
        return place


def _id(kind: str, content: bytes) -> ObjectId:
    header = f"{kind} {len(content)}\0".encode()
    return ObjectId(hashlib.sha1(header + content, usedforsecurity=False).hexdigest())
