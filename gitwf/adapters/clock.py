"""The system's clock: the only place that reads the time.

`wait` can be cut short by `wake` from any thread or by a signal's own code, so that whoever waits
never sleeps through a finished run or a request to stop.
"""

import threading
import time

from gitwf.values import Instant


class SystemClock:
    """Wall time for people, monotonic time for leases, and a wait that can be cut short."""

    def __init__(self) -> None:
        self._awake = threading.Event()

    def now(self) -> Instant:
        """The wall clock."""
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or at once when `wake` was called since the last wait."""
        self._awake.wait(seconds)
        self._awake.clear()

    def wake(self) -> None:
        """End the current wait, or the next one before it begins."""
        self._awake.set()
