"""The life of one release file: which commits changed what it names, and who made them.

A release commit is one that changed version, uri or digest, whoever made it. gitwf's own carry
evidence whose `parent` no other commit of gitwf's shares, so the first commit that shows it is
gitwf's and any later one that brings it back is a person's: a revert, a copy, a hand edit. This
is content, which survives rebases and squash merges; trailers would not. A pure function of the
first-parent history, read newest first by whoever has Git.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gitwf.delivery import entry, release
from gitwf.values import CommitId, Digest, Instant


@dataclass(frozen=True)
class State:
    """The file at one commit; `depth` is the number of first-parent steps from HEAD.

    `release` is None where the file is missing. Commits at which the file cannot be read as a
    release are left out by the caller: they named nothing that anything could have served.
    """

    commit: CommitId
    depth: int
    release: release.Release | None
    who: str = ""
    time: Instant | None = None


@dataclass(frozen=True)
class Change:
    """A release commit: what the file names since then, and whose work that was."""

    commit: CommitId
    depth: int
    version: int | None
    uri: str | None
    digest: Digest | None
    kind: entry.Kind
    who: str = ""
    time: Instant | None = None
    request: str = ""

    @property
    def automatic(self) -> bool:
        """Whether gitwf made it unasked."""
        return self.kind != "person"


@dataclass(frozen=True)
class Trail:
    """Every release commit of one file on the first-parent history, oldest first."""

    changes: tuple[Change, ...] = ()

    @property
    def last(self) -> Change | None:
        """The release commit in force at HEAD."""
        return self.changes[-1] if self.changes else None

    def named_since(self, depth: int) -> frozenset[int]:
        """Every version that the file named at some commit from `depth` steps back to HEAD."""
        named: set[int | None] = set()
        for change in reversed(self.changes):
            named.add(change.version)
            if change.depth >= depth:
                break
        return frozenset(version for version in named if version is not None)

    def withdrawn(self, version: int) -> bool:
        """Whether `version` was last left by a person who went back to an earlier one."""
        for before, after in zip(reversed(self.changes[:-1]), reversed(self.changes), strict=False):
            if before.version == version != after.version:
                earlier = after.version is None or after.version < version
                return earlier and after.kind == "person"
        return False

    def highest(self) -> int:
        """The highest version ever named; 0 when none was."""
        return max((change.version or 0 for change in self.changes), default=0)


def read(states: Iterable[State]) -> Trail:
    """Find the release commits in `states`, which come newest first.

    States at which nothing changed may be left out, but not the oldest at which a value stood.
    """
    changes: list[Change] = []
    seen: set[str] = set()
    named: tuple[object, ...] = (None, None, None)
    for state in reversed(tuple(states)):
        own = _own(state, seen)
        spec = state.release.spec if state.release is not None else release.NOTHING
        if (spec.version, spec.uri, spec.digest) == named:
            continue
        named = (spec.version, spec.uri, spec.digest)
        changes.append(
            Change(
                state.commit,
                state.depth,
                spec.version,
                spec.uri,
                Digest(spec.digest) if spec.digest else None,
                own.kind if own is not None else "person",
                own.by if own is not None and own.by else state.who,
                state.time,
                own.request if own is not None else "",
            )
        )
    return Trail(tuple(changes))


def _own(state: State, seen: set[str]) -> release.Evidence | None:
    """The evidence that gitwf wrote at this very commit; `seen` are those written before it."""
    evidence = state.release.evidence if state.release is not None else None
    if state.release is None or evidence is None or evidence.parent in {"", *seen}:
        return None
    seen.add(evidence.parent)
    return evidence if evidence.environment == state.release.metadata.environment else None
