"""One remote in each shape that gitwf meets: in memory, a folder, `file://`, a server.

A contract suite, and any test that should hold whatever the remote is, takes a world and asks it
for ports. Every port asked for is another reconciler with a cache of its own. A world's clock moves
only when somebody waits; a test with reconcilers side by side gives it the system's.
"""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from gitwf import ports
from gitwf.adapters.git import ledger, remote, repo
from gitwf.testing import git_repository, git_server, memory_git
from gitwf.testing.clock import ManualClock
from gitwf.values import CommitId

LOCAL_KINDS = ("memory", "path", "file")
KINDS = (*LOCAL_KINDS, "http")


class Person(Protocol):
    """Somebody with another clone: commits on top of what is there, or force-pushes."""

    def commit(
        self, edits: Mapping[str, bytes | None], message: str = ..., *, branch: str = ...
    ) -> CommitId:
        """Commit and push."""
        ...

    def force(self, commit: CommitId | None, *, branch: str = ...) -> None:
        """Force-push a branch; None deletes it."""
        ...


class World(Protocol):
    """A remote, a person at it, and as many reconcilers as are asked for."""

    clock: ports.Clock

    @property
    def person(self) -> Person:
        """The person."""
        ...

    def repo(self, branch: str = "main") -> ports.Repo:
        """Another reconciler's view of the branch."""
        ...

    def ledger(self) -> ports.Ledger:
        """Another reconciler's view of the ledger."""
        ...


class MemoryWorld:
    """The remote in memory."""

    def __init__(self) -> None:
        self.clock: ports.Clock = ManualClock()
        self.person = memory_git.MemoryRemote()

    def repo(self, branch: str = "main") -> ports.Repo:
        """Another reconciler's view of the branch."""
        return memory_git.MemoryRepo(self.person, branch, self.clock)

    def ledger(self) -> ports.Ledger:
        """Another reconciler's view of the ledger."""
        return memory_git.MemoryLedger(self.person, self.clock)


class RealWorld:
    """A bare repository reached by `url`; `server` is there when that is HTTP."""

    def __init__(
        self, person: git_repository.Repository, url: str, server: git_server.GitServer | None
    ) -> None:
        self.clock: ports.Clock = ManualClock()
        self.person = person
        self.url = url
        self._server = server
        self._caches = itertools.count()

    @property
    def server(self) -> git_server.GitServer:
        """The server between gitwf and the repository."""
        if self._server is None:
            raise LookupError("this world has no server")
        return self._server

    def remote(self) -> remote.Remote:
        """Another reconciler's way to the remote."""
        cache = self.person.path.with_name(f"cache-{next(self._caches)}.git")
        return remote.Remote(self.url, cache)

    def repo(self, branch: str = "main") -> repo.GitRepo:
        """Another reconciler's view of the branch."""
        return repo.GitRepo(self.remote(), branch, self.clock)

    def ledger(self) -> ledger.GitLedger:
        """Another reconciler's view of the ledger."""
        return ledger.GitLedger(self.remote(), self.clock)


@contextlib.contextmanager
def real_world(kind: str, folder: Path) -> Iterator[RealWorld]:
    """A world of one of KINDS but the one in memory, below the empty `folder`."""
    person = git_repository.Repository.create(folder / "remote.git")
    if kind == "http":
        with git_server.GitServer(folder) as server:
            yield RealWorld(person, server.url("remote.git"), server)
    else:
        url = str(person.path) if kind == "path" else person.path.as_uri()
        yield RealWorld(person, url, None)


@contextlib.contextmanager
def world(kind: str, folder: Path) -> Iterator[World]:
    """A world of one of KINDS below the empty `folder`."""
    if kind == "memory":
        yield MemoryWorld()
    else:
        with real_world(kind, folder) as real:
            yield real
