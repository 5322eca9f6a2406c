"""The files that steps write to: one for each, open while its step runs.

To make a file takes a file system longer than a short step runs, up to a millisecond where many
were removed lately; to rename one takes a good deal of what is left between two steps. So a step is
given an empty file that lies ready, which gets the step's name when the step runs already. A file
that stayed empty is kept for a later step when there is time. A step that wrote nothing so leaves
no file, which reads as no lines.
"""

import contextlib
import os
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class LogFiles:
    """The logs of one run's steps, for one thread. `ready`: the folder of those without a name."""

    def __init__(self, ready: Path) -> None:
        self._root = str(ready)
        self._made = 0
        self._ready: list[tuple[str, int]] = []
        self._nameless: dict[int, str] = {}
        self._used: list[tuple[str, int]] = []

    def open(self) -> int:
        """Give an empty file to write to. Raises OSError."""
        if self._ready:
            name, file = self._ready.pop()
        else:
            name = self._fresh()
            file = os.open(name, _FLAGS, 0o600)
        self._nameless[file] = name
        return file

    def _fresh(self) -> str:
        self._made += 1
        return f"{self._root}/log-{self._made}"

    def name(self, file: int, path: str) -> None:
        """Put an open file at `path`; what was there is gone. Raises OSError."""
        os.rename(self._nameless.pop(file), path)  # noqa: PTH104 - text is faster; every step passes

    def close(self, path: str, file: int) -> None:
        """Take a file back from a step that is over; words may still be added to it by its path."""
        if file in self._nameless:  # The step did not start.
            path = self._nameless.pop(file)
        self._used.append((path, file))

    def tidy(self) -> None:
        """Keep what stayed empty, and close the rest."""
        while self._used:
            path, file = self._used.pop()
            if os.fstat(file).st_size:
                os.close(file)
                continue
            name = self._fresh()
            try:
                os.rename(path, name)  # noqa: PTH104 - as above
            except FileNotFoundError:
                os.close(file)
            else:
                self._ready.append((name, file))

    def end(self) -> None:
        """Close what is open and remove what was never written to; no step runs any more."""
        self.tidy()
        while self._ready:
            name, file = self._ready.pop()
            os.close(file)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - as above
