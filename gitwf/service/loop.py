"""Keep reconciling: what `gitwf serve` does until it is told to stop.

The poll is the floor: every few seconds, with jitter, the heads are asked for and everything is
looked at again, which costs next to nothing while nothing moved. Nothing that goes wrong ends the
loop but a request to stop. What a person must mend is looked for at the usual pace, so that the
mend counts at once; a remote that cannot be reached is asked with growing pauses. Where things
stand is said when it changes. Being asked to stop starts nothing new and hands what runs over.
"""

from collections.abc import Callable

from gitwf import errors
from gitwf.service import edge, reconcile, signals

_LONGEST_PAUSE = 60.0


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
        self.looked = around.clock.monotonic()
        """When it last finished looking at the world, on the clock that never jumps."""

    def run(self) -> None:
        """Go on until asked to stop."""
        reconciler = reconcile.Reconciler(self._edge, stopping=self._stopping)
        try:
            self._keep_on(reconciler)
        finally:
            reconciler.hand_over()

    def _keep_on(self, reconciler: reconcile.Reconciler) -> None:
        faults = 0
        while not self._stopping():
            try:
                outcome = reconciler.run(wait=False)
            except errors.GitwfError as error:
                faults = faults + 1 if isinstance(error, errors.Transient) else 0
                self._say((str(error),), "error")
            except OSError as error:
                self._say((str(errors.of_the_machine(error)),), "error")
            else:
                faults = 0
                if not outcome.stopped:
                    self._tell(outcome)
            self.looked = self._edge.clock.monotonic()
            self._pause(min(self._poll * 2**faults, _LONGEST_PAUSE))

    def _tell(self, outcome: reconcile.Outcome) -> None:
        """Say where things stand, once for each time that changes."""
        wrong = [str(one) for one in outcome.diagnostics if one.is_error]
        lines = [str(one) for one in outcome.reports]
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
