"""`gitwf demo`: the whole loop in under a minute, on a repository that is thrown away.

Everything it does is what a user does: commits, pushes, `gitwf reconcile`, `git revert`. It tells
each step before it takes it. On a terminal it then keeps serving until Ctrl-C; with `--exit`, or in
a pipe, it ends. Front, viewers and folder are gone afterwards, however it ends.
"""

import contextlib
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import requests
import rich.console

from gitwf import errors, wiring
from gitwf.adapters.viewer import control
from gitwf.adapters.viewer.settings import FrontSettings
from gitwf.cli import options
from gitwf.cli.render import progress, versions
from gitwf.service import reconcile as service
from gitwf.service import retrospect
from gitwf.wiring import fronts, settings, showcase


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End instead of serving until Ctrl-C.")
@click.option("--port", default="", help="Port of the viewer; default: any free one.")
def demo(port: str, *, leave: bool) -> None:
    """Watch the whole loop on this machine: push, train, serve, revert.

    Builds a temporary repository with a bare remote, trains on real data, rolls a viewer over while
    a client keeps asking, and removes everything at the end.
    """
    console = options.console()
    with (
        _ended_by_signals(),
        tempfile.TemporaryDirectory(prefix="gitwf-demo-") as folder,
        contextlib.ExitStack() as end,
    ):
        stage = _Stage(console, Path(folder), port)
        end.callback(stage.clear)
        stage.play()
        if console.is_terminal and not leave:
            console.print(f"\nStill serving at {stage.url}; Ctrl-C ends it.", style="bold")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    console.print("demo: all went as told; nothing is left behind", style="bold green")


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, and the end of the terminal, unwind as Ctrl-C does instead of killing."""

    def leave(number: int, frame: object) -> None:
        del frame
        sys.exit(128 + number)

    before = {one: signal.signal(one, leave) for one in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@dataclass
class Client:
    """Somebody who keeps asking for the page: how often, and what came."""

    url: str
    requests: int = 0
    failures: int = 0
    models: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Ask once. Anything but a page that names a model is a failure."""
        self.requests += 1
        try:
            page = requests.get(self.url, timeout=60)
            named = page.text.partition('name="gitwf-model" content="')[2].partition('"')[0]
        except requests.RequestException:
            named = ""
        if not named:
            self.failures += 1
        elif named not in self.models:
            self.models.append(named)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Keep asking in the background."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(0.02):
                self.ask()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


class _Stage:
    """The repository, the reconciler and the narrator."""

    def __init__(self, console: rich.console.Console, folder: Path, port: str) -> None:
        self._console = console
        self.shop = showcase.Showcase(folder)
        self._settings = settings.Settings(
            remote=str(self.shop.remote), branch="main", state=str(folder / "state"), port=port
        )
        self._opened = wiring.repository(self._settings)
        self.url = ""

    def _front(self) -> FrontSettings:
        return fronts.settings(self._settings, self._opened.state, "ad-effect", "production", None)

    def clear(self) -> None:
        """Stop the front and its viewers."""
        control.down(self._front())

    def play(self) -> None:
        """Tell and do it all."""
        self._first_model()
        self._more_data()
        self._worse_model()
        self._revert()
        self._history()

    def _first_model(self) -> None:
        self._tell("A first commit: pipeline, viewer, data to the end of 1992", "git push")
        self.shop.data(rows=195)
        self.shop.push("Estimate what advertising does to sales")
        self._console.print(
            "  (the first run installs what requirements.txt asks for, numpy; "
            "once for each content)",
            style="dim",
        )
        self._reconcile()
        front = control.find(self._front()) or {}
        self.url = front.get("url", "")
        self._expect("ad-effect-v1")
        self._console.print(f"  the page is made by {front['serving']['with']}")

    def _more_data(self) -> None:
        self._tell("Two more years of data, while somebody keeps looking at the page", "git push")
        self.shop.pull()
        self.shop.data()
        self.shop.push("Add the data of 1993 and 1994")
        client = Client(self.url)
        with client.asking():
            self._reconcile()
        client.ask()
        self._console.print(
            f"  the client asked {client.requests} times and saw {' then '.join(client.models)}; "
            f"{client.failures} requests failed"
        )
        self._expect("ad-effect-v2")
        if client.failures:
            raise errors.Stalled(f"{client.failures} requests failed during the rollout")

    def _worse_model(self) -> None:
        self._tell("A model of half the history is worse: its gate holds it back", "git push")
        self.shop.pull()
        self.shop.window(84)
        self.shop.push("Train on 84 months only")
        self._reconcile()
        self._expect("ad-effect-v2")

    def _revert(self) -> None:
        self._tell("Back to the first model: nothing is trained", "git revert RELEASE && git push")
        self.shop.pull()
        last = self.shop.git("log", "-1", "--format=%H", "--", "models/ad-effect/production.yaml")
        self.shop.git("revert", "--no-edit", last)
        self.shop.git("push", "--quiet", "origin", "main")
        started = time.monotonic()
        self._reconcile()
        self._expect("ad-effect-v1")
        self._console.print(f"  served again {time.monotonic() - started:.1f} s after the push")

    def _history(self) -> None:
        self._tell("What happened, from Git alone", "gitwf history ad-effect")
        edge = wiring.edge(self._settings, self._opened)
        back = retrospect.Retrospect(edge.repo, edge.ledger)
        versions.history_table(self._console, back.story("ad-effect"))
        self._say_command("git log --format='%h %an: %s'")
        self.shop.pull()
        self._console.out(self.shop.git("log", "--format=%h %an: %s"), highlight=False)

    def _say_command(self, command: str) -> None:
        self._console.print(f"$ {command}", style="bold cyan", markup=False)

    def _tell(self, text: str, command: str) -> None:
        self._console.print()
        self._console.rule(text, align="left", style="dim")
        self._say_command(command)

    def _reconcile(self) -> None:
        self._say_command("gitwf reconcile")
        with progress.listening(self._console) as listener:
            edge = wiring.edge(self._settings, self._opened, listener=listener)
            reconciler = service.Reconciler(edge)
            try:
                outcome = reconciler.run()
            finally:
                reconciler.hand_over()
        for one in outcome.reports:
            where = " in ".join(filter(None, [one.model, one.environment]))
            self._console.out(f"{where}: {one.state}: {one.reason}", highlight=False)
        if outcome.verdict is not service.Verdict.IN_SYNC:
            raise errors.Stalled("the demo did not go as told: " + "; ".join(outcome.failures))

    def _expect(self, model: str) -> None:
        """Look at the page as anybody would. Stalled when it names another model."""
        client = Client(self.url)
        client.ask()
        if client.models != [model]:
            raise errors.Stalled(f"{self.url} serves {client.models}, not {model}")
        self._console.print(f"  {self.url} serves {model}", markup=False)
