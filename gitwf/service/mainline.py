"""The first-parent history of the watched branch, and the life of its release files.

History only grows at one end. So it is walked once and kept; a new head adds what is in front of
the old one, and a force-push begins anew. Neighbouring commits mostly differ in nothing that a
question is about: comparing object ids says so without reading a file. Where a name of the root
stayed what it was is found out once for everything below it, so that two thousand pipelines cost
one walk and not as many. Answers are kept by head. Read next: `past`.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gitwf import ports
from gitwf.delivery import release
from gitwf.delivery import trail as trails
from gitwf.errors import Rejected, Stalled
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, ObjectId

_OWN = "gitwf/"
"""Where the branches begin that gitwf makes."""
_BRANCHES = 10
KEPT = 8192
"""Answers of each kind: enough for a few heads of thousands of models."""


@dataclass
class _Changes:
    """Where one name of the root changed: `heights` count commits from the oldest, which is 0.

    `known` commits were looked at; `last` is the object id at the newest of them.
    """

    heights: list[int] = field(default_factory=list)
    known: int = 0
    last: ObjectId | None = None


def head(repo: ports.Repo) -> CommitId:
    """The head of the watched branch. Stalled: there is no such branch, or no commit at all."""
    found = repo.head()
    if found is not None:
        return found
    names = [name for name in repo.branches() if not name.startswith(_OWN)]
    if not names:
        what = f"{repo.remote} has no commit yet"
        raise Stalled(what, hint="push one; `gitwf init` writes what it needs")
    shown = ", ".join(names[:_BRANCHES]) + (", …" if len(names) > _BRANCHES else "")
    raise Stalled(
        f"branch '{repo.branch}' does not exist on {repo.remote}; it has: {shown}",
        hint=models.suggest(repo.branch, names) or "name one with --branch or GITWF_BRANCH",
    )


class Mainline:
    """The first-parent history of the watched branch, newest first."""

    def __init__(self, repo: ports.Repo) -> None:
        self._repo = repo
        self._commits: list[ports.Commit] = []
        self._depths: dict[CommitId, int] = {}
        self._changes: dict[str, _Changes] = {}
        self.trail = functools.lru_cache(maxsize=KEPT)(self._trail)
        self.named = functools.lru_cache(maxsize=KEPT)(self._named)

    def commits(self, head: CommitId) -> list[ports.Commit]:
        """The history from `head` back, walked only as far as it is new."""
        if self._commits and self._commits[0].id == head:
            return self._commits
        fresh: list[ports.Commit] = []
        grown = False
        for commit in self._repo.history(head):
            depth = self._depths.get(commit.id)
            if depth is not None:
                fresh.extend(self._commits[depth:])
                grown = depth == 0
                break
            fresh.append(commit)
        if not grown:
            self._changes.clear()
        self._commits = fresh
        self._depths = {commit.id: depth for depth, commit in enumerate(fresh)}
        return fresh

    def contains(self, head: CommitId, commit: CommitId) -> bool:
        """Whether `commit` is a first parent of `head`, or `head` itself."""
        self.commits(head)
        return commit in self._depths

    def _spans(self, head: CommitId, paths: Iterable[str], depth: int = 0) -> Iterator[int]:
        """From `depth` back, the oldest depth of each span in which all `paths` surely stood."""
        commits = self.commits(head)
        ends = {len(commits) - 1}
        for name in {path.partition("/")[0] for path in paths}:
            ends.update(len(commits) - 1 - height for height in self._changed(head, name))
        return iter(sorted(one for one in ends if one >= depth))

    def _changed(self, head: CommitId, name: str) -> list[int]:
        """The heights at which what the root calls `name` is not what it was before."""
        commits = self.commits(head)
        found = self._changes.setdefault(name, _Changes())
        for height in range(found.known, len(commits)):
            now = self._repo.object_id(commits[len(commits) - 1 - height].id, name)
            if height and now != found.last:
                found.heights.append(height)
            found.last = now
        found.known = len(commits)
        return found.heights

    def _trail(self, head: CommitId, path: str) -> trails.Trail:
        """The release commits of one release file."""
        return trails.read(self._states(head, path))

    def _states(self, head: CommitId, path: str) -> Iterator[trails.State]:
        """The file at the oldest commit of each stretch in which its bytes stood."""
        commits = self.commits(head)
        spans = [*self._spans(head, [path])]
        blobs = [self._repo.object_id(commits[depth].id, path) for depth in spans]
        for number, depth in enumerate(spans):
            last = number + 1 == len(spans)
            if last or blobs[number] != blobs[number + 1]:
                commit, blob = commits[depth], blobs[number]
                found = self.release(commit.id, path) if blob is not None else None
                if blob is not None and found is None:
                    continue
                yield trails.State(commit.id, depth, found, commit.author, commit.time)

    def release(self, commit: CommitId, path: str) -> release.Release | None:
        """The release file as it was, or None where it is none."""
        source = self._repo.read(commit, path)
        if source is None:
            return None
        try:
            found, _ = models.check(release.Release, yaml_reader.read_one(source, path))
        except Rejected:
            return None
        return found

    def _named(self, head: CommitId, model: str) -> int:
        """The highest version that any release file of a model named at any commit."""
        folder = f"{release.FOLDER}/{model}"
        commits = self.commits(head)
        paths: set[str] = set()
        seen = None
        for depth in self._spans(head, [folder]):
            commit = commits[depth].id
            tree = self._repo.object_id(commit, folder)
            if tree is not None and tree != seen:
                paths.update(path for path, _ in self._repo.files(commit, folder))
            seen = tree
        return max((self.trail(head, path).highest() for path in sorted(paths)), default=0)
