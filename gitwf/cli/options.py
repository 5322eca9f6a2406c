"""Options and output that several commands share.

A command that reads a repository takes `--remote`, `--branch` and `--state`; one that prints a
result takes `-o`. Colour and progress belong to a terminal; a pipe gets plain text.
"""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitwf import errors
from gitwf.service import signals
from gitwf.text import rendering
from gitwf.wiring import settings

if TYPE_CHECKING:
    import rich.console

    from gitwf.workflow.document import resolved

Command = TypeVar("Command", bound=Callable[..., Any])


def repository(command: Command) -> Command:
    """Add the options that say which repository is meant; the command gets `chosen` settings."""

    @click.option("--remote", metavar="URL", help="The remote; default: origin of this checkout.")
    @click.option("--branch", metavar="NAME", help="The watched branch; default: the remote's own.")
    @click.option("--state", metavar="FOLDER", help="Where caches, journals and logs are kept.")
    @functools.wraps(command)
    def wrapped(
        *arguments: Any, remote: str | None, branch: str | None, state: str | None, **rest: Any
    ) -> Any:
        chosen = settings.Settings.read(os.environ, remote=remote, branch=branch, state=state)
        return command(*arguments, chosen=chosen, **rest)

    return wrapped  # type: ignore[return-value]  # click wraps what it is given


output = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)


document = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)


def parameters(about: str) -> Callable[[Command], Command]:
    """Add `-p NAME=VALUE`, which may stand several times; the command gets `given`."""
    return click.option(
        "-p",
        "--parameter",
        "given",
        multiple=True,
        metavar="NAME=VALUE",
        help=f"{about}; may be given several times.",
    )


def pairs(given: Iterable[str]) -> dict[str, str]:
    """Read NAME=VALUE as often as it was given; the last one counts. UsageError on another form."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise click.UsageError(f"a parameter is NAME=VALUE, not {one!r}")
        if not one.isascii() and any("\ud800" <= letter <= "\udfff" for letter in one):
            raise click.UsageError(f"the parameter {name!r} holds bytes that are not UTF-8")
        found[name] = value
    return found


def insist_known(given: Iterable[str], workflow: "resolved.Resolved", what: str) -> None:
    """Refuse a parameter that a workflow has no use for. UsageError, with the nearest it has."""
    from gitwf.text import models

    for unknown in workflow.unknown_parameters(given):
        hint = models.suggest(unknown, (one.name for one in workflow.spec.arguments.parameters))
        raise click.UsageError(f"{what} has no parameter {unknown}" + (f"; {hint}" if hint else ""))


def console(*, stderr: bool = False) -> "rich.console.Console":
    """A console on standard output, or on standard error for what is not the result."""
    from gitwf.cli.render import terminal

    return terminal.Console(stderr=stderr, highlight=False, soft_wrap=True)


def warn(signal: signals.Signal) -> None:
    """Print what is said as a warning to standard error: for commands that show no progress."""
    if isinstance(signal, signals.Said) and signal.level != "info":
        click.echo(f"{signal.level}: {signal.text}", err=True)


def refuse(diagnostics: Iterable[errors.Diagnostic]) -> None:
    """Raise when a document is wrong; warnings are only shown."""
    wrong: list[errors.Diagnostic] = []
    for one in diagnostics:
        if one.is_error:
            wrong.append(one)
        else:
            click.echo(str(one), err=True)
    if wrong:
        raise errors.Rejected(wrong)


def print_json(value: object) -> None:
    """Print a result as JSON."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_document(value: object, form: str) -> None:
    """Print a result as JSON or YAML."""
    if form == "json":
        print_json(value)
    else:
        sys.stdout.write(rendering.document(value))
