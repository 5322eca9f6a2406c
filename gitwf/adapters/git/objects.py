"""Git objects without a checkout: look into trees, build new ones, make commits.

The one idea: an edit is a mapping from path to content, and only the trees on the way to an edited
path are built anew. Every function takes an open repository and touches no ref, so that what is
built is invisible until somebody moves a ref to it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import pygit2
from pygit2.enums import FileMode

from gitwf.errors import Stalled
from gitwf.values import CommitId, Instant

Edits = Mapping[str, bytes | None]

_FILES = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)


class Missing(LookupError):
    """The repository at hand does not hold this commit."""


@dataclass(frozen=True)
class Identity:
    """Who a commit is by: gitwf, or the person who asked for it."""

    name: str = "gitwf"
    email: str = "gitwf@localhost"

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def signs(self, at: Instant) -> pygit2.Signature:
        """What stands in a commit that was made then."""
        return pygit2.Signature(self.name, self.email, int(at.seconds), 0, "utf-8")


def commit_of(repository: pygit2.Repository, commit: str) -> pygit2.Commit:
    """Look a commit up. Raises Missing."""
    found: object = repository.get(commit)
    if not isinstance(found, pygit2.Commit):
        raise Missing(commit)
    return found


def entry(tree: pygit2.Tree, path: str) -> pygit2.Object | pygit2.Tree | None:
    """The tree's entry at the normal `path`, the tree itself at ".", or None."""
    if path == ".":
        return tree
    try:
        return tree[path]
    except KeyError:
        return None


def is_file(found: pygit2.Object) -> TypeGuard[pygit2.Blob]:
    """Whether an entry is a file: no folder, no link, no submodule."""
    return isinstance(found, pygit2.Blob) and found.filemode in _FILES


def files(tree: pygit2.Tree, under: str = "") -> Iterator[tuple[str, pygit2.Blob]]:
    """Every file below `tree`, in path order, each named with `under` before it."""
    for found in tree:
        path = f"{under}{found.name}"
        if isinstance(found, pygit2.Tree):
            yield from files(found, f"{path}/")
        elif is_file(found):
            yield path, found


def edited(
    repository: pygit2.Repository, base: pygit2.Tree | None, edits: Edits
) -> pygit2.Oid | None:
    """Build the tree that `edits` make of `base`; None when nothing would be left in it.

    A file keeps its mode. Stalled when a file stands where a folder is needed, or the reverse.
    """
    here, below = _split(edits)
    builder = repository.TreeBuilder(base) if base is not None else repository.TreeBuilder()
    for name, content in here.items():
        old = _old(builder, name)
        if isinstance(old, pygit2.Tree):
            raise Stalled(f"{name} is a folder where gitwf would write a file", hint="move it away")
        if content is not None:
            mode = FileMode(old.filemode) if old and is_file(old) else FileMode.BLOB
            builder.insert(name, repository.create_blob(content), mode)
        elif old is not None:
            builder.remove(name)
    for name, inner in below.items():
        old = _old(builder, name)
        if old is not None and not isinstance(old, pygit2.Tree):
            raise Stalled(f"{name} is a file where gitwf needs a folder", hint="move it away")
        tree = edited(repository, old, inner)
        if tree is not None:
            builder.insert(name, tree, FileMode.TREE)
        elif old is not None:
            builder.remove(name)
    return builder.write() if len(builder) else None


def _old(builder: pygit2.TreeBuilder, name: str) -> pygit2.Object | None:
    return builder.get(name)


def _split(edits: Edits) -> tuple[dict[str, bytes | None], dict[str, dict[str, bytes | None]]]:
    here: dict[str, bytes | None] = {}
    below: dict[str, dict[str, bytes | None]] = {}
    for path, content in edits.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = content
        else:
            here[name] = content
    return here, below


def make_commit(
    repository: pygit2.Repository,
    parent: CommitId | None,
    edits: Edits,
    message: str,
    *,
    identity: Identity,
    time: Instant,
    author: Identity | None = None,
) -> CommitId:
    """Commit `edits` on top of `parent`; no ref is touched. Raises Missing for the parent.

    `author`: who asked for it, where that is not the committer.
    """
    base = commit_of(repository, parent).tree if parent is not None else None
    tree = edited(repository, base, edits) or repository.TreeBuilder().write()
    by, committer = (author or identity).signs(time), identity.signs(time)
    parents: list[pygit2.Oid | str] = [parent] if parent is not None else []
    made = repository.create_commit(None, by, committer, message, tree, parents)
    return CommitId(str(made))


def copy(source: pygit2.Repository, target: pygit2.Repository, wanted: pygit2.Oid) -> None:
    """Copy an object and all that it reaches, what it reaches first.

    So an object that is there has everything below it there too, and a copy that was cut short is
    finished by the next one.
    """
    if wanted in target:
        return
    found: object = source[wanted]
    if isinstance(found, pygit2.Commit):
        copy(source, target, found.tree_id)
        for parent in found.parent_ids:
            copy(source, target, parent)
    elif isinstance(found, pygit2.Tree):
        for inner in found:
            if inner.filemode != FileMode.COMMIT:
                copy(source, target, inner.id)
    kind, content = source.read(wanted)
    target.write(kind, content)


def contains(repository: pygit2.Repository, tip: pygit2.Oid, commit: str) -> bool:
    """Whether `commit` is `tip` or one of its ancestors; False when it is not there at all."""
    wanted = pygit2.Oid(hex=commit)
    if wanted == tip:
        return True
    return wanted in repository and repository.descendant_of(tip, wanted)
