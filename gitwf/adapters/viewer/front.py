"""The front's process: it owns the port, answers at `/-/gitwf`, and ends with its viewers.

    GET  /-/gitwf         what is served, as JSON, to anyone who can reach the port
    POST /-/gitwf/apply   {"based_on": revision, "spec": {...}}: 200, or 409 when the revision moved
    POST /-/gitwf/retire  take no new connection, let the open ones end, then end
    POST /-/gitwf/down    stop the viewers and end

A POST comes from this machine and carries the token that only this user can read. A token file
that is gone is written again, so nothing is lost with the folder. Holding the port is what makes a
front the only one: a second start finds the first, and ends. Where settings name another port than
they did, the front there asks the one at the old port to retire as soon as it serves itself. Read
next: `rollouts`.
"""

import asyncio
import contextlib
import functools
import hmac
import ipaddress
import json
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from gitwf.adapters.viewer import control, proxy, rollouts, running, settings, wire
from gitwf.errors import GitwfError, Stalled

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 1024 * 1024
_KNOWN_SECONDS = 5.0
_LONGEST_PAUSE = 60.0

Told = Callable[[str], object]


def _unheard(_: str) -> None:
    """Listen to nothing."""


class Front:
    """One environment's front, on sockets that are already bound."""

    def __init__(
        self, own: settings.FrontSettings, listening: socket.socket, told: Told = _unheard
    ) -> None:
        self._settings = own
        self._told = told
        self._listening = listening
        self._port: int = listening.getsockname()[1]
        self._token = secrets.token_hex(32)
        self._rollouts = rollouts.Rollouts(own, told)
        self._retiring = asyncio.Event()
        self._over = asyncio.Event()

    async def serve(self) -> None:
        """Serve until told to end; then stop every viewer and remove the front's folder."""
        self._write_token()
        serving = proxy.Proxy(self._rollouts, self._control)
        server = await asyncio.start_server(serving.accept, sock=self._listening, limit=wire.LIMIT)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._over.set)
        self._told(self.url)
        besides = [
            asyncio.create_task(work)
            for work in (self._stay_known(), self._succeed(), self._retire(server, serving))
        ]
        await self._over.wait()
        for task in besides:
            task.cancel()
        await asyncio.gather(*besides, return_exceptions=True)
        await self._rollouts.close()
        self._remove()
        server.close()
        await serving.close()

    async def _stay_known(self) -> None:
        """Keep the folder that says where this front listens, whoever deletes it."""
        while True:
            await asyncio.sleep(_KNOWN_SECONDS)
            self._write_token()

    async def _succeed(self) -> None:
        """As soon as this front serves, let those at ports of earlier settings retire."""
        while await self._rollouts.serving(_LONGEST_PAUSE) is None:
            pass
        pause = 0.5
        while True:
            try:
                before = await asyncio.to_thread(control.others, self._settings)
                for state in before:
                    await asyncio.to_thread(control.post, self._settings, state, "retire", {})
                if not before:
                    return
            except GitwfError as error:
                _LOG.warning("the front at an earlier port does not retire: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _retire(self, server: asyncio.Server, serving: proxy.Proxy) -> None:
        """Once asked to, stop listening, let what is open end in the drain time, and end."""
        await self._retiring.wait()
        await _stop_listening(server, self._listening, serving.accept)
        self._told("a front at another port took over: ending when nothing is open here")
        await serving.drain(self._settings.drain_seconds)
        self._over.set()

    def _remove(self) -> None:
        """Remove this front's folder, and the environment's when no other front has one there."""
        home = self._settings.home
        shutil.rmtree(self._settings.place(self._port), ignore_errors=True)
        with contextlib.suppress(OSError):
            if not any(one.is_dir() for one in home.iterdir()):
                shutil.rmtree(home, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where people open the viewer."""
        return f"http://{self._settings.reached_at()}:{self._port}/"

    def _seen(self) -> dict[str, object]:
        own = {
            "gitwf": 1,
            "environment": self._settings.environment,
            "identity": self._settings.identity,
            "pid": os.getpid(),
            "url": self.url,
        }
        return own | self._rollouts.seen()

    async def _control(
        self, request: wire.Head, reader: asyncio.StreamReader, peer: str
    ) -> proxy.Answer:
        body = await _body(request, reader)
        if body is None:
            return _said(413, {"error": "the request is too large"})
        if request.method == "GET" and request.path == proxy.CONTROL:
            if not self._over.is_set():
                self._write_token()
            return _said(200, self._seen())
        if request.method != "POST":
            return _said(404, {"error": f"GET {proxy.CONTROL} says what is served"})
        shown = request.get("authorization").removeprefix("Bearer ")
        local = ipaddress.ip_address(peer).is_loopback
        if not local or not hmac.compare_digest(shown.encode(), self._token.encode()):
            return _said(403, {"error": "this needs the front's token, from this machine"})
        if self._over.is_set():
            return _said(503, {"error": "the front is ending"})
        if request.path == proxy.CONTROL + "/apply":
            return self._apply(body)
        if request.path == proxy.CONTROL + "/down":
            # The answer goes out before the loop gets to what follows from it.
            asyncio.get_running_loop().call_later(0.05, self._over.set)
            return _said(200, {"pid": os.getpid()})
        if request.path == proxy.CONTROL + "/retire":
            asyncio.get_running_loop().call_later(0.05, self._retiring.set)
            return _said(200, {"pid": os.getpid()})
        return _said(404, {"error": f"nothing at {request.path}"})

    def _apply(self, body: bytes) -> proxy.Answer:
        try:
            asked = json.loads(body)
            spec = running.Spec.load(asked["spec"])
            based_on = str(asked["based_on"])
        except (ValueError, KeyError, TypeError) as error:
            return _said(400, {"error": f"not a rollout: {error}"})
        try:
            revision = self._rollouts.apply(based_on, spec)
        except rollouts.Stale:
            return _said(409, {"revision": self._rollouts.revision})
        return _said(200, {"revision": revision})

    def _write_token(self) -> None:
        """Write the token where only this user reads it, unless it is there."""
        file = self._settings.token_file(self._port)
        with contextlib.suppress(OSError):
            self._settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.parent.mkdir(mode=0o700, exist_ok=True)
            made = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(made, "w") as opened:
                opened.write(self._token)


async def _stop_listening(
    server: asyncio.Server,
    listening: socket.socket,
    accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None],
) -> None:
    """Accept whoever has got through already, then close: closing alone would break them off."""
    loop = asyncio.get_running_loop()
    loop.remove_reader(listening)
    with contextlib.suppress(BlockingIOError):
        while True:
            client, _ = listening.accept()
            reader = asyncio.StreamReader(limit=wire.LIMIT)
            await loop.connect_accepted_socket(
                functools.partial(asyncio.StreamReaderProtocol, reader, accept), client
            )
    server.close()
    for _ in range(2):  # rounds of the loop, in which what it has accepted becomes a connection
        await asyncio.sleep(0)


async def _body(request: wire.Head, reader: asyncio.StreamReader) -> bytes | None:
    extent = wire.request_extent(request)
    if not isinstance(extent, int) or extent > _MOST_BYTES:
        return None
    return await reader.readexactly(extent)


def _said(status: int, answer: dict[str, object]) -> proxy.Answer:
    return status, "application/json", json.dumps(answer, indent=1).encode() + b"\n"


def bind(own: settings.FrontSettings) -> socket.socket | None:
    """Take the front's port; None when another front of the same environment has it.

    Stalled when a fixed port, or each of the eight, belongs to somebody else.
    """
    if control.find(own) is not None:
        return None
    for port in own.ports():
        try:
            return socket.create_server((own.host, port), backlog=512)
        except OSError:
            if control.find(own) is not None:
                return None
    taken = ", ".join(map(str, own.ports()))
    raise Stalled(
        f"the front of {own.environment} cannot listen on {own.host}, port {taken}",
        hint="stop what has it, or choose another port for this environment",
    )


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


def run_front(own: settings.FrontSettings, told: Told = _say) -> bool:
    """Be the front until SIGTERM, Ctrl-C or `down`; False at once when one runs already.

    `told` is called with the URL when the front listens, then with a line for what happens.
    """
    listening = bind(own)
    if listening is None:
        return False
    place = own.place(listening.getsockname()[1])
    shutil.rmtree(place, ignore_errors=True)
    own.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.mkdir(mode=0o700)
    asyncio.run(_main(own, listening, told))
    return True


async def _main(own: settings.FrontSettings, listening: socket.socket, told: Told) -> None:
    await Front(own, listening, told).serve()


def _end_output(_: str) -> None:
    """Tell the starter, who waits for the end of standard output, that the front listens."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def main(argv: list[str]) -> int:
    """Become a detached front: `python -m gitwf.adapters.viewer.front SETTINGS`.

    The first process ends at once, so the front is nobody's child and its end leaves no zombie.
    """
    own = settings.FrontSettings.load(argv[0])
    if os.fork():
        os._exit(0)
    os.setsid()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    try:
        run_front(own, _end_output)
    except GitwfError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    os.chdir(Path("/"))
    sys.exit(main(sys.argv[1:]))
