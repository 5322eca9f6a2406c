"""`serve`: what goes wrong is said once and ends nothing; what changes is picked up."""

import itertools

import pytest

from gitwf.errors import Stalled, Transient, of_the_machine
from gitwf.service import loop
from gitwf.testing import memory_git
from tests.e2e import conftest as toys


@pytest.fixture
def serve(world):
    """Serve, doing one thing of a list at each pause, until all are done."""

    def served(*things):
        left = list(things)
        pauses = []

        def pause():
            pauses.append(world.clock.monotonic())
            if left:
                left.pop(0)()

        world.clock.on_wait = pause
        stopping = lambda: not left and len(pauses) > len(things) + 2  # noqa: E731
        loop.Loop(world.edge(), poll=10, stopping=stopping, jitter=lambda: 0.5).run()
        return pauses

    return served


def nothing():
    pass


def test_a_push_is_picked_up_at_the_next_poll(world, serve):
    serve(lambda: world.push(0.1))

    assert world.served() == "toy-v2"


def test_a_broken_project_is_said_once_and_its_mend_is_picked_up(world, serve):
    broken = {"gitwf.yaml": b"kind: Projekt\n"}
    mended = {"gitwf.yaml": toys.PROJECT.encode(), "pipelines/toy/mape.txt": b"0.1\n"}

    pauses = serve(
        lambda: world.commit(broken), *[nothing] * 5, lambda: world.commit(mended), nothing
    )

    assert len([text for text in world.said if text.startswith("gitwf.yaml:1:")]) == 1
    assert world.served() == "toy-v2"
    assert [round(b - a) for a, b in itertools.pairwise(pauses[1:7])] == [10] * 5


@pytest.mark.parametrize(
    "fault",
    [
        Transient("the remote could not be reached", retry_after=5.0),
        Stalled("the remote did not accept the credentials"),
        OSError(28, "No space left on device", "/state/git"),
    ],
)
def test_an_outage_of_the_remote_is_survived(world, serve, monkeypatch, fault):
    head = memory_git.MemoryRepo.head
    out = [False]

    def reached(repo):
        if out[0]:
            raise fault
        return head(repo)

    monkeypatch.setattr(memory_git.MemoryRepo, "head", reached)

    def begin():
        out[0] = True

    def end():
        out[0] = False
        world.push(0.1)

    serve(begin, *[nothing] * 12, end, *[nothing] * 4)

    assert world.served() == "toy-v2"
    told = of_the_machine(fault) if isinstance(fault, OSError) else fault
    assert str(told) in world.said


def test_where_things_stand_is_said_when_it_changes(world, serve):
    serve(*[nothing] * 6)

    assert world.said.count("toy in production: synced: serves version 1") == 1
