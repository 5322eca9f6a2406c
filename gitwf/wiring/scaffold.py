"""What `gitwf init` puts into a repository, and putting it there without touching what is there.

The files come with gitwf in the folder `scaffold`; `${name}` and its like are filled in. A project
that exists keeps its gitwf.yaml and pipelines and only gets what surrounds them. Nothing is ever
written over, and nothing is written through a symbolic link.
"""

import json
import os
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gitwf import __version__, errors
from gitwf.delivery import document, globs, project, schema
from gitwf.service import documents
from gitwf.wiring import tree

PACKAGED = Path(__file__).parent.parent / "scaffold"
ACTION = f"gitwf/gitwf@v{__version__}"
_FOLDERS = {"github": ".github", "manifests": "manifests/viewer"}
_LONGEST = 63  # of a name: a DNS label's length
_OWNERS = ("CODEOWNERS", "docs/CODEOWNERS", ".github/CODEOWNERS")


@dataclass(frozen=True)
class Placed:
    """One file of the scaffold; `created` is False where something was there already."""

    path: str
    created: bool


def name_of(folder: Path) -> str:
    """Make a name of a folder's: lower-case letters, digits and dashes."""
    made = re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower())[:_LONGEST].strip("-")
    return made or "model"


def files(name: str, pattern: str, *, pipeline: bool = True) -> Mapping[str, str]:
    """The scaffold's files by path. Rejected: `name` is none, or `pattern` names no place.

    `pattern`: the glob of pipelines, whose `*` the new pipeline's name takes the place of.
    """
    home = _home(name, pattern)
    folder = home.parent.as_posix()
    inserts = {
        "name": name,
        "pattern": json.dumps(pattern),
        "folder": folder,
        "up": "../" * (len(home.parts) - 1),
        "policy": f"/{folder}/workflow.yaml",
        "action": ACTION,
    }
    made = {
        _place(path.relative_to(PACKAGED), home): string.Template(
            path.read_text("utf-8")
        ).safe_substitute(inserts)
        for path in sorted(PACKAGED.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and (pipeline or PACKAGED / "pipeline" not in path.parents)
    }
    schemas = {
        f".gitwf/schemas/{kind}.json": json.dumps(schema.schema(kind), indent=2) + "\n"
        for kind in schema.KINDS
    }
    return {**made, **schemas}


def _home(name: str, pattern: str) -> PurePosixPath:
    """Where the new pipeline's document goes."""
    wrong = []
    if not re.fullmatch(document.NAME, name) or len(name) > _LONGEST:
        words = f"must be lower-case letters, digits and dashes, at most {_LONGEST}"
        wrong.append(errors.Diagnostic("--name", 0, 0, words))
    place = re.sub(r"\*+", name, pattern.lstrip("/"))
    home = PurePosixPath(place)
    fits = home.suffix in {".yaml", ".yml"} and len(home.parts) > 1 and "?" not in place
    if not fits or ".." in home.parts or not globs.matches(place, [pattern]):
        words = f"names no place for a pipeline.yaml: {pattern}"
        hint = f"a pattern such as {project.DEFAULT_PIPELINES[0]}"
        wrong.append(errors.Diagnostic("--pipelines", 0, 0, words, hint))
    if wrong:
        raise errors.Rejected(wrong)
    return home


def _place(path: Path, home: PurePosixPath) -> str:
    """Where a file of the scaffold goes in the repository."""
    first, *rest = path.parts
    if first == "pipeline":
        return (
            home.as_posix() if rest == ["pipeline.yaml"] else home.parent.joinpath(*rest).as_posix()
        )
    return PurePosixPath(_FOLDERS.get(first, first), *rest).as_posix()


def place(folder: Path, name: str, pattern: str) -> Iterator[Placed]:
    """Write the scaffold into `folder`, file by file. Stalled: a file cannot be written."""
    there = (folder / project.FILE).is_file()
    wanted = files(name, pattern, pipeline=not there and not _pipelines(folder, pattern))
    owners = next((path for path in _OWNERS if os.path.lexists(folder / path)), None)
    for path, text in wanted.items():
        if owners is not None and path in _OWNERS:
            yield Placed(owners, created=False)
        else:
            yield Placed(path, created=_write(folder, path, text))


def _pipelines(folder: Path, pattern: str) -> bool:
    """Whether a file of the folder is a pipeline already."""
    if not folder.is_dir():
        return False
    read = documents.Documents(tree.opened(folder))
    return bool(read.pipelines(tree.NO_COMMIT, [pattern]).files)


def _write(folder: Path, path: str, text: str) -> bool:
    """Write a new file, folders and all; False where there is something."""
    to = folder / path
    above = [parent for parent in to.parents if parent.is_relative_to(folder) and parent != folder]
    if any(parent.is_symlink() for parent in above):
        raise errors.Stalled(f"{path}: a symbolic link is on the way", hint="take it away first")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        if not to.parent.is_dir():
            raise errors.Stalled(f"{to.parent} is not a folder") from None
        return False
    except OSError as error:
        raise errors.Stalled(f"{path} cannot be written: {error.strerror}") from error
    return True
