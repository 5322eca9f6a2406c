"""Move a ref of a repository that is a folder on this machine.

libgit2's own push to a folder is no compare-and-swap: it reads the ref, and later writes it. So it
is never used here. The objects are copied into the folder first, and then the ref is locked, read,
compared and set. The lock is Git's own, so that a person's `git push` is kept out as well. A folder
runs no hooks; where the owner of the repository put one that may decline a push, we decline, for we
may not go round it.
"""

import os
import random
import time
from pathlib import Path

import pygit2
from pygit2.transaction import ReferenceTransaction

from gitwf.adapters.git import objects
from gitwf.errors import RaceLost, Stalled

_LOCK_SECONDS = 5.0
_DECIDING_HOOKS = ("pre-receive", "update", "proc-receive", "reference-transaction")


class LocalRefs:
    """The refs of the repository at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def swap(
        self, source: pygit2.Repository, ref: str, expected: pygit2.Oid | None, new: pygit2.Oid
    ) -> None:
        """Move `ref` from `expected` to `new`, whose objects are in `source`. RaceLost."""
        repository = self._open()
        self._check_may_push(repository, ref)
        objects.copy(source, repository, new)
        with repository.transaction() as transaction:
            _lock(transaction, ref)
            now = _value(repository, ref)
            if now != expected:
                raise RaceLost(f"{ref} of {self._path} is at {now}, no longer at {expected}")
            transaction.set_target(ref, new)

    def move(self, source: pygit2.Repository, ref: str, new: pygit2.Oid | None) -> None:
        """Set `ref` whatever it is now; None deletes it."""
        repository = self._open()
        if new is not None:
            objects.copy(source, repository, new)
        with repository.transaction() as transaction:
            _lock(transaction, ref)
            if new is not None:
                transaction.set_target(ref, new)
            elif _value(repository, ref) is not None:
                transaction.remove(ref)

    def _open(self) -> pygit2.Repository:
        return pygit2.Repository(str(self._path))

    def _check_may_push(self, repository: pygit2.Repository, ref: str) -> None:
        for name in _DECIDING_HOOKS:
            if os.access(Path(repository.path) / "hooks" / name, os.X_OK):
                raise Stalled(
                    f"{self._path} has the hook {name}, which only a Git server runs",
                    hint="give the remote's https:// or ssh:// address, or remove the hook",
                )
        head = repository.lookup_reference("HEAD")
        if not repository.is_bare and head.target == ref:
            raise Stalled(
                f"{ref} is checked out at {self._path}; moving it would leave its files behind",
                hint="use a bare repository as the remote: git clone --bare",
            )


def _lock(transaction: ReferenceTransaction, ref: str) -> None:
    """Lock a ref; another writer keeps it for a moment only, so a busy one is asked again."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return transaction.lock_ref(ref)
        except pygit2.GitError as error:
            if "lock" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.001, 0.01))  # noqa: S311 - jitter, not a secret


def _value(repository: pygit2.Repository, ref: str) -> pygit2.Oid | None:
    found = repository.references.get(ref)
    if found is None:
        return None
    target = found.resolve().target
    return target if isinstance(target, pygit2.Oid) else None
