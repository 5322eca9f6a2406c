"""Nobody who looks at the viewer sees it go down, however often it rolls over."""

import concurrent.futures
import dataclasses
import hashlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import threading

import pytest

from gitwf.adapters.viewer import launch
from tests import waiting

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
R_VIEWER = ROOT / "pipelines" / "ad-effect" / "viewer"
ROLLOVERS, CLIENTS, REQUESTS = 10, 4, 1_000
MODEL_OF_PAGE = re.compile(rb"""<meta[^>]*gitwf-model[^>]*content="ad-effect-v(\d+)\"""")


def ended(clients):
    """Whether a client broke off."""
    return any(client.done() for client in clients)


def curves():
    """A model as the viewer's contract has it."""
    spend = [100.0 * step for step in range(41)]
    effect = [step / 10 for step in range(41)]
    channel = {"spend": spend, "effect": effect, "low": [0.0] * 41, "high": effect, "share": 0.5}
    return {
        "name": "ad-effect",
        "channels": {"television": channel, "radio": channel},
        "baseline": 100.0,
        "units": {"spend": "guilders", "effect": "points", "period": "month"},
        "budget": {"min": 0, "max": 8000, "default": 4000},
        "metrics": {"mape": 0.03, "r2": 0.8, "bias": 0.001},
        "parameters": {"window": 168},
        "trained_rows": 168,
        "period": {"from": "1981-01", "to": "1994-12"},
    }


@dataclasses.dataclass
class Load:
    """Clients that ask over and over, and what they saw. `served` counts complete rollouts."""

    url: str
    served: int = 1
    begun: int = 1
    seen: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)
    over: threading.Event = dataclasses.field(default_factory=threading.Event)

    def ask(self, *, keep: bool):
        host = self.url.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=120)
        while not self.over.is_set():
            least = self.served
            connection.request("GET", "/", headers={} if keep else {"Connection": "close"})
            response = connection.getresponse()
            found = MODEL_OF_PAGE.search(response.read())
            version = int(found.group(1)) if found else None
            self.seen.append(version)
            # Not older than what was complete when it began, not newer than what has begun since.
            if response.status != 200 or version is None or not least <= version <= self.begun:
                self.wrong.append((response.status, least, version, self.begun))
        connection.close()


@pytest.mark.parametrize(
    "viewer", ["page", pytest.param(str(R_VIEWER), marks=pytest.mark.slow, id="R-Shiny")]
)
def test_no_request_fails_over_ten_rollovers(site, viewer):
    if viewer != "page" and launch.r_libraries(shutil.which("Rscript")) is None:
        pytest.skip("no R with shiny and jsonlite")
    site.roll(1, viewer=viewer, model=curves())
    load = Load(site.url)
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.ask, keep=number % 2 == 0) for number in range(CLIENTS)]
        try:
            for version in range(2, 2 + ROLLOVERS):
                load.begun = version
                rollout = site.roll(version, viewer=viewer, model={**curves(), "made": version})
                assert rollout.state == "complete", rollout.reason
                load.served = version
                waiting.until(lambda v=version: v in load.seen or ended(clients))
            waiting.until(lambda: len(load.seen) >= REQUESTS or ended(clients))
        finally:
            load.over.set()
    assert [client.result() for client in clients] == [None] * CLIENTS
    assert load.wrong == []
    assert len(load.seen) >= REQUESTS
    assert set(load.seen) == set(range(1, 2 + ROLLOVERS))


class WebSocket:
    """A WebSocket as far as a proxy sees it: an upgrade, then bytes both ways."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").rstrip("/").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(
            b"GET /websocket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        self.status = self.file.readline().split()[1]
        while self.file.readline() != b"\r\n":
            pass

    def echo(self, text):
        self.socket.sendall(text.encode() + b"\n")
        return self.file.readline().decode().strip()

    def close(self):
        self.file.close()
        self.socket.close()


def test_an_open_websocket_stays_with_the_old_viewer_until_it_closes(site):
    site.roll(1)
    old = WebSocket(site.url)
    assert (old.status, old.echo("a")) == (b"101", "ad-effect-v1 a")

    site.roll(2)
    new = WebSocket(site.url)

    assert old.echo("b") == "ad-effect-v1 b"
    assert new.echo("c") == "ad-effect-v2 c"
    assert site.seen["draining"] == 1
    old.close()
    waiting.until(lambda: site.seen["draining"] == 0)
    assert new.echo("d") == "ad-effect-v2 d"
    new.close()


def test_an_open_websocket_ends_when_the_drain_time_is_over(brisk):
    brisk.roll(1)
    pid = brisk.seen["serving"]["pid"]
    old = WebSocket(brisk.url)

    brisk.roll(2)

    assert old.file.readline() == b""
    old.close()
    waiting.until(lambda: brisk.seen["draining"] == 0)
    assert not brisk.alive(pid)


def test_a_response_that_began_before_the_switch_is_told_to_its_end(site):
    site.roll(1)
    connection = http.client.HTTPConnection(site.url[7:-1], timeout=120)
    connection.request("GET", "/slowly")
    response = connection.getresponse()

    site.roll(2)

    assert response.read().decode() == "".join(f"ad-effect-v1 {n}\n" for n in range(20))
    assert "ad-effect-v2" in site.get()
    connection.close()


def test_a_kept_connection_asks_the_new_viewer_next(site):
    site.roll(1)
    connection = http.client.HTTPConnection(site.url[7:-1], timeout=120)

    def model():
        connection.request("GET", "/")
        return connection.getresponse().read().decode().split("</head>")[1]

    before, endpoint = model(), connection.sock.getsockname()
    site.roll(2)

    assert (before, model()) == ("ad-effect-v1", "ad-effect-v2")
    assert connection.sock.getsockname() == endpoint
    connection.close()


def test_what_only_an_old_session_knows_is_asked_of_the_old_viewer(site):
    site.roll(1)
    session = WebSocket(site.url)
    site.roll(2)

    assert site.get("session/ad-effect-v1") == "ad-effect-v1"
    assert site.get("session/ad-effect-v2") == "ad-effect-v2"
    session.close()


def test_several_requests_sent_at_once_are_answered_in_order(site):
    site.roll(1)
    host, port = site.url[7:-1].split(":")
    request = b"GET /session/ad-effect-v1 HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /session/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=120) as raw:
        raw.sendall(request * 3 + last)
        answers = b"".join(iter(lambda: raw.recv(65536), b""))

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"200", b"404"]


@pytest.mark.parametrize("chunked", [False, True])
def test_what_a_client_sends_arrives_whole(site, chunked):
    site.roll(1)
    body = bytes(range(256)) * 4_000
    connection = http.client.HTTPConnection(site.url[7:-1], timeout=120)
    pieces = (body[start : start + 10_000] for start in range(0, len(body), 10_000))
    for _ in range(2):
        connection.request("POST", "/", body=pieces if chunked else body, encode_chunked=chunked)
        answer = connection.getresponse().read().decode()
        pieces = iter([body])
        assert answer == hashlib.sha256(body).hexdigest()
    connection.close()


DOUBTFUL = [
    b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\n folded: 1\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
]


def test_a_message_whose_end_is_in_doubt_is_refused(site):
    site.roll(1, viewer="page")
    host, port = site.url[7:-1].split(":")
    for raw in DOUBTFUL:
        with socket.create_connection((host, int(port)), timeout=120) as client:
            client.sendall(raw)

            assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert json.loads(site.get("-/gitwf"))["applied"]["ready"]
