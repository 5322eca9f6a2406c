"""The watched branch of a remote, read without a checkout and published by compare-and-swap.

Everything is read from one commit, by id, so that a pass sees one state of the branch however often
it moves meanwhile. The branch is always named in full: a clone's own HEAD says nothing about it.
What a commit changed is told by comparing the ids of tree entries, never the files themselves.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from gitwf import ports
from gitwf.adapters.git import errors, objects
from gitwf.adapters.git.objects import Identity
from gitwf.adapters.git.remote import Remote
from gitwf.errors import Stalled
from gitwf.values import CommitId, Instant, ObjectId, inside


class GitRepo:
    """The branch `branch` of `remote`: implements `gitwf.ports.Repo`.

    Commits are made by `identity`, for `author` where a person asked for them.
    """

    def __init__(
        self,
        remote: Remote,
        branch: str,
        clock: ports.Clock,
        *,
        identity: Identity | None = None,
        author: Identity | None = None,
    ) -> None:
        self.remote = remote
        self.branch = branch
        self._clock = clock
        self._identity = identity or Identity()
        self._author = author
        remote.track(_ref(branch))

    def __str__(self) -> str:
        return f"the branch {self.branch} of {self.remote}"

    def branches(self) -> Sequence[str]:
        """The names of the remote's branches; see `ports.Repo`."""
        return self.remote.branches()

    def head(self) -> CommitId | None:
        """Ask the remote and fetch what is new; see `ports.Repo`."""
        return self.remote.fetch(_ref(self.branch))

    def object_id(self, commit: CommitId, path: str) -> ObjectId | None:
        """The id of what is at `path`, links and submodules included, or None."""
        normal = inside(path)

        def work(repository: pygit2.Repository) -> ObjectId | None:
            found = objects.entry(objects.commit_of(repository, commit).tree, normal)
            return ObjectId(str(found.id)) if found is not None else None

        return self.remote.read(work)

    def read(self, commit: CommitId, path: str) -> bytes | None:
        """The content of the file at `path`, or None for anything else."""
        normal = inside(path)

        def work(repository: pygit2.Repository) -> bytes | None:
            found = objects.entry(objects.commit_of(repository, commit).tree, normal)
            return found.data if found is not None and objects.is_file(found) else None

        return self.remote.read(work)

    def files(self, commit: CommitId, under: str = ".") -> Iterator[tuple[str, ObjectId]]:
        """Every file at or below `under`, with its blob id, in path order."""
        normal = inside(under)
        found = self.remote.read(lambda repository: _files(repository, commit, normal))
        return iter([(path, ObjectId(str(file.id))) for path, file in found])

    def history(self, tip: CommitId) -> Iterator[ports.Commit]:
        """First parents from `tip` back. Stalled where a shallow clone ends it."""
        following: CommitId | None = tip
        while following is not None:
            commit = self._commit(following, tip)
            yield commit
            following = commit.parents[0] if commit.parents else None

    def changes(self, tip: CommitId, path: str, limit: int | None = None) -> list[ports.Commit]:
        """The commits of the first-parent history that changed what is at `path`, newest first.

        Costs one look at each commit's tree, so it grows with history: give a `limit`.
        """
        normal = inside(path)
        return self.remote.read(lambda repository: _changes(repository, tip, normal, limit))

    def contains(self, tip: CommitId, commit: CommitId) -> bool:
        """Whether `commit` is in the history of `tip`, other parents included."""
        return self.remote.read(
            lambda repository: objects.contains(
                repository, objects.commit_of(repository, tip).id, commit
            )
        )

    def export(self, commit: CommitId, paths: Iterable[str], to: Path) -> None:
        """Write the files at or below `paths` into the folder `to`; see `ports.Repo`."""
        wanted = [inside(path) for path in paths]
        for path, file in self.remote.read(
            lambda r: [found for under in wanted for found in _files(r, commit, under)]
        ):
            _write(to / inside(path), file)

    def publish(
        self,
        expected: CommitId | None,
        edits: Mapping[str, bytes | None],
        message: str,
        *,
        branch: str | None = None,
    ) -> CommitId:
        """Commit on top of `expected` and compare-and-swap the branch; see `ports.Repo`."""
        wanted = {inside(path): content for path, content in edits.items()}
        time = self._clock.now()

        def make(repository: pygit2.Repository) -> CommitId:
            return objects.make_commit(
                repository,
                expected,
                wanted,
                message,
                identity=self._identity,
                author=self._author,
                time=time,
            )

        return self.remote.swap(_ref(branch or self.branch), expected, make)

    def _commit(self, commit: CommitId, tip: CommitId) -> ports.Commit:
        try:
            return self.remote.read(lambda r: _commit(objects.commit_of(r, commit)))
        except Stalled as stalled:
            if commit == tip:
                raise
            raise errors.shallow(str(self.remote)) from stalled


def _ref(branch: str) -> str:
    return f"refs/heads/{branch}"


def _commit(found: pygit2.Commit) -> ports.Commit:
    return ports.Commit(
        id=CommitId(str(found.id)),
        parents=tuple(CommitId(str(parent)) for parent in found.parent_ids),
        tree=ObjectId(str(found.tree_id)),
        author=f"{_text(found.author.raw_name)} <{_text(found.author.raw_email)}>",
        time=Instant.of_seconds(found.commit_time),
        message=_text(found.raw_message),
    )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _files(
    repository: pygit2.Repository, commit: CommitId, under: str
) -> list[tuple[str, pygit2.Blob]]:
    found = objects.entry(objects.commit_of(repository, commit).tree, under)
    if isinstance(found, pygit2.Tree):
        return list(objects.files(found, "" if under == "." else f"{under}/"))
    if found is not None and objects.is_file(found):
        return [(under, found)]
    return []


def _write(to: Path, file: pygit2.Blob) -> None:
    mode = 0o755 if file.filemode == FileMode.BLOB_EXECUTABLE else 0o644
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.data)
        os.chmod(to, mode)  # noqa: PTH101 - as the user's umask does not count here
    except OSError as error:
        raise Stalled(
            f"{to} cannot be written: {error.strerror}", hint="check the state folder"
        ) from error


def _changes(
    repository: pygit2.Repository, tip: CommitId, path: str, limit: int | None
) -> list[ports.Commit]:
    names = tuple(path.split("/")) if path != "." else ()
    known: dict[tuple[pygit2.Oid, int], pygit2.Oid | None] = {}

    def below(tree: pygit2.Oid, depth: int) -> pygit2.Oid | None:
        """What the rest of the path names in a tree; a tree that stays is looked into once."""
        if depth == len(names):
            return tree
        if (tree, depth) not in known:
            here = repository[tree]
            found = objects.entry(here, names[depth]) if isinstance(here, pygit2.Tree) else None
            known[tree, depth] = below(found.id, depth + 1) if found is not None else None
        return known[tree, depth]

    changed: list[ports.Commit] = []
    commit = objects.commit_of(repository, tip)
    while limit is None or len(changed) < limit:
        parents = commit.parent_ids
        parent = objects.commit_of(repository, str(parents[0])) if parents else None
        before = below(parent.tree_id, 0) if parent is not None else None
        if below(commit.tree_id, 0) != before:
            changed.append(_commit(commit))
        if parent is None:
            break
        commit = parent
    return changed
