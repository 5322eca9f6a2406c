"""How many at once: the workflow's limit on pods and a template's on its children.

An order that finds no room waits in line at the first gate that is full, and is tried again when a
place is free; nobody looks through the whole line (Argo: operator.go, checkParallelism, which does).
"""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitwf.workflow.machine import orders


class Gate:
    """Counts what is active, against `limit`; None is no limit."""

    __slots__ = ("active", "limit", "waiting")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.active = 0
        self.waiting: deque[orders.Order] = deque()

    @property
    def full(self) -> bool:
        """Whether nothing more may start."""
        return self.limit is not None and self.active >= self.limit
