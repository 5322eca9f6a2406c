"""A run that this process drives: shown as it goes, stopped by Ctrl-C, told about at its end.

The first Ctrl-C, or SIGTERM, stops the run as `gitwf stop` does, so that its exit handlers run; the
second terminates it; the third leaves at once, as the end of the terminal does and of whoever reads
the output, and `gitwf resume` goes on from there. What waits for a person is said once, with the
command that lets it go on.
"""

import contextlib
import select
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
import rich.console

from gitwf import errors
from gitwf.adapters import clock
from gitwf.cli import heeding, options, streams
from gitwf.cli.render import progress, runs, terminal
from gitwf.service import signals
from gitwf.workflow import blame, record, status

if TYPE_CHECKING:
    from gitwf.adapters.local import engine as local_engine

LAST_LINES = 10
STOPPED = "Stopped with strategy"


def drive(
    engine: "local_engine.LocalEngine", run: str, form: str, begin: Callable[[], None]
) -> record.RunRecord:
    """Begin a run and show it until it is over; then its result, as `form` says."""
    console = options.console(stderr=form != "text")
    ticking = clock.SystemClock()
    done: record.RunRecord | None = None
    try:
        with progress.listening(console) as listener:

            def say(text: str, level: str = "info") -> None:
                listener(signals.Said(ticking.now(), text, level))

            begin()
            waiting = _Waiting(engine, run, say)
            with heeding.watched(engine, run, say) as snapshots:
                for done in snapshots:
                    listener(signals.RunMoved(ticking.now(), run, "", done))
                    waiting.look(done)
    except errors.Transient as error:
        raise errors.Transient(error.message, hint=f"`gitwf resume {run}` goes on") from error
    except BrokenPipeError as error:
        what = "nobody reads the output any more; the run is left as it is"
        raise errors.Transient(what, hint=f"`gitwf resume {run}` goes on") from error
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # The terminal may be gone.
            if not select.select([], [sys.stderr], [], 0)[1]:
                streams.unread(sys.stderr)  # To leave waits for nobody who may read it one day.
            click.echo(f"the run is left as it is; `gitwf resume {run}` goes on", err=True)
        raise
    finally:
        engine.close()
    if done is None:
        raise errors.Transient(f"the engine let go of {run}")
    try:
        _tell(engine, run, done, form, console)
    except BrokenPipeError:  # How the run ended counts all the same.
        streams.unread(sys.stdout)
    return done


def insist(done: record.RunRecord) -> None:
    """Raise Stalled, with the step to blame, where a run did not succeed."""
    if done.phase is not record.Phase.SUCCEEDED:
        raise errors.Stalled(f"the run did not succeed: {why(done)}")


def why(done: record.RunRecord) -> str:
    """Say in a line why a run ended badly: because somebody stopped it, or for which step."""
    said = done.message if done.message.startswith(STOPPED) else blame.summary(done)
    return terminal.harmless(said)


def _tell(
    engine: "local_engine.LocalEngine",
    run: str,
    done: record.RunRecord,
    form: str,
    console: rich.console.Console,
) -> None:
    stopped = done.message.startswith(STOPPED)
    found = blame.find(done) if done.phase.failed_or_error and not stopped else None
    if found is not None and found.node:
        shown = terminal.coloured if console.is_terminal else terminal.harmless
        lines = [line.text for line in engine.logs(run, found.node)]
        if lines:
            click.echo(f"{terminal.harmless(found.step)} wrote at the end:", file=console.file)
        for line in lines[-LAST_LINES:]:
            click.echo(f"  {shown(line)}", file=console.file)
    if form != "text":
        options.print_document(document(engine, run, done), form)
        return
    runs.outputs(console, done)
    click.echo(f"run {run}: {done.phase}; its logs: {blame.log_command(run, '')}")
    if done.phase.failed_or_error:
        click.echo(f"{'to go on' if stopped else 'once it is mended'}: gitwf retry {run}")


def document(
    engine: "local_engine.LocalEngine", run: str, shown: record.RunRecord
) -> dict[str, object]:
    """The run as a Workflow document with its status."""
    order = engine.order(run).order
    workflow = order.workflow
    spec = workflow.spec.plain()
    spec["templates"] = [
        {**one.plain(), "name": key.name}
        for key, one in workflow.templates.items()
        if key.scope == "local"
    ]
    given = [{"name": name, "value": value} for name, value in shown.parameters.items()]
    if given:
        spec["arguments"] = {**spec.get("arguments", {}), "parameters": given}
    if order.entrypoint:
        spec["entrypoint"] = order.entrypoint
    return status.document(shown, order.name, spec, {"gitwf.dev/run": run})


class _Waiting:
    """Says of everything that waits for a person how it is let go on, once."""

    def __init__(self, engine: "local_engine.LocalEngine", run: str, say: heeding.Say) -> None:
        self._engine = engine
        self._run = run
        self._say = say
        self._told: set[str] = set()

    def look(self, shown: record.RunRecord) -> None:
        """Look whether something new waits."""
        waiting = {
            node.id
            for node in shown.nodes.values()
            if node.type is record.NodeType.SUSPEND and node.phase is record.Phase.RUNNING
        }
        if not shown.nodes and not shown.over:
            waiting.add("")
        if waiting <= self._told:
            return
        self._told |= waiting
        for wait in self._engine.waits(self._run):
            if wait.node in waiting and not wait.timed:
                self._say(
                    f"{wait.name or 'the run'} waits: {resume_command(self._run, wait)}", "warning"
                )


def resume_command(run: str, wait: "local_engine.Wait") -> str:
    """The command that lets something go on that waits."""
    named = [wait.name] if wait.name else []
    wanted = [part for name, must in wait.wanted.items() if must for part in ("-p", f"{name}=…")]
    return shlex.join(["gitwf", "resume", run, *named]) + "".join(f" {one}" for one in wanted)
