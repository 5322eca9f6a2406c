"""An API server seen through a bad network: a proxy on this machine that loses, lies and dawdles.

Plain HTTP in, the real server's TLS out. Which faults come when is a matter of a seed and of the
order of requests, so that a test can say it again.
"""

import contextlib
import http.server
import json
import random
import threading
import time

import yaml

from gitwf.adapters.kubernetes import connection, credentials

LONGEST_SECONDS = 2.0
_HOP = {"connection", "transfer-encoding", "content-length", "host", "accept-encoding"}


class Faults:
    """Which request meets what. Every other write is refused, every fourth applied one denied."""

    def __init__(self, seed):
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._writes = self._applied = 0
        self.met = {"500": 0, "409": 0, "cut": 0, "slow": 0}

    def _meet(self, what):
        self.met[what] += 1

    def seconds(self):
        """How long a request is kept waiting: one in eight, up to two seconds."""
        with self._lock:
            if self._chance.random() > 1 / 8:
                return 0.0
            self._meet("slow")
            return self._chance.uniform(0, LONGEST_SECONDS)

    def refused(self):
        """Whether a write is not passed on, but answered with 500."""
        with self._lock:
            self._writes += 1
            if self._writes % 2:
                return False
            self._meet("500")
            return True

    def denied(self):
        """Whether a write that was applied is answered with 409."""
        with self._lock:
            self._applied += 1
            if self._applied % 4:
                return False
            self._meet("409")
            return True

    def cut(self):
        """Whether a watch breaks here."""
        with self._lock:
            if self._chance.random() > 1 / 2:
                return False
            self._meet("cut")
            return True


class Proxy(http.server.BaseHTTPRequestHandler):
    """One request through the faults; `faults`, `pool` and `host` are the server's."""

    def log_message(self, *said):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def says(self, status, message):
        self.answer(status, json.dumps({"kind": "Status", "message": message}).encode())

    def forward(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        time.sleep(self.server.faults.seconds())
        writes = self.command != "GET" and "dryRun" not in self.path
        if writes and self.server.faults.refused():
            self.says(500, "the server does not feel well")
            return
        headers = {name: v for name, v in self.headers.items() if name.lower() not in _HOP}
        watches = "watch=true" in self.path
        given = self.server.pool.request(
            self.command,
            self.server.host + self.path,
            body=body,
            headers=headers,
            preload_content=not watches,
            retries=False,
            timeout=600,
        )
        if watches:
            self.streamed(given)
        elif writes and given.status < 400 and self.server.faults.denied():
            self.says(409, "the object has been modified")
        else:
            self.answer(given.status, given.data)

    def streamed(self, given):
        self.send_response(given.status)
        self.end_headers()
        with given:
            for line in connection._lines(given):
                if self.server.faults.cut():
                    return
                self.wfile.write(line + b"\n")

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = forward  # noqa: N815


@contextlib.contextmanager
def between(cluster, folder, seed):
    """A kubeconfig whose server is a proxy with faults, and those faults."""
    real = credentials.client(cluster.kubeconfig, "")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    server.faults, server.host = Faults(seed), real.configuration.host
    server.pool = real.rest_client.pool_manager
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [place],
        "contexts": [context],
        "users": [{"name": "u", "user": {}}],
        "current-context": "c",
    }
    file = folder / "faulty.kubeconfig"
    file.write_text(yaml.safe_dump(whole))
    try:
        yield file, server.faults
    finally:
        server.shutdown()
        server.server_close()
