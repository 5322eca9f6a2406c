"""Where a remote is: a folder, a `file://` address, or a Git server, without its password.

The one idea: credentials are taken out of the address as soon as it is read, so that no message,
no log and no cache on disk can ever show them. Read next: `gitwf.adapters.git.credentials`.
"""

import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gitwf.errors import Stalled, redact

_SCP_LIKE = re.compile(r"(?:(?P<user>[^/@:]+)@)?(?P<host>[^/@:]+):(?!//)(?P<path>.+)", re.DOTALL)
_SCHEMES = ("http", "https", "ssh", "git")


@dataclass(frozen=True)
class Address:
    """A remote's place. `path` is set for a folder and for `file://`; `url` holds no password.

    `username` and `password` are those that stood in the address, or "". A user name without a
    password may be a token, as GitHub takes it, and is kept as secret as one.
    """

    url: str
    path: Path | None = None
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        """The server's name, or "" for a folder."""
        if self.path is not None:
            return ""
        if "://" in self.url:
            return urllib.parse.urlsplit(self.url).hostname or ""
        match = _SCP_LIKE.fullmatch(self.url)
        return match["host"] if match else ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown of the address as it was given."""
        secret = self.password or (self.username if self.url.startswith("http") else "")
        return (secret,) if secret else ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as `git clone` takes it. Stalled when its scheme is not supported."""
        scheme, found, rest = text.partition("://")
        if not found:
            if _SCP_LIKE.fullmatch(text) and not Path(text).exists():
                return cls(text, username=text.partition("@")[0] if "@" in text else "")
            path = Path(text).expanduser().absolute()
            return cls(str(path), path)
        if scheme == "file":
            path = Path(urllib.parse.unquote("/" + rest.partition("/")[2]))
            return cls(text, path)
        if scheme not in _SCHEMES:
            raise Stalled(
                f"the remote {redact(text)} is not one that gitwf can reach",
                hint="use a folder, file://, https:// or ssh://",
            )
        return cls._of_server(text)

    @classmethod
    def _of_server(cls, text: str) -> Self:
        parts = urllib.parse.urlsplit(text)
        username = urllib.parse.unquote(parts.username or "")
        password = urllib.parse.unquote(parts.password or "")
        netloc = parts.netloc.rpartition("@")[2]
        if parts.scheme == "ssh" and parts.username:
            netloc = f"{parts.username}@{netloc}"
        return cls(parts._replace(netloc=netloc).geturl(), None, username, password)
