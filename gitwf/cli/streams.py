"""Standard output and error: open and fit for any text from the start, given up when unread.

A reader may leave before all is said, as `head` does; whatever was being done goes on without one.
Every command loads this, so that it loads nothing but what Python has loaded by then.
"""

import io
import os
import sys
from typing import IO


def ready() -> None:
    """Have somewhere to print to, and print whatever comes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # Closed by who called, and the next file opened would get its number.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            # What the terminal's letters do not hold shows as its escape.
            stream.reconfigure(errors="backslashreplace")


def unread(stream: IO[str]) -> None:
    """Have what is still written to a stream that nobody reads go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
