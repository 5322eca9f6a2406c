"""Going back in time: the request of a model, and the life of its release files.

Both are pure functions of the first-parent history, which only grows at one end. So the history is
walked once and kept; a new head adds what is in front of the old one, and a force-push begins anew.
Neighbouring commits mostly differ in nothing that a question is about: comparing object ids says so
without reading a file. Where a name of the root stayed what it was is found out once for everything
below it, so that two thousand pipelines cost one walk and not as many. Answers are kept by head.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gitwf import ports
from gitwf.delivery import observed, project, release, request
from gitwf.delivery import trail as trails
from gitwf.errors import Rejected
from gitwf.service import documents
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, ObjectId

_KEPT = 8192  # Answers of each kind: enough for a few heads of thousands of models.


@dataclass
class _Changes:
    """Where one name of the root changed: `heights` count commits from the oldest, which is 0.

    `known` commits were looked at; `last` is the object id at the newest of them.
    """

    heights: list[int] = field(default_factory=list)
    known: int = 0
    last: ObjectId | None = None


class Past:
    """The first-parent history of the watched branch, newest first."""

    def __init__(self, repo: ports.Repo, read: documents.Documents) -> None:
        self._repo = repo
        self._documents = read
        self._commits: list[ports.Commit] = []
        self._depths: dict[CommitId, int] = {}
        self._changes: dict[str, _Changes] = {}
        self.request = functools.lru_cache(maxsize=_KEPT)(self._request)
        self.trail = functools.lru_cache(maxsize=_KEPT)(self._trail)
        self.named = functools.lru_cache(maxsize=_KEPT)(self._named)

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

    def _request(self, head: CommitId, name: str) -> observed.Request:
        """The request of a model: see `gitwf.delivery.request`."""
        return request.find(self._bases(head, name))

    def stretches(self, head: CommitId, name: str) -> Iterator[observed.Stretch]:
        """What was wanted of a model, newest first, walked no further than asked for."""
        return request.stretches(self._bases(head, name))

    def _bases(self, head: CommitId, name: str) -> Iterator[tuple[observed.Request, str]]:
        """The base of the model's key, "" where it has none, and the oldest commit of each span.

        The documents are read only where something changed that the key may depend on.
        """
        commits = self.commits(head)
        depth, end = 0, len(commits)
        while depth < end:
            newest = commits[depth].id
            parts = self._documents.parts(newest, name)
            watched = self._watched(newest, name)
            seen = self._signature(newest, watched)
            spans = self._spans(head, watched, depth)
            oldest = next(spans)
            for further in spans:
                if self._signature(commits[further].id, watched) != seen:
                    break
                oldest = further
            base = parts.base if parts is not None else ""
            yield observed.Request(commits[oldest].id, oldest, commits[oldest].time), base
            depth = oldest + 1

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

    def _signature(self, commit: CommitId, paths: tuple[str, ...]) -> tuple[object, ...]:
        """Object ids that cannot be equal at two commits where the key's parts differ."""
        return tuple(self._repo.object_id(commit, path) for path in paths)

    def _watched(self, commit: CommitId, name: str) -> tuple[str, ...]:
        """The paths that the key of a pipeline can depend on, as it is at a commit."""
        try:
            one = self._documents.at(commit).pipelines.get(name)
        except Rejected:
            one = None
        if one is not None and one.alone:
            return (project.FILE, one.file, *one.workflow_files, *one.sources())
        roots = {path.partition("/")[0] for path, _ in self._repo.files(commit)}
        return tuple(sorted(roots - {release.FOLDER}))

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
