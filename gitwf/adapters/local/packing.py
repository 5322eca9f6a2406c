"""What an output artifact comes back as, once Argo has packed, stored and unpacked it.

Nothing is packed here, but a step must not see more than it would on Argo: a tar keeps the modes of
files alone, a zip keeps no modes, links and empty folders, and an object of a store is content and
nothing else. What cannot be unpacked there is an error here: of the reader for a tar, of the writer
where the executor unpacks its own tar before it stores anything else (Argo: workflow/executor/
executor.go, stageArchiveFile, untar, unzip; util/archive; workflow/artifacts/s3).
"""

import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path

from gitwf.workflow.document import parameters

_STAGED = "/tmp/argo/outputs/artifacts"  # noqa: S108 - where Argo's executor puts what it will store
_TAR_FOLDER, _ZIP_FOLDER, _ZIP_FILE = 0o755, 0o755, 0o666
_STORE_FOLDER, STORE_FILE = 0o700, 0o600  # As the store's client makes what it fetches.
_HERE = "/-"  # Stands for the folder that an archive is unpacked in.


class Unstaged(Exception):
    """An output that the executor cannot store."""


class Absent(Unstaged):
    """An output that the executor does not find, which may be optional."""


def pack(made: Path, artifact: parameters.Artifact, mirrored: str) -> str:
    """Leave of an output what its archive leaves of it; say why nobody can unpack that, or "".

    `mirrored` is where the wait container finds it itself, in a volume; "" where it gets a tar.
    Raises Unstaged.
    """
    archive = artifact.archive or parameters.Archive()
    base = posixpath.basename(posixpath.normpath(artifact.path))
    leads_out = _leads_out(made, base) if made.is_dir() else ""
    if archive.none is None and archive.zip is None:
        _set_modes(made, folders=_TAR_FOLDER)
        return leads_out
    if leads_out and not mirrored:
        raise Unstaged(leads_out)
    if archive.none is not None:
        _set_modes(made, folders=_STORE_FOLDER, files=STORE_FILE)
        _drop(made)
    elif made.is_file():
        _zip_file(made, artifact.name, base, mirrored)
    else:
        _set_modes(made, folders=_ZIP_FOLDER, files=_ZIP_FILE)
        _drop(made, emptied=True)
    return ""


def _zip_file(made: Path, name: str, base: str, mirrored: str) -> None:
    """A zip holds a file under its whole path, and is unpacked as the folder at its root.

    The executor looks for the file under the name of the artifact, but has renamed it by then.
    """
    if not mirrored and name != base:
        raise Absent(f"stat {_STAGED}/{name}: no such file or directory")
    made.chmod(_ZIP_FILE)
    content = made.rename(made.with_name(f"{made.name}.zipped"))
    below = made.joinpath(*(mirrored or f"{_STAGED}/{base}").split("/")[2:])
    below.parent.mkdir(parents=True)
    content.rename(below)


def _leads_out(made: Path, base: str) -> str:
    """Say which link of a folder leads out of what an archive of it holds, the first by name."""
    for link in _links(made):
        name, to = f"{base}/{link.relative_to(made)}", str(link.readlink())
        target = posixpath.normpath(posixpath.join(_HERE, posixpath.dirname(name), to))
        if not target.startswith(f"{_HERE}/"):
            return f"illegal symlink target: {name} -> {to}"
    return ""


def _links(made: Path) -> list[Path]:
    return sorted(path for path, mode in _walk(made) if stat.S_ISLNK(mode))


def _walk(root: Path) -> Iterator[tuple[Path, int]]:
    """Give what is in a folder with its mode, whatever is in a folder before the folder."""
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            path = Path(folder, name)
            yield path, path.lstat().st_mode


def _drop(made: Path, *, emptied: bool = False) -> None:
    """Take away links, of which empty files stay if `emptied`, then folders without a file."""
    for path, mode in _walk(made):
        if stat.S_ISLNK(mode):
            path.unlink()
            if emptied:
                path.touch()
                path.chmod(_ZIP_FILE)
        elif stat.S_ISDIR(mode) and not any(path.iterdir()):
            path.rmdir()


def _set_modes(made: Path, *, folders: int, files: int | None = None) -> None:
    """Set the modes of all folders, and of the files with `files`."""
    for path, mode in (*_walk(made), (made, made.lstat().st_mode)):
        wanted = folders if stat.S_ISDIR(mode) else files
        if wanted is not None and not stat.S_ISLNK(mode) and stat.S_IMODE(mode) != wanted:
            path.chmod(wanted)
