"""What reconciling looks like while it goes on: listeners for a terminal and for a pipe.

Both take the same signals. A terminal shows each run as a live tree below the lines already said; a
pipe, and a terminal that cannot move its cursor, get a line for each thing that happened, with its
time.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

import rich.console
import rich.live
import rich.markup

from gitwf.adapters import clock
from gitwf.cli.render import runs
from gitwf.service import signals
from gitwf.workflow import record

_LEVELS = {"info": "", "warning": "yellow", "error": "red"}


class _Plain:
    """Lines for a pipe."""

    def __init__(self, console: rich.console.Console) -> None:
        self._console = console
        self._lines: dict[str, runs.Lines] = {}
        self._lock = threading.Lock()

    def __call__(self, signal: signals.Signal) -> None:
        with self._lock:
            self._tell(signal)

    def _tell(self, signal: signals.Signal) -> None:
        at = signal.at.datetime().strftime("%H:%M:%S")
        if isinstance(signal, signals.Said):
            who = f"{signal.model}: " if signal.model else ""
            self._console.out(f"{at}  {who}{signal.text}", highlight=False)
        elif isinstance(signal, signals.RunMoved):
            lines = self._lines.setdefault(signal.run, runs.Lines())
            for line in lines.changes(signal.record):
                self._console.out(f"{at}    {line}", highlight=False)
        else:
            self._console.out(f"{at}  {rolled(signal)}", highlight=False)


class _Live:
    """A live tree for each run under way, below what was said."""

    def __init__(self, console: rich.console.Console) -> None:
        self._console = console
        self._runs: dict[str, record.RunRecord] = {}
        self._lock = threading.Lock()

    def __call__(self, signal: signals.Signal) -> None:
        with self._lock:
            self._tell(signal)

    def _tell(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.Said):
            who = f"[bold]{signal.model}[/] " if signal.model else ""
            style = _LEVELS.get(signal.level, "")
            text = rich.markup.escape(signal.text)
            told = who + (f"[{style}]{text}[/]" if style else text)
            self._console.print(told, soft_wrap=False)
        elif isinstance(signal, signals.RunMoved):
            self._runs[signal.run] = signal.record
            if signal.record.over:
                runs.show(self._console, runs.drawn(self._runs.pop(signal.run)))
        else:
            style = "green" if signal.state == "complete" else "red"
            self._console.print(f"[{style}]{rich.markup.escape(rolled(signal))}[/]")

    def drawn(self) -> rich.console.Group:
        """The trees as they stand now; asked for at each refresh, so that running steps count up.

        Takes no lock: rich asks with its own lock held, which printing needs as well.
        """
        now = clock.SystemClock().now()
        return rich.console.Group(*(runs.drawn(run, now) for run in tuple(self._runs.values())))


def rolled(signal: signals.RolloutMoved) -> str:
    """One line for a rollout that ended."""
    where = f" at {signal.url}" if signal.url else ""
    why = f": {signal.reason}" if signal.reason else ""
    if signal.state == "complete":
        return f"{signal.environment} serves {signal.model}{where}"
    return f"{signal.environment} does not serve {signal.model}: rollout {signal.state}{why}"


@contextlib.contextmanager
def listening(console: rich.console.Console) -> Iterator[Callable[[signals.Signal], None]]:
    """Give the listener that fits where the output goes."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield _Plain(console)
        return
    listener = _Live(console)
    with rich.live.Live(
        console=console, get_renderable=listener.drawn, refresh_per_second=8, transient=True
    ):
        yield listener
