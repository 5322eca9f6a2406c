"""Who leads, where the API server does what it was asked and the answer is lost, or says no.

The Lease is kept in memory, with the API server's compare-and-swap on its version.
"""

import copy

import pytest

from gitwf.adapters import clock
from gitwf.adapters.kubernetes import lease
from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.testing.clock import ManualClock
from tests import waiting


class Api:
    """One Lease; `fails`: what each answer to a write, which is carried out, becomes."""

    def __init__(self):
        self.kept = None
        self.fails = None
        self.denies = False

    def get(self, api, kind, name):
        if self.denies:
            raise Stalled("Lease gitwf: forbidden")
        return copy.deepcopy(self.kept)

    def create(self, manifest):
        assert self.kept is None
        self._keep(manifest["spec"], "1")

    def merge(self, api, kind, name, change):
        version = self.kept["metadata"]["resourceVersion"]
        if change["metadata"]["resourceVersion"] != version:
            raise RaceLost("the object has been modified")
        self._keep({**self.kept["spec"], **change["spec"]}, str(int(version) + 1))

    def _keep(self, spec, version):
        given = {key: value for key, value in spec.items() if value is not None}
        self.kept = {"metadata": {"resourceVersion": version}, "spec": given}
        if self.fails is not None:
            raise self.fails

    @property
    def holder(self):
        return self.kept["spec"].get("holderIdentity")


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def lead(api):
    def make(who, time=None, seconds=10.0):
        settings = lease.Settings("gitwf", who, seconds)
        return lease.Leadership(settings, api, time or ManualClock())

    return make


LOST = [Transient("the answer broke off"), RaceLost("asked again, and it had changed")]


@pytest.mark.parametrize("fails", LOST)
@pytest.mark.parametrize("emptied", [False, True])
def test_a_lease_that_was_taken_without_an_answer_is_emptied_by_who_stops(
    api, lead, fails, emptied
):
    if emptied:
        with lead("before").held(lambda: False):
            pass
    api.fails = fails

    def stopping():
        return api.kept is not None and api.holder == "one"

    with lead("one").held(stopping) as over:
        assert (over(), api.holder) == (True, "one")

    assert api.holder is None


def test_a_lease_that_was_taken_without_an_answer_is_held_by_who_goes_on(api, lead):
    api.fails = LOST[0]
    candidate = lead("one")
    assert not candidate._attempt()
    api.fails = None

    with candidate.held(lambda: False) as over:
        assert (over(), api.holder) == (False, "one")


def test_who_stops_leaves_the_lease_of_another_alone(api, lead):
    with lead("one").held(lambda: False):
        before = api.kept
        with lead("two").held(lambda: True):
            pass

        assert api.kept == before


def test_who_may_not_renew_any_more_leads_no_more_and_ends_in_peace(api, lead):
    with lead("one", clock.SystemClock(), seconds=0.2).held(lambda: False) as over:
        api.denies = True

        assert waiting.until(over)


def test_who_may_not_take_the_lease_is_told(api, lead):
    api.denies = True

    with pytest.raises(Stalled, match="forbidden"), lead("one").held(lambda: False):
        pass
