"""`reconcile` and `serve`: one code path, stopped sooner or later.

`reconcile` goes on until nothing is left to do, `serve` keeps doing that until it is told to stop.
What they would do, and no more, is said by `planning`.
"""

import contextlib
import dataclasses
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import click
import rich.console

from gitwf import wiring
from gitwf.cli import options
from gitwf.cli.render import github, progress, tables
from gitwf.service import edge, loop
from gitwf.service import reconcile as service
from gitwf.wiring import cluster as clusters
from gitwf.wiring import local
from gitwf.wiring.settings import Settings

_HANGS = 300.0
"""Seconds without a finished look after which `serve` says that it is not well."""


@click.command()
@options.repository
@click.option(
    "--local",
    "on_laptop",
    is_flag=True,
    help="Use this checkout's commit, a throw-away ledger, and store, viewer and engine of this "
    "machine; push nothing.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for what another reconciler is doing.")
@options.output
def reconcile(chosen: Settings, form: str, *, on_laptop: bool, wait: bool) -> None:
    """Do what is missing, once.

    Exits with 0 when every environment is what Git says, 1 when something failed, 2 when a document
    is wrong, 3 when another reconciler is still at work and `--no-wait` was given.
    """
    console = options.console(stderr=form == "json")
    wanted = local.settings(chosen) if on_laptop else chosen
    outcome = _reconciled(wanted, console, wait=wait)
    _close(outcome, console, form)


def _reconciled(chosen: Settings, console: rich.console.Console, *, wait: bool) -> service.Outcome:
    with progress.listening(console) as listener:
        opened = wiring.repository(chosen, listener=listener)
        around = wiring.edge(chosen, opened, listener=listener)
        with stopped_by_signals(around.clock.wake) as stopping:
            reconciler = service.Reconciler(around, stopping=stopping)
            try:
                return reconciler.run(wait=wait)
            finally:
                reconciler.hand_over()


def _close(outcome: service.Outcome, console: rich.console.Console, form: str) -> None:
    """Say how it ended, to people, programs and GitHub, and exit accordingly."""
    reports = [
        {
            "model": one.model,
            "environment": one.environment,
            "state": str(one.state),
            "reason": one.reason,
            "hint": one.hint,
        }
        for one in outcome.reports
    ]
    if form == "json":
        options.print_json(
            {"result": outcome.verdict, "reports": reports, "failures": outcome.failures}
        )
    for one in outcome.reports:
        tables.line(console, "", str(one))
    for failure in outcome.failures:
        console.print(f"failed: {failure}", style="red", markup=False)
    console.print(f"reconcile: {outcome.verdict}", style="bold")
    code = {"in-sync": 0, "pending": 3, "failed": 1, "rejected": 2}[outcome.verdict]
    github.output({"result": outcome.verdict, "releases": json.dumps(reports)})
    github.output({"exit-code": str(code)})
    github.summary(_markdown(outcome))
    github.told(outcome.failures)
    options.refuse(outcome.diagnostics)
    if code:
        sys.exit(code)


def _markdown(outcome: service.Outcome) -> str:
    lines = [f"### gitwf reconcile: {outcome.verdict}", ""]
    lines += [f"- {one}" for one in outcome.reports]
    lines += [f"- failed: {one}" for one in outcome.failures]
    return "\n".join(lines)


@contextlib.contextmanager
def stopped_by_signals(wake: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or a first Ctrl-C came; the second Ctrl-C ends at once."""
    asked: list[int] = []  # An event's lock may be held by the line at which a signal comes.

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)
        wake()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _probed(chosen: Settings, around: edge.Edge) -> Iterator[list[loop.Loop]]:
    """Answer probes, where a port is given for that; the list is for the loop that leads."""
    watched: list[loop.Loop] = []

    def answer() -> tuple[bool, str]:
        still = around.clock.monotonic() - watched[0].looked if watched else 0.0
        words = f"looked {still:.0f} s ago" if watched else "waits to lead"
        return still < _HANGS, words

    if not chosen.health_port:
        yield watched
        return
    from gitwf.adapters import health

    with health.served(int(chosen.number("health_port")), answer):
        yield watched


@click.command()
@options.repository
@click.option("--poll", help="Seconds between two looks; default: 10.")
def serve(chosen: Settings, poll: str | None) -> None:
    """Keep reconciling until told to stop.

    Polls the remote, with jitter, and reconciles what changed. SIGTERM and Ctrl-C start nothing new
    and hand over: the next gitwf on this machine goes on where this one stopped. In a pod it runs
    no steps itself: the project's engine must be Argo there. With GITWF_LEADER one of several
    leads.
    """
    console = options.console()
    wanted = dataclasses.replace(chosen, poll=poll or chosen.poll)
    seconds = wanted.number("poll")
    with progress.listening(console) as listener:
        opened = wiring.repository(wanted, listener=listener)
        in_pod = "KUBERNETES_SERVICE_HOST" in os.environ
        around = wiring.edge(wanted, opened, listener=listener, runs_steps=not in_pod)
        with stopped_by_signals(around.clock.wake) as stopping, _probed(wanted, around) as watched:
            console.print(f"serving {opened.remote} {opened.branch}", markup=False)
            while not stopping():
                with clusters.leading(wanted.leader, around.clock, stopping) as over:
                    watched[:] = [
                        loop.Loop(
                            around,
                            poll=seconds,
                            stopping=lambda: stopping() or over(),
                            jitter=random.random,
                        )
                    ]
                    watched[0].run()
                    watched.clear()
    console.print("serve: stopped as asked; runs under way are handed over")
