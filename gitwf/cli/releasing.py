"""`promote`, `rollback`, `hold`, `unhold` and `reject`: a person's say, each as one commit.

Nothing here that could not be done by editing a file and pushing it; the commands write the same
bytes in the name that Git knows the person by, refuse what would be refused, and say which commit
they made. The next reconcile acts on it.
"""

from collections.abc import Callable

import click

from gitwf import wiring
from gitwf.cli import options, versions
from gitwf.delivery import action, observed, verbs
from gitwf.service import asking
from gitwf.wiring.settings import Settings

_in = click.option(
    "--in", "environment", default="production", show_default=True, help="The environment."
)
_why = click.option("--reason", default="", help="Why; it goes into the commit.")


def _publish(
    chosen: Settings,
    model: str,
    decide: Callable[[observed.ModelView, observed.Observed, str], action.Publish],
    then: str = "rolls it out",
) -> None:
    """Put what `decide` makes of the branch on it, in the name of the person who asks."""
    opened = wiring.repository(chosen, listener=options.warn)
    who = wiring.person()
    wish = asking.Asking(wiring.edge(chosen, opened, asked_by=who))
    commit, reason = wish.publish(model, lambda view, seen: decide(view, seen, str(who)))
    click.echo(f"{reason}: commit {commit.short}; the next reconcile {then}")


@click.command()
@click.argument("version", metavar="MODEL@VERSION")
@_in
@_why
@options.repository
def promote(chosen: Settings, version: str, environment: str, reason: str) -> None:
    """Release a version, as a commit. A person's choice beats rejection and gates."""
    model, number = versions.parsed(version)
    _publish(
        chosen,
        model,
        lambda view, seen, who: verbs.promote(view, environment, number, seen, who, reason),
    )


@click.command()
@click.argument("model", metavar="MODEL[@VERSION]")
@_in
@_why
@options.repository
def rollback(chosen: Settings, model: str, environment: str, reason: str) -> None:
    """Release the last good version before this one, or VERSION, as a commit."""
    name, number = versions.parsed(model) if "@" in model else (model, None)
    _publish(
        chosen,
        name,
        lambda view, seen, who: verbs.rollback(view, environment, seen, who, number, reason),
    )


@click.command()
@click.argument("model")
@_in
@_why
@options.repository
def hold(chosen: Settings, model: str, environment: str, reason: str) -> None:
    """Stop automation from promoting in an environment, until `unhold`."""
    _publish(
        chosen,
        model,
        lambda view, seen, who: verbs.hold(view, environment, seen, who, reason),
        then="promotes nothing there",
    )


@click.command()
@click.argument("model")
@_in
@options.repository
def unhold(chosen: Settings, model: str, environment: str) -> None:
    """Let automation promote again."""
    _publish(
        chosen,
        model,
        lambda view, seen, who: verbs.unhold(view, environment, seen, who),
        then="may promote again",
    )


@click.command()
@click.argument("version", metavar="MODEL@VERSION")
@_why
@options.repository
def reject(chosen: Settings, version: str, reason: str) -> None:
    """Mark a version as one that automation must not choose, as a commit."""
    model, number = versions.parsed(version)
    _publish(
        chosen,
        model,
        lambda view, seen, who: verbs.reject(view, number, seen, who, reason),
        then="will not choose it",
    )
