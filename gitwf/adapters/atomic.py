"""Files that appear whole: written beside their place, and put there in one step.

Whoever reads the place gets what was there before or all of what is there now, whichever processes
write it at once and whenever one of them is killed.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = False, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of `path` when the block ends well.

    `durable`: what was written survives a machine that stops. `mode`: its permissions, less the
    umask.
    """
    fresh = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(fresh, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def sync(path: Path) -> None:
    """Make a file durable, or the names in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
