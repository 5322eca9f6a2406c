"""People keep looking at a viewer on a cluster while one release follows another.

Each release is a push and a `gitwf reconcile` as a process of its own. Clients ask at a NodePort
all the time, and before each release somebody opens a session and goes on talking.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import sys
import threading
import time

import pytest

from gitwf.errors import Transient
from gitwf.values import Instant
from tests.e2e.test_load import PATIENCE_SECONDS, Load
from tests.kubernetes import worlds
from tests.viewer.test_rollover import WebSocket

ROLLOUTS = 20
# It answers each line of a session with its model.
TALKS = "import base64, hashlib\n" + worlds.SERVE.replace(
    "    def do_GET(self):\n",
    """\
    def do_GET(self):
        if self.path == "/websocket":
            return self.session()
""",
).replace(
    "    def log_message",
    """\
    def session(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.end_headers()
        self.close_connection = True
        while self.rfile.readline():
            self.wfile.write(tag.encode() + b"\\n")
    def log_message""",
)


class Clients(Load):
    """Clients that open a connection for each page: one that is kept ends with its pod."""

    def ask(self, *, keep):
        try:
            super().ask(keep=False)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append((len(self.seen), repr(error)))
            self.over.set()


@dataclasses.dataclass(frozen=True)
class Told:
    """A session as it was: the models that answered, and when it was cut."""

    models: frozenset
    cut: float


def talk(session):
    """Go on talking until the session is cut."""
    models = set()
    try:
        while said := session.echo("and then?"):
            models.add(said)
            time.sleep(0.05)
    except OSError:
        pass
    session.close()
    return Told(frozenset(models), time.time())


class Endings:
    """When pods were told to end, by the model they serve, as the API server says: in seconds."""

    def __init__(self, cluster):
        self.told = {}
        self._cluster = cluster
        _, self._version = cluster.listed("v1", "Pod")
        self._over = threading.Event()

    @contextlib.contextmanager
    def watched(self):
        """Watch in a thread that ends with the block, and whose errors are the block's."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            watching = pool.submit(self._watch)
            try:
                yield
            finally:
                self._over.set()
        watching.result()

    def _watch(self):
        while not self._over.is_set():
            events = self._cluster.watch("v1", "Pod", self._version, seconds=2, labels="app=toy")
            with contextlib.suppress(Transient):  # The next one goes on where this one broke.
                for event in events:
                    self._version = event.object["metadata"]["resourceVersion"]
                    self._note(event.object)

    def _note(self, pod):
        meta = pod["metadata"]
        if until := meta.get("deletionTimestamp"):
            model = worlds.variable(pod, "MODEL")
            grace = meta["deletionGracePeriodSeconds"]
            self.told.setdefault(model, Instant.parse(until).seconds - grace)


@pytest.fixture
def served(world):
    """The world with its first version served, by a viewer that has sessions."""
    world.write({worlds.VIEWER: TALKS, worlds.MANIFEST: world.manifest(replicas=1)})
    world.gitwf("reconcile")
    assert world.comes_to_serve("toy-v1") == "toy-v1"
    return world


def test_no_request_fails_and_no_session_is_cut_early_over_twenty_rollouts(served, capsys):
    load = Clients(served.address())
    endings = Endings(served.connection())
    pool = concurrent.futures.ThreadPoolExecutor(ROLLOUTS)
    with pool as sessions, endings.watched(), load.asking():
        talking = {}
        for version in range(2, 2 + ROLLOUTS):
            opened = WebSocket(served.address())
            assert opened.status == b"101"
            talking[f"toy-v{version - 1}"] = sessions.submit(talk, opened)
            load.newest = version
            served.push(f"Better {version}", mape=f"{0.2 - version / 1000:.3f}\n")
            served.gitwf("reconcile")
            load.wait_for(lambda wanted=version: wanted in load.seen[-8:])
            settled(load, version)
        told = {model: session.result(PATIENCE_SECONDS) for model, session in talking.items()}

    kept = {model: session.cut - endings.told[model] for model, session in told.items()}
    with capsys.disabled():
        said = f"{len(load.seen)} requests, {len(load.wrong)} failed"
        sys.stdout.write(f"\n{said}; each session kept {min(kept.values()):.1f} s or more\n")
    assert load.wrong == []
    assert sorted(set(load.seen)) == list(range(1, 2 + ROLLOUTS))
    assert {model: set(session.models) for model, session in told.items()} == {
        model: {model} for model in talking
    }
    assert min(kept.values()) >= worlds.DRAIN_SECONDS, kept


def settled(load, version):
    """Wait till every page names this version: a node's table of addresses follows by a moment."""
    while True:
        asked = len(load.seen)
        load.wait_for(lambda wanted=asked + 20: len(load.seen) >= wanted)
        if set(load.seen[asked:]) == {version}:
            load.oldest = version
            return
