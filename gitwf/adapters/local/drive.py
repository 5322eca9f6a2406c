"""One run, driven: events into the journal, then into the machine; its commands into pods.

A run belongs to whoever holds its lock. The holder replays the journal, ends what a killed owner
left running, starts what had not ended, and goes on; anybody else follows the journal, sees the
same run, and takes over when the lock comes free. No command is carried out before the events that
led to it are on disk; while the disk works, the machine thinks and a pod is made ready. Read next:
`pods` for the processes, `journal` for the disk.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock

from gitwf.adapters.local import (
    bare,
    box,
    container,
    folder,
    journal,
    kept,
    orders,
    placing,
    pod,
    pods,
    replay,
    requests,
)
from gitwf.errors import GitwfError, Transient
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

_FOLLOW = 0.1  # Seconds between two looks at a run that another process drives.
_LOOK = 0.5  # Seconds between two looks for what another process asks for.
_SNAPSHOTS = 0.05  # Seconds between two snapshots, at least.


class Clock:
    """The wall clock as events see it: it never goes back."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> Instant:
        """The moment, or the last one told where the clock was set back."""
        self._last = max(self._last, time.time_ns() // 1000)
        return Instant(self._last)


@dataclass(frozen=True)
class Means:
    """What driving needs of the engine; `done` gives back what `ready` made."""

    ready: Callable[[], tuple[pod.Context, box.Rung]]
    done: Callable[[], None]
    slots: int
    grace: float
    state: folder.StateFolder


class Drive:
    """One run in this process: a thread drives or follows it, anybody may look on.

    Without `means` it only follows.
    """

    def __init__(self, begun: orders.Begun, run: folder.RunFolder, means: Means | None) -> None:
        self.begun = begun
        self._folder = run
        self._means = means
        self._clock = Clock()
        self._replay = replay.Replay(begun)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._ended = threading.Event()
        self._version = 0
        self._failure: BaseException | None = None
        self._closing = False
        self._let_go = False
        self._left = False
        self._look_at = 0.0
        self._answers: list[messages.Event] = []
        self._pods: pods.Pods | None = None
        self._thread = threading.Thread(target=self._run, name=f"run {run.path.name}", daemon=True)

    def begin(self) -> None:
        """Start driving."""
        self._thread.start()

    def snapshot(self) -> record.RunRecord:
        """The run as it stands."""
        with self._lock:
            return self._replay.snapshot()

    def watch(self) -> Iterator[record.RunRecord]:
        """Give a snapshot now and after changes; the last one is over, unless it was let go.

        Raises what ended the driving, and Transient when the engine is closed before the end.
        """
        seen = 0  # Of a run that was begun before, nothing is told until its history was read.
        while True:
            with self._changed:
                while self._failure is None and (self._version == seen or self._leaving):
                    self._changed.wait()
                if self._let_go:
                    return
                seen = self._version
                if self._failure is not None:
                    raise self._failure
                shown = self._replay.snapshot()
            yield shown
            if shown.over:
                return
            if self._closing:
                raise Transient("the local engine was closed while the run went on")
            self._ended.wait(_SNAPSHOTS)

    @property
    def _leaving(self) -> bool:
        """Whether the run is over and its places are being cleared, or a wish may start it anew.

        Whoever hears of the end may start what uses the same places.
        """
        left = self._left or self._let_go
        return self._replay.over and self._means is not None and not left

    @property
    def failed(self) -> bool:
        """Whether driving ended before the run did; the run may be started again."""
        return self._failure is not None

    @property
    def done(self) -> bool:
        """Whether the run is over and nothing is left to do for it."""
        return self._replay.over and not self._thread.is_alive()

    def wake(self) -> None:
        """Have the thread look around."""
        with self._lock:
            self._look_at = 0.0
            if self._pods is not None:
                self._pods.wake()

    def let_go(self) -> None:
        """End what watches, though the run goes on."""
        self._let_go = True
        self._tell()

    def leave(self) -> None:
        """Wait until nothing is left to do, where the run is over."""
        if self._replay.over:
            self._thread.join()

    def close(self) -> None:
        """Stop driving: what runs is killed, and started again by the next owner."""
        self._closing = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            with journal.Journal(self._folder.journal) as history:
                self._own(history)
        except GitwfError as error:
            self._fail(error)
        except OSError as error:
            self._fail(Transient(f"the run cannot go on: {error}"))
        except BaseException as error:
            self._fail(error)
            raise
        finally:
            self._left = True
            self._ended.set()
            self._tell()

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._failure = error
            self._changed.notify_all()

    def _own(self, history: journal.Journal) -> None:
        """Follow until the run is over or ours, then drive it."""
        lock = filelock.FileLock(self._folder.lock, thread_local=False)
        while not self._closing:
            self._take(history.read())
            if self._replay.over and (self._means is None or not self._asked()):
                return
            if self._means is None:
                time.sleep(_FOLLOW)
                continue
            with contextlib.suppress(filelock.Timeout), lock.acquire(blocking=False):
                self._take(history.read())
                history.own()
                with contextlib.ExitStack() as held:
                    self._wait_for_locks(history, self._means.state.locks, held)
                    self._drive(history, self._means)
                return
            time.sleep(_FOLLOW)

    def _wait_for_locks(
        self, history: journal.Journal, root: Path, held: contextlib.ExitStack
    ) -> None:
        """Hold the locks of the whole workflow, unless somebody ends it before they come free."""
        while self._replay.held and not self._closing:
            if kept.hold(root, self._replay.held, held):
                return
            self._take_in(history, wishes := self._wishes())
            if any(isinstance(wish, messages.Shutdown) for wish in wishes):
                return
            time.sleep(_FOLLOW)

    def _take(self, entries: Iterable[journal.Entry]) -> None:
        for entry in entries:
            with self._lock:
                self._replay.take(entry)
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._version += 1
            self._changed.notify_all()

    def _drive(self, history: journal.Journal, means: Means) -> None:
        self._clear_leftovers()
        terms = pods.Terms(means.slots, means.grace, self._clock.now)
        running = pods.Pods(means.ready, history, self._folder, terms)
        with self._lock:
            self._pods = running
        try:
            # A wish to end that is there already keeps what has not ended from starting once more.
            taken = self._take_in(history, self._wishes())
            kept = [one for one in taken if isinstance(one, messages.Remember)]
            history.hasten()
            self._carry_out(history, running, [*self._replay.outstanding(), *kept], means)
            while not self._closing and (not self._replay.over or self._asked()):
                self._step(history, running, means)
            history.sync()
        finally:
            with self._lock:
                self._pods = None
            running.close()
            means.done()

    def _clear_leftovers(self) -> None:
        """End what a killed owner left running, and clear the paths that it had filled."""
        for process in self._replay.leftovers():
            bare.kill_leftover(process)
        container.clear(self._folder.path)
        if self._folder.work.exists():
            bare.kill_strays(self._folder.path)
            placing.clear(self._folder.work)

    def _step(self, history: journal.Journal, running: pods.Pods, means: Means) -> None:
        """Take in what has happened, then do what follows from it."""
        answers, seconds = self._answers, self._patience()
        self._answers = []
        events = [*self._wishes(), *answers, *running.wait(seconds)]
        wake_at = self._replay.wake_at
        if wake_at is not None and wake_at <= (now := self._clock.now()):
            events.append(messages.Tick(now))
        if commands := self._take_in(history, events, hasten=not running.waiting):
            history.hasten()
            self._carry_out(history, running, commands, means)
        if events:
            self._tell()

    def _take_in(
        self, history: journal.Journal, events: Sequence[messages.Event], *, hasten: bool = False
    ) -> list[messages.Command]:
        """Write events down and let the machine have them; a wish is then no longer one.

        `hasten`: have the disk begin before it is known what an end brings about.
        """
        commands: list[messages.Command] = []
        wishes: list[str] = []
        for event in events:
            history.append(event)
        ends = [event for event in events if isinstance(event, messages.PodEnded)]
        if hasten and ends:
            history.hasten()
        for event in events:
            with self._lock:
                commands += self._replay.advance(event)
            if isinstance(event, requests.Wish):
                wishes.append(event.request)
        if wishes:
            history.sync()
        for name in wishes:
            requests.remove(self._folder.requests, name)
        return commands

    def _patience(self) -> float:
        """How many seconds may pass before the next look around."""
        if self._answers or self._replay.over:
            return 0.0
        wake_at = self._replay.wake_at
        return _LOOK if wake_at is None else min(_LOOK, wake_at.since(self._clock.now()))

    def _wishes(self) -> list[messages.Event]:
        """What people have asked for since the last look, which is not taken long ago."""
        if time.monotonic() < self._look_at and not self._replay.over:
            return []
        self._look_at = time.monotonic() + _LOOK
        taken = self._replay.taken
        found: list[messages.Event] = []
        for wish in requests.take(self._folder.requests, self._clock.now()):
            if wish.request in taken:
                requests.remove(self._folder.requests, wish.request)
            else:
                found.append(wish)
        return found

    def _asked(self) -> bool:
        """Whether somebody asked for something that is not taken in yet."""
        return any(name not in self._replay.taken for name in requests.names(self._folder.requests))

    def _carry_out(
        self,
        history: journal.Journal,
        running: pods.Pods,
        commands: Iterable[messages.Command],
        means: Means,
    ) -> None:
        for command in commands:
            match command:
                case messages.StartPod():
                    running.start(command)  # It looks to the disk itself, once the pod is ready.
                case messages.StopPod():
                    history.settle()
                    running.stop(command)
                case messages.LookUp():
                    memory = kept.Memory(means.state.memory)
                    self._answers.append(memory.look_up(command, self._clock.now()))
                case messages.Remember():
                    history.settle()
                    kept.Memory(means.state.memory).remember(command, self._clock.now())
                case messages.WakeAt() | messages.Finish():
                    pass
        running.admit()


def replayed(begun: orders.Begun, run: folder.RunFolder) -> replay.Replay:
    """Work a run out from what is on disk, whoever drives it."""
    history = replay.Replay(begun)
    if run.journal.exists():
        for entry in journal.Reader(run.journal).read():
            history.take(entry)
    return history
