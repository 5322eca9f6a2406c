"""The pods of one run that wait, run or have just ended.

One selector waits for all of them: for the end of each, for standard output that somebody wants to
read, and for the engine's own wake-up. Commands go in, events come out of `wait`; the order of
events is the order in which they were noticed. Never decides what to start, only when there is
room. A fault of the machine, not of a step, ends it all as Transient: the run goes on later.
"""

import collections
import dataclasses
import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters import host
from gitwf.adapters.local import box, outcome, pod, scratch
from gitwf.adapters.local.environment import Unavailable
from gitwf.errors import Stalled, Transient
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

_ALMOST_NO_TIME = 0.001
_SETTLED = 0.05  # Seconds after which a process is worth naming in the journal.


@dataclass(eq=False)
class _Pod:
    start: messages.StartPod
    running: box.Running
    work: Path
    log: int
    stdout: int | None = None
    result: bytearray = field(default_factory=bytearray)
    stopped: str = ""
    kill_at: float = float("inf")


@dataclass(frozen=True)
class Terms:
    """How many pods run at once, and how many seconds one that is asked to end may take."""

    slots: int
    grace: float
    now: Callable[[], Instant]


class Pods:
    """The pods of one run. Used by one thread; only `wake` may be called by another."""

    def __init__(
        self,
        ready: Callable[[], tuple[pod.Context, box.Rung]],
        started: Callable[[str, host.Process], None],
        folders: scratch.Scratch,
        terms: Terms,
    ) -> None:
        self._scratch = folders
        self._ready = ready
        self._started = started
        self._terms = terms
        self._waiting: collections.deque[messages.StartPod] = collections.deque()
        self._running: dict[str, _Pod] = {}
        self._events: list[messages.Event] = []
        self._unnamed: dict[str, float] = {}
        self._self = host.this_process()
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    def wake(self) -> None:
        """Make `wait` return; safe to call from anywhere."""
        os.write(self._waker, b"!")

    def start(self, command: messages.StartPod) -> None:
        """Start a pod as soon as there is room."""
        self._waiting.append(command)

    def stop(self, command: messages.StopPod) -> None:
        """End a pod: ask its group first, and kill it when the grace is over."""
        for one in self._waiting:
            if one.node == command.node:
                self._waiting.remove(one)
                self._events.append(self._failed(command.node, command.message))
                return
        running = self._running.get(command.node)
        if running is not None and not running.stopped:
            running.stopped = command.message
            running.kill_at = time.monotonic() + self._terms.grace
            running.running.stop(kill=False)

    def _failed(self, node: str, message: str) -> messages.PodEnded:
        return messages.PodEnded(node, self._terms.now(), record.Phase.FAILED, message)

    def wait(self, until: Instant | None) -> list[messages.Event]:
        """Wait for something to happen or for `until`; gives what happened, perhaps nothing."""
        self._admit()
        if not self._events:
            self._scratch.tidy()
            for key, _ in self._selector.select(self._patience(until)):
                self._notice(key.fd, key.data)
            self._name()
            self._kill_overdue()
        events, self._events = self._events, []
        return events

    def _patience(self, until: Instant | None) -> float | None:
        kill_at = min((one.kill_at for one in self._running.values()), default=float("inf"))
        waits = [kill_at - time.monotonic()] if kill_at < float("inf") else []
        if until is not None:
            waits.append(until.since(self._terms.now()))
        if self._unnamed:
            waits.append(next(iter(self._unnamed.values())) - time.monotonic())
        return max(min(waits), _ALMOST_NO_TIME) if waits else None

    def _name(self) -> None:
        """Tell the journal of processes that have run for a while: a new owner may find them.

        Naming one takes the kernel as long as starting it, so that short steps go unnamed.
        """
        while self._unnamed:
            node, due = next(iter(self._unnamed.items()))
            if due > time.monotonic():
                return
            del self._unnamed[node]
            self._started(node, self._process(self._running[node].running.pid))

    def _notice(self, fd: int, about: _Pod | None) -> None:
        if about is None:
            os.read(fd, 4096)
        elif self._running.get(about.start.node) is not about:
            pass  # Its end was noticed in the same look.
        elif fd == about.stdout:
            self._read_stdout(about)
        elif (ended := about.running.poll()) is not None:
            self._end(about, ended)

    def _kill_overdue(self) -> None:
        for one in self._running.values():
            if one.kill_at <= time.monotonic():
                one.kill_at = float("inf")
                one.running.stop(kill=True)

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self._terms.slots:
            command = self._waiting.popleft()
            try:
                self._launch(command)
            except (Unavailable, Stalled) as error:
                now = self._terms.now()
                self._events.append(outcome.never_ran(command.node, now, str(error)))
            except OSError as error:
                raise Transient(f"{command.name} could not be started: {error}") from error

    def _process(self, pid: int) -> host.Process:
        return dataclasses.replace(self._self, pid=pid, start=host.start_time(pid))

    def _launch(self, command: messages.StartPod) -> None:
        context, _ = self._ready()
        work = self._scratch.take()
        try:
            self._begin(command, work, pod.prepare(command, work, context))
        except (Unavailable, Stalled):
            self._scratch.give_back(work)
            raise

    def _begin(self, command: messages.StartPod, work: Path, given: box.Box) -> None:
        context, rung = self._ready()
        path = context.run.log(command.node)
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        reader, writer = os.pipe() if command.wants_result else (None, log)
        try:
            running = rung.start(given, work, writer, log)
        except BaseException:
            os.close(log)
            if reader is not None:
                os.close(reader)
            raise
        finally:
            if writer != log:
                os.close(writer)
        one = _Pod(command, running, work, log, reader)
        self._running[command.node] = one
        self._selector.register(running, selectors.EVENT_READ, one)
        if reader is not None:
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, one)
        if running.pid:
            self._unnamed[command.node] = time.monotonic() + _SETTLED
        self._events.append(messages.PodStarted(command.node, self._terms.now()))

    def _read_stdout(self, one: _Pod) -> None:
        """Move what there is into the log and keep the end of it."""
        while one.stdout is not None:
            try:
                chunk = os.read(one.stdout, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                self._close_stdout(one)
                return
            os.write(one.log, chunk)
            one.result += chunk
            # One more byte than is kept, for the newline that is dropped at the end.
            del one.result[: -outcome.RESULT_LIMIT - 1]

    def _close_stdout(self, one: _Pod) -> None:
        if one.stdout is not None:
            self._selector.unregister(one.stdout)
            os.close(one.stdout)
            one.stdout = None

    def _end(self, one: _Pod, ended: box.Ended) -> None:
        self._read_stdout(one)
        self._close_stdout(one)
        self._selector.unregister(one.running)
        one.running.close()
        del self._running[one.start.node]
        self._unnamed.pop(one.start.node, None)
        try:
            self._events.append(self._judge(one, ended))
        except OSError as error:
            raise Transient(f"the outputs of {one.start.name} were not kept: {error}") from error
        finally:
            os.close(one.log)
        self._scratch.give_back(one.work)

    def _judge(self, one: _Pod, ended: box.Ended) -> messages.PodEnded:
        if one.stopped:
            return self._failed(one.start.node, one.stopped)
        if ended.broken or ended.code is None:
            why = ended.broken or "it was killed from outside"
            raise Transient(f"{one.start.name} could not be run: {why}")
        os.write(one.log, outcome.last_words(ended).encode())
        result = bytes(one.result) if one.start.wants_result else None
        context, _ = self._ready()
        now = self._terms.now()
        return outcome.judge(one.start, now, ended, one.work / scratch.OUTPUTS, context.run, result)

    def close(self) -> None:
        """Kill what runs, without a word to the machine: the next owner starts it again."""
        self._waiting.clear()
        for one in self._running.values():
            one.stopped = one.stopped or "the engine was closed"
            one.running.stop(kill=True)
        while self._running:
            for key, _ in self._selector.select():
                self._notice(key.fd, key.data)
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)
