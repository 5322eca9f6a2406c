"""One remote, as the branch and the ledger both see it: ask, fetch, swap, move.

    value   what a ref is at now                                    one question
    fetch   the same, with its objects in the cache                 a question, and objects if new
    swap    move a ref from the value it was planned from           RaceLost when it is elsewhere
    move    set a ref that only its owner writes                    no comparison

The one idea: after a failed swap the remote is asked again, for an answer may be lost although the
push was applied. A commit's id says whose it is. Damage to the cache is repaired here, out of
sight.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import pygit2
from pygit2.enums import ObjectType

from gitwf.adapters.git import checkout, errors, local, mirror, network, objects
from gitwf.adapters.git.address import Address
from gitwf.adapters.git.credentials import Credentials
from gitwf.errors import GitwfError, RaceLost, Stalled, Transient
from gitwf.values import CommitId

T = TypeVar("T")

_HEADS = "refs/heads/"
_PROPOSED = "refs/proposed/HEAD"
Make = Callable[[pygit2.Repository], CommitId]

_REBUILDS = 3  # How often a fetch fills the cache again before it gives up.
_CONNECT_MILLISECONDS = 15_000
_SILENCE_MILLISECONDS = 120_000
_BIGGEST_CACHED_TREE = 1 << 20


@dataclass(frozen=True)
class Rewritten:
    """Somebody force-pushed: `ref` went from `lost` to `now`, which does not contain it."""

    ref: str
    lost: CommitId
    now: CommitId

    def __str__(self) -> str:
        return (
            f"{self.ref} was force-pushed: {self.lost.short} is gone from it, it is now at "
            f"{self.now.short}"
        )


class Remote:
    """The remote at `address`, with its cache at the folder `cache`.

    `notice` is told of every force-push that is seen, once.
    """

    def __init__(
        self,
        address: Address | str,
        cache: Path,
        *,
        credentials: Credentials | None = None,
        notice: Callable[[Rewritten], None] = lambda _: None,
    ) -> None:
        self.address = Address.parse(address) if isinstance(address, str) else address
        self._credentials = credentials or Credentials()
        self._mirror = mirror.Mirror(cache, self.address.path)
        self._notice = notice
        self._tracked: set[str] = set()
        self._secrets = (*self._credentials.secrets, *self.address.secrets)
        # True: the proxy that Git's configuration or the environment names, which libgit2 leaves
        # out otherwise.
        self._proxy: Literal[True] | None = None if self.address.path else True
        self._local = local.LocalRefs(self.address.path) if self.address.path else None
        pygit2.settings.server_connect_timeout = _CONNECT_MILLISECONDS
        pygit2.settings.server_timeout = _SILENCE_MILLISECONDS
        # A folder of thousands of pipelines is one big tree, which every look would unpack again.
        pygit2.settings.cache_object_limit(ObjectType.TREE, _BIGGEST_CACHED_TREE)

    def __str__(self) -> str:
        return str(self.address)

    # What the remote holds

    def value(self, ref: str) -> CommitId | None:
        """Ask what `ref` is at; nothing is fetched."""
        return self.read(lambda repository: self._connected(repository)[1].get(ref))

    def branches(self) -> list[str]:
        """Ask for the names of the branches, in order."""
        refs = self.read(lambda repository: self._connected(repository)[1])
        return sorted(ref.removeprefix(_HEADS) for ref in refs if ref.startswith(_HEADS))

    def default_branch(self) -> str:
        """The branch that the remote calls its own, without `refs/heads/`; "" when it is empty."""
        path = self.address.path
        if path is not None:
            return checkout.default_branch(path)
        remote, _ = self._connected(self._mirror.open())
        targets = [head.symref_target for head in remote.list_heads(connect=False)]
        return next((one for one in targets if one), "").removeprefix(_HEADS)

    def track(self, ref: str) -> None:
        """Remember that `ref` belongs into the cache whenever that must be filled again."""
        self._tracked.add(ref)

    def fetch(self, ref: str) -> CommitId | None:
        """Ask what `ref` is at and have its history in the cache. None: it does not exist."""
        self.track(ref)
        # A cache that was deleted or damaged is filled again, and may be deleted again meanwhile.
        for _ in range(_REBUILDS):
            try:
                return self._fetch(ref)
            except errors.LIBRARY as error:
                if errors.from_the_network(error):
                    raise self._translated(error) from error
                self._mirror.rebuild()
        with self._translating():
            return self._fetch(ref)

    def _fetch(self, ref: str) -> CommitId | None:
        repository = self._mirror.open()
        while True:
            seen = _seen(repository, ref)
            remote, heads = self._connected(repository)
            now = heads.get(ref)
            if now is None or (seen == now and now in repository):
                return now
            with self._mirror.locked():
                if seen != _seen(repository, ref):
                    # Somebody else fetched meanwhile, and may know more than we were told.
                    continue
                if now not in repository:
                    # No destination: the head that was seen stays until it was compared.
                    remote.fetch([ref], callbacks=self._calls(), proxy=self._proxy)
                    self._mirror.tidy()
                self._look_for_rewrite(repository, ref, seen, now)
                repository.references.create(_seen_ref(ref), now, force=True)
                return now

    def _look_for_rewrite(
        self, repository: pygit2.Repository, ref: str, seen: CommitId | None, now: CommitId
    ) -> None:
        if seen is None or seen not in repository:
            return
        if not objects.contains(repository, pygit2.Oid(hex=now), seen):
            repository.references.create(f"{mirror.LOST}{seen}", seen, force=True)
            self._notice(Rewritten(ref, seen, now))

    # Reading and writing objects

    def borrow(self, folder: Path) -> CommitId:
        """Have the commit that a checkout is at, with its history, in the cache; its id."""
        repository = self._mirror.open()
        with self._translating(), self._mirror.locked():
            repository.remotes.create_anonymous(str(folder)).fetch([f"+HEAD:{_PROPOSED}"])
        return CommitId(str(repository.references[_PROPOSED].target))

    def read(self, work: Callable[[pygit2.Repository], T]) -> T:
        """Do `work` on the cache; once more on a repaired one when it is damaged or incomplete.

        Stalled when a commit that `work` needs is neither in the cache nor on the remote.
        """
        try:
            return work(self._mirror.open())
        except objects.Missing:
            self._repair(rebuild=False)
        except errors.LIBRARY:
            self._repair(rebuild=True)
        try:
            with self._translating():
                return work(self._mirror.open())
        except objects.Missing as missing:
            raise Stalled(
                f"{self} does not hold the commit {missing}",
                hint="the branch may have been force-pushed; check the commit's id",
            ) from missing

    def _repair(self, *, rebuild: bool) -> None:
        if rebuild:
            self._mirror.rebuild()
        for ref in sorted(self._tracked):
            self.fetch(ref)

    # Moving refs

    def swap(self, ref: str, expected: CommitId | None, make: Make) -> CommitId:
        """Make a commit and move `ref` from `expected` to it; gives the commit.

        RaceLost when the ref is elsewhere, Stalled when the server declines, Transient when it is
        not known to have been applied. `make` may be called again when the cache is found damaged.
        """

        def attempt() -> CommitId:
            new = self.read(make)
            self._swap(ref, expected, new)
            return new

        return self._repairing(attempt)

    def move(self, ref: str, make: Make | None) -> None:
        """Make a commit and set a ref to it that nobody else writes; None deletes the ref."""
        self._repairing(
            lambda: self._push(ref, None, self.read(make) if make else None, compare=False)
        )

    def _repairing(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except errors.Damaged:
            self._repair(rebuild=True)
            return work()

    def _swap(self, ref: str, expected: CommitId | None, new: CommitId) -> None:
        try:
            self._push(ref, expected, new, compare=True)
        except RaceLost:
            raise  # found before anything was sent
        except (Stalled, Transient) as error:
            now = self._value_after(error, ref)
            if now == expected:
                raise
            if not self._holds(ref, new):
                raise RaceLost(f"{ref} of {self} is at {now}, no longer at {expected}") from error

    def _holds(self, ref: str, commit: CommitId) -> bool:
        """Whether the ref's history contains the commit: our push may have been built upon."""
        tip = self.fetch(ref)
        if tip is None:
            return False
        return self.read(lambda r: objects.contains(r, pygit2.Oid(hex=tip), commit))

    def _value_after(self, error: GitwfError, ref: str) -> CommitId | None:
        """Ask the remote again after `error`; what it answers then is what happened."""
        try:
            return self.value(ref)
        except GitwfError as silence:
            if isinstance(error, Stalled):
                raise error from None
            raise Transient(
                f"{error.message}; it is not known whether the push was applied, since the remote "
                f"cannot be asked: {silence.message}"
            ) from error

    def _push(
        self, ref: str, expected: CommitId | None, new: CommitId | None, *, compare: bool
    ) -> None:
        old = pygit2.Oid(hex=expected) if expected is not None else None
        wanted = pygit2.Oid(hex=new) if new is not None else None
        with self._translating():
            repository = self._mirror.open()
            if self._local is None:
                push = network.Push(self.address, self._credentials, ref, old, compare=compare)
                remote = repository.remotes.create_anonymous(self.address.url)
                remote.push([f"+{new}:{ref}" if new else f":{ref}"], push, proxy=self._proxy)
                push.check()
            elif compare and wanted is not None:
                self._local.swap(repository, ref, old, wanted)
            else:
                self._local.move(repository, ref, wanted)

    # The connection

    def _connected(
        self, repository: pygit2.Repository
    ) -> tuple[pygit2.Remote, Mapping[str, CommitId]]:
        """Connect, and give the connection and the remote's refs by name."""
        path = self.address.path
        if path is not None and not path.exists():
            raise errors.not_there(str(self))
        remote = repository.remotes.create_anonymous(self.address.url)
        with self._translating():
            remote.connect(self._calls(), proxy=self._proxy)
            heads = remote.list_heads(connect=False)
        return remote, {head.name: CommitId(str(head.oid)) for head in heads if head.name}

    def _calls(self) -> network.Calls:
        return network.Calls(self.address, self._credentials)

    @contextlib.contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except errors.LIBRARY as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> GitwfError:
        return errors.translate(error, str(self), self._secrets)


def _seen_ref(ref: str) -> str:
    return mirror.SEEN + ref.removeprefix("refs/")


def _seen(repository: pygit2.Repository, ref: str) -> CommitId | None:
    found = repository.references.get(_seen_ref(ref))
    return CommitId(str(found.target)) if found is not None else None
