"""How many at once: the workflow's limit on pods and a template's on its children.

Work that finds no room waits in line at the first semaphore that is full, and is tried again when a
place is free; nobody looks through the whole line (Argo: operator.go, checkParallelism, which
does).
"""

from collections import deque
from collections.abc import Callable


class Semaphore:
    """Counts what is active, against `limit`; None is no limit."""

    __slots__ = ("active", "limit", "waiting")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.active = 0
        self.waiting: deque[Callable[[], None]] = deque()

    @property
    def full(self) -> bool:
        """Whether nothing more may start."""
        return self.limit is not None and self.active >= self.limit

    def admit(self) -> None:
        """Try what waits, as long as there is room."""
        while self.waiting and not self.full:
            self.waiting.popleft()()
