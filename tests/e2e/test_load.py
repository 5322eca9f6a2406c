"""People keep looking while the whole loop goes on: pushes, releases, viewers that fail, bad bytes.

Each rollover here is a push and a `gitwf reconcile` as a process of its own; the clients know
nothing of it. A viewer that fails is an `app.R` that stops, run by the real R.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import re
import shutil
import sys
import threading
import time

import pytest

from gitwf.adapters.viewer import launch

pytestmark = pytest.mark.slow

ROLLOVERS, CLIENTS, REQUESTS = 10, 4, 1_000
PAUSE_SECONDS = 0.01
PATIENCE_SECONDS = 300
NAMED = re.compile(rb"""<meta[^>]*name="gitwf-model"[^>]*content="toy-v(\d+)\"""")
R_APP = """\
library(shiny)
{first}
shinyApp(
  ui = fluidPage(tags$head(tags$meta(name = "gitwf-model", content = Sys.getenv("MODEL")))),
  server = function(input, output, session) {{}}
)
"""


@dataclasses.dataclass
class Load:
    """Clients that ask over and over. What is served lies between `oldest` and `newest`."""

    url: str
    oldest: int = 1
    newest: int = 1
    seen: list = dataclasses.field(default_factory=list)
    wrong: list = dataclasses.field(default_factory=list)
    over: threading.Event = dataclasses.field(default_factory=threading.Event)

    def ask(self, *, keep):
        """Ask until it is over; a connection for each request, or one that is kept."""
        host = self.url.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=120)
        while not self.over.wait(PAUSE_SECONDS):
            oldest = self.oldest
            connection.request("GET", "/", headers={} if keep else {"Connection": "close"})
            response = connection.getresponse()
            found = NAMED.search(response.read())
            if not keep:
                connection.close()
            version = int(found.group(1)) if found else None
            self.seen.append(version)
            if response.status != 200 or version is None or not oldest <= version <= self.newest:
                self.wrong.append((response.status, oldest, version, self.newest))
                self.over.set()
        connection.close()

    @contextlib.contextmanager
    def asking(self):
        """Ask from CLIENTS threads; every one of them must come to its end by itself."""
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self.ask, keep=one % 2 == 0) for one in range(CLIENTS)]
            try:
                yield
            finally:
                self.over.set()
        assert [client.result() for client in clients] == [None] * CLIENTS

    def wait_for(self, condition):
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert not self.wrong, self.wrong[:CLIENTS]
            assert time.monotonic() < until, f"asked {len(self.seen)} times, and it never came"
            self.over.wait(0.02)


@pytest.fixture
def r():
    if launch.r_libraries(shutil.which("Rscript")) is None:
        pytest.skip("no R with shiny and jsonlite")


def app(first=""):
    return {"pipelines/toy/viewer/app.R": R_APP.format(first=first)}


def roll_over(world, load, first, last):
    """Push ever better models and reconcile each, while the clients ask."""
    for version in range(first, last + 1):
        world.push(f"Better {version}", mape=f"{0.2 - version / 100:.2f}\n")
        load.newest = version
        world.gitwf("reconcile")
        load.oldest = version
        load.wait_for(lambda wanted=version: wanted in load.seen)


def test_no_request_fails_over_ten_rollovers_by_the_whole_loop(world, capsys):
    world.gitwf("reconcile")
    load = Load(str(world.front()["url"]))
    with load.asking():
        roll_over(world, load, 2, 1 + ROLLOVERS)
        load.wait_for(lambda: len(load.seen) >= REQUESTS)

    counts = {version: load.seen.count(version) for version in sorted(set(load.seen))}
    with capsys.disabled():
        sys.stdout.write(f"\n{len(load.seen)} requests, {len(load.wrong)} failed; seen: {counts}\n")
    assert load.wrong == []
    assert list(counts) == list(range(1, 2 + ROLLOVERS)), counts
    assert len(load.seen) >= REQUESTS
    assert len(world.releases()) == 1 + ROLLOVERS


def test_no_request_fails_over_rollovers_of_the_r_viewer(world, r):
    world.write(app())
    world.gitwf("reconcile")
    assert world.front()["serving"]["with"] == "R-Shiny"
    load = Load(str(world.front()["url"]))
    with load.asking():
        roll_over(world, load, 2, 4)

    assert load.wrong == []
    assert set(load.seen) == {1, 2, 3, 4}


def test_a_viewer_that_never_gets_ready_is_rolled_back_in_one_commit_under_load(world, r):
    world.write(app())
    world.gitwf("reconcile")
    good = world.front()["serving"]["pid"]
    load = Load(str(world.front()["url"]), newest=1)
    with load.asking():
        broken = app('stop("no such column: spend")')
        world.write({**broken, "pipelines/toy/mape.txt": "0.1\n"}, "A viewer that stops")
        out = world.gitwf("reconcile", code=1)
        load.wait_for(lambda: len(load.seen) >= REQUESTS)

    assert load.wrong == []
    assert set(load.seen) == {1}
    assert world.served() == "toy-v1"
    assert world.front()["serving"]["pid"] == good
    assert "no such column: spend" in out
    newest, promoted, _ = world.releases()
    subjects = [world.remote.git("log", "-1", "--format=%s", one) for one in (newest, promoted)]
    assert subjects[1] == "Release toy@2 to production", subjects
    changed = world.remote.git("diff", "--name-only", f"{newest}^", newest).splitlines()
    assert changed == ["models/toy/production.yaml", "models/toy/rejected.yaml"]
    release = world.remote.show("models/toy/production.yaml")
    assert re.search(r"^  version: 1$", release, re.MULTILINE), release
    assert re.search(r"versions: \[2\]|versions:\n\s+- 2\n", release), release
    rejected = world.remote.show("models/toy/rejected.yaml")
    assert re.search(r"version: 2\b", rejected), rejected
    assert "no such column: spend" in rejected


def test_after_a_failed_rollout_nothing_moves_until_a_newer_good_version_comes(world, r):
    world.write(app())
    world.gitwf("reconcile")
    broken = app('stop("no such column: spend")')
    world.write({**broken, "pipelines/toy/mape.txt": "0.1\n"}, "A viewer that stops")
    world.gitwf("reconcile", code=1)
    branch = world.remote.head()

    world.gitwf("reconcile", code=None)
    assert world.remote.head() == branch
    assert world.served() == "toy-v1"

    world.write({**app(), "pipelines/toy/mape.txt": "0.09\n"}, "Mend the viewer")
    world.gitwf("reconcile")
    assert world.served() == "toy-v3"


def model_in_store(world, version):
    """The file that holds a version's bytes, found by the digest in the ledger."""
    key = world.ledger()[f"versions/toy/{version}.json"]["key"]
    digest = str(world.ledger()[f"runs/toy/{key}/result.json"]["digest"]).removeprefix("sha256:")
    (found,) = (
        path
        for path in (world.folder / "store").rglob("*")
        if path.is_file() and digest in path.as_posix()
    )
    return found


def test_bytes_that_were_changed_in_the_store_are_never_served(world):
    world.gitwf("reconcile")
    world.push("Better", mape="0.1\n")
    world.gitwf("reconcile")
    tampered = model_in_store(world, 1)
    tampered.chmod(0o644)
    tampered.write_bytes(tampered.read_bytes().replace(b"0.2", b"0.1"))

    world.revert(world.releases()[0])
    load = Load(str(world.front()["url"]), oldest=2, newest=2)
    with load.asking():
        out = world.gitwf("reconcile", code=1)

    assert load.wrong == []
    assert world.served() == "toy-v2"
    assert "sha256:" in out


def test_a_first_viewer_that_never_answers_fails_in_its_time_and_serves_nothing(world):
    world.write({"pipelines/toy/viewer/app.py": "import time\ntime.sleep(600)\n"})

    out = world.gitwf("reconcile", code=1, GITWF_READY="1.5")

    assert "was not ready in 1.5 s" in out
    assert world.front()["serving"] is None
    release = world.remote.show("models/toy/production.yaml")
    assert re.search(r"^  version: null$", release, re.MULTILINE), release
