"""What signals ask of a run that this process drives and shows.

A handler runs between any two lines of the main thread, which may hold any lock. So it takes none:
it leaves what is asked for in a queue, and another thread does it. To leave at once is an exception
only where the main thread shows something, because nothing else ends a write that nobody reads. In
`threading.Condition.wait` there is a moment, after the lock was let go of, in which an exception
becomes another one; so while the main thread waits for the run, the watch is asked to end instead.
"""

import contextlib
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from gitwf import errors
from gitwf.workflow import record

if TYPE_CHECKING:
    from gitwf.adapters.local import engine as local_engine

Say = Callable[[str, str], None]
_STOPPING = "stopping: exit handlers still run; Ctrl-C once more terminates"
_TERMINATING = "terminating: exit handlers do not run; Ctrl-C once more leaves at once"


@contextlib.contextmanager
def watched(
    engine: "local_engine.LocalEngine", run: str, say: Say
) -> Iterator[Iterator[record.RunRecord]]:
    """Give the run's snapshots until it is over. KeyboardInterrupt: somebody leaves it.

    The first Ctrl-C, or SIGTERM, stops the run, the second terminates it, the third leaves, as the
    end of the terminal does. What was asked for before is written down in any case.
    """
    heeded = _Heeded(engine, run, say)
    wanted = {signal.SIGTERM: heeded.ask, signal.SIGINT: heeded.ask, signal.SIGHUP: heeded.leave}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        del wanted[signal.SIGHUP]
    doing = threading.Thread(target=heeded.do, name="signals", daemon=True)
    doing.start()
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield heeded.snapshots()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        heeded.end()
        doing.join()


class _Heeded:
    """What was asked for so far, and whether the main thread waits for the run."""

    def __init__(self, engine: "local_engine.LocalEngine", run: str, say: Say) -> None:
        self._engine = engine
        self._run = run
        self._say = say
        self._asked: list[int] = []
        self._waits = False
        self._left = False
        # Its `put` may interrupt any other call of it, as no other queue's may.
        self._wanted: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal that ends the run the more firmly the more of them come."""
        self._asked.append(number)
        if len(self._asked) > 2:  # noqa: PLR2004
            self.leave(number, frame)
        else:
            self._wanted.put(self._stop if len(self._asked) == 1 else self._terminate)

    def leave(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal that leaves the run as it is."""
        del number, frame
        self._left = True
        if not self._waits:
            raise KeyboardInterrupt
        self._wanted.put(lambda: self._engine.let_go(self._run))

    def snapshots(self) -> Iterator[record.RunRecord]:
        """Give the run as it goes on; KeyboardInterrupt when it was left."""
        watching = self._engine.watch(self._run)
        while True:
            self._waits = True
            try:
                shown = None if self._left else next(watching, None)
            finally:
                self._waits = False
            if self._left:
                raise KeyboardInterrupt
            if shown is None:
                return
            yield shown

    def do(self) -> None:
        """Do what is asked for, in that order, until the end."""
        for act in iter(self._wanted.get, None):
            try:
                act()
            except OSError as error:
                self._tell(f"this could not be asked of the run: {errors.of_the_machine(error)}")

    def end(self) -> None:
        """Nothing more is asked for."""
        self._wanted.put(None)

    def _stop(self) -> None:
        self._tell(_STOPPING)
        self._engine.stop(self._run)

    def _terminate(self) -> None:
        self._tell(_TERMINATING)
        self._engine.stop(self._run, terminate=True)

    def _tell(self, text: str) -> None:
        """Say it beside what is done, which must not wait until somebody reads."""

        def say() -> None:
            with contextlib.suppress(BrokenPipeError):
                self._say(text, "warning")

        threading.Thread(target=say, daemon=True).start()
