"""The working tree that a path lies in: the folder with gitwf.yaml, and what Git keeps of it.

For commands that look at files as they stand, committed or not. No remote is asked.
"""

from pathlib import Path

from gitwf.adapters import folder
from gitwf.delivery import project

NO_COMMIT = folder.NO_COMMIT


def root(path: Path) -> Path | None:
    """The nearest folder at or above `path`, an absolute one, that has a gitwf.yaml, or None."""
    above = [one for one in (path, *path.parents) if (one / project.FILE).is_file()]
    return above[0] if above else None


def opened(top: Path) -> folder.FolderTree:
    """The tree below `top`, without what Git ignores."""
    from gitwf.adapters.git import ignored

    return folder.FolderTree(top, ignored.below(top))


def beside(file: Path) -> folder.FolderTree:
    """The YAML files in the folder of `file`, without what is in folders below it."""
    return folder.FolderTree(file.parent, lambda path: not path.endswith((".yaml", ".yml")))
