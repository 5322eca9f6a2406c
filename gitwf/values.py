"""Small values that cross module borders: ids, digests, instants, paths.

Each is frozen, hashable and checked when it is made, so that a commit id is never mistaken for a
digest and a reader of a signature knows what is meant. Ids are `str` underneath: they go into JSON
and Git as they are. Time is a value too: the core never reads a clock, it is told an `Instant`.
"""

import datetime as dt
import functools
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from typing import Self

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UTC = "+00:00"


class _Text(str):
    """A checked string; a subclass names its pattern and what a person calls it."""

    __slots__ = ()
    pattern = re.compile(r".+", re.DOTALL)
    called = "text"

    def __new__(cls, text: str) -> Self:
        if not cls.pattern.fullmatch(text):
            raise ValueError(f"not a {cls.called}: {text!r}")
        return super().__new__(cls, text)


class CommitId(_Text):
    """The full id of a Git commit."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
    called = "commit id"

    @property
    def short(self) -> str:
        """The eight characters people read."""
        return self[:8]


class ObjectId(CommitId):
    """The full id of any Git object: what makes two inputs equal."""

    __slots__ = ()
    called = "Git object id"


class Digest(_Text):
    """The sha256 of some bytes, as `sha256:<hex>`."""

    __slots__ = ()
    pattern = re.compile(r"sha256:[0-9a-f]{64}")
    called = "digest (sha256:<64 hex digits>)"

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Digest `content`."""
        return cls("sha256:" + hashlib.sha256(content).hexdigest())

    @property
    def hex(self) -> str:
        """The 64 digits without the algorithm's name."""
        return self.removeprefix("sha256:")


class RunKey(_Text):
    """What a run is a function of, hashed: see `gitwf.delivery.keys`."""

    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{64}")
    called = "run key"

    @property
    def short(self) -> str:
        """The twelve characters people read."""
        return self[:12]


@dataclass(frozen=True, order=True)
class Instant:
    """A moment in UTC, in whole microseconds since 1970: exact, ordered, hashable."""

    microseconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read RFC 3339. Raises ValueError on anything else or without a zone."""
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {text!r}")
        delta = moment - _EPOCH
        return cls(delta // dt.timedelta(microseconds=1))

    @classmethod
    def of_seconds(cls, seconds: float) -> Self:
        """Make one from a clock's seconds since 1970."""
        return cls(round(seconds * 1_000_000))

    @property
    def seconds(self) -> float:
        """Seconds since 1970."""
        return self.microseconds / 1_000_000

    def datetime(self) -> dt.datetime:
        """The same moment as an aware datetime in UTC."""
        return _EPOCH + dt.timedelta(microseconds=self.microseconds)

    def rfc3339(self) -> str:
        """Whole seconds, as Kubernetes and the ledger write them: 2026-11-23T03:12:09Z."""
        return _rfc3339(self.microseconds // 1_000_000)

    def precise(self) -> str:
        """RFC 3339 with microseconds: reads back to the same instant."""
        return self.datetime().isoformat(timespec="microseconds").removesuffix(_UTC) + "Z"

    def after(self, seconds: float) -> Self:
        """The instant `seconds` later."""
        return type(self)(self.microseconds + round(seconds * 1_000_000))

    def since(self, earlier: "Instant") -> float:
        """Seconds from `earlier` to this."""
        return (self.microseconds - earlier.microseconds) / 1_000_000


@functools.lru_cache(maxsize=128)
def _rfc3339(seconds: int) -> str:
    """Write a second; many events fall into one."""
    return (_EPOCH + dt.timedelta(seconds=seconds)).isoformat().removesuffix(_UTC) + "Z"


def canonical(value: object) -> str:
    """Render JSON with one spelling for a value: sorted keys, no blanks, no escapes but JSON's."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def inside(path: str) -> str:
    """Normalise a path relative to the repository's root; ValueError where it leads out of it."""
    normal = posixpath.normpath(path.lstrip("/") or ".")
    if normal == ".." or normal.startswith("../") or "\0" in normal:
        raise ValueError(f"the path {path!r} leads out of the repository")
    return normal
