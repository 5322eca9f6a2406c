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
        self._spare: list[tuple[str, int]] = []

    def open(self, path: str) -> int:
        """Give an empty file at `path` to write to; what was there is gone. Raises OSError."""
        if path == os.devnull:
            return os.open(path, os.O_RDWR)
        while self._spare:
            last, file = self._spare.pop()
            with contextlib.suppress(FileNotFoundError):
                if not os.fstat(file).st_size:
                    os.rename(last, path)  # noqa: PTH104 - text is faster, and every step passes
                    return file
            os.close(file)
        return os.open(path, _FLAGS, 0o600)

    def close(self, path: str, file: int) -> None:
        """Take a file back from a step that is over; a word may still be added to it by its path."""
        if path == os.devnull:
            os.close(file)
        else:
            self._spare.append((path, file))

    def end(self) -> None:
        """Close what is open; no step runs any more."""
        while self._spare:
            os.close(self._spare.pop()[1])
