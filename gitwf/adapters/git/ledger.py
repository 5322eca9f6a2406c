"""The ledger: immutable facts on their own branch of the remote, each file written once.

An append is a loop: read the tip, ask what to add for exactly these facts, commit it on top of that
tip, swap. Whoever loses the race is asked again at the new tip, where the answer may be nothing.
When an answer was lost, the tip tells: if it contains a commit that we made, that one was applied.

A tip that lacks what this process has seen is never worked with: it is a stale or a lost ledger.
Reading is incremental: only trees with a new id are looked into, only new files are parsed. A new
process goes on from what an earlier one kept of a commit, where the tip has grown from that.
"""

import contextlib
import json
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pygit2

from gitwf import ports
from gitwf.adapters.git import objects, remote
from gitwf.adapters.git.objects import Identity
from gitwf.delivery import entry
from gitwf.delivery.facts import EMPTY, Facts
from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.values import CommitId

BRANCH = "gitwf/ledger"
_REF = f"refs/heads/{BRANCH}"
_LEASES = "refs/gitwf/leases"
_PATIENCE_SECONDS = 300.0
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 3.0
# The busier a remote is, the longer a try takes: by that, its writers keep out of each other's way.
_TRIES_APART, _LONGEST_APART = 4, 15.0
# A server with several copies may answer from one that lags behind.
_STALE_READS = 4
# As many entries are sooner read than kept.
_FEW = 200


class GitLedger:
    """The ledger of `remote`: implements `gitwf.ports.Ledger`. Threads may share it.

    `kept`: where the entries of a commit are found, and left, that were read before.
    """

    def __init__(
        self,
        at: remote.Remote,
        clock: ports.Clock,
        *,
        identity: Identity | None = None,
        kept: ports.Kept | None = None,
    ) -> None:
        self._remote = at
        self._clock = clock
        self._identity = identity or Identity()
        self._kept = kept
        self._seen = EMPTY
        self._reading = threading.RLock()
        self._appending = threading.Lock()
        at.track(_REF)

    def facts(self) -> Facts:
        """Fetch and read; see `ports.Ledger`."""
        with self._reading:
            for attempt in range(_STALE_READS):
                found = self._read(self._remote.fetch(_REF))
                if found is not None:
                    self._seen = found
                    return found.checked()
                self._back_off(attempt)
            raise Stalled(
                f"the ledger on {BRANCH} of {self._remote} no longer contains "
                f"{self._seen.commit}, which was its head",
                hint=f"restore it: git push origin {self._seen.commit}:{_REF}; or restart gitwf "
                "to adopt it as it is now",
            )

    def append(self, decide: ports.Decide, message: str) -> Facts:
        """Add what `decide` returns for the facts at the tip; see `ports.Ledger`."""
        with self._appending:
            tried: list[CommitId] = []
            deadline = self._clock.monotonic() + _PATIENCE_SECONDS
            attempt = 0
            while True:
                began = self._clock.monotonic()
                try:
                    return self._append_once(decide, message, tried)
                except _Lost as lost:
                    now = self._clock.monotonic()
                    if now > deadline:
                        raise lost.reason from lost
                self._back_off(attempt, now - began)
                attempt += 1

    def contains(self, commit: CommitId) -> bool:
        """Whether the ledger's history holds this ledger commit; reads again before it says no."""
        if self._contained(commit):
            return True
        self.facts()
        return self._contained(commit)

    def beat(self, key: str) -> None:
        """Move the heartbeat ref of a claim that this process holds."""
        message = f"The owner of {key} is alive\n\nBeat: {uuid.uuid4().hex}\n"
        self._remote.move(f"{_LEASES}/{key}", self._making(None, {}, message))

    def heartbeat(self, key: str) -> str | None:
        """The value of the heartbeat ref now."""
        return self._remote.value(f"{_LEASES}/{key}")

    def end_beat(self, key: str) -> None:
        """Delete the heartbeat ref; nothing when there is none."""
        if self.heartbeat(key) is not None:
            self._remote.move(f"{_LEASES}/{key}", None)

    def _append_once(self, decide: ports.Decide, message: str, tried: list[CommitId]) -> Facts:
        try:
            now = self.facts()
            if any(map(self._contained, tried)):
                return now
        except Transient as error:
            if not tried:
                raise
            raise _Lost(error) from error
        additions = decide(now)
        if not additions:
            return now
        taken = sorted(path for path in additions if path in now.entries)
        if taken:
            raise RaceLost(f"the ledger already holds {', '.join(taken)}")
        making = self._making(now.commit, _edits(now, additions), message)

        def make(repository: pygit2.Repository) -> CommitId:
            tried.append(making(repository))
            return tried[-1]

        try:
            return self._now_at(self._remote.swap(_REF, now.commit, make))
        except Transient as error:
            raise _Lost(error) from error

    def _now_at(self, commit: CommitId) -> Facts:
        """The facts at a commit that was just put on the tip; asks nobody, as a rule."""
        with self._reading:
            found = self._read(commit)
            if found is None:
                return self.facts()
            self._seen = found
            return found

    def _contained(self, commit: CommitId) -> bool:
        tip = self._seen.commit
        if tip is None:
            return False
        return self._remote.read(
            lambda r: objects.contains(r, objects.commit_of(r, tip).id, commit)
        )

    def _making(self, parent: CommitId | None, edits: objects.Edits, message: str) -> remote.Make:
        time = self._clock.now()

        def make(repository: pygit2.Repository) -> CommitId:
            return objects.make_commit(
                repository, parent, edits, message, identity=self._identity, time=time
            )

        return make

    def _read(self, tip: CommitId | None) -> Facts | None:
        """The facts at `tip`; None when it lacks what was seen before."""
        seen = self._seen
        if tip == seen.commit:
            return seen
        if tip is None:
            return None
        if seen.commit is None:
            return self._read_first(tip)
        return self._remote.read(
            lambda r: _grown(r, seen, tip) if _goes_on_from(r, seen, tip) else None
        )

    def _read_first(self, tip: CommitId) -> Facts:
        """Read the whole ledger; what was kept of it saves reading that part."""
        kept = _recalled(self._kept.read()) if self._kept is not None else EMPTY

        def work(repository: pygit2.Repository) -> tuple[Facts, Facts]:
            if _goes_on_from(repository, kept, tip):
                # What a person changed there stops only who saw it as it was.
                with contextlib.suppress(Stalled):
                    return kept, _grown(repository, kept, tip)
            return EMPTY, _grown(repository, EMPTY, tip)

        before, found = self._remote.read(work)
        if self._kept is not None and len(found.entries) > len(before.entries) + _FEW:
            body = {"commit": tip, "entries": dict(found.entries)}
            self._kept.write(json.dumps(body).encode())
        return found

    def _back_off(self, attempt: int, took: float = 0) -> None:
        longest = max(
            min(_LONGEST_WAIT, _FIRST_WAIT * 2**attempt),
            min(_LONGEST_APART, _TRIES_APART * took),
        )
        self._clock.wait(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret


class _Lost(Exception):
    """One attempt to append came to nothing, or is not known to have been applied."""

    def __init__(self, reason: Transient) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _goes_on_from(repository: pygit2.Repository, seen: Facts, tip: CommitId) -> bool:
    """Whether the history of `tip` holds what was seen."""
    now = objects.commit_of(repository, tip).id
    return seen.commit is None or objects.contains(repository, now, seen.commit)


def _grown(repository: pygit2.Repository, seen: Facts, tip: CommitId) -> Facts:
    """The facts at `tip`, which goes on from what was seen: only what is new is read."""
    before = None
    if seen.commit is not None:
        before = objects.commit_of(repository, seen.commit).tree
    now = objects.commit_of(repository, tip).tree
    added = {path: _parsed(path, file.data) for path, file in _added(before, now, "")}
    return Facts(tip, {**seen.entries, **added})


def _recalled(content: bytes | None) -> Facts:
    """The facts that were kept; none where that cannot be understood."""
    try:
        body = json.loads(content or b"{}")
        return Facts(CommitId(body["commit"]), body["entries"])
    except (ValueError, TypeError, LookupError):
        return EMPTY


def _edits(now: Facts, additions: Mapping[str, object]) -> dict[str, bytes | None]:
    edits: dict[str, bytes | None] = {path: _written(body) for path, body in additions.items()}
    if now.commit is None:
        edits.setdefault(entry.FORMAT_PATH, _written({"format": entry.FORMAT}))
    return edits


def _written(body: object) -> bytes:
    """JSON that reads well in `git show`, with one spelling for one value."""
    return (json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def _parsed(path: str, content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise _unreadable(path) from error
    if not isinstance(body, dict):
        raise _unreadable(path)
    return body


def _unreadable(path: str) -> Stalled:
    return Stalled(
        f"{path} on {BRANCH} is not a JSON object",
        hint=f"gitwf alone writes to {BRANCH}; revert what somebody else wrote",
    )


def _added(
    before: pygit2.Tree | None, now: pygit2.Tree, under: str
) -> Iterator[tuple[str, pygit2.Blob]]:
    """The JSON files of `now` that `before` does not have. Stalled when one changed or went."""
    old = {found.name: found for found in before} if before is not None else {}
    for found in now:
        path = f"{under}{found.name}"
        known = old.pop(found.name, None)
        if known is not None and known.id == found.id:
            continue
        if isinstance(found, pygit2.Tree):
            yield from _added(known if isinstance(known, pygit2.Tree) else None, found, f"{path}/")
        elif path.endswith(".json") and isinstance(found, pygit2.Blob):
            if known is not None:
                raise _tampered(path)
            yield path, found
    for name in old:
        raise _tampered(f"{under}{name}")


def _tampered(path: str) -> Stalled:
    return Stalled(
        f"{path} on {BRANCH} was changed or deleted, and its files are written once",
        hint=f"revert that commit on {BRANCH}",
    )
