"""Of several gitwf in a cluster one leads; a leader that ends, hangs or is cut off is followed."""

import contextlib
import threading

import pytest

from gitwf.adapters import clock
from gitwf.adapters.kubernetes import connection, lease
from gitwf.errors import Transient
from tests import waiting
from tests.kubernetes import replayer

SECONDS = 10.0  # a busy API server may keep a leader waiting that long


@pytest.fixture
def lead(cluster, namespace):
    """Make a candidate of a name."""
    place = connection.Settings(namespace, kubeconfig=cluster.kubeconfig)

    def make(who, opened=None):
        settings = lease.Settings("gitwf", who, SECONDS)
        opened = opened or connection.Connection(place)
        return lease.Leadership(settings, opened, clock.SystemClock())

    make.connection = lambda: connection.Connection(place)
    return make


def holder(lead):
    found = lead.connection().get(lease.API, lease.KIND, "gitwf")
    return found["spec"].get("holderIdentity") if found else None


@contextlib.contextmanager
def standing_by(candidate):
    """A candidate in a thread of its own: an event for when it leads, one to end it."""
    leads, end = threading.Event(), threading.Event()

    def run():
        with candidate.held(end.is_set):
            if not end.is_set():
                leads.set()
                end.wait(replayer.SECONDS)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield leads
    finally:
        end.set()
        thread.join()


def never():
    return False


def test_the_first_leads_and_the_second_waits_till_it_ends(lead):
    with lead("one").held(never) as over:
        with standing_by(lead("two")) as leads:
            assert not leads.wait(SECONDS * 2)
            assert (holder(lead), over()) == ("one", False)

        assert holder(lead) == "one"

    assert holder(lead) is None


def test_who_ends_is_followed_at_once(lead):
    first = lead("one").held(never)
    first.__enter__()
    with standing_by(lead("two")) as leads:
        first.__exit__(None, None, None)

        assert leads.wait(SECONDS)


def test_who_hangs_is_followed_after_its_term(lead):
    hung = lead("one")
    assert hung._attempt()

    with standing_by(lead("two")) as leads:
        assert leads.wait(replayer.SECONDS)
        assert not hung._attempt()


class CutOff:
    """A connection that breaks when it is told to."""

    def __init__(self, real):
        self._real = real
        self.broken = False

    def __getattr__(self, name):
        if self.broken:
            raise Transient("the API server cannot be reached")
        return getattr(self._real, name)


def test_who_is_cut_off_stops_leading_before_another_may(lead):
    cut = CutOff(lead.connection())
    with lead("one", cut).held(never) as over:
        cut.broken = True

        assert waiting.until(over)
        assert holder(lead) == "one"


def test_who_is_asked_to_stop_while_it_waits_never_leads(lead):
    with lead("one").held(never), lead("two").held(lambda: True) as over:
        assert over()
        assert holder(lead) == "one"


def test_who_is_asked_to_stop_just_as_it_takes_the_lease_empties_it(lead):
    with lead("one").held(lambda: holder(lead) == "one"):
        assert holder(lead) == "one"

    assert holder(lead) is None


def test_a_serve_that_is_asked_to_stop_lets_another_lead_at_once(world):
    def leads():
        found = world.connection().get(lease.API, lease.KIND, "gitwf")
        return found and found["spec"].get("holderIdentity")

    place = f"{world.namespace}/gitwf"
    serving = world.start("-m", "gitwf", "serve", "--poll", "1", GITWF_LEADER=place)
    waiting.until(leads)

    serving.terminate()
    out, _ = serving.communicate(timeout=replayer.SECONDS)

    assert serving.returncode == 0, out
    assert leads() is None
