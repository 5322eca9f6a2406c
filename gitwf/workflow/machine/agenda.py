"""What is still to do for a run: at once, at last, when a time has come, and by the engine.

One event is over when nothing is left to do before the next one; what it asks of the engine is
given away then. Every part that an event concerns is put here and looks at itself once, so that
templates may nest deeper than Python's stack, and nobody walks over all nodes.
"""

import gc
import heapq
from collections import deque
from collections.abc import Callable

from gitwf.values import Instant
from gitwf.workflow.machine import messages

Work = Callable[[], None]


class Agenda:
    """The work of one run."""

    def __init__(self) -> None:
        self._next: deque[Work] = deque()
        self._in_line: deque[Work] = deque()
        self._last: deque[Work] = deque()
        self._timers: list[tuple[Instant, int, Work]] = []
        self._sequence = 0
        self._commands: list[messages.Command] = []

    def later(self, work: Work) -> None:
        """Do `work` before this event is done, after what is under way."""
        self._next.append(work)

    def in_line(self, work: Work) -> None:
        """Do `work`, which lets in what waits, once all is known that wants to be let in."""
        self._in_line.append(work)

    def at_last(self, work: Work) -> None:
        """Do `work` before this event is done, after all that it brings about."""
        self._last.append(work)

    def wake(self, at: Instant, work: Work) -> None:
        """Do `work` when it is `at`."""
        self._sequence += 1
        heapq.heappush(self._timers, (at, self._sequence, work))
        self.command(messages.WakeAt(at))

    def command(self, command: messages.Command) -> None:
        """Ask the engine for something."""
        self._commands.append(command)

    def _ring(self, now: Instant) -> None:
        """Put what is due on the agenda."""
        while self._timers and self._timers[0][0] <= now:
            self.later(heapq.heappop(self._timers)[2])

    def _settle(self) -> list[messages.Command]:
        """Do all that is left before the next event; gives what the engine is asked for."""
        # What one event makes stays, however much it is: the collector of cycles would walk over
        # all nodes again and again while they come to be, and find nothing.
        collects = gc.isenabled()
        gc.disable()
        try:
            while queue := self._next or self._in_line or self._last:
                queue.popleft()()
        finally:
            if collects:
                gc.enable()
        commands, self._commands = self._commands, []
        return commands
