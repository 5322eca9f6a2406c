"""How many at once: the workflow's limit on pods and a template's on its children.

Work that finds no room waits in line at the first semaphore that is full, and is tried again when a
place is free; nobody looks through the whole line (Argo: operator.go, checkParallelism, which
does). First in line is what Argo comes to first, however long another has waited.
"""

import heapq
from collections.abc import Callable

Place = tuple[tuple[int, int], ...]
Work = Callable[[], None]


class Semaphore:
    """Counts what is active, against `limit`; None is no limit."""

    __slots__ = ("_came", "_line", "active", "limit")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.active = 0
        self._line: list[tuple[Place, int, Work]] = []
        self._came = 0

    @property
    def full(self) -> bool:
        """Whether nothing more may start."""
        return self.limit is not None and self.active >= self.limit

    @property
    def line(self) -> bool:
        """Whether something waits."""
        return bool(self._line)

    def admits(self, place: Callable[[], Place]) -> bool:
        """Whether what is at `place` may start: there is room, and nothing before it waits."""
        return not self.full and not (self._line and self._line[0][0] < place())

    def wait(self, place: Place, work: Work) -> None:
        """Let `work` wait in line; of one place, what came first goes first."""
        self._came += 1
        heapq.heappush(self._line, (place, self._came, work))

    def leave(self) -> list[Work]:
        """Give what waits, in the order of the line, which is empty now."""
        line, self._line = sorted(self._line), []
        return [work for _, _, work in line]

    def next(self) -> Work | None:
        """Take the first out of the line, if there is room."""
        return heapq.heappop(self._line)[2] if self._line and not self.full else None
