"""`runs` and `logs`: the runs of this machine, past and under way, and what their steps wrote.

`runs` lists them, or shows one as a tree or as a Workflow document; `logs` prints what a run or one
node of it wrote, and with `--follow` what it writes. Neither changes anything.
"""

import sys
from collections.abc import Iterator

import click

from gitwf import errors, ports
from gitwf.adapters import clock
from gitwf.cli import finding, options, watching
from gitwf.cli.render import runs as trees
from gitwf.cli.render import tables, terminal
from gitwf.wiring.settings import Settings
from gitwf.workflow import record, status

_WRITERS = frozenset({record.NodeType.POD, record.NodeType.CONTAINER})
_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "bright_cyan", "bright_magenta")


@click.command()
@click.argument("run", required=False)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many of the newest.",
)
@options.repository
@options.document
def runs(chosen: Settings, run: str | None, limit: int, form: str) -> None:
    """List the runs of this machine, newest first, or show one RUN.

    One RUN is shown as its tree, or with -o yaml as a Workflow with its status.
    """
    if run is not None:
        _show(finding.one(chosen, run), form)
        return
    found = [_Row(one) for one in finding.every(chosen)[:limit]]
    if form != "text":
        options.print_document([row.plain() for row in found], form)
        return
    if not found:
        click.echo("nothing has run on this machine", err=True)
        return
    columns = ["RUN", "WORKFLOW", "PHASE", "STARTED", "DURATION", "PROGRESS"]
    tables.table(options.console(), columns, [row.cells() for row in found])


class _Row:
    """One run of the list. One that another gitwf left or that is damaged hides no other."""

    def __init__(self, found: finding.Found) -> None:
        self._run, self._readable = found.run, True
        try:
            begun, self._shown = found.engine.order_and_record(found.run)
            self._name = begun.order.name
        except errors.Stalled as error:
            self._readable, self._name = False, "-"
            self._shown = record.RunRecord("", record.Phase.ERROR, error.message)
        self._driven = not self._shown.over and found.engine.driven(found.run)

    def plain(self) -> dict[str, object]:
        """For programs. `driven`: some process works on it now."""
        shown = self._shown
        return {
            "run": self._run,
            "workflow": self._name,
            "phase": str(shown.phase) if self._readable else "Unreadable",
            "message": shown.message,
            "startedAt": shown.started.rfc3339() if shown.started else None,
            "finishedAt": shown.finished.rfc3339() if shown.finished else None,
            "progress": status.progress(shown),
            "driven": self._driven,
        }

    def cells(self) -> list[tables.Cell]:
        """For people."""
        shown = self._shown
        started = shown.started.datetime() if shown.started else None
        end = shown.finished or clock.SystemClock().now()
        return [
            self._run,
            self._name,
            (self._phase(), trees.MARKS[shown.phase][1]),
            f"{started:%Y-%m-%d %H:%M:%S}" if started else "-",
            trees.duration(end.since(shown.started)) if started and shown.started else "-",
            status.progress(shown) or "-",
        ]

    def _phase(self) -> str:
        shown = self._shown
        if not self._readable:
            return "Unreadable"
        if shown.over:
            return str(shown.phase)
        if not self._driven:
            return "Interrupted"
        waits = any(
            one.type is record.NodeType.SUSPEND and one.phase is record.Phase.RUNNING
            for one in shown.nodes.values()
        )
        return "Running (suspended)" if waits else str(shown.phase)


def _show(found: finding.Found, form: str) -> None:
    shown = found.record()
    if form != "text":
        options.print_document(watching.document(found.engine, found.run, shown), form)
        return
    console = options.console()
    driven = shown.over or found.engine.driven(found.run)
    now = clock.SystemClock().now() if driven else None
    trees.show(console, trees.drawn(shown, now))
    trees.outputs(console, shown)
    said = f"run {found.run}: {shown.phase}"
    if shown.phase.failed_or_error:
        said += f": {watching.why(shown)}"
    if not driven:
        said += f"; nobody drives it: `gitwf resume {found.run}` goes on"
    console.out(said, highlight=False)
    for wait in found.engine.waits(found.run) if not shown.over else ():
        if not wait.timed:
            command = watching.resume_command(found.run, wait)
            console.out(f"{wait.name or 'the run'} waits: {command}", highlight=False)


@click.command()
@click.argument("run", required=False)
@click.argument("node", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@options.repository
def logs(chosen: Settings, run: str | None, node: str | None, *, follow: bool) -> None:
    """Print what the steps of RUN wrote, or one NODE of it; without RUN, of this machine's last.

    RUN is the id that `run`, `runs` and `reconcile` print; one on Argo is read from the cluster,
    while its pods are there. NODE is a node's name, the name that the tree shows for it, or its
    id; one that stands for others, as a loop does, gives what they wrote.
    """
    found = finding.anywhere(chosen, run) if run is not None else finding.last(chosen)
    _tell_logs(found, node, follow=follow)
    if follow and not found.record().over:
        told = f"nobody drives {found.run} any more; `gitwf resume {found.run}` goes on"
        click.echo(told, err=True)


def _tell_logs(found: finding.Found | finding.OnArgo, node: str | None, *, follow: bool) -> None:
    read = found.engine.follow if follow else found.engine.logs
    if node is None:
        _print(read(found.run), found.run, named=True)
        return
    wanted = finding.nodes(found.record(), node, found.run)
    if len(wanted) == 1 and wanted[0].type in _WRITERS:
        named = wanted[0].type is record.NodeType.CONTAINER
        _print(read(found.run, wanted[0].name), node, named=named)
        return
    lines = (line for line in read(found.run) if any(_within(line.node, one) for one in wanted))
    _print(lines, node, named=True)


def _within(name: str, node: record.NodeRecord) -> bool:
    """Whether the node of this name is `node` or below it: a step, an item, a try, a hook."""
    rest = name.removeprefix(node.name)
    return name.startswith(node.name) and rest[:1] in {"", "[", "(", "."}


def _print(lines: Iterator[ports.LogLine], what: str, *, named: bool) -> None:
    """Print the lines of `what`; that there are none is told beside the result, which is empty."""
    colours: dict[str, str] = {}
    shown = terminal.coloured if sys.stdout.isatty() else str
    for line in lines:
        colour = colours.setdefault(line.node, _COLOURS[len(colours) % len(_COLOURS)])
        prefix = click.style(f"{terminal.harmless(line.node)}: ", fg=colour) if named else ""
        click.echo(prefix + shown(line.text))
    if not colours:
        click.echo(f"{what} wrote nothing", err=True)
