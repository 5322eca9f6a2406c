"""A remote that cannot be reached, as it was seen last: what an auditor offline looks back from.

Nobody is asked. A ref is where this machine's cache saw it last, or where the tracking refs of a
checkout say that a `git fetch` found it, whichever is the later. Nothing can be written. Branch and
ledger may have been seen at different times; the stamps in release files tell when the ledger is
the older one. Of a remote that is a folder the cache holds nothing of its own, so that a checkout
tells.
"""

import dataclasses
from pathlib import Path
from typing import NoReturn

import pygit2

from gitwf.adapters.git import address, checkout, mirror, objects, remote
from gitwf.errors import Transient
from gitwf.values import CommitId

_HEADS = "refs/heads/"
_TRACKING = "refs/remotes/origin/"
_SEEN = f"{mirror.SEEN}heads/"
_BORROWED = "refs/borrowed/"


class LastSeen(remote.Remote):
    """The remote at `place` from its cache, and from the tracking refs of `found`."""

    def __init__(
        self, place: address.Address, cache: Path, found: checkout.Checkout | None
    ) -> None:
        if place.path is not None:
            place, cache = dataclasses.replace(place, path=None), cache.with_name("last-seen")
        super().__init__(place, cache)
        self._checkout = found.folder if found is not None else None

    def fetch(self, ref: str) -> CommitId | None:
        """Where `ref` was seen last; None: it never was."""
        repository = self._mirror.open()
        seen = repository.references.get(mirror.SEEN + ref.removeprefix("refs/"))
        known = [
            objects.commit_of(repository, CommitId(str(one.target)))
            for one in (seen, self._borrowed(repository, ref))
            if one is not None
        ]
        last = max(known, key=lambda commit: commit.commit_time, default=None)
        return CommitId(str(last.id)) if last is not None else None

    def value(self, ref: str) -> CommitId | None:
        """Where `ref` was seen last."""
        return self.fetch(ref)

    def branches(self) -> list[str]:
        """The names of the branches that were ever seen."""
        seen = {one.removeprefix(_SEEN) for one in self._mirror.open().references}
        if self._checkout is not None:
            tracked = pygit2.Repository(str(self._checkout)).references
            seen |= {one.removeprefix(_TRACKING) for one in tracked} - {"HEAD"}
        return sorted(one for one in seen if not one.startswith("refs/"))

    def default_branch(self) -> str:
        """The remote's own branch as the checkout knows it; "" where it does not."""
        if self._checkout is None:
            return ""
        head = pygit2.Repository(str(self._checkout)).references.get(f"{_TRACKING}HEAD")
        target = head.target if head is not None else ""
        return target.removeprefix(_TRACKING) if isinstance(target, str) else ""

    def _borrowed(self, repository: pygit2.Repository, ref: str) -> pygit2.Reference | None:
        """What the checkout's tracking ref names, with its history in the cache."""
        if self._checkout is None or not ref.startswith(_HEADS):
            return None
        name = ref.removeprefix(_HEADS)
        if f"{_TRACKING}{name}" not in pygit2.Repository(str(self._checkout)).references:
            return None
        with self._translating(), self._mirror.locked():
            source = repository.remotes.create_anonymous(str(self._checkout))
            source.fetch([f"+{_TRACKING}{name}:{_BORROWED}{name}"])
        return repository.references.get(f"{_BORROWED}{name}")

    def _push(self, *_: object, **__: object) -> NoReturn:
        raise Transient(f"{self} cannot be reached, so nothing can be written")
