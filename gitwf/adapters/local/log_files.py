"""The files that steps write to: one for each, open while its step runs.

A file that stayed empty becomes the next step's by a new name. To make a file takes a file system
longer than a short step runs, up to a millisecond where many were removed lately; to rename one
does not. A step that wrote nothing so leaves no file, which reads as no lines.
"""

import contextlib
import os

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class LogFiles:
    """The logs of one run's steps. Used by one thread."""

    def __init__(self) -> None:
        self._spare: tuple[str, int] | None = None

    def open(self, path: str) -> int:
        """Give an empty file at `path` to write to; what was there is gone. Raises OSError."""
        if path == os.devnull:
            return os.open(path, os.O_RDWR)
        if self._spare is not None:
            (last, file), self._spare = self._spare, None
            with contextlib.suppress(FileNotFoundError):
                if not os.fstat(file).st_size:
                    os.rename(last, path)  # noqa: PTH104 - text is faster, and every step passes
                    return file
            os.close(file)
        return os.open(path, _FLAGS, 0o600)

    def close(self, path: str, file: int) -> None:
        """Take a file back from a step that is over; a word may still be added to it by its path."""
        if self._spare is None and path != os.devnull:
            self._spare = path, file
        else:
            os.close(file)

    def end(self) -> None:
        """Close what is open; no step runs any more."""
        if self._spare is not None:
            os.close(self._spare[1])
            self._spare = None
