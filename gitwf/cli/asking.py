"""`logs`, `retrain` and `retry`: what a person asks about runs, and of them.

`logs` reads what the steps of a run wrote on this machine. `retrain` and `retry` add a wish to the
ledger, with who and why; the next reconcile, here or elsewhere, fulfils it.
"""

import getpass
import platform

import click

from gitwf import errors, wiring
from gitwf.cli import options
from gitwf.delivery import verbs
from gitwf.service import asking
from gitwf.wiring.settings import Settings


def person() -> str:
    """Who asks: the user and the machine, as commits and the ledger say it."""
    return f"{getpass.getuser()}@{platform.node()}"


@click.command()
@click.argument("run")
@click.argument("node", required=False)
@options.repository
def logs(chosen: Settings, run: str, node: str | None) -> None:
    """Print what the steps of RUN wrote, or one NODE of it.

    RUN is the id that `run` and `reconcile` print.
    """
    top = chosen.state_folder
    for state in [top, *sorted([*top.glob("remotes/*"), *top.glob("local/*/state/remotes/*")])]:
        engine = wiring.local_engine(chosen, state)
        found = engine.observe(run)
        if found is None:
            continue
        if node is not None and node not in found.nodes:
            names = ", ".join(found.nodes)
            raise errors.Stalled(f"{run} has no node {node}", hint=f"its nodes: {names}")
        for line in engine.logs(run, node):
            click.echo(line.text if node else f"{line.node}: {line.text}")
        return
    raise errors.Stalled(
        f"there is no run {run} on this machine",
        hint="`gitwf run` names its run at the end, `gitwf reconcile` when it failed",
    )


@click.command()
@click.argument("model")
@click.option("--reason", required=True, help="Why; it goes into the ledger.")
@options.repository
def retrain(chosen: Settings, model: str, reason: str) -> None:
    """Ask for a new training with nothing changed in Git."""
    wish = asking.Asking(wiring.edge(chosen, wiring.repository(chosen)))
    said = wish.note(
        model,
        lambda view, _seen, now: verbs.retrain(view, wish.nonce(), person(), reason, now),
    )
    click.echo(f"{said}; the next reconcile trains it")


@click.command()
@click.argument("model")
@click.option("--reason", default="", help="Why; it goes into the ledger.")
@options.repository
def retry(chosen: Settings, model: str, reason: str) -> None:
    """Let a failed run key be tried again."""
    wish = asking.Asking(wiring.edge(chosen, wiring.repository(chosen)))
    said = wish.note(model, lambda view, seen, now: verbs.retry(view, seen, person(), reason, now))
    click.echo(f"{said}; the next reconcile tries it")
