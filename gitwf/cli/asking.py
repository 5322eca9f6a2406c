"""`retrain` and `retry`: what a person asks of reconcile, and of a run.

`retrain` and `retry MODEL` add a wish to the ledger, with who and why; the next reconcile, here or
elsewhere, fulfils it. `retry RUN` is about one run of this machine and done at once.
"""

import click

from gitwf import errors, wiring
from gitwf.cli import finding, options, steering
from gitwf.delivery import verbs
from gitwf.service import asking
from gitwf.wiring.settings import Settings


@click.command()
@click.argument("model")
@click.option("--reason", required=True, help="Why; it goes into the ledger.")
@options.repository
def retrain(chosen: Settings, model: str, reason: str) -> None:
    """Ask for a new training with nothing changed in Git."""
    wish, who = asking.Asking(wiring.edge(chosen, wiring.repository(chosen))), str(wiring.person())
    said = wish.note(
        model,
        lambda view, _seen, now: verbs.retrain(view, wish.nonce(), who, reason, now),
    )
    click.echo(f"{said}; the next reconcile trains it")


@click.command()
@click.argument("what", metavar="RUN|MODEL")
@click.option("--reason", default="", help="Why, for a MODEL; it goes into the ledger.")
@options.parameters("Another value of a RUN's parameter")
@options.repository
@options.document
def retry(chosen: Settings, what: str, reason: str, given: tuple[str, ...], form: str) -> None:
    """Try again what failed: a RUN of this machine, or the failed run key of a MODEL.

    What is the id of a run on this machine, as `gitwf runs` lists them, is the RUN: what failed in
    it runs again, here and now, and what went well is kept. Anything else is a MODEL, which the
    next reconcile tries again.
    """
    found = finding.maybe(chosen, what)
    if found is not None:
        if reason:
            raise click.UsageError("--reason is for a model; a run needs none")
        steering.retry(found, options.pairs(given), form)
        return
    if given:
        raise click.UsageError(f"-p is for a run, and there is no run {what} on this machine")
    try:
        wish = asking.Asking(wiring.edge(chosen, wiring.repository(chosen)))
        who = str(wiring.person())
        said = wish.note(what, lambda view, seen, now: verbs.retry(view, seen, who, reason, now))
    except errors.Stalled as error:
        no_run = f"there is no run {what} on this machine, and as a model: {error.message}"
        raise errors.Stalled(no_run, hint=error.hint) from error
    click.echo(f"{said}; the next reconcile tries it")
