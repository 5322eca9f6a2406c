"""The runs that this process drives, one watching thread each.

An engine's `watch` blocks until a run moves; the pass must not. So each run is watched from a
thread of its own, which keeps the newest snapshot where the pass can look at it and wakes the pass
when the run is over. What goes wrong in an engine is a run that ended in Error, so that the plan
decides about it like about any other.
"""

import dataclasses
import threading
from collections.abc import Mapping

from gitwf import errors, ports
from gitwf.delivery import observed
from gitwf.service import signals
from gitwf.service.edge import WakeableClock
from gitwf.workflow import record


class Executions:
    """Runs in hand, by the engine's id for them."""

    def __init__(self, clock: WakeableClock, listener: signals.Listener) -> None:
        self._clock = clock
        self._listener = listener
        self._lock = threading.Lock()
        self._held: dict[str, observed.Held] = {}
        self._engines: dict[str, ports.Engine] = {}

    def start(self, engine: ports.Engine, order: ports.Order, held: observed.Held) -> None:
        """Start the run, or attach to it; an order that is refused is a run that failed."""
        with self._lock:
            self._held[order.id] = held
            self._engines[order.id] = engine
        try:
            engine.start(order)
        except errors.GitwfError as error:
            self.end(order.id, str(error), fault=isinstance(error, errors.Transient))
            return
        threading.Thread(
            target=self._watch, args=(engine, order.id), name=f"watch {order.id}", daemon=True
        ).start()

    def _watch(self, engine: ports.Engine, run: str) -> None:
        over = False
        try:
            for snapshot in engine.watch(run):
                self._keep(run, snapshot)
                over = snapshot.over
        except errors.GitwfError as error:
            self.end(run, str(error), fault=isinstance(error, errors.Transient))
            return
        if not over:
            self.end(run, "the engine let go of the run before its end", fault=True)

    def end(self, run: str, message: str, *, fault: bool) -> None:
        """Note that a run ended badly outside its workflow: Error when the engine is at fault."""
        phase = record.Phase.ERROR if fault else record.Phase.FAILED
        now = self._clock.now()
        self._keep(run, record.RunRecord(run, phase, message, finished=now, fault=fault))

    def _keep(self, run: str, snapshot: record.RunRecord) -> None:
        with self._lock:
            held = self._held.get(run)
            if held is None:
                return
            self._held[run] = dataclasses.replace(held, record=snapshot)
        model = held.claim.model
        self._listener(signals.RunMoved(self._clock.now(), run, model, snapshot))
        if snapshot.over:
            self._clock.wake()

    def held(self) -> Mapping[str, observed.Held]:
        """The runs in hand as they stand now."""
        with self._lock:
            return dict(self._held)

    def forget(self, run: str) -> None:
        """Let go of a run whose end is recorded."""
        with self._lock:
            self._held.pop(run, None)
            self._engines.pop(run, None)

    def close(self) -> None:
        """Let every engine go of its runs, for whoever goes on with them."""
        with self._lock:
            engines = {id(engine): engine for engine in self._engines.values()}
            self._held.clear()
            self._engines.clear()
        for engine in engines.values():
            engine.close()

    def cancel(self, run: str, reason: str) -> None:
        """Ask the engine to end a run; its end arrives as a snapshot."""
        with self._lock:
            held, engine = self._held.get(run), self._engines.get(run)
            if held is None or engine is None:
                return
            self._held[run] = dataclasses.replace(held, cancelled=True)
        engine.cancel(run, reason)
