"""Which processes of a run others can find: those that have run for a while.

A new owner finds a process by its number in the journal, to end it; a reader finds a log by its
name. To tell either takes the kernel as long as starting a short step, so that short steps are over
before anybody knows of them.
"""

import dataclasses
import time

from gitwf.adapters import host
from gitwf.adapters.local import journal, log_files, under_way

_SETTLED = 0.05  # Seconds after which a process is worth naming.


class Names:
    """The processes that were begun lately, oldest first."""

    def __init__(self, history: journal.Journal, logs: log_files.LogFiles) -> None:
        self._history = history
        self._logs = logs
        self._self = host.this_process()
        self._unnamed: dict[under_way.Member, float] = {}

    def begun(self, member: under_way.Member) -> None:
        """Have a process named, if it runs long enough."""
        self._unnamed[member] = time.monotonic() + _SETTLED

    def ended(self, member: under_way.Member) -> None:
        """Leave a process without a name that has none yet."""
        self._unnamed.pop(member, None)

    @property
    def due(self) -> float:
        """When the next one is to be named, on the monotonic clock; never: infinity."""
        return next(iter(self._unnamed.values()), float("inf"))

    def give(self) -> None:
        """Name what has run for long enough."""
        while self._unnamed and self.due <= time.monotonic():
            one = next(iter(self._unnamed))
            del self._unnamed[one]
            self._logs.show(one.log)
            if pid := one.process.pid:
                named = dataclasses.replace(self._self, pid=pid, start=host.start_time(pid))
                self._history.append((one.key, named))
