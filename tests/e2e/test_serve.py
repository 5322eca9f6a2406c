"""`gitwf serve` as a daemon and `gitwf front` in the foreground: real processes and signals."""

import collections
import contextlib
import dataclasses
import signal
import subprocess
import threading

import pytest

from gitwf.testing import git_server
from tests import waiting
from tests.e2e import conftest

pytestmark = pytest.mark.slow


class Daemon:
    """A process of gitwf whose lines are read as they come."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: collections.deque[str] = collections.deque()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, words: str) -> bool:
        return any(words in line for line in list(self.lines))

    def await_words(self, words: str) -> None:
        waiting.until(lambda: self.says(words) or self._ended(words))

    def _ended(self, words: str) -> bool:
        assert self.process.poll() is None, f"ended without {words!r}: {list(self.lines)}"
        return False

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        code = self.process.wait(conftest.PATIENCE_SECONDS)
        self._reader.join(60)
        return code


@pytest.fixture
def daemon():
    """Start a daemon in a world; whatever happens, it is ended."""
    with contextlib.ExitStack() as stack:

        def start(world, *arguments, **more):
            process = world.start("-u", "-m", "gitwf", *arguments, **more)
            made = Daemon(process)
            stack.callback(process.stdout.close)
            stack.callback(process.wait, conftest.PATIENCE_SECONDS)
            stack.callback(process.kill)
            return made

        yield start


def test_it_sees_pushes_until_it_is_told_to_stop(world, daemon):
    running = daemon(world, "serve", "--poll", "0.2")
    running.await_words("toy in production: synced: serves version 1")
    world.push("Better", mape="0.1\n")
    running.await_words("toy in production: synced: serves version 2")

    assert running.end() == 0

    assert running.lines[0] == f"serving {world.url} main"
    assert running.lines[-1] == "serve: stopped as asked; runs under way are handed over"
    assert world.served() == "toy-v2"
    assert len(world.trained()) == 2


def test_ctrl_c_ends_it_as_well_and_the_viewer_stays_up(world, daemon):
    running = daemon(world, "serve", "--poll", "0.2")
    running.await_words("serves version 1")

    assert running.end(signal.SIGINT) == 0
    assert world.served() == "toy-v1"


def test_it_outlives_an_outage_of_the_remote_and_goes_on_when_that_is_over(world, daemon, gateway):
    project = conftest.PROJECT.replace("file:store", f"s3://models/{world.folder.parent.name}")
    world.write({"gitwf.yaml": project})
    with git_server.GitServer(world.folder) as server:
        there = dataclasses.replace(world, url=server.url("shop.git"))
        running = daemon(there, "serve", "--poll", "0.2", **gateway)
        running.await_words("serves version 1")
        server.answer_with(*[503] * 10_000)
        running.await_words("trying again in")
        world.push("Better", mape="0.1\n")
        assert world.served() == "toy-v1"
        server.answer_with()
        running.await_words("serves version 2")

        assert running.end() == 0
    assert not running.says("Traceback")


def test_a_run_under_way_is_handed_over_and_only_the_broken_step_runs_again(
    world, daemon, tmp_path
):
    count, go = tmp_path / "count", tmp_path / "go"
    world.push("Slow", before=f"echo run >> {count}; until test -e {go}; do sleep 0.05; done\n")
    running = daemon(world, "serve", "--poll", "0.2", GITWF_ISOLATION="none")
    waiting.until(count.exists)

    assert running.end() == 0
    go.touch()
    world.gitwf("reconcile", GITWF_ISOLATION="none")

    assert world.served() == "toy-v1"
    claims = [one for name, one in world.ledger().items() if name in world.trained()]
    assert {one["version"] for one in claims} == {1}


def test_a_wrong_push_is_said_and_its_mend_counts_without_a_restart(world, daemon):
    running = daemon(world, "serve", "--poll", "0.2")
    running.await_words("serves version 1")
    world.write({"gitwf.yaml": "a: [\n"}, "Break it")
    running.await_words("gitwf.yaml:")
    world.write({"gitwf.yaml": conftest.PROJECT, "pipelines/toy/mape.txt": "0.1\n"}, "Mend it")
    running.await_words("serves version 2")

    assert running.end() == 0
    assert not running.says("Traceback")


def test_no_wait_says_that_another_is_at_work_and_does_nothing(world, daemon, tmp_path):
    go = tmp_path / "go"
    world.push("Slow", before=f"until test -e {go}; do sleep 0.05; done\n")
    running = daemon(world, "serve", "--poll", "0.2", GITWF_ISOLATION="none")
    waiting.until(world.trained)
    other = dataclasses.replace(world, state=world.folder / "other")

    out = other.gitwf("reconcile", "--no-wait", code=3, GITWF_ISOLATION="none")

    assert "reconcile: pending" in out
    assert "holds the claim" in out
    go.touch()
    running.await_words("serves version 1")
    assert running.end() == 0


def test_a_front_in_the_foreground_says_what_it_does(world, daemon):
    front = daemon(world, "front", "production")
    front.await_words("front of production: http://127.0.0.1:")
    world.gitwf("reconcile")

    assert front.end(signal.SIGINT) == 0

    told = [line.strip() for line in front.lines]
    assert told[1:3] == ["starting the viewer of toy-v1", "serving toy-v1"]
    assert told[-1] == "front of production: stopped"
