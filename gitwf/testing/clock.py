"""A clock that moves when it is told to.

`wait` moves it by what was asked and returns at once, so that a loop of hours runs in no time and
two runs of one test see the same instants.
"""

from gitwf.values import Instant

NOON = Instant.parse("2026-11-23T12:00:00Z")


class ManualClock:
    """A clock for tests: starts at `at`, moves by `advance` and by `wait`."""

    def __init__(self, at: Instant = NOON) -> None:
        self._start = at
        self._now = at

    def now(self) -> Instant:
        """The instant it stands at."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self._now.since(self._start)

    def wait(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._now = self._now.after(max(0.0, seconds))
