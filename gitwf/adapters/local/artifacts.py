"""Artifacts of a run: kept unpacked under the run's folder, by node and name.

What a step made is moved in as `packing` leaves it, made durable before its end is recorded, and
never changed after; a step that reads one gets a copy, because it may write to what it was given.
What a document puts at a key, and reads from one, is noted beside: the run is the repository of its
own keys.
"""

import dataclasses
import hashlib
import json
import operator
import os
import shutil
from pathlib import Path

from gitwf.adapters import atomic
from gitwf.adapters.local import copying, folder, packing
from gitwf.errors import Stalled
from gitwf.values import Digest
from gitwf.workflow import record

_RAW = 0o666  # Argo's executor makes files for everybody.


def keep(made: Path, kept: Path) -> None:
    """Move an output into the run's store, durably. An earlier attempt's leftover is replaced."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    if kept.is_dir():
        shutil.rmtree(kept)
    made.replace(kept)
    for path in [kept, *(kept.rglob("*") if kept.is_dir() else ())]:
        if path.is_file() and not path.is_symlink():
            atomic.sync(path)
    atomic.sync(kept.parent)


def keep_text(text: bytes, kept: Path) -> None:
    """Keep a text that no step has put out as a file of its own, durably."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(text)
    kept.chmod(packing.STORE_FILE)
    atomic.sync(kept)
    atomic.sync(kept.parent)


class Missing(Stalled):
    """There is nothing where an artifact should be."""


class Unreadable(Stalled):
    """There is an artifact that nobody can unpack."""


def note(run: folder.RunFolder, key: str, put: record.ArtifactLocation) -> None:
    """Remember that an output of a node was put at a key."""
    plain = _plain(key)
    noted = run.keyed(plain)
    noted.parent.mkdir(exist_ok=True)
    noted.write_text(json.dumps([plain, vars(put)]), "utf-8")
    atomic.sync(noted)


def at_key(
    run: folder.RunFolder, location: record.ArtifactLocation
) -> dict[str, record.ArtifactLocation]:
    """Find what was put at a key, by its path below the key: itself ("") or all that is below.

    A key can also lie in a folder that was put at one above it.
    """
    key = _plain(f"{location.key}/{location.sub_path}")
    whole = Path(key)
    for above in (whole, *whole.parents[:-1]):
        noted = run.keyed(str(above))
        if noted.exists():
            _, put = _read(noted)
            below = whole.relative_to(above).parts
            return {"": dataclasses.replace(put, sub_path="/".join(below))}
    notes = [_read(noted) for noted in run.keys.iterdir()] if run.keys.exists() else []
    return {
        at.removeprefix(f"{key}/"): put
        for at, put in sorted(notes, key=operator.itemgetter(0))
        if at.startswith(f"{key}/")
    }


def _read(noted: Path) -> tuple[str, record.ArtifactLocation]:
    try:
        at, put = json.loads(noted.read_text("utf-8"))
        return at, record.ArtifactLocation(**put)
    except (TypeError, ValueError) as error:
        what = "what this run has put at keys was noted by another version of gitwf"
        raise Stalled(f"{what}: begin a new run") from error


def _plain(key: str) -> str:
    return "/".join(part for part in key.split("/") if part not in ("", "."))


def find(run: folder.RunFolder, location: record.ArtifactLocation) -> Path:
    """Where a kept artifact is, `sub_path` followed but never out of it.

    Raises Missing, Unreadable.
    """
    kept = run.artifact(location.node, location.name)
    if not kept.exists():
        raise Stalled(f"the artifact {location.name!r} of {location.node} is not there")
    if location.sub_path and location.packed:
        raise Missing(f"the artifact {location.name!r} is packed, so nothing lies below it")
    if location.unread:
        raise Unreadable(location.unread)
    if not location.packed and kept.is_dir() and not any(kept.iterdir()):
        raise Missing(f"the artifact {location.name!r} is a folder with no file in it")
    return inside(kept, location.sub_path)


def inside(root: Path, sub_path: str) -> Path:
    """Give the file or folder at `sub_path` below `root`. Raises Missing where there is none."""
    found = (root / sub_path.lstrip("/")).resolve()
    if not found.is_relative_to(root.resolve()) or not found.exists():
        raise Missing(f"the artifact holds no {sub_path!r}")
    return found


def give(run: folder.RunFolder, location: record.ArtifactLocation, to: Path) -> None:
    """Make a step's own copy of an artifact as the file or folder `to`.

    Raises Missing, Unreadable.
    """
    if location.raw is not None:
        to.write_text(location.raw, "utf-8")
        to.chmod(_RAW)
        return
    found = at_key(run, location) if location.key else {"": location}
    if not found:
        raise Missing(f"no step of this run has put an artifact at the key {location.key!r}")
    for below, one in found.items():
        (to / below).parent.mkdir(parents=True, exist_ok=True)
        copy(find(run, one), to / below)


def set_mode(path: Path, mode: int, *, recurse: bool) -> None:
    """Set the permissions of a file or folder, with `recurse` of all that is in it too."""
    # What is inside first: a folder's own mode may close it.
    inside = sorted(path.rglob("*"), reverse=True) if recurse and path.is_dir() else []
    for one in (*inside, path):
        if not one.is_symlink():
            one.chmod(mode)


def copy(source: Path, to: Path) -> None:
    """Copy a file or folder as `to`; its parent must be there."""
    parent = os.open(to.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        copying.copy(str(source), parent, to.name)
    finally:
        os.close(parent)


def copy_file(source: Path, to: Path) -> Digest:
    """Copy one file to `to`, atomically, and digest what was copied."""
    if not source.is_file():
        raise Stalled(f"the artifact {source.name!r} is a folder, not one file")
    digest = hashlib.sha256()
    with source.open("rb") as given, atomic.replacing(to, durable=True) as made:
        while chunk := given.read(1 << 20):
            digest.update(chunk)
            made.write(chunk)
    return Digest("sha256:" + digest.hexdigest())
