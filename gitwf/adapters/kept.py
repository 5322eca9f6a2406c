"""A file for what can be worked out again, and is kept because that takes long.

Whoever reads it gets what this very gitwf wrote last, whole, or nothing: a file that is damaged, or
was left by another version, is as good as none, and so is one that cannot be written. It appears in
one step, so that processes that run side by side never read half of it.
"""

import contextlib
import functools
import hashlib
import os
from pathlib import Path

import gitwf
from gitwf.adapters import atomic


class KeptFile:
    """The file at `path`: implements `gitwf.ports.Kept`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """What was written last; see `ports.Kept`."""
        try:
            header, _, content = self._path.read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if header == _header(content) else None

    def write(self, content: bytes) -> None:
        """Keep this instead; see `ports.Kept`."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(self._path) as file:
                file.write(_header(content) + b"\n" + content)


def _header(content: bytes) -> bytes:
    return f"{_this_gitwf()} {hashlib.sha256(content).hexdigest()}".encode()


@functools.cache
def _this_gitwf() -> str:
    """What tells this gitwf from another, one that somebody works on included."""
    package = Path(gitwf.__file__).parent
    sources = [
        (entry.path, entry.stat().st_size, entry.stat().st_mtime_ns)
        for folder, _, _ in os.walk(package)
        for entry in os.scandir(folder)
        if entry.name.endswith(".py")
    ]
    shown = f"{gitwf.__version__} {sorted(sources)}"
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
