"""The pods of one run that wait, run or have just ended.

One selector waits for all of them: for the end of each member of each, for standard output that
somebody wants to read, and for the engine's own wake-up. Commands go in, events come out of `wait`;
the order of events is the order in which they were noticed. Never decides what to start, only when
there is room; what led to it is on disk before it starts, however far it was made ready meanwhile.
A fault of the machine, not of a step, ends it all as Transient: the run goes on later.
"""

import collections
import dataclasses
import os
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gitwf.adapters.local import (
    asking,
    box,
    folder,
    journal,
    log_files,
    members,
    naming,
    outcome,
    pod,
    scratch,
    under_way,
)
from gitwf.adapters.local.environment import Secrets, Unavailable
from gitwf.errors import Stalled, Transient
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

_ALMOST_NO_TIME = 0.001
_KILLED = 137
# Seconds that the containers of a set go on beside one that failed. Argo's controller ends them
# when it next looks at their pod.
_LEFT_ALONE = 3.0


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
        history: journal.Journal,
        run: folder.RunFolder,
        terms: Terms,
    ) -> None:
        self._run = run
        self._scratch = scratch.Scratch(run.work)
        self._logs = log_files.LogFiles(run.logs, run.work)
        self._ready = ready
        self._history = history
        self._terms = terms
        self._waiting: collections.deque[messages.StartPod] = collections.deque()
        self._running: dict[str, under_way.Pod] = {}
        self._events: list[messages.Event] = []
        self._names = naming.Names(history, self._logs)
        self._over: list[under_way.Member] = []
        self._desk = asking.Desk(self._secrets, terms.now)
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    def wake(self) -> None:
        """Make `wait` return; safe to call from anywhere."""
        os.write(self._waker, b"!")

    def start(self, command: messages.StartPod) -> None:
        """Start a pod, or send a request, as soon as there is room."""
        asks = command.written.around.http is not None
        waiting = self._desk.waiting if asks else self._waiting
        waiting.append(command)

    @property
    def waiting(self) -> bool:
        """Whether there is a pod for which there was no room yet."""
        return bool(self._waiting)

    def _secrets(self, command: messages.StartPod) -> Secrets:
        context, _ = self._ready()
        granted = context.granted.get(command.origin, frozenset())
        return Secrets(context.secrets, granted, context.written)

    def stop(self, command: messages.StopPod) -> None:
        """End a pod: ask its group first, and kill it when the grace is over."""
        for waiting in (self._waiting, self._desk.waiting):
            for one in waiting:
                if one.node == command.node:
                    waiting.remove(one)
                    self._events.append(self._failed(command.node, command.message))
                    return
        self._desk.stop(command.node, command.message)
        running = self._running.get(command.node)
        if running is not None and not running.stopped:
            running.stopped = "" if command.own_end else command.message
            running.end_by(time.monotonic() + self._terms.grace)
            self._go_on(running)

    def _failed(self, node: str, message: str) -> messages.PodEnded:
        return messages.PodEnded(node, self._terms.now(), record.Phase.FAILED, message)

    def wait(self, seconds: float) -> list[messages.Event]:
        """Wait for something to happen, at most so long; gives what happened, perhaps nothing."""
        self.admit()
        self._ask()
        self._tidy()
        for key, _ in self._selector.select(0 if self._events else self._patience(seconds)):
            self._notice(key.fd, key.data)
        self._names.give()
        self._kill_overdue()
        events, self._events = self._events, []
        return events

    def _patience(self, seconds: float) -> float:
        dues = [due for one in self._running.values() for due in (one.ask_at, one.kill_at)]
        dues.append(self._names.due)
        waits = [due - time.monotonic() for due in dues if due < float("inf")]
        return max(min(seconds, *waits) if waits else seconds, _ALMOST_NO_TIME)

    def _ask(self) -> None:
        """Send the requests that there is room for."""
        if self._desk.waiting:
            self._history.settle()
        for one in self._desk.admit():
            if isinstance(one, asking.Request):
                self._selector.register(one, selectors.EVENT_READ, one)
            else:
                self._events.append(one)

    def _notice(self, fd: int, about: under_way.Member | asking.Request | None) -> None:
        if about is None:
            os.read(fd, 4096)
        elif isinstance(about, asking.Request):
            self._selector.unregister(about)
            self._events.append(self._desk.end(about))
        elif about.pod.running.get(about.name) is not about:
            pass  # Its end was noticed in the same look.
        elif fd == about.stdout:
            about.read_stdout(self._selector)
        elif (ended := about.process.poll()) is not None:
            self._end(about, ended)

    def _tidy(self) -> None:
        """Clear away what ended processes left, which is put off until the next ones run."""
        for member in self._over:
            self._selector.unregister(member.process)
            member.process.close()
        self._over.clear()
        self._scratch.tidy()
        self._logs.tidy()

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for one in self._running.values():
            if one.ask_at <= now:
                one.end_by(now + self._terms.grace)
            if one.kill_at <= now:
                one.kill()

    def admit(self) -> None:
        """Start what there is room for."""
        while self._waiting and len(self._running) < self._terms.slots:
            command = self._waiting.popleft()
            try:
                self._launch(command)
            except (Unavailable, Stalled) as error:
                now = self._terms.now()
                self._events.append(outcome.never_ran(command.node, now, str(error)))
            except OSError as error:
                raise Transient(f"{command.name} could not be started: {error}") from error

    def _launch(self, command: messages.StartPod) -> None:
        context, _ = self._ready()
        made = command.template
        several = members.members(made)
        if not several:
            kind = made.type or "such"
            raise Unavailable(f"the local engine runs no {kind} templates")
        works = {name: self._scratch.take() for name in several}
        begun = len(self._events)
        try:
            boxes = pod.prepare(command, made, several, works, context)
            one = under_way.Pod(command, made, works, boxes, members.Progress(several))
            self._running[command.node] = one
            self._go_on(one)
        except (Unavailable, Stalled):
            # Only a pod of one container gets here, which has not started.
            self._running.pop(command.node, None)
            self._give_back(works)
            raise
        self._events.insert(begun, messages.PodStarted(command.node, self._terms.now()))

    def _give_back(self, works: dict[str, Path]) -> None:
        for work in works.values():
            self._scratch.give_back(work)

    def _go_on(self, one: under_way.Pod) -> None:
        """Start what may start now, and end what never will; over when nothing is left."""
        while decided := list(one.progress.next(stopped=bool(one.stopped))):
            for name, refused in decided:
                ended = refused or self._start(one, name)
                if ended is not None:
                    self._ended(one, name, ended)
        if one.progress.over:
            self._finish(one)

    def _start(self, one: under_way.Pod, name: str) -> box.Ended | None:
        """Start a member; gives its end where it cannot be."""
        try:
            self._begin(one, name)
        except (Unavailable, Stalled) as error:
            if not one.start.containers:
                raise
            return box.Ended(code=64, refused=str(error))
        return None

    def _log(self, one: under_way.Pod, name: str) -> str:
        """Where what a member writes is read, or "": what brings outputs out has nothing to say."""
        last = one.progress.members[name].last
        node = one.start.containers.get(name, one.start.node)
        return "" if last else self._run.log(node)

    def _begin(self, one: under_way.Pod, name: str) -> None:
        _, rung = self._ready()
        log = self._logs.open(self._log(one, name))
        wanted = one.start.wants_result and name == members.MAIN
        reader, writer = os.pipe() if wanted else (None, log)
        try:
            self._history.settle()
            process = rung.start(one.boxes[name], one.works[name], writer, log)
        except BaseException:
            self._logs.close(log)
            if reader is not None:
                os.close(reader)
            raise
        finally:
            if writer != log:
                os.close(writer)
        member = under_way.Member(one, name, process, log, reader)
        one.running[name] = member
        one.progress.running.add(name)
        self._selector.register(process, selectors.EVENT_READ, member)
        if reader is not None:
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, member)
        self._names.begun(member)
        if name in one.start.containers:
            now = self._terms.now()
            self._events.append(messages.ContainerStarted(one.start.node, name, now))

    def _end(self, member: under_way.Member, ended: box.Ended) -> None:
        """Take in the end of a process, and go on with its pod."""
        one = member.pod
        member.read_stdout(self._selector)
        member.close_stdout(self._selector)
        self._over.append(member)
        del one.running[member.name]
        one.progress.running.discard(member.name)
        self._names.ended(member)
        if member.name == members.MAIN:
            one.result = bytes(member.result)
        if member.asked and ended.code is None and not ended.broken:
            ended = dataclasses.replace(ended, code=_KILLED)
        if ended.unavailable and one.start.containers:
            ended = box.Ended(code=64, refused=ended.unavailable)
        lost = ended.code is None and not ended.unavailable
        if not one.stopped and (ended.broken or lost):
            why = ended.broken or "it was killed from outside"
            one.stopped = why
            raise Transient(f"{one.start.name} could not be run: {why}")
        if member.name == members.MAIN and ended.missing:
            declared = one.progress.members[member.name]
            ended = outcome.saved(one.made, declared, ended, one.works[member.name])
        self._ended(one, member.name, ended, member.log)
        self._go_on(one)

    def _ended(
        self, one: under_way.Pod, name: str, ended: box.Ended, log: int | None = None
    ) -> None:
        """Note how a member ended, whether it ran, with a `log`, or not."""
        words = "" if one.stopped else outcome.last_words(ended)
        if words:
            log = self._logs.open(self._log(one, name)) if log is None else log
            os.write(log, words.encode())
        if log is not None:
            if outcome.tells_by_log(one.progress.members[name].container, ended):
                ended = dataclasses.replace(ended, message=outcome.end_of(log))
            self._logs.close(log)
        one.progress.ended[name] = ended
        if name in one.start.containers:
            told = (ended.code or 0, ended.refused or ended.message)
            now = self._terms.now()
            self._events.append(messages.ContainerEnded(one.start.node, name, now, *told))
        if one.running and one.progress.failed and one.kill_at == float("inf"):
            one.ask_at = min(one.ask_at, time.monotonic() + _LEFT_ALONE)

    def _finish(self, one: under_way.Pod) -> None:
        del self._running[one.start.node]
        try:
            self._events.append(self._judge(one))
        except OSError as error:
            raise Transient(f"the outputs of {one.start.name} were not kept: {error}") from error
        self._give_back(one.works)

    def _judge(self, one: under_way.Pod) -> messages.PodEnded:
        if one.stopped:
            return self._failed(one.start.node, one.stopped)
        context, _ = self._ready()
        ends = one.progress.ended
        lacking = next((each.unavailable for each in ends.values() if each.unavailable), "")
        if lacking:
            return outcome.never_ran(one.start.node, self._terms.now(), lacking)
        several = one.progress.members
        outputs = outcome.found(one.made, several, ends, one.works)
        result = one.result if one.start.wants_result and members.MAIN in ends else None
        return outcome.judge(
            one.start,
            one.made,
            self._terms.now(),
            ends,
            outputs,
            self._run,
            result,
            archive_logs=context.archive_logs,
        )

    def close(self) -> None:
        """Kill what runs, without a word to the machine: the next owner starts it again."""
        self._waiting.clear()
        self._desk.waiting.clear()
        for request in self._desk.running.values():
            request.stop("the engine was closed")
        for one in [*self._running.values()]:
            one.stopped = one.stopped or "the engine was closed"
            one.kill()
        self._tidy()
        while self._desk.running or any(one.running for one in self._running.values()):
            for key, _ in self._selector.select():
                self._notice(key.fd, key.data)
            self._tidy()
        self._logs.end()
        self._selector.close()
        os.close(self._woken)
        os.close(self._waker)
