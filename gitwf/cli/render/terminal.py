"""Where output goes: a console whose reader may leave, and which no text from outside steers.

A step's log, a parameter or a message may hold anything, a terminal's commands included: to clear
the screen, to set the window's title, to write over what was said. What a terminal is shown holds
none of them. A log keeps its colours, which end with its line.
"""

import re

import rich.console

from gitwf.cli import streams

# Control characters, and those that turn the direction of what is written.
_STEERING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLOUR = re.compile(r"(\x1b\[[0-9;:]*m)")
_PLAIN = "\x1b[0m"


class Console(rich.console.Console):
    """A console that says when nobody reads it any more."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError, once."""
        self.quiet = True
        streams.unread(self.file)
        raise BrokenPipeError


def harmless(text: str) -> str:
    """Give text as one line in which control characters stand as their escapes."""
    return text if text.isprintable() else _STEERING.sub(_escape, text)


def coloured(line: str) -> str:
    """Give a line of a log for a terminal: with its colours, and nothing else that steers it.

    Of a line that was written over, as a progress bar is, the end counts.
    """
    if line.isprintable():
        return line
    last = line.rstrip("\r").rpartition("\r")[2]
    parts = _COLOUR.split(last)
    parts[::2] = map(harmless, parts[::2])
    return "".join(parts) + (_PLAIN if len(parts) > 1 else "")


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
