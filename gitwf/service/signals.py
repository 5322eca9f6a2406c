"""What happens while gitwf works, as plain values that whoever looks may render.

The service tells; it never prints. A listener is one callable: the command line draws a live tree
from it, `serve` writes log lines, a test collects them. Nothing is decided from a signal.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gitwf.values import Instant
from gitwf.workflow import record


@dataclass(frozen=True)
class Said:
    """One thing that was done or found, in words. `level` is info, warning or error."""

    at: Instant
    text: str
    level: str = "info"
    model: str = ""


@dataclass(frozen=True)
class RunMoved:
    """A run of this process went on: its new snapshot."""

    at: Instant
    run: str
    model: str
    record: record.RunRecord


@dataclass(frozen=True)
class RolloutMoved:
    """A rollout went on, or ended; `state` is one of `ports.RolloutState`."""

    at: Instant
    environment: str
    model: str
    state: str
    reason: str = ""
    url: str = ""


Signal = Said | RunMoved | RolloutMoved
Listener = Callable[[Signal], None]


def unheard(signal: Signal) -> None:
    """Listen to nothing."""
    del signal
