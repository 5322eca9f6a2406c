"""HTTP/1.1 messages as the front passes them on: heads parsed, bodies copied as they come.

The front must know where one message ends and the next begins, because a connection that stays open
over a rollout sends its next request to another viewer. It needs no more than that: no decoding, no
compression, no memory of a whole body. A message whose end cannot be told for certain (two
lengths, a length beside chunks) is refused as `Malformed`. Source: RFC 9112, sections 2 to 7.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

# The end of a body: after so many bytes, after the last chunk, or where the connection ends.
Extent: TypeAlias = int | Literal["chunked", "close"]

LIMIT = 256 * 1024
_PIECE = 64 * 1024
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "expect"})


class Malformed(Exception):
    """The peer sent something that is not a message of HTTP/1.1."""


@dataclass(frozen=True)
class Head:
    """The first line and the fields of a message, in order."""

    line: str
    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The values of a field, joined by commas; empty when it is not there."""
        return ", ".join(value for key, value in self.fields if key.lower() == name)

    def names(self, name: str, token: str) -> bool:
        """Whether the comma-separated field `name` lists `token`."""
        return token in (part.strip().lower() for part in self.get(name).split(","))

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.line.split(" ", 1)[0]

    @property
    def path(self) -> str:
        """What a request asks for, without the query."""
        return self.line.split(" ")[1].split("?", 1)[0]

    @property
    def status(self) -> int:
        """The status code of a response."""
        code = self.line.split(" ")[1]
        if not (code.isascii() and code.isdigit()):
            raise Malformed(f"not the first line of a response: {self.line[:80]!r}")
        return int(code)

    @property
    def upgrades(self) -> bool:
        """Whether a request asks for a WebSocket."""
        return self.names("connection", "upgrade") and self.names("upgrade", "websocket")

    @property
    def persists(self) -> bool:
        """Whether the sender keeps the connection for another message."""
        if self.line.endswith("HTTP/1.0") or self.line.startswith("HTTP/1.0"):
            return self.names("connection", "keep-alive")
        return not self.names("connection", "close")

    def last(self) -> Self:
        """The same request as one that its sender sends no other after, unless it upgrades."""
        if self.upgrades:
            return self
        kept = tuple(one for one in self.fields if one[0].lower() != "connection")
        return replace(self, fields=(*kept, ("Connection", "close")))

    def passed_on(self, connection: str) -> bytes:
        """The head as bytes, with one `Connection` field of our own."""
        kept = [(name, value) for name, value in self.fields if name.lower() not in _HOP_BY_HOP]
        return encode(self.line, [*kept, ("Connection", connection)])


def encode(line: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Render a head."""
    lines = [line, *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read up to the empty line; None when the peer ended the connection before a message."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial.strip():
            raise Malformed("the connection ended inside a message's head") from ended
        return None
    except asyncio.LimitOverrunError as too_long:
        raise Malformed("a message's head is too long") from too_long
    line, *rest = raw.decode("latin-1").lstrip("\r\n").rstrip("\r\n").split("\r\n")
    if len(line.split(" ")) < 2:  # noqa: PLR2004  "HTTP/1.1 200", "GET / HTTP/1.1"
        raise Malformed(f"not the first line of a message: {line[:80]!r}")
    fields = []
    for text in rest:
        name, colon, value = text.partition(":")
        if not colon or name != name.strip() or not name:
            raise Malformed(f"not a field of a message: {text[:80]!r}")
        fields.append((name, value.strip()))
    return Head(line, tuple(fields))


def request_extent(head: Head) -> Extent:
    """Tell where a request's body ends."""
    extent = _declared(head)
    return 0 if extent == "close" else extent


def response_extent(head: Head, method: str) -> Extent:
    """Tell where the body of the response to a `method` request ends."""
    bodiless = method == "HEAD" or head.status in {204, 304}
    return 0 if bodiless else _declared(head)


def _declared(head: Head) -> Extent:
    coding, length = head.get("transfer-encoding"), head.get("content-length")
    if coding and length:
        raise Malformed("a message has both a length and a transfer coding")
    if coding:
        if coding.lower() != "chunked":
            raise Malformed(f"unknown transfer coding {coding[:40]!r}")
        return "chunked"
    if not length:
        return "close"
    if not (length.isascii() and length.isdigit()):
        raise Malformed(f"not a length: {length[:40]!r}")
    return int(length)


async def copy_body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, extent: Extent
) -> None:
    """Copy a body to its end. Raises IncompleteReadError when the sender stops before it."""
    if extent == "chunked":
        await _copy_chunks(reader, writer)
    elif extent == "close":
        await copy_until_closed(reader, writer)
    else:
        await _copy_bytes(reader, writer, extent)


async def copy_until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the sender ends the connection."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


async def _copy_bytes(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int
) -> None:
    while left:
        piece = await reader.read(min(left, _PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        line = await _line(reader)
        writer.write(line)
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError as wrong:
            raise Malformed("a chunk without a size") from wrong
        if size == 0:
            break
        await _copy_bytes(reader, writer, size + len(b"\r\n"))
    while (line := await _line(reader)) != b"\r\n":
        writer.write(line)
    writer.write(line)
    await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError as too_long:
        raise Malformed("a line inside a body is too long") from too_long
