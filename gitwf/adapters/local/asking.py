"""The HTTP requests of one run: each in a thread of its own, so that nothing waits for a server.

A request can be given up at any moment: its connection is shut, and its node has ended already.
Redirects are followed as Go's client does, but for what came from a secret: no other host is told.
What goes wrong is said in Go's words, because that is what Argo's status holds, and never with the
value of a header (Argo: workflow/executor/agent.go).
"""

import collections
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitwf.adapters.local import environment
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow import http_response, quoting, record
from gitwf.workflow.document import http_request
from gitwf.workflow.machine import messages

if TYPE_CHECKING:
    import requests

_CONNECT = 30.0  # Seconds, as Go's dialer waits.
_REDIRECTS = 10
LIMIT = 1 << 20  # Bytes of a response that are kept; Argo cannot store much more either.


@dataclass(frozen=True)
class Headers:
    """The headers of a request; `secret` names those that came from a secret, in lower case."""

    values: Mapping[str, str]
    secret: frozenset[str] = frozenset()


def headers_of(asked: http_request.Http, secrets: environment.Secrets) -> Headers:
    """Give the headers with their values. Raises Unavailable, Stalled where one is not there."""
    values: dict[str, str] = {}
    secret: set[str] = set()
    for header in asked.headers:
        ref = header.value_from.secret_key_ref if header.value_from is not None else None
        value: str | None = header.value
        if ref is not None:
            value = secrets.value(ref.name, ref.key)
            secret.add(header.name.lower())
        if value is None and ref is not None:
            raise environment.Unavailable(f"secret '{ref.name}' does not have the key '{ref.key}'")
        before = values.get(header.name)
        values[header.name] = (value or "") if before is None else f"{before}, {value}"
    return Headers(values, frozenset(secret))


_NOTHING = record.Outputs()
_LATE = "context deadline exceeded"

_End = tuple[record.Phase, str, record.Outputs]


@dataclass(eq=False)
class Request:
    """A request under way. `fileno` turns readable when it is over, or was given up."""

    start: messages.StartPod
    now: Callable[[], Instant]
    _end: _End | None = None
    _sockets: list[socket.socket] = field(default_factory=list)
    _answered: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, asked: http_request.Http, headers: Headers) -> None:
        """Send it, in a thread."""
        self._reader, self._writer = os.pipe()
        name = f"http {self.start.node}"
        arguments = (asked, headers)
        threading.Thread(target=self._run, args=arguments, name=name, daemon=True).start()

    def fileno(self) -> int:
        """Give the file to select on."""
        return self._reader

    def stop(self, message: str) -> None:
        """Give it up: the node fails with `message`."""
        self._finish((record.Phase.FAILED, message, _NOTHING))

    def event(self) -> messages.PodEnded:
        """Say how it ended; call once, when `fileno` is readable."""
        os.close(self._reader)
        assert self._end is not None  # noqa: S101 - it is readable because there is one
        return messages.PodEnded(self.start.node, self.now(), *self._end)

    def _finish(self, end: _End) -> None:
        """End it, once; a connection that is still open ends too, and its thread with it."""
        with self._lock:
            if self._end is None:
                self._end = end
                os.close(self._writer)
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _note(self, connection: socket.socket) -> None:
        """Remember a connection, so that it can be shut from outside."""
        with self._lock:
            self._sockets.append(connection)
            if self._end is not None:
                connection.shutdown(socket.SHUT_RDWR)

    def _expire(self, asked: http_request.Http) -> None:
        from gitwf.adapters.local import refused_requests  # noqa: PLC0415 - see `_run`

        why = _LATE if self._answered else refused_requests.told(asked, _LATE)
        self._finish((record.Phase.FAILED, why, _NOTHING))

    def _run(self, asked: http_request.Http, headers: Headers) -> None:
        # Loaded here, since most runs ask nobody, and before the time of the request begins.
        import requests  # noqa: F401, PLC0415

        timer = threading.Timer(asked.timeout_seconds or 0, self._expire, args=(asked,))
        timer.daemon = True
        if asked.timeout_seconds is not None:
            timer.start()
        end = (record.Phase.ERROR, "error processing task: gitwf could not send it", _NOTHING)
        try:
            end = self._ask(asked, headers)
        finally:
            timer.cancel()
            self._finish(end)

    def _ask(self, asked: http_request.Http, headers: Headers) -> _End:
        import requests  # noqa: PLC0415 - see `_run`

        from gitwf.adapters.local import refused_requests  # noqa: PLC0415

        fault = refused_requests.before(asked, headers.values)
        if fault:
            return record.Phase.FAILED, fault, _NOTHING
        try:
            with _session(headers, self._note) as session:
                response = session.request(
                    asked.method or "GET",
                    asked.url,
                    data=asked.content,
                    headers={name: value.encode() for name, value in headers.values.items()},
                    verify=_verify(asked),
                    proxies=requests.utils.get_environ_proxies(asked.url),
                    timeout=(_CONNECT, None),
                    stream=True,
                )
                self._answered = True
                body = response.raw.read(LIMIT + 1, decode_content=True)
        except Exception as error:  # noqa: BLE001 - whatever a server does, the node has failed
            return record.Phase.FAILED, refused_requests.after(asked, error), _NOTHING
        if len(body) > LIMIT:
            message = f"the response is longer than {LIMIT} bytes"
            return record.Phase.FAILED, message, _NOTHING
        return http_response.judge(asked, _read(response, body))


def _verify(asked: http_request.Http) -> bool | str:
    """What to trust: nobody in particular, the file that the machine names, or requests' own."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or ""
    return False if asked.insecure_skip_verify else named or True


def _read(response: "requests.Response", body: bytes) -> http_response.Response:
    headers: dict[str, list[str]] = {}
    for name, value in response.raw.headers.items():
        headers.setdefault(http_response.canonical(name), []).append(value)
    if headers.get("Content-Encoding") == ["gzip"]:
        # What was unpacked is neither packed nor as long any more.
        headers.pop("Content-Encoding")
        headers.pop("Content-Length", None)
    return http_response.Response(response.status_code, quoting.decoded(body), headers)


def _session(headers: Headers, note: Callable[[socket.socket], None]) -> "requests.Session":
    """Make a session that tells no secret to another host, and each connection to `note`."""
    import warnings  # noqa: PLC0415 - beside requests

    import requests  # noqa: PLC0415 - see `_run`

    # Whoever sets insecureSkipVerify has been warned by its name.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")

    class Session(requests.Session):
        def rebuild_auth(
            self, prepared_request: requests.PreparedRequest, response: requests.Response
        ) -> None:
            before, after = response.request.url or "", prepared_request.url or ""
            if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
                for name in [*prepared_request.headers]:
                    if name.lower() in headers.secret | {"authorization", "cookie"}:
                        del prepared_request.headers[name]

    class Adapter(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **named: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **named)
            if not getattr(pool.ConnectionCls, "noted", False):
                pool.ConnectionCls = _noted(pool.ConnectionCls, note)
            return pool

    session = Session()
    # No ~/.netrc: what a request carries is what the template says.
    session.trust_env = False
    session.max_redirects = _REDIRECTS
    session.headers["User-Agent"] = "gitwf"
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session


def _noted(base: Any, note: Callable[[socket.socket], None]) -> Any:
    class Noted(base):  # type: ignore[misc]  # whichever class the pool has
        noted = True

        def connect(self) -> None:
            super().connect()
            note(self.sock)

    return Noted


@dataclass
class Desk:
    """The requests of one run: so many at once as Argo's agent has workers for."""

    secrets: Callable[[messages.StartPod], environment.Secrets]
    now: Callable[[], Instant]
    at_once: int = 16
    waiting: collections.deque[messages.StartPod] = field(default_factory=collections.deque)
    running: dict[str, Request] = field(default_factory=dict)

    def admit(self) -> list[Request | messages.Event]:
        """Send what there is room for: gives the requests, and what is to be told of them."""
        told: list[Request | messages.Event] = []
        while self.waiting and len(self.running) < self.at_once:
            start = self.waiting.popleft()
            asked = start.template.http or http_request.Http()
            try:
                headers = headers_of(asked, self.secrets(start))
            except (environment.Unavailable, Stalled) as error:
                failed = record.Phase.FAILED
                told.append(messages.PodEnded(start.node, self.now(), failed, str(error)))
                continue
            one = self.running[start.node] = Request(start, self.now)
            one.begin(asked, headers)
            told += [one, messages.PodStarted(start.node, self.now())]
        return told

    def stop(self, node: str, message: str) -> None:
        """Give a request up that runs."""
        if node in self.running:
            self.running[node].stop(message)

    def end(self, one: Request) -> messages.Event:
        """Take the end of a request."""
        del self.running[one.start.node]
        return one.event()
