"""One client's connection: each request goes to the viewer that serves when the request begins.

So a connection that a browser keeps open over a rollout talks to the new viewer from its next
request on, and no response is ever cut. A WebSocket belongs to the viewer that accepted it until
either side closes it or the drain time is over. A viewer that is gone before it answered a request
that can be repeated costs nothing: the request waits for the next viewer. R-Shiny keeps files of a
session under `session/`: what only an old viewer knows is asked of the ones that drain.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from gitwf.adapters.viewer import running, wire

_WAIT_SECONDS = 20.0
_PAUSE_SECONDS = 0.05
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_GONE = (ConnectionError, asyncio.IncompleteReadError)

CONTROL = "/-/gitwf"

Answer = tuple[int, str, bytes]
"""Status code, content type and body of an answer that the front itself gives."""

_WORDS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
          413: "Content Too Large", 503: "Service Unavailable"}  # fmt: skip
_NO_VIEWER = (
    b"<!doctype html><title>No viewer yet</title><p>No viewer is ready yet. "
    b"This page asks again in five seconds."
    b"<script>setTimeout(() => location.reload(), 5000)</script>"
)


class Viewers(Protocol):
    """What the proxy needs of `rollouts.Rollouts`."""

    async def serving(self, seconds: float) -> running.Viewer | None:
        """The viewer for a request that begins now."""
        ...

    def draining(self) -> list[running.Viewer]:
        """Viewers that still finish what is open on them."""
        ...


Control = Callable[[wire.Head, asyncio.StreamReader, str], Awaitable[Answer]]


class Proxy:
    """Serves connections: `/-/gitwf` by `control`, everything else by a viewer."""

    def __init__(self, viewers: Viewers, control: Control) -> None:
        self._viewers = viewers
        self._control = control
        self._connections: set[asyncio.Task[None]] = set()
        self._leaving = False

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client from now on, in a task that is held until it ends."""
        task = asyncio.ensure_future(self._connection(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def drain(self, seconds: float) -> None:
        """End each connection after its next response; wait for that, `seconds` at most."""
        self._leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._connections:
                    await asyncio.wait(tuple(self._connections))

    async def close(self) -> None:
        """Break off every connection."""
        for task in (tasks := tuple(self._connections)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it or an error ends the connection."""
        try:
            while await self._exchange(reader, writer):
                pass
        except wire.Malformed as why:
            with contextlib.suppress(ConnectionError):
                await _answer(writer, (400, "text/plain", f"{why}\n".encode()), stays=False)
        except _GONE:
            pass  # The client left, or its viewer broke off: nothing more can be said here.
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection stays open for another."""
        request = await wire.read_head(reader)
        if request is None:
            return False
        if self._leaving:
            request = request.last()
        if request.path == CONTROL or request.path.startswith(CONTROL + "/"):
            peer = str(writer.get_extra_info("peername")[0])
            answer = await self._control(request, reader, peer)
            await _answer(writer, answer, stays=request.persists)
            return request.persists
        if "100-continue" in request.get("expect").lower():
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        stays = await self._served(request, reader, writer)
        if stays is None:
            await _answer(writer, (503, "text/html; charset=utf-8", _NO_VIEWER), stays=False)
        return bool(stays)

    async def _served(
        self, request: wire.Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool | None:
        """Let the viewers answer; whether the connection stays, or None when none could.

        Nothing was sent to a viewer that refuses the connection, so any request waits for the next
        one. One that was sent and not answered is repeated once, if it may be.
        """
        repeats = 1 if _repeatable(request) else 0
        deadline = time.monotonic() + _WAIT_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            viewer = await self._viewers.serving(left)
            if viewer is None:
                continue
            try:
                with viewer.use():
                    return await self._forward(request, viewer, reader, writer)
            except _Refused:
                await asyncio.sleep(_PAUSE_SECONDS)
            except _NoAnswer:
                if not repeats:
                    break
                repeats -= 1
        return None

    async def _forward(
        self,
        request: wire.Head,
        viewer: running.Viewer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Let one viewer answer. Raises _Refused or _NoAnswer before anything was passed back."""
        from_viewer, to_viewer = await _connected(viewer)
        try:
            response = await _asked(request, reader, from_viewer, to_viewer)
            if response.status == 101:  # noqa: PLR2004
                writer.write(response.passed_on("Upgrade"))
                await _join(reader, writer, from_viewer, to_viewer)
                return False
            if response.status == 404 and await self._answered_by_old(request, writer):  # noqa: PLR2004
                return request.persists
            return await _respond(request, response, from_viewer, writer)
        finally:
            to_viewer.close()

    async def _answered_by_old(self, request: wire.Head, writer: asyncio.StreamWriter) -> bool:
        """Ask the draining viewers for something of a session that the new one does not know."""
        if not _repeatable(request) or not request.path.startswith("/session/"):
            return False
        for viewer in self._viewers.draining():
            with viewer.use(), contextlib.suppress(_Refused, _NoAnswer):
                from_viewer, to_viewer = await _connected(viewer)
                try:
                    empty = asyncio.StreamReader()
                    response = await _asked(request, empty, from_viewer, to_viewer)
                    if response.status != 404:  # noqa: PLR2004
                        await _respond(request, response, from_viewer, writer)
                        return True
                finally:
                    to_viewer.close()
        return False


def _repeatable(request: wire.Head) -> bool:
    return request.method in _IDEMPOTENT and wire.request_extent(request) == 0


class _Refused(Exception):
    """The viewer does not take connections."""


class _NoAnswer(Exception):
    """The viewer took the request and was gone before it began to answer."""


async def _connected(
    viewer: running.Viewer,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection("127.0.0.1", viewer.port, limit=wire.LIMIT)
    except OSError as error:
        raise _Refused from error


async def _asked(
    request: wire.Head,
    reader: asyncio.StreamReader,
    from_viewer: asyncio.StreamReader,
    to_viewer: asyncio.StreamWriter,
) -> wire.Head:
    """Pass the request on and read the head of the response, past any `100 Continue`."""
    to_viewer.write(request.passed_on("Upgrade" if request.upgrades else "close"))
    try:
        await wire.copy_body(reader, to_viewer, wire.request_extent(request))
        await to_viewer.drain()
        while (response := await wire.read_head(from_viewer)) is not None:
            if response.status == 101 or response.status >= 200:  # noqa: PLR2004
                return response
    except (*_GONE, wire.Malformed) as error:
        raise _NoAnswer from error
    raise _NoAnswer


async def _respond(
    request: wire.Head,
    response: wire.Head,
    from_viewer: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Pass the response on; whether the client's connection stays."""
    try:
        extent = wire.response_extent(response, request.method)
        stays = request.persists and extent != "close"
        writer.write(response.passed_on("keep-alive" if stays else "close"))
        await wire.copy_body(from_viewer, writer, extent)
        await writer.drain()
    except wire.Malformed as error:
        # The viewer's mistake, not the client's: breaking off is all that tells it so.
        raise ConnectionAbortedError from error
    return stays


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    from_viewer: asyncio.StreamReader,
    to_viewer: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways until either side ends."""
    ways = {
        asyncio.ensure_future(wire.copy_until_closed(reader, to_viewer)),
        asyncio.ensure_future(wire.copy_until_closed(from_viewer, writer)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _answer(writer: asyncio.StreamWriter, answer: Answer, *, stays: bool) -> None:
    status, kind, body = answer
    fields = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive" if stays else "close"),
    ]
    writer.write(wire.encode(f"HTTP/1.1 {status} {_WORDS[status]}", fields) + body)
    await writer.drain()
