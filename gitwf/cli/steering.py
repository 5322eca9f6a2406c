"""`stop`, `terminate`, `resume` and the retry of a run: what a person asks of a run under way.

The wish is written into the run's folder; whichever process drives the run takes it in within a
second. A run of `gitwf run` that nobody drives any more is driven here; one of a reconcile is left
to the next reconcile, which knows what its end means.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from gitwf import errors
from gitwf.cli import finding, options, watching
from gitwf.wiring.settings import Settings

if TYPE_CHECKING:
    from gitwf.adapters.local import suspended


@click.command()
@click.argument("run")
@click.argument("node", required=False)
@click.option("--message", default="", help="Why, as NODE then says.")
@options.repository
def stop(chosen: Settings, run: str, node: str | None, message: str) -> None:
    """Start nothing new in RUN and end what runs; exit handlers still run.

    With NODE, which waits for a person, only that node fails, and the run goes on as it may.
    """
    found = _under_way(chosen, run)
    if node is None:
        if message:
            raise click.UsageError("--message is for a NODE; a run that is stopped says so itself")
        found.engine.stop(run)
        _carry_on(found, "to stop")
        return
    wait = _waiting(found, node)
    found.engine.give_up(run, wait.node, message or "given up by a person")
    _carry_on(found, f"to give {wait.name} up")


@click.command()
@click.argument("run")
@options.repository
def terminate(chosen: Settings, run: str) -> None:
    """End RUN at once; exit handlers do not run."""
    found = _under_way(chosen, run)
    found.engine.stop(run, terminate=True)
    _carry_on(found, "to terminate")


@click.command()
@click.argument("run")
@click.argument("node", required=False)
@click.option(
    "-p",
    "--output-parameter",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="An output that the node is to be supplied with; may be given several times.",
)
@click.option("--message", default="", help="Why, as the node then says.")
@options.repository
def resume(
    chosen: Settings, run: str, node: str | None, given: tuple[str, ...], message: str
) -> None:
    """Let what waits in RUN go on: NODE, or all that is suspended.

    A RUN whose process was killed is picked up where it was and driven here; what waits in it for a
    person goes on waiting then, unless NODE names it.
    """
    found = _under_way(chosen, run)
    driven = found.engine.driven(run)
    supplied = options.pairs(given)
    if node is None and not driven:
        if supplied or message:
            raise click.UsageError(f"nobody drives {run}; name the NODE that is meant")
        _carry_on(found, "to go on")
        return
    waits = [_waiting(found, node)] if node is not None else found.engine.waits(run)
    if not waits:
        raise errors.Stalled(f"nothing waits in {run}", hint=f"`gitwf runs {run}` shows it")
    _check_supplied(waits, supplied)
    for wait in waits:
        fitting = {name: value for name, value in supplied.items() if name in wait.wanted}
        found.engine.resume(run, wait.node, fitting, message)
    _carry_on(found, "to let " + ", ".join(wait.name or "it begin" for wait in waits) + " go on")


def retry(found: finding.Found, parameters: Mapping[str, str], form: str) -> None:
    """Try a failed run again, here: what went well is kept. Stalled: it is a reconcile's."""
    if not found.own:
        raise errors.Stalled(
            f"{found.run} is a run of reconcile, which knows what its end means",
            hint="`gitwf retry MODEL` lets the next reconcile try it again",
        )
    engine, run = found.engine, found.run
    options.insist_known(parameters, engine.order(run).order.workflow, run)
    watching.insist(watching.drive(engine, run, form, lambda: engine.retry(run, parameters)))


def _under_way(chosen: Settings, run: str) -> finding.Found:
    found = finding.one(chosen, run)
    shown = found.record()
    if shown.over:
        hint = f"`gitwf retry {run}` tries it again" if shown.phase.failed_or_error else ""
        raise errors.Stalled(f"{run} is over: {shown.phase}", hint=hint)
    return found


def _waiting(found: finding.Found, node: str) -> "suspended.Wait":
    """The one waiting node that a word names. Stalled: none, or several.

    What waits goes before the rest of the tree, whose root may have a step's name.
    """
    shown = found.record()
    waits = found.engine.waits(found.run)
    called = {one.id for one in shown.nodes.values() if one.display_name == node}
    meant = [wait for wait in waits if node in {wait.name, wait.node}]
    meant = meant or [wait for wait in waits if wait.node in called]
    if not meant:
        finding.nodes(shown, node, found.run)
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(wait.name for wait in meant or waits if wait.name)
    what = f"{node} is not one node that waits" if meant else f"{node} does not wait for anybody"
    hint = f"these wait: {names}" if names else f"`gitwf runs {found.run}` shows what it does"
    raise errors.Stalled(what, hint=hint)


def _check_supplied(waits: "list[suspended.Wait]", supplied: Mapping[str, str]) -> None:
    known = {name for wait in waits for name in wait.wanted}
    for name in supplied:
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise errors.Stalled(
                f"no output {name} is to be supplied here", hint=f"those that are: {names}"
            )
    for wait in waits:
        missing = [name for name, must in wait.wanted.items() if must and name not in supplied]
        if missing:
            hint = " ".join(f"-p {name}=…" for name in missing)
            raise errors.Stalled(f"{wait.name} needs to be told {', '.join(missing)}", hint=hint)


def _carry_on(found: finding.Found, asked: str) -> None:
    """Leave the wish to whoever drives the run, or drive it here where nobody does."""
    engine, run = found.engine, found.run
    if engine.driven(run):
        click.echo(f"{run}: asked {asked}")
    elif not found.own:
        click.echo(f"{run}: asked {asked}; nobody drives it, the next reconcile takes it in")
    else:
        click.echo(f"{run}: nobody drives it; going on here", err=True)
        done = watching.drive(engine, run, "text", lambda: engine.go_on(run))
        if asked in {"to stop", "to terminate"} and done.message.startswith(watching.STOPPED):
            return
        watching.insist(done)
