"""A real Git server over HTTP on loopback: Git's own `git http-backend` behind a small front.

A folder as a remote flatters whoever tests against it: it runs no hooks, declines nothing and never
loses an answer. This server does, on demand: `decline` puts a hook into a repository, `delay` makes
every answer late, `lose_answers` applies the next pushes and cuts the connection, `answer_with`
fails the next requests. `before_push` runs just before a push reaches Git, which is where a race is
won; `after_loss` after one was applied whose answer will not come. It counts what it was asked.
"""

import base64
import collections
import http.server
import os
import shlex
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from gitwf.testing import git_repository

_PUSH = "git-receive-pack"
_HOOK = """#!/bin/sh
echo {words} >&2
exit 1
"""


class GitServer:
    """Serves the bare repositories below `root`; a context manager.

    `address`: the one of this host's that it listens on. With `user` and `password`, HTTP Basic
    credentials are asked for; with `certificate`, a file and its key, HTTPS is spoken. `counts`
    holds the number of requests by what they ask: `info git-upload-pack`, `git-receive-pack`, and
    so on.
    """

    def __init__(
        self,
        root: Path,
        *,
        user: str = "",
        password: str = "",
        certificate: tuple[Path, Path] | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.root = root
        self.address = address
        self.user = user
        self.password = password
        self.delay = 0.0
        self.before_push: Callable[[], object] | None = None
        self.after_loss: Callable[[], object] | None = None
        self.counts: collections.Counter[str] = collections.Counter()
        self._lost_answers = 0
        self._statuses: list[int] = []
        self._guard = threading.Lock()
        self._http = _Server((address, 0), _Request)
        self._http.owner = self
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self._scheme = "https"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def url(self, name: str, *, credentials: bool = False) -> str:
        """The address of the repository `name`, with the credentials in it if asked for."""
        given = f"{self.user}:{self.password}@" if credentials and self.user else ""
        return f"{self._scheme}://{given}{self.address}:{self._http.server_port}/{name}"

    def create(self, name: str = "remote.git") -> git_repository.Repository:
        """Make an empty bare repository to serve."""
        return git_repository.Repository.create(self.root / name)

    def decline(self, name: str, words: str) -> None:
        """Put a pre-receive hook into a repository that declines every push, saying `words`."""
        hook = self.root / name / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK.format(words=shlex.quote(words)), "utf-8")
        hook.chmod(0o755)

    def lose_answers(self, count: int = 1) -> None:
        """Apply each of the next `count` pushes and cut its connection before answering."""
        self._lost_answers = count

    def answer_with(self, *statuses: int) -> None:
        """Answer the next requests with these HTTP statuses."""
        self._statuses = list(statuses)

    def take_status(self) -> int | None:
        """The status that the request at hand must fail with, if any."""
        with self._guard:
            return self._statuses.pop(0) if self._statuses else None

    def take_loss(self) -> bool:
        """Whether the answer of the push at hand is to be lost."""
        with self._guard:
            lost = self._lost_answers > 0
            self._lost_answers -= lost
            return lost

    def count(self, asked: str) -> None:
        """Count a request."""
        with self._guard:
            self.counts[asked] += 1

    def allows(self, authorization: str | None) -> bool:
        """Whether these are the credentials of `user`."""
        if not self.user:
            return True
        expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return authorization == f"Basic {expected}"


class _Server(http.server.ThreadingHTTPServer):
    """Knows the GitServer that it answers for; never prints a client's broken connection."""

    daemon_threads = True
    request_queue_size = 128
    owner: GitServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that goes away is part of what is tested."""


class _Request(http.server.BaseHTTPRequestHandler):
    """Hands one request to `git http-backend`, and its answer back."""

    protocol_version = "HTTP/1.1"
    # Small writes would wait for one another on loopback, 40 ms a time.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer what refs there are."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a fetch or a push."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self) -> None:
        owner = self.server.owner
        body = self._body()
        address = urlsplit(self.path)
        service = address.query.partition("service=")[2]
        asked = f"info {service}" if service else address.path.rpartition("/")[2]
        owner.count(asked)
        if owner.delay:
            time.sleep(owner.delay)
        status = owner.take_status()
        if status is not None:
            return self._send(status, [], b"")
        if not owner.allows(self.headers.get("Authorization")):
            return self._send(401, [("WWW-Authenticate", 'Basic realm="git"')], b"")
        if asked == _PUSH and owner.before_push is not None:
            owner.before_push()
        status, headers, answer = self._ask_git(address.path, address.query, body)
        if asked == _PUSH and owner.take_loss():
            if owner.after_loss is not None:
                owner.after_loss()
            self.close_connection = True
            return None
        return self._send(status, headers, answer)

    def _body(self) -> bytes:
        """The request's body; libgit2 sends it in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _ask_git(
        self, path: str, query: str, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/"),
            "GIT_PROJECT_ROOT": str(self.server.owner.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            "REMOTE_USER": self.server.owner.user or "anyone",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = []
        status = 200
        for line in head.decode("latin-1").splitlines():
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value))
        return status, headers, answer

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
