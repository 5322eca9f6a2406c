"""What is built once and kept: a user's cache folder, entries named by the content they come from.

A fresh checkout on the same machine finds them there. An entry appears whole or not at all, one
process at a time makes it, and what nobody used for a month goes.
"""

import contextlib
import hashlib
import os
import pathlib
import shutil
import time

import filelock

UNUSED_AFTER = 30 * 24 * 3600  # seconds


def folder():
    """The folder of everything that the tests keep between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    place = pathlib.Path(base) / "gitwf-tests"
    place.mkdir(parents=True, exist_ok=True)
    return place


def key(*parts):
    """16 hex digits that stand for texts and for the bytes of files, names of files included."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()
        name = part.name if isinstance(part, pathlib.Path) else ""
        digest.update(f"{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:16]


def made_once(name, content, make):
    """The folder `name` for this `content`; `make(folder)` fills it where it is missing."""
    place = folder() / f"{name}-{content}"
    with filelock.FileLock(folder() / f"{name}.lock"):
        if not place.exists():
            unfinished = folder() / f"{name}-{content}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(place)
        os.utime(place)
        _forget_unused(name)
    return place


def _forget_unused(name):
    """Remove the entries of `name` that were not used for a month."""
    length = len(key())
    for old in folder().glob(f"{name}-" + "[0-9a-f]" * length):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > UNUSED_AFTER:
                shutil.rmtree(old)
