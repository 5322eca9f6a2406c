"""A front at a port of earlier settings: the next rollout moves it, and nobody sees it go down."""

import asyncio
import concurrent.futures
import dataclasses
import shutil
import socket
import threading
import types
import urllib.error
import urllib.request

import pytest

from gitwf.adapters.viewer import control, front, proxy, target
from gitwf.errors import Stalled
from tests import waiting

pytestmark = pytest.mark.slow


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def moved(site):
    """A site that serves version 1, and then is told of another port."""
    site.roll(1)
    old, first = site.seen, site.settings
    site.settings = dataclasses.replace(site.settings, port=free_port())
    site.target = target.LocalTarget(site.settings, site.store.fetch)
    yield site, old
    control.down(first)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def page(url):
    with urllib.request.urlopen(url, timeout=120) as response:
        return response.read().decode()


def test_what_serves_at_the_old_port_is_seen_as_served_elsewhere(moved):
    site, old = moved

    serving = site.target.observe()

    assert (serving.model, serving.ready) == ("ad-effect-v1", True)
    assert (serving.revision, serving.at) == ("", old["url"])
    assert control.url(site.settings) == old["url"]


def test_it_moves_without_a_failed_request_and_the_old_one_ends(moved):
    site, old = moved
    stop, answers = threading.Event(), []

    def look():
        """Ask until the old port is closed; only a refused connection is not a failure."""
        while not stop.is_set():
            try:
                answers.append("ad-effect-v1" in page(old["url"]))
            except urllib.error.URLError as error:
                answers.append(isinstance(error.reason, ConnectionRefusedError))
                return site.seen["serving"]
        return None

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        looking = pool.submit(look)
        slow = pool.submit(page, old["url"] + "slowly")
        try:
            assert site.roll(1).state == "complete"
            assert looking.result(120)["model"] == "ad-effect-v1"
        finally:
            stop.set()
        assert slow.result(120).count("ad-effect-v1") == 20

    assert all(answers)
    assert site.seen["port"] == site.settings.port
    assert site.target.observe().at == ""
    waiting.until(lambda: not site.alive(old["pid"]))
    assert not site.alive(old["serving"]["pid"])
    assert [one.name for one in site.settings.home.iterdir() if one.is_dir()] == [
        str(site.settings.port)
    ]


def test_who_has_got_through_when_it_stops_listening_is_served():
    served = []

    async def run():
        listening = socket.create_server(("127.0.0.1", 0))
        accept = lambda _, writer: (served.append(writer), writer.close())  # noqa: E731
        server = await asyncio.start_server(accept, sock=listening)
        # Nothing is accepted before the loop gets to it.
        clients = [socket.create_connection(listening.getsockname()) for _ in range(3)]
        await front._stop_listening(server, listening, accept)
        told = [await asyncio.to_thread(client.recv, 1) for client in clients]
        refused = listens(clients[0].getpeername()[1])
        for client in clients:
            client.close()
        return told, refused

    assert asyncio.run(run()) == ([b"", b"", b""], False)
    assert len(served) == 3


def test_who_comes_while_others_end_is_waited_for_as_well():
    async def closed():
        pass

    writer = types.SimpleNamespace(close=lambda: None, wait_closed=closed)

    async def run():
        draining = proxy.Proxy(None, None)
        first, second = asyncio.StreamReader(), asyncio.StreamReader()
        draining.accept(first, writer)
        over = asyncio.create_task(draining.drain(600))
        await asyncio.sleep(0)
        draining.accept(second, writer)
        first.feed_eof()
        for _ in range(10):  # rounds of the loop: more than its end would take
            await asyncio.sleep(0)
        early = over.done()
        second.feed_eof()
        await over
        return early

    assert asyncio.run(run()) is False


def test_the_old_one_serves_on_while_the_new_one_does_not_get_ready(moved):
    site, old = moved

    outcome = site.roll(1, BEHAVIOUR="crash")

    assert outcome.state == "failed"
    assert "ad-effect-v1" in page(old["url"])
    assert site.roll(2).state == "complete"
    waiting.until(lambda: not listens(old["port"]))


def test_a_port_that_a_stranger_has_leaves_the_old_one_serving(moved):
    site, old = moved
    desired = site.desired(1)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", site.settings.port))
        with pytest.raises(Stalled, match="cannot listen"):
            site.target.apply(desired)

    assert "ad-effect-v1" in page(old["url"])


def test_a_deleted_folder_hides_no_front(moved):
    site, old = moved
    shutil.rmtree(site.settings.home)

    waiting.until(lambda: site.target.observe() is not None)

    assert site.target.observe().at == old["url"]


def test_down_stops_it_at_whatever_port(moved):
    site, old = moved

    assert control.down(site.settings) is True

    waiting.until(lambda: not site.alive(old["pid"]))
    assert not site.settings.home.exists()
