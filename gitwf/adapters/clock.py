"""The system's clock: the only place that reads the time.

`wait` can be cut short by `wake` from any thread or by a signal's own code, so that whoever waits
never sleeps through a finished run or a request to stop. A signal's code may also end a wait with
an exception.
"""

import contextlib
import queue
import time

from gitwf.values import Instant


class SystemClock:
    """Wall time for people, monotonic time for leases, and a wait that can be cut short."""

    def __init__(self) -> None:
        # Of what can be waited for, only this takes no lock that a signal's code would wait for.
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()

    def now(self) -> Instant:
        """The wall clock."""
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at once when `wake` was called since the last wait."""
        with contextlib.suppress(queue.Empty):
            self._woken.get(timeout=max(seconds, 0.0))
            while True:
                self._woken.get_nowait()

    def wake(self) -> None:
        """End the current wait, or the next one before it begins."""
        self._woken.put(None)
