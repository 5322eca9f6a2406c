"""A front of its own for each test, and a viewer that misbehaves as it is told."""

import contextlib
import json
import pathlib
import subprocess
import urllib.request

import pytest

from gitwf import ports
from gitwf.adapters.viewer import control, settings, target
from gitwf.testing import memory_store
from gitwf.values import CommitId
from tests import waiting

SECONDS = 180

# What `BEHAVIOUR` says: good, crash, hang, stranger (names another model), error (answers 500).
APP = r"""
import base64, hashlib, http.server, json, os, sys, time

MODEL, BEHAVIOUR = os.environ["MODEL"], os.environ.get("BEHAVIOUR", "good")
if BEHAVIOUR == "crash":
    sys.exit("no such column: spend")
if BEHAVIOUR == "hang":
    time.sleep(600)
named = "somebody-else" if BEHAVIOUR == "stranger" else MODEL
PAGE = f"<!doctype html><head><meta content='{named}' name='gitwf-model'></head>{MODEL}".encode()


class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/websocket":
            return self.websocket()
        if self.path == "/slowly":
            return self.slowly()
        if self.path == "/die":
            os._exit(7)
        if self.path == "/env":
            return self.say(json.dumps(dict(os.environ)).encode())
        if self.path.startswith("/session/"):
            known = self.path == f"/session/{MODEL}"
            return self.say(MODEL.encode(), 200 if known else 404)
        self.say(PAGE, 500 if BEHAVIOUR == "error" else 200)

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers["Content-Length"]))
        self.say(hashlib.sha256(body).hexdigest().encode())

    def slowly(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(20):
            piece = f"{MODEL} {number}\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")

    def websocket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.end_headers()
        self.close_connection = True
        while line := self.rfile.readline():
            self.wfile.write(MODEL.encode() + b" " + line)


address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, App).serve_forever()
"""


def alive(pid):
    """Whether a process runs; one that only waits to be reaped does not."""
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(shown) and not shown.startswith("Z")


class Site:
    """One environment: a store, a front, and versions to roll out."""

    def __init__(self, folder, **timing):
        self.folder = folder
        self.store = memory_store.MemoryStore()
        timing = {"ready_seconds": SECONDS, "drain_seconds": 30.0, **timing}
        self.settings = settings.FrontSettings("production", folder / "front", **timing)
        self.target = target.LocalTarget(self.settings, self.store.fetch)

    def desired(self, version, *, viewer="app", model=None, **env):
        """Version `version`; `viewer` is app, page (gitwf's own) or a folder."""
        file = self.folder / "model.json"
        file.write_text(json.dumps(model or {"name": "ad-effect", "made": version}))
        stored = self.store.put("ad-effect", file)
        serving = self.target.observe()
        return ports.Desired(
            environment="production",
            release=CommitId(f"{version:040x}"),
            model="ad-effect",
            version=version,
            uri=stored.uri,
            digest=stored.digest,
            viewer=self.viewer(viewer),
            viewer_id="",
            based_on=serving.revision if serving else "",
            env=env,
        )

    def viewer(self, which):
        if which == "page":
            return None
        if which != "app":
            return pathlib.Path(which)
        folder = self.folder / "viewer"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(APP)
        return folder

    def outcome(self, desired):
        waiting.until(lambda: self.target.progress(desired).state != "progressing", SECONDS)
        return self.target.progress(desired)

    def roll(self, version, **how):
        desired = self.desired(version, **how)
        self.target.apply(desired)
        return self.outcome(desired)

    @property
    def seen(self):
        return control.find(self.settings)

    @property
    def rollouts(self):
        return self.settings.place(self.seen["port"]) / "rollouts"

    @property
    def url(self):
        return self.seen["url"]

    def get(self, path=""):
        with urllib.request.urlopen(self.url + path, timeout=SECONDS) as response:
            return response.read().decode()

    alive = staticmethod(alive)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            if (seen := self.seen) is not None:
                control.down(self.settings)
                waiting.until(lambda: not alive(seen["pid"]))


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def brisk(tmp_path):
    """A site that waits for nothing for long; a good viewer gets ready on a busy machine too."""
    made = Site(tmp_path, ready_seconds=10, drain_seconds=0.5)
    yield made
    made.close()


@pytest.fixture
def brisk_r(tmp_path):
    """A site that gives R the time to start, and old sessions little."""
    made = Site(tmp_path, drain_seconds=0.5)
    yield made
    made.close()
