"""Keep reconciling: what `gitwf serve` does until it is told to stop.

The poll is the floor: every few seconds, with jitter, the heads are asked for and a pass is made
when one of them moved, when a rollout or a schedule may be due, or when enough time went by for
drift. Nothing that goes wrong ends the loop but a request to stop; a pass that failed is tried again
with growing pauses. Being asked to stop starts nothing new and hands what runs over.
"""

from collections.abc import Callable

from gitwf import errors
from gitwf.service import edge, reconcile, signals

_LONGEST_PAUSE = 300.0


class Loop:
    """Reconciles every `poll` seconds; `jitter()` gives a number from 0 to 1."""

    def __init__(
        self,
        around: edge.Edge,
        *,
        poll: float,
        stopping: Callable[[], bool],
        jitter: Callable[[], float],
    ) -> None:
        self._edge = around
        self._poll = poll
        self._stopping = stopping
        self._jitter = jitter
        self._said: tuple[str, ...] = ()

    def run(self) -> None:
        """Go on until asked to stop."""
        reconciler = reconcile.Reconciler(self._edge, stopping=self._stopping)
        failures = 0
        while not self._stopping():
            try:
                self._tell(reconciler.run(wait=False))
                failures = 0
            except errors.GitwfError as error:
                failures += 1
                self._say((f"{type(error).__name__.lower()}: {error}",), "error")
            self._pause(min(self._poll * 2**failures, _LONGEST_PAUSE) if failures else self._poll)
        reconciler.hand_over()

    def _tell(self, outcome: reconcile.Outcome) -> None:
        """Say where things stand, once for each time that changes."""
        wrong = [str(one) for one in outcome.diagnostics if one.severity == "error"]
        lines = [f"{one.model}: {one.state}: {one.reason}" for one in outcome.reports]
        self._say((*wrong, *outcome.failures, *lines), "warning" if wrong else "info")

    def _say(self, lines: tuple[str, ...], level: str) -> None:
        if lines == self._said:
            return
        self._said = lines
        for line in lines:
            self._edge.listener(signals.Said(self._edge.clock.now(), line, level))

    def _pause(self, seconds: float) -> None:
        """Wait, a tenth more or less, and no longer than until asked to stop."""
        until = self._edge.clock.monotonic() + seconds * (0.9 + 0.2 * self._jitter())
        while not self._stopping():
            left = until - self._edge.clock.monotonic()
            if left <= 0:
                return
            self._edge.clock.wait(left)
