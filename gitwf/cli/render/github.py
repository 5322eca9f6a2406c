"""What GitHub Actions shows: annotations on files, outputs, and the job's summary.

Annotations are workflow commands on standard error, which the runner reads like standard output, so
that a JSON result stays whole; outputs and the summary are files that the runner names in the
environment. Nothing here knows a secret.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from gitwf import errors


def _escape(text: str, *, in_property: bool = False) -> str:
    """Escape what the runner would read as its own syntax."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text


def told(failures: Iterable[str]) -> None:
    """Print one annotation for each failure that has no place in a file; only for a runner."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        annotate(errors.Diagnostic("", 0, 0, failure) for failure in failures)


def annotate(diagnostics: Iterable[errors.Diagnostic]) -> None:
    """Print one annotation for each diagnostic, at its place in the file."""
    for diagnostic in diagnostics:
        place = f" file={_escape(diagnostic.file, in_property=True)}" if diagnostic.file else ""
        if diagnostic.line:
            place += f",line={diagnostic.line},col={diagnostic.column}"
        hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
        message = _escape(diagnostic.message + hint)
        click.echo(f"::{diagnostic.severity}{place}::{message}", err=True)


def complain(error: errors.GitwfError) -> None:
    """Tell the runner of an error: annotations, the step's result, the summary."""
    if isinstance(error, errors.Rejected):
        result, found = "rejected", error.diagnostics
    else:
        result, found = "failed", [errors.Diagnostic("", 0, 0, error.message, error.hint)]
    annotate(found)
    output({"result": result})
    summary("\n".join([f"### gitwf: {result}", "", *(f"- {_shown(one)}" for one in found)]))


def _shown(diagnostic: errors.Diagnostic) -> str:
    """A diagnostic in Markdown, whatever stands in it."""
    text = str(diagnostic).removeprefix(": ")
    return text.replace("<", "&lt;").replace("\n", " ")


def output(values: Mapping[str, str]) -> None:
    """Append step outputs; nothing where no runner listens. A value may hold several lines."""
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        file.writelines(
            f"{name}<<gitwf-end\n{value}\ngitwf-end\n" for name, value in values.items()
        )


def summary(markdown: str) -> None:
    """Append to the job's summary; nothing where no runner listens."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(markdown + "\n")
