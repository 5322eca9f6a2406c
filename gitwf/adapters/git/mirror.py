"""The cache of a remote's objects: a bare repository in the state folder, and nothing more.

It holds what was fetched, under `refs/seen/…`, and heads that a force-push took away, under
`refs/lost/…`. Nobody's answer depends on it: deleted at any moment, or damaged, it is built again
from the remote. Of a remote that is a folder it borrows the objects and copies none, since libgit2
would pack all of its history anew, which takes minutes. Several processes and threads share it;
what changes its refs holds a file lock. Each thread has its own open repository, since libgit2's
are not made to be shared.
"""

import contextlib
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock
import pygit2

from gitwf.adapters.git import errors
from gitwf.errors import Stalled, Transient

_LOCK_SECONDS = 600
_MOST_PACKS = 50
_MOST_LOOSE = 7000
SEEN = "refs/seen/"
LOST = "refs/lost/"


class Mirror:
    """A bare repository at `folder`, made when it is first needed.

    `lender` is the repository, a folder, whose objects it uses beside its own.
    """

    def __init__(self, folder: Path, lender: Path | None = None) -> None:
        self.folder = folder
        self._objects, self._head = str(folder / "objects"), str(folder / "HEAD")
        self._lender = lender
        self._open = threading.local()

    def open(self) -> pygit2.Repository:
        """This thread's open repository; made anew when it was deleted or replaced."""
        identity = self._identity()
        if identity is None:
            with self.locked():
                identity = self._identity() or self._make()
        if getattr(self._open, "identity", None) != identity:
            self._open.repository = pygit2.Repository(str(self.folder))
            self._open.identity = identity
        repository: pygit2.Repository = self._open.repository
        return repository

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock against other threads and processes. Transient when it takes too long."""
        lock = filelock.FileLock(f"{self.folder}.lock", timeout=_LOCK_SECONDS)
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(poll_interval=0.01)
        except filelock.Timeout as error:
            raise Transient(f"another process has kept {self.folder} locked for long") from error
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield
        finally:
            lock.release()

    def rebuild(self) -> None:
        """Throw the cache away and begin an empty one, unless somebody else just did."""
        stale = getattr(self._open, "identity", None)
        with self.locked():
            if stale is None or self._identity() == stale:
                self._make()

    def tidy(self) -> None:
        """Roll small packs into one when there are many; called with the lock held.

        Every fetch leaves a pack and every push loose objects. Git does this well, and where there
        is no `git` the cache is slower and as right.
        """
        packs = len(list((self.folder / "objects" / "pack").glob("*.pack")))
        # Objects are spread evenly over 256 folders, so one of them tells how many there are.
        loose = 256 * len(list((self.folder / "objects" / "17").glob("*")))
        if (packs > _MOST_PACKS or loose > _MOST_LOOSE) and shutil.which("git"):
            repack = ["git", "-C", str(self.folder), "repack", "-q", "-d", "--geometric=2"]
            subprocess.run(repack, capture_output=True, check=False)

    def _identity(self) -> tuple[int, int] | None:
        """What tells this cache from the one that stood here before; None when it is not whole."""
        try:
            # Every look at an object passes here: text is a good deal faster than paths.
            os.stat(self._objects)  # noqa: PTH116
            head = os.stat(self._head)  # noqa: PTH116
        except OSError:
            return None
        return head.st_ino, head.st_mtime_ns

    def _make(self) -> tuple[int, int] | None:
        """Put an empty repository in place, the old one away; called with the lock held."""
        fresh = self.folder.with_name(f"{self.folder.name}.{uuid.uuid4().hex}")
        try:
            pygit2.init_repository(str(fresh), bare=True)
        except (pygit2.GitError, OSError) as error:
            raise self._unusable(error) from error
        if self._lender is not None:
            (fresh / "objects" / "info").mkdir(exist_ok=True)
            lent = f"{_common(self._lender) / 'objects'}\n"
            (fresh / "objects" / "info" / "alternates").write_text(lent, "utf-8")
        with contextlib.suppress(FileNotFoundError):
            old = fresh.with_suffix(".old")
            os.rename(self.folder, old)  # noqa: PTH104 - a folder, moved away in one step
            shutil.rmtree(old, ignore_errors=True)
        os.rename(fresh, self.folder)  # noqa: PTH104 - same
        return self._identity()

    def _unusable(self, error: Exception) -> Stalled:
        return Stalled(
            f"the cache {self.folder} cannot be written: {error}",
            hint="name a state folder that this user may write to, with space left on its disk",
        )


def _common(lender: Path) -> Path:
    """The folder with a repository's objects; a linked worktree names its main repository's."""
    try:
        found = Path(pygit2.Repository(str(lender)).path)
    except pygit2.GitError as error:
        raise errors.translate(error, str(lender)) from error
    common = found / "commondir"
    return (found / common.read_text("utf-8").strip()).resolve() if common.exists() else found
