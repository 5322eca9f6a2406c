"""Going back in time: the request of a model, and the life of its release files.

Both are pure functions of the first-parent history, which only grows at one end. So the history is
walked once and kept; a new head adds what is in front of the old one, and a force-push begins anew.
Neighbouring commits mostly differ in nothing that a question is about: comparing object ids says so
without reading a file.
"""

from collections.abc import Iterator

from gitwf import ports
from gitwf.delivery import observed, project, release, request
from gitwf.delivery import trail as trails
from gitwf.errors import Rejected
from gitwf.service import documents
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, Instant


class Past:
    """The first-parent history of the watched branch, newest first."""

    def __init__(self, repo: ports.Repo, read: documents.Documents) -> None:
        self._repo = repo
        self._documents = read
        self._commits: list[ports.Commit] = []
        self._depths: dict[CommitId, int] = {}

    def commits(self, head: CommitId) -> list[ports.Commit]:
        """The history from `head` back, walked only as far as it is new."""
        if self._commits and self._commits[0].id == head:
            return self._commits
        fresh: list[ports.Commit] = []
        for commit in self._repo.history(head):
            depth = self._depths.get(commit.id)
            if depth is not None:
                fresh.extend(self._commits[depth:])
                break
            fresh.append(commit)
        self._commits = fresh
        self._depths = {commit.id: depth for depth, commit in enumerate(fresh)}
        return fresh

    def contains(self, head: CommitId, commit: CommitId) -> bool:
        """Whether `commit` is a first parent of `head`, or `head` itself."""
        self.commits(head)
        return commit in self._depths

    def request(self, head: CommitId, name: str) -> observed.Request:
        """The request of a model: see `gitwf.delivery.request`."""
        return request.find(self._bases(head, name))

    def stretches(self, head: CommitId, name: str) -> Iterator[observed.Stretch]:
        """What was wanted of a model, newest first, walked no further than asked for."""
        return request.stretches(self._bases(head, name))

    def _bases(self, head: CommitId, name: str) -> Iterator[tuple[CommitId, Instant, str]]:
        """The base of the model's key at each commit, "" where it has none.

        The documents are read only where something changed that the key may depend on.
        """
        watched: tuple[str, ...] = ()
        seen, base = None, ""
        for commit in self.commits(head):
            if seen is None or self._signature(commit.id, watched) != seen:
                parts = self._documents.parts(commit.id, name)
                base = parts.base if parts is not None else ""
                watched = self._watched(commit.id, name)
                seen = self._signature(commit.id, watched)
            yield commit.id, commit.time, base

    def _signature(self, commit: CommitId, paths: tuple[str, ...]) -> tuple[object, ...]:
        """Object ids that cannot be equal at two commits where the key's parts differ."""
        return tuple(self._repo.object_id(commit, path) for path in paths)

    def _watched(self, commit: CommitId, name: str) -> tuple[str, ...]:
        """The paths that the key of a pipeline can depend on, as it is at a commit."""
        try:
            one = self._documents.at(commit).pipelines.get(name)
        except Rejected:
            one = None
        if (
            one is not None
            and one.workflow is not None
            and len(one.workflow_files) == 1
            and not one.workflow.config_maps
        ):
            return (project.FILE, one.file, *one.workflow_files, *one.sources())
        roots = {path.partition("/")[0] for path, _ in self._repo.files(commit)}
        return tuple(sorted(roots - {release.FOLDER}))

    def trail(self, head: CommitId, path: str) -> trails.Trail:
        """The release commits of one release file."""
        return trails.read(self._states(head, path))

    def _states(self, head: CommitId, path: str) -> Iterator[trails.State]:
        """The file at the oldest commit of each stretch in which its bytes stood."""
        commits = self.commits(head)
        blobs = [self._repo.object_id(commit.id, path) for commit in commits]
        for depth, commit in enumerate(commits):
            last = depth + 1 == len(commits)
            if last or blobs[depth] != blobs[depth + 1]:
                found = self.release(commit.id, path) if blobs[depth] is not None else None
                if blobs[depth] is not None and found is None:
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

    def named(self, head: CommitId, model: str) -> int:
        """The highest version that any release file of a model named at any commit."""
        folder = f"{release.FOLDER}/{model}"
        commits = self.commits(head)
        paths: set[str] = set()
        seen = None
        for commit in commits:
            tree = self._repo.object_id(commit.id, folder)
            if tree is not None and tree != seen:
                paths.update(path for path, _ in self._repo.files(commit.id, folder))
            seen = tree
        return max((self.trail(head, path).highest() for path in sorted(paths)), default=0)
