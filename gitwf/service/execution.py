"""The runs that this process drives, one watching thread each.

An engine's `watch` blocks until a run moves; the pass must not. So each run is watched from a
thread of its own, which keeps the newest snapshot where the pass can look at it and wakes the pass.
An exception in a watcher is the run's outcome for this process and is raised where the pass looks.
"""

import threading
from collections.abc import Callable, Mapping

from gitwf import ports
from gitwf.service import signals
from gitwf.workflow import record


class Executions:
    """Runs in hand, by the engine's id for them."""

    def __init__(
        self,
        engine: ports.Engine,
        clock: ports.Clock,
        wake: Callable[[], None],
        listener: signals.Listener,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._wake = wake
        self._listener = listener
        self._lock = threading.Lock()
        self._snapshots: dict[str, record.RunRecord | None] = {}
        self._failures: dict[str, Exception] = {}

    def start(self, model: str, order: ports.Order) -> None:
        """Start the run, or attach to it, once in this process's life."""
        with self._lock:
            if order.id in self._snapshots:
                return
            self._snapshots[order.id] = None
        try:
            self._engine.start(order)
        except BaseException:
            with self._lock:
                del self._snapshots[order.id]
            raise
        threading.Thread(
            target=self._watch, args=(model, order.id), name=f"watch {order.id}", daemon=True
        ).start()

    def _watch(self, model: str, run: str) -> None:
        try:
            for snapshot in self._engine.watch(run):
                with self._lock:
                    self._snapshots[run] = snapshot
                self._listener(signals.RunMoved(self._clock.now(), run, model, snapshot))
                self._wake()
        except Exception as error:  # noqa: BLE001  raised again where the pass looks
            with self._lock:
                self._failures[run] = error
            self._wake()

    def snapshots(self) -> Mapping[str, record.RunRecord | None]:
        """The newest snapshot of each run in hand; raises what its watcher met."""
        with self._lock:
            for run in list(self._failures):
                del self._snapshots[run]
                raise self._failures.pop(run)
            return dict(self._snapshots)

    def forget(self, run: str) -> None:
        """Let go of a run whose end is recorded."""
        with self._lock:
            self._snapshots.pop(run, None)

    def cancel(self, run: str, reason: str) -> None:
        """Ask the engine to end a run; its end arrives as a snapshot."""
        self._engine.cancel(run, reason)
