"""The error tree: what is wrong, where, what to try, and what the loop does next.

    GitwfError
    ├── Rejected    the documents are wrong; carries diagnostics        exit code 2
    ├── Stalled     nothing to do until a person changes something      exit code 1
    │   ├── DigestMismatch   the bytes are not the bytes recorded
    │   └── Unreadable       the remote lets itself not be read: its address, credentials
    └── Transient   the world failed, not the person; try again         exit code 1
        └── RaceLost    somebody else wrote first; plan anew

The reconcile loop looks only at these three branches, never at a library's exception: adapters
translate at their border and chain the cause. A message never holds a secret; `redact` is the one
gate that text from outside passes through. Read next: `gitwf.text` for how diagnostics are made.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One mistake at one place; lines and columns count from 1, 0 means the whole file.

    Two diagnostics are equal when a person would read the same line twice.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = "error"

    @property
    def is_error(self) -> bool:
        """Whether it refuses the document; a warning does not."""
        return self.severity == "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        prefix = "warning: " if self.severity == "warning" else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {prefix}{self.message}{hint}"


class GitwfError(Exception):
    """The root: anything gitwf raises on purpose.

    `message` says what is wrong and where, `hint` what to try. `exit_code` is the process's.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Rejected(GitwfError):
    """The documents are wrong. Holds every diagnostic found, in file order."""

    exit_code = 2

    def __init__(self, diagnostics: Iterable[Diagnostic], *, hint: str = "") -> None:
        self.diagnostics: Sequence[Diagnostic] = tuple(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)), hint=hint)


class Stalled(GitwfError):
    """Nothing to do until a person changes something: a declined push, a lost ledger."""


class DigestMismatch(Stalled):
    """The bytes of an object are not the bytes recorded. `expected` and `found` are digests."""

    def __init__(self, what: str, expected: str, found: str, *, hint: str = "") -> None:
        super().__init__(f"{what} holds {found}, not the recorded {expected}", hint=hint)
        self.expected = expected
        self.found = found


class Unreadable(Stalled):
    """The remote cannot be read: it is not there, or not for these credentials."""


def of_the_machine(error: OSError, file: object = "") -> Stalled:
    """What the system says of a file: a full disk, a folder that may not be written to."""
    said = error.strerror or str(error)
    named = file or error.filename
    hint = "check who owns it, what is there, and whether its disk has space left"
    return Stalled(f"{named}: {said}" if named else said, hint=hint)


class Transient(GitwfError):
    """The world failed; the same call may succeed later. `retry_after` is in seconds."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class RaceLost(Transient):
    """Another writer was first. The loser reads again and plans anew; it never re-applies."""


_CREDENTIALS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/@\s]+@", re.IGNORECASE)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without credentials in URLs and without any of `secrets`."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _CREDENTIALS.sub(r"\g<scheme>***@", text)
