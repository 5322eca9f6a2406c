"""What Git leaves out of a working tree: as .gitignore and its kin say, unless it is tracked.

Only asked of by whoever reads a working tree as it stands; commits hold no ignored files.
"""

from collections.abc import Callable
from pathlib import Path

import pygit2


def below(folder: Path) -> Callable[[str], bool]:
    """Tell for paths below `folder` whether Git ignores them; a folder's path ends with `/`.

    Where `folder` is in no checkout, nothing is ignored.
    """
    found = pygit2.discover_repository(str(folder))
    repository = pygit2.Repository(found) if found is not None else None
    if repository is None or repository.workdir is None:
        return lambda _: False
    prefix = folder.resolve().relative_to(Path(repository.workdir).resolve())
    tracked: set[str] = set()
    for entry in repository.index:
        tracked.add(entry.path)
        tracked.update(f"{parent.as_posix()}/" for parent in Path(entry.path).parents)

    def ignored(path: str) -> bool:
        whole = (prefix / path).as_posix() + ("/" if path.endswith("/") else "")
        return whole not in tracked and repository.path_is_ignored(whole)

    return ignored
