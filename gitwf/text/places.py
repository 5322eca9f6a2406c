"""Places in a text: from a character's offset to the line and column that a person's editor shows.

libyaml counts more characters as line ends than editors do, so its own line numbers are not used.
"""

import bisect
from dataclasses import dataclass

from gitwf.errors import Diagnostic


@dataclass(frozen=True, order=True)
class Place:
    """A line and a column, both from 1."""

    line: int
    column: int


class Lines:
    """The lines of one text. Only a line feed ends a line, as in editors."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._starts = [0]
        offset = text.find("\n")
        while offset >= 0:
            self._starts.append(offset + 1)
            offset = text.find("\n", offset + 1)

    def place(self, offset: int) -> Place:
        """Say where the character at `offset` stands."""
        line = bisect.bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)

    def diagnostic(self, offset: int, message: str, hint: str = "") -> Diagnostic:
        """Name a mistake at `offset`."""
        place = self.place(offset)
        return Diagnostic(self.file, place.line, place.column, message, hint)
