"""The whole service on in-memory ports: state in, reconcile, state out, in milliseconds.

The engine plays what a test says; branch, ledger, store and target keep the laws of the real ones.
"""

import dataclasses
import itertools
import json
import pathlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from gitwf import ports
from gitwf.adapters import kept
from gitwf.delivery import entry
from gitwf.service import asking, edge, observe, reconcile, signals
from gitwf.testing import clock, memory_git, memory_store, memory_target
from gitwf.values import CommitId, Digest, Instant
from gitwf.workflow import record
from tests.e2e import conftest as toys

PRODUCTION = "models/toy/production.yaml"
Played = tuple[record.Phase, str]
PATIENCE_SECONDS = 120


class Wakeable(clock.ManualClock):
    """A clock moved by hand; `on_wait` happens at each wait.

    While `busy` says that another thread is about to wake it, it waits for that and stands still.
    """

    def __init__(self, busy: Callable[[], bool], at: Instant = clock.NOON) -> None:
        super().__init__(at)
        self.on_wait: Callable[[], None] = lambda: None
        self._busy = busy
        self._awake = threading.Event()

    def wait(self, seconds: float) -> None:
        # Who is busy wakes us before it is done with: asked in this order nobody is missed.
        if self._busy() or self._awake.is_set():
            until = time.monotonic() + PATIENCE_SECONDS
            while not self._awake.wait(0.01) and self._busy():
                assert time.monotonic() < until
            self._awake.clear()
            return
        super().wait(seconds)
        self.on_wait()

    def wake(self) -> None:
        self._awake.set()


class PlayedEngine:
    """Runs that go as `play` says; the model is what mape.txt holds. `hanging` runs go on.

    `nodes` are those of every run, `written` is what each of its steps wrote.
    """

    name = "local"

    def describe(self) -> str:
        return "played"

    def __init__(self) -> None:
        self.orders: dict[str, ports.Order] = {}
        self.cancelled: dict[str, str] = {}
        self.hanging = False
        self.nodes: dict[str, record.NodeRecord] = {}
        self.written: list[str] = []
        self.closed = threading.Event()
        self.play: Callable[[ports.Order], Played] = lambda _: (record.Phase.SUCCEEDED, "")
        self._moved = threading.Condition()
        self._open: set[str] = set()

    def ending(self) -> bool:
        """Whether a run is about to end."""
        with self._moved:
            return any(not self.hanging or run in self.cancelled for run in self._open)

    def start(self, order: ports.Order) -> None:
        with self._moved:
            self.orders[order.id] = order
            self._open.add(order.id)

    def observe(self, run: str) -> record.RunRecord | None:
        return self._record(run) if run in self.orders else None

    def _record(self, run: str) -> record.RunRecord:
        order = self.orders[run]
        phase, message = self.play(order)
        if run in self.cancelled:
            phase, message = record.Phase.FAILED, self.cancelled[run]
        at = clock.NOON
        metrics = record.Outputs(parameters={"metrics": f'{{"mape": {_mape(order)}}}'})
        return record.RunRecord(
            run, phase, message, started=at, finished=at, nodes=self.nodes, outputs=metrics
        )

    def watch(self, run: str) -> Iterator[record.RunRecord]:
        if self.hanging:
            yield record.RunRecord(run, record.Phase.RUNNING)
            with self._moved:
                self._moved.wait_for(
                    lambda: run in self.cancelled or not self.hanging or self.closed.is_set(),
                    PATIENCE_SECONDS,
                )
            if self.closed.is_set():
                return
        yield self._record(run)
        with self._moved:
            self._open.discard(run)

    def cancel(self, run: str, reason: str) -> None:
        with self._moved:
            self.cancelled[run] = reason
            self._moved.notify_all()

    def let_end(self) -> None:
        with self._moved:
            self.hanging = False
            self._moved.notify_all()

    def artifact(self, run: str, name: str, to: pathlib.Path) -> Digest:
        content = f"{name} {_mape(self.orders[run])}\n".encode()
        to.write_bytes(content)
        return Digest.of(content)

    def logs(self, run: str, node: str | None = None) -> Iterator[ports.LogLine]:
        del run
        lines = self.written if node in {None, *self.nodes} else []
        return iter([ports.LogLine(node or "toy", line) for line in lines])

    def close(self) -> None:
        with self._moved:
            self.closed.set()
            self._open.clear()
            self._moved.notify_all()


def _mape(order: ports.Order) -> str:
    assert order.source is not None
    (file,) = order.source.rglob("mape.txt")
    return file.read_text("utf-8").strip()


class World:
    """One remote in memory with the toy pipeline on it, and reconcilers of any host."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.remote = memory_git.MemoryRemote()
        self.engine = PlayedEngine()
        self.clock = Wakeable(self.engine.ending)
        self.store = memory_store.MemoryStore()
        self.targets: dict[tuple[str, str], memory_target.MemoryTarget] = {}
        self.said: list[str] = []
        self.dead: set[int] = set()
        self._folder = folder
        self._numbers = itertools.count()
        self.commit({path: text.encode() for path, text in toys.FILES.items()})

    def commit(self, edits: Mapping[str, bytes | None]) -> CommitId:
        """A person commits, a minute after whatever was before."""
        self.clock.advance(60)
        return self.remote.commit(edits, time=self.clock.now())

    def push(self, mape: float) -> CommitId:
        """A person's model gets this error."""
        return self.commit({"pipelines/toy/mape.txt": f"{mape}\n".encode()})

    def edge(self, *, host: str = "here", pid: int = 1, **changed: Any) -> edge.Edge:
        """The ports, as one process sees them."""
        made = edge.Edge(
            repo=memory_git.MemoryRepo(self.remote, "main", self.clock),
            ledger=memory_git.MemoryLedger(self.remote, self.clock),
            engine=lambda _: self.engine,
            store=lambda _: self.store,
            target=lambda model, deploy, _: self.target(deploy.environment, model),
            clock=self.clock,
            me=entry.Owner(host, "boot", pid, "start"),
            nonce=lambda: f"nonce{next(self._numbers)}",
            known_dead=lambda owner: owner.host == host and owner.pid in self.dead,
            render=lambda text, _: text,
            state=self._folder / host,
            listener=self._hear,
            kept=kept.KeptFile(self._folder / host / "documents"),
        )
        return dataclasses.replace(made, **changed)

    def _hear(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.Said):
            self.said.append(signal.text)

    def target(
        self, environment: str = "production", model: str = "toy"
    ) -> memory_target.MemoryTarget:
        """The target of a model's environment."""
        return self.targets.setdefault((model, environment), memory_target.MemoryTarget())

    def asks(self, decide: asking.Publishing, model: str = "toy") -> CommitId:
        """A person asks by command for a commit on the branch."""
        self.clock.advance(60)
        return asking.Asking(self.edge()).publish(model, decide)[0]

    def wishes(self, decide: asking.Noting, model: str = "toy") -> None:
        """A person asks by command for an entry in the ledger."""
        self.clock.advance(60)
        asking.Asking(self.edge()).note(model, decide)

    def reconcile(self, *, wait: bool = True, **who: Any) -> reconcile.Outcome:
        """One reconcile by a process of its own."""
        reconciler = reconcile.Reconciler(self.edge(**who))
        return reconciler.run(wait=wait)

    def observe(self) -> observe.Pass:
        """What a new process sees."""
        return reconcile.Reconciler(self.edge()).look()[0]

    def served(self, environment: str = "production", model: str = "toy") -> str | None:
        """MODEL of what people see."""
        shown = self.target(environment, model).shown
        return shown.tag if shown is not None else None

    def file(self, path: str = PRODUCTION) -> str:
        """A file at the branch's head."""
        return self.remote.snapshot(self.remote.branches["main"]).files[path].decode()

    def entries(self, beginning: str = "") -> list[str]:
        """The paths of the ledger's entries."""
        files = self.remote.snapshot(self.remote.branches[memory_git.LEDGER]).files
        return sorted(path for path in files if path.startswith(beginning))

    def facts(self) -> dict[str, Any]:
        """The ledger's entries by path."""
        files = self.remote.snapshot(self.remote.branches[memory_git.LEDGER]).files
        return {path: json.loads(content) for path, content in files.items()}

    def subjects(self) -> list[str]:
        """The first lines of the branch's commits, newest first."""
        repo = memory_git.MemoryRepo(self.remote, "main", self.clock)
        history = repo.history(self.remote.branches["main"])
        return [commit.message.partition("\n")[0] for commit in history]


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    """A world in which nothing was trained yet."""
    return World(tmp_path)


@pytest.fixture
def two(world: World) -> World:
    """A world that serves version 2, and served version 1 before."""
    world.reconcile()
    world.push(0.19)
    world.reconcile()
    assert world.served() == "toy-v2"
    return world
