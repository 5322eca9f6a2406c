"""The files that steps write to: one for each, open while its step runs.

To make a file takes a file system longer than a short step runs, up to a millisecond where many
were removed lately, and to rename one takes a good deal of what is left between two steps. So a
step is given an empty file that lies ready, which gets the step's name when somebody could miss it:
once the step has run for a while, or is over and wrote something. A file that stayed empty serves a
later step. A step that wrote nothing so leaves no file, which reads as no lines.
"""

import contextlib
import os
from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class LogFiles:
    """The logs of one run's steps in a folder. Used by one thread.

    `ready`: the folder of those without a name.
    """

    def __init__(self, logs: Path, ready: Path) -> None:
        self._there = {str(path) for path in logs.glob("*")}
        self._root = str(ready)
        self._made = 0
        self._ready: list[tuple[str, int]] = []
        self._nameless: dict[int, tuple[str, str]] = {}
        self._used: list[int] = []

    def open(self, path: str) -> int:
        """Give an empty file for what will be read at `path`, where nothing is any more.

        Without a `path` nobody reads it. Raises OSError.
        """
        if not path:
            return os.open(os.devnull, _FLAGS)
        if path in self._there:
            self._there.remove(path)
            Path(path).unlink(missing_ok=True)
        if self._ready:
            name, file = self._ready.pop()
        else:
            self._made += 1
            name = f"{self._root}/log-{self._made}"
            file = os.open(name, _FLAGS, 0o600)
        self._nameless[file] = name, path
        return file

    def show(self, file: int) -> None:
        """Have what is in an open file read at its path from now on. Raises OSError."""
        if file in self._nameless:
            name, path = self._nameless.pop(file)
            os.rename(name, path)  # noqa: PTH104 - text is faster than paths
            self._there.add(path)

    def close(self, file: int) -> None:
        """Take a file back from a step that is over, and show what is in it. Raises OSError."""
        if os.fstat(file).st_size:
            self.show(file)
        if file in self._nameless:
            name, _ = self._nameless.pop(file)
            self._ready.append((name, file))
        else:
            self._used.append(file)

    def tidy(self) -> None:
        """Close the files that serve no other step."""
        while self._used:
            os.close(self._used.pop())

    def end(self) -> None:
        """Close what is open and remove what was never written to; no step runs any more."""
        self.tidy()
        while self._ready:
            name, file = self._ready.pop()
            os.close(file)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - as above
