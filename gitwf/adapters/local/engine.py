"""The local engine: the `Engine` port on processes of this machine.

Each run has a folder, a thread and a lock. `start` writes the order down and returns; whoever holds
the run's lock drives it, in this process or another, and everybody else reads its journal. So an
attach, a resume after a crash and a look from another terminal are the same thing seen from three
sides. What cannot run here is refused in `start`, before anything is written.
"""

import contextlib
import errno
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import filelock

from gitwf import ports
from gitwf.adapters.local import (
    artifacts,
    drive,
    folder,
    ground,
    ladder,
    logs,
    orders,
    refusals,
    requests,
    suspended,
)
from gitwf.errors import Rejected, Stalled
from gitwf.values import Digest, Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

_FOLLOW = 0.2  # Seconds between two looks at logs that grow.
_ANY = Instant(0)  # A wish gets its time when it is taken in.

Settings = ground.Settings
Wait = suspended.Wait


class LocalEngine:
    """Runs workflows as local processes; see `gitwf.ports.Engine`. Close it when done."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = folder.StateFolder(settings.state)
        self._rung = ladder.Chosen(settings.isolation)
        self._drives: dict[str, drive.Drive] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """What evidence says: `local`."""
        return "local"

    @property
    def isolation(self) -> str:
        """The rung that steps run on, such as `docker`, `root` or `none`; probed once."""
        return self._rung.name

    def describe(self) -> str:
        """Say in words how steps are kept apart, and what is not enforced."""
        return ladder.describe(self.isolation)

    def start(self, order: ports.Order) -> None:
        """Start the run, or attach to it. Rejected: it cannot run here; Stalled: a stolen id."""
        run = self._state.run(order.id)
        with self._lock:
            begun = orders.begun_before(run.order, order)
            driven = self._drives.get(order.id)
            if begun is not None and driven is not None and not driven.failed:
                return
            if begun is None:
                self._check(order)
            made = self._drive(begun or orders.Begun(order, drive.Clock().now()), run)
            if begun is None:
                # Nobody else's: in it are files that everybody may write to, as Argo makes them.
                run.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                run.logs.mkdir(exist_ok=True)
                orders.write(run.order, made.begun)
            self._hold(order.id, made)

    def _begin(self, begun: orders.Begun, run: folder.RunFolder) -> None:
        with self._lock:
            held = self._drives.get(begun.order.id)
            if held is None or held.done or held.failed:
                self._hold(begun.order.id, self._drive(begun, run))

    def _hold(self, run: str, made: drive.Drive) -> None:
        # What is over is read from disk when somebody asks, so that a long life costs no memory.
        self._drives = {key: one for key, one in self._drives.items() if not one.done}
        self._drives[run] = made
        made.begin()

    def _check(self, order: ports.Order) -> None:
        """Refuse what cannot run on this machine. Rejected with every reason; Stalled."""
        found = refusals.check(order, self._settings, self.isolation, explicit=self._rung.explicit)
        if found:
            raise Rejected(found)

    def _drive(self, begun: orders.Begun, run: folder.RunFolder) -> drive.Drive:
        base = ground.Ground(begun.order, run, self._settings, self.isolation)
        settings = self._settings
        means = drive.Means(base.ready, base.done, settings.slots, settings.grace, self._state)
        return drive.Drive(begun, run, means)

    def observe(self, run: str) -> record.RunRecord | None:
        """The record as it stands, or None when there is no such run."""
        with self._lock:
            found = self._drives.get(run)
        if found is not None:
            return found.snapshot()
        place = self._state.run(run)
        begun = orders.read(place.order, run)
        return None if begun is None else drive.replayed(begun, place).snapshot()

    def watch(self, run: str) -> Iterator[record.RunRecord]:
        """Snapshots as the run goes on; the last one is over. Stalled when there is no such run."""
        with self._lock:
            found = self._drives.get(run)
        if found is None:
            place = self._state.run(run)
            begun = orders.read(place.order, run)
            if begun is None:
                raise Stalled(f"the local engine knows no run {run}")
            found = drive.Drive(begun, place, None)
            found.begin()
        yield from found.watch()

    def let_go(self, run: str) -> None:
        """End what watches the run in this process before the run is over; it goes on."""
        with self._lock:
            found = self._drives.get(run)
        if found is not None:
            found.let_go()

    def cancel(self, run: str, reason: str) -> None:
        """Ask the run to end, whichever process drives it; exit handlers still run."""
        shown = self.observe(run)
        if shown is not None and not shown.over:
            self._ask(run, messages.Shutdown(_ANY, reason))

    def _ask(self, run: str, wish: requests.Wish) -> None:
        requests.put(self._state.run(run).requests, wish)
        with self._lock:
            found = self._drives.get(run)
        if found is not None:
            found.wake()

    def artifact(self, run: str, name: str, to: Path) -> Digest:
        """Copy a global output artifact, one file, to `to`. Stalled when it is not there."""
        shown = self.observe(run)
        location = None if shown is None else shown.outputs.artifacts.get(name)
        if location is None:
            hint = f"give an output artifact `globalName: {name}`"
            raise Stalled(f"the run {run} has no global artifact {name!r}", hint=hint)
        return artifacts.copy_file(artifacts.find(self._state.run(run), location), to)

    def logs(self, run: str, node: str | None = None) -> Iterator[ports.LogLine]:
        """What the steps wrote so far: node by node, in the order in which they came to be."""
        yield from logs.Reader(self._state.run(run), node).lines(self.observe(run))

    def follow(self, run: str, node: str | None = None) -> Iterator[ports.LogLine]:
        """What the steps wrote, and what they write until the run is over or nobody drives it."""
        reader = logs.Reader(self._state.run(run), node)
        left = False
        while not left:
            left = not self.driven(run)
            yield from reader.lines(self.observe(run), whole=left)
            time.sleep(0 if left else _FOLLOW)

    # What a person asks of a run, from whichever process.

    def runs(self) -> list[tuple[Instant, str]]:
        """The runs that were begun: when, and the id; newest first."""
        begun: list[tuple[Instant, str]] = []
        for run in self._state.runs():
            with contextlib.suppress(FileNotFoundError):
                written = self._state.run(run).order.stat().st_mtime_ns
                begun.append((Instant(written // 1000), run))
        return sorted(begun, reverse=True)

    def order(self, run: str) -> orders.Begun:
        """What was ordered, and when. Stalled when there is no such run."""
        begun = orders.read(self._state.run(run).order, run)
        if begun is None:
            raise Stalled(f"the local engine knows no run {run}")
        return begun

    def order_and_record(self, run: str) -> tuple[orders.Begun, record.RunRecord]:
        """What was ordered, and the run as it stands. Stalled when there is no such run."""
        begun = self.order(run)
        return begun, drive.replayed(begun, self._state.run(run)).snapshot()

    def driven(self, run: str) -> bool:
        """Whether some process drives the run now; where nothing can be written, none does."""
        lock = filelock.FileLock(self._state.run(run).lock, thread_local=False)
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            return True
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            return False
        lock.release()
        return False

    def go_on(self, run: str) -> None:
        """Drive a run as it was ordered, from where it is. Stalled when there is no such run."""
        self._begin(self.order(run), self._state.run(run))

    def stop(self, run: str, *, terminate: bool = False) -> None:
        """Ask the run to end: what runs is ended; exit handlers run unless `terminate`."""
        strategy = "Terminate" if terminate else "Stop"
        message = f"workflow shutdown with strategy: {strategy}"
        self._ask(run, messages.Shutdown(_ANY, message, terminate=terminate, strategy=strategy))

    def waits(self, run: str) -> list[suspended.Wait]:
        """What of the run waits for a person, oldest first."""
        return suspended.waits(drive.replayed(self.order(run), self._state.run(run)))

    def resume(self, run: str, node: str, parameters: Mapping[str, str], message: str = "") -> None:
        """Let the suspended node of this id go on, or with "" all that waits."""
        self._ask(run, messages.Resume(_ANY, node, parameters, message))

    def give_up(self, run: str, node: str, message: str) -> None:
        """End the suspended node of this id as Failed."""
        self._ask(run, messages.GiveUp(_ANY, node, message))

    def retry(self, run: str, parameters: Mapping[str, str]) -> None:
        """Try a run that failed again, here. Stalled: it did not fail; Rejected: parameters."""
        with self._lock:
            held = self._drives.get(run)
        if held is not None:
            held.leave()
        begun, wish = self.order(run), messages.Retry(drive.Clock().now(), parameters)
        drive.replayed(begun, self._state.run(run)).tried_again(wish)
        self._ask(run, wish)
        self._begin(begun, self._state.run(run))

    def close(self) -> None:
        """Stop driving; what still runs is killed, and goes on when somebody starts the run."""
        with self._lock:
            drives = list(self._drives.values())
            self._drives.clear()
        for one in drives:
            one.close()
