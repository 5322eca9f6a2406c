"""What GitHub Actions shows: annotations on files, outputs, and the job's summary.

Annotations are workflow commands on standard output; outputs and the summary are files that the
runner names in the environment. Nothing here knows a secret.
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


def annotate(diagnostics: Iterable[errors.Diagnostic]) -> None:
    """Print one annotation for each diagnostic, at its place in the file."""
    for diagnostic in diagnostics:
        place = f"file={_escape(diagnostic.file, in_property=True)}"
        if diagnostic.line:
            place += f",line={diagnostic.line},col={diagnostic.column}"
        hint = f" ({diagnostic.hint})" if diagnostic.hint else ""
        click.echo(f"::{diagnostic.severity} {place}::{_escape(diagnostic.message + hint)}")


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
