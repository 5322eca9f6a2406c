"""One viewer process: started under a leash, probed until its page is right, drained, stopped.

Ready means what a person would check: the page answers 200 and names the model in
`<meta name="gitwf-model">`. Before each start, a restart after a crash included, the model file is
digested again, so that a viewer never starts on bytes that the release does not name. A viewer
counts what is open on it; it is stopped when that is nothing or the drain time is over.
"""

import asyncio
import contextlib
import hashlib
import html.parser
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from gitwf.adapters.viewer import launch, leash, wire
from gitwf.errors import redact

_HOST = "127.0.0.1"
_PROBE_SECONDS = 10.0
_PAUSE_SECONDS = 0.05
_STARTS = 3
_LOG_BYTES, _LOG_LINES = 4096, 10
_SILENT = "nothing answers on its port"


class NotReady(Exception):
    """The viewer will not serve; the message says why, for people."""


@dataclass(frozen=True)
class Spec:
    """What one rollout runs. `folder` holds `model_file`, `viewer/` if there is one, and the log.

    `id` tells one release and viewer from another, `content` what a person would see: equal content
    needs no new viewer. `refused`: why this must not be started at all.
    """

    id: str
    content: str
    release: str
    model: str
    digest: str
    viewer: str
    folder: str
    model_file: str
    env: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""

    @classmethod
    def load(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `dump` wrote. Raises TypeError on other fields."""
        return cls(**fields)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class Viewer:
    """A viewer process and what is open on it."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.port = 0
        self.kind = ""
        self.pid = 0
        self._process: asyncio.subprocess.Process | None = None
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def use(self) -> Iterator[Self]:
        """Keep the viewer from being stopped, up to the drain time, while something is open."""
        self._open += 1
        self._idle.clear()
        try:
            yield self
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def start(self, ready_seconds: float) -> None:
        """Start and wait until Ready. Raises NotReady with the reason; nothing is left then."""
        deadline = time.monotonic() + ready_seconds
        for attempt in range(1, _STARTS + 1):
            await asyncio.to_thread(_check_model, self.spec)
            await self._launch()
            try:
                await self._become_ready(deadline, ready_seconds)
            except _Ended:
                if attempt == _STARTS or time.monotonic() > deadline:
                    raise NotReady(self._ended_reason(attempt)) from None
            except BaseException:
                await self.stop()
                raise
            else:
                return

    async def ended(self) -> int:
        """Wait until the process has ended; its exit code."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is open, or `seconds` have passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def stop(self) -> None:
        """End the process and all that it started."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            async with asyncio.timeout(2 * leash.GRACE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            # The leash did not get to it on a busy machine; its group is all that it started.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def discard(self) -> None:
        """Delete the files of a viewer that was stopped."""
        shutil.rmtree(self.spec.folder, ignore_errors=True)

    async def _launch(self) -> None:
        self.port = _free_port()
        folder = Path(self.spec.folder)
        how = await asyncio.to_thread(launch.choose, folder / "viewer")
        self.kind = how.kind
        env = launch.environment(folder, how.env, self.spec.env, _HOST, self.port)
        with (folder / "viewer.log").open("wb") as log:
            starting = asyncio.ensure_future(
                asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-S", str(leash.__file__), *how.command,
                    cwd=how.cwd, env=env, start_new_session=True,
                    stdin=asyncio.subprocess.PIPE, stdout=log, stderr=asyncio.subprocess.STDOUT,
                )
            )  # fmt: skip
            try:
                self._process = await asyncio.shield(starting)
            except asyncio.CancelledError:
                # A rollout that is superseded in this very moment still owns the process.
                self._process = await starting
                await self.stop()
                raise
        self.pid = self._process.pid

    async def _become_ready(self, deadline: float, allowed: float) -> None:
        seen = _SILENT
        while (left := deadline - time.monotonic()) > 0:
            if self._process is None or self._process.returncode is not None:
                raise _Ended
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation, and a superseded
                # rollout would go on.
                async with asyncio.timeout(min(left, _PROBE_SECONDS)):
                    seen = _wrong(await _fetch_page(self.port), self.spec.model)
            except TimeoutError:
                # A probe that the deadline cut short tells less than an answer before it.
                if left >= _PROBE_SECONDS or seen == _SILENT:
                    seen = "its page does not answer in time"
            except (OSError, asyncio.IncompleteReadError, wire.Malformed):
                pass
            if not seen:
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        raise NotReady(f"the viewer was not ready in {allowed:g} s: {seen}{self._last_lines()}")

    def _ended_reason(self, attempts: int) -> str:
        code = self._process.returncode if self._process else None
        return (
            f"the viewer ended with exit code {code} before it was ready "
            f"(started {attempts} times){self._last_lines()}"
        )

    def _last_lines(self) -> str:
        try:
            log = (Path(self.spec.folder) / "viewer.log").read_bytes()
        except OSError:
            return ""
        lines = log[-_LOG_BYTES:].decode("utf-8", "replace").splitlines()
        last = [line for line in lines if line.strip()][-_LOG_LINES:]
        return "; its last lines:\n" + redact("\n".join(last)) if last else ""


class _Ended(Exception):
    """The process ended."""


def _check_model(spec: Spec) -> None:
    try:
        with Path(spec.model_file).open("rb") as file:
            found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotReady(f"the model file is not there: {error.strerror}") from error
    if found != spec.digest:
        raise NotReady(f"the model file's bytes are {found}, the release names {spec.digest}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


async def _fetch_page(port: int) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(_HOST, port, limit=wire.LIMIT)
    try:
        # HTTP/1.0, so that the page comes in one piece and not in chunks.
        fields = [("Host", f"{_HOST}:{port}"), ("Accept", "text/html"), ("Connection", "close")]
        writer.write(wire.encode("GET / HTTP/1.0", fields))
        head = await wire.read_head(reader)
        if head is None:
            raise wire.Malformed("no answer")
        extent = wire.response_extent(head, "GET")
        body = await (reader.readexactly(extent) if isinstance(extent, int) else reader.read())
        return head.status, body.decode("utf-8", "replace")
    finally:
        writer.close()


def _wrong(page: tuple[int, str], model: str) -> str:
    """What is wrong with the page, in words; empty when nothing is."""
    status, text = page
    if status != 200:  # noqa: PLR2004
        return f"its page answers {status}"
    tag = _MetaTag()
    tag.feed(text)
    if tag.model is None:
        return 'its page carries no <meta name="gitwf-model">'
    return "" if tag.model == model else f"its page names the model {tag.model!r}, not {model!r}"


class _MetaTag(html.parser.HTMLParser):
    """Finds the content of `<meta name="gitwf-model">`, however its attributes are written."""

    model: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the tag's content."""
        found = dict(attrs)
        if tag == "meta" and found.get("name") == "gitwf-model":
            self.model = found.get("content") or ""
