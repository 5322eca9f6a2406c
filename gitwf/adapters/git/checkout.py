"""The checkout a person stands in: where its remote is, and which branch that calls its own.

Only read, never changed: gitwf works on the remote and on its own cache. A remote says by itself
which branch is its default one; where it is empty, the checkout's current branch is meant.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, FileStatus

from gitwf.adapters.git import errors
from gitwf.adapters.git.objects import Identity
from gitwf.errors import redact
from gitwf.values import CommitId

_HEADS = "refs/heads/"
_BORROWED = "refs/borrowed/HEAD"


@dataclass(frozen=True)
class Checkout:
    """A working tree: its folder, its `origin` ("": none), current branch and commit."""

    folder: Path
    origin: str
    branch: str
    commit: CommitId | None


def find(start: Path) -> Checkout | None:
    """The checkout that `start` is in, or None."""
    found = pygit2.discover_repository(str(start))
    if found is None:
        return None
    repository = pygit2.Repository(found)
    names = {remote.name: remote.url for remote in repository.remotes}
    target = repository.lookup_reference("HEAD").target
    branch = target.removeprefix(_HEADS) if isinstance(target, str) else ""
    commit = None if repository.head_is_unborn else CommitId(str(repository.head.target))
    folder = Path(repository.workdir or repository.path)
    return Checkout(folder, _absolute(names.get("origin") or "", folder), branch, commit)


def _absolute(url: str, folder: Path) -> str:
    """A relative remote is meant from the checkout, wherever gitwf was called."""
    return str((folder / url).resolve()) if url.startswith(("./", "../")) else url


def default_branch(path: Path) -> str:
    """The default branch of a repository in a folder: what its HEAD names."""
    try:
        target = pygit2.Repository(str(path)).lookup_reference("HEAD").target
    except (pygit2.GitError, KeyError) as error:
        raise errors.not_there(redact(str(path))) from error
    return target.removeprefix(_HEADS) if isinstance(target, str) else "main"


def person(start: Path, environment: Mapping[str, str]) -> Identity | None:
    """Who commits at `start`, as Git itself would say; None where it would ask for a name."""
    found = pygit2.discover_repository(str(start))
    configs = [pygit2.Repository(found).config] if found else list(_everywhere())

    def configured(key: str) -> str:
        return next((config[key] or "" for config in configs if key in config), "")

    name = environment.get("GIT_AUTHOR_NAME") or configured("user.name")
    email = environment.get("GIT_AUTHOR_EMAIL") or configured("user.email")
    return Identity(name, email) if name and email else None


def _everywhere() -> Iterator[pygit2.Config]:
    """The configurations that hold outside of any repository, the strongest first."""
    config = pygit2.Config
    for find in (config.get_global_config, config.get_xdg_config, config.get_system_config):
        with contextlib.suppress(OSError):
            yield find()


def copy(
    source: Checkout,
    to: Path,
    *,
    branch: str,
    uncommitted: bool = False,
    without: str = "",
    rewritten: Mapping[str, Callable[[bytes], bytes]] | None = None,
) -> None:
    """Make a bare repository at `to` whose `branch` is one commit: the checkout's tree.

    `uncommitted`: the working tree as it is, ignored files left out, instead of the commit's.
    `without`: a folder that is left out. `rewritten`: files by path, and what becomes of them.
    Stalled, Transient: it cannot be made.
    """
    try:
        _copy(source, to, branch, without, rewritten or {}, uncommitted=uncommitted)
    except errors.LIBRARY as error:
        raise errors.translate(error, str(to)) from error


def _copy(
    source: Checkout,
    to: Path,
    branch: str,
    without: str,
    rewritten: Mapping[str, Callable[[bytes], bytes]],
    *,
    uncommitted: bool,
) -> None:
    made = pygit2.init_repository(str(to), bare=True, initial_head=branch)
    index = pygit2.Index()
    if source.commit is not None:
        made.remotes.create_anonymous(str(source.folder)).fetch([f"+HEAD:{_BORROWED}"])
        borrowed = made.references[_BORROWED]
        index.read_tree(made[borrowed.target].tree)
        borrowed.delete()
    if uncommitted:
        _add_uncommitted(source, made, index)
    if without:
        index.remove_all([f"{without}/*"])
    for path, rewrite in rewritten.items():
        if path in index:
            kept = index[path]
            blob = made.create_blob(rewrite(bytes(made[kept.id].read_raw())))
            index.add(pygit2.IndexEntry(path, blob, kept.mode))
    who = pygit2.Signature("gitwf", "gitwf@localhost")
    what = "The working tree on top of" if uncommitted else "The tree of"
    base = source.commit or "nothing"
    tree = index.write_tree(made)
    made.create_commit(f"{_HEADS}{branch}", who, who, f"{what} {base}\n", tree, [])


def _add_uncommitted(source: Checkout, made: pygit2.Repository, index: pygit2.Index) -> None:
    """Bring an index to the working tree as it is."""
    for path, state in pygit2.Repository(str(source.folder)).status().items():
        file = source.folder / path
        if state & FileStatus.IGNORED:
            continue
        if file.is_file() and not file.is_symlink():
            mode = FileMode.BLOB_EXECUTABLE if os.access(file, os.X_OK) else FileMode.BLOB
            index.add(pygit2.IndexEntry(path, made.create_blob(file.read_bytes()), mode))
        elif path in index:
            index.remove(path)
