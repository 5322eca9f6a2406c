"""`lint`, `init` and `schema`: documents as files, before any commit.

None of them asks a remote. `lint` shows everything that is wrong in one go and prints it as its
result; the other commands print the same lines as errors.
"""

import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gitwf.cli import options
from gitwf.cli.render import github
from gitwf.delivery import project
from gitwf.delivery import schema as schemas
from gitwf.service import linting
from gitwf.wiring import scaffold, tree


@click.command()
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path)
)
@options.output
def lint(paths: tuple[Path, ...], form: str) -> None:
    """Check every document; all mistakes in one go.

    Looks at the files as they are, committed or not: gitwf.yaml, the pipelines, the workflows that
    they run, the release files. PATHs, files or folders, restrict what is told; a workflow file
    that no pipeline names is checked on its own. Exits with 2 when a document is wrong.
    """
    checked = _checked(paths or (Path(),))
    if form == "json":
        options.print_json([dataclasses.asdict(one) for one in checked.diagnostics])
    else:
        for one in checked.diagnostics:
            click.echo(str(one))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            github.annotate(checked.diagnostics)
        click.echo(_summary(checked))
    if checked.wrong:
        sys.exit(2)


def _checked(paths: Iterable[Path]) -> linting.Checked:
    """Check each project that a path lies in once, and each file that is in none on its own."""
    by_root: dict[Path | None, list[Path]] = {}
    for path in paths:
        whole = Path(os.path.abspath(path))  # noqa: PTH100  `..` taken out, links left as they are
        by_root.setdefault(tree.root(whole), []).append(whole)
    found: list[linting.Checked] = []
    for root, inside in by_root.items():
        if root is not None:
            found += _in_project(root, [path.relative_to(root).as_posix() for path in inside])
            continue
        for path in inside:
            if path.is_dir():
                raise click.UsageError(
                    f"there is no {project.FILE} in {path} or above it; name a workflow file, or "
                    "write a first one with `gitwf init`"
                )
            found.append(linting.alone(tree.beside(path), tree.NO_COMMIT, path.name))
    files = frozenset(file for one in found for file in one.files)
    return linting.Checked(
        files, tuple(sorted({diagnostic for one in found for diagnostic in one.diagnostics}))
    )


def _in_project(root: Path, paths: list[str]) -> Iterable[linting.Checked]:
    """What is at or below `paths`; a file that the project does not reach is checked alone."""
    top = tree.opened(root)
    checked = linting.whole(top, tree.NO_COMMIT)
    yield checked.within(paths)
    for path in paths:
        if path not in checked.files and path.endswith((".yaml", ".yml")):
            yield linting.alone(top, tree.NO_COMMIT, path)


def _summary(checked: linting.Checked) -> str:
    """Say how much was looked at, and what came of it."""
    wrong = sum(one.is_error for one in checked.diagnostics)
    doubtful = len(checked.diagnostics) - wrong
    counts = [(wrong, "mistake"), (doubtful, "warning")]
    told = ", ".join(_count(number, what) for number, what in counts if number)
    return f"{_count(len(checked.files), 'document')} checked: {told or 'nothing wrong'}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@click.command()
@click.argument(
    "folder", default=".", type=click.Path(file_okay=False, path_type=Path), metavar="[FOLDER]"
)
@click.option("--name", help="Name of the project and its first pipeline; default: the folder's.")
@click.option(
    "--pipelines",
    "pattern",
    metavar="GLOB",
    default=project.DEFAULT_PIPELINES[0],
    show_default=True,
    help="Where pipelines are, or are to be.",
)
def init(folder: Path, name: str | None, pattern: str) -> None:
    """Scaffold a repository, or take place in an existing one.

    Writes gitwf.yaml, a small pipeline that works, schemas for editors, a CODEOWNERS and a workflow
    for GitHub Actions. Nothing that is there is changed.
    """
    for one in scaffold.place(folder, name or scaffold.name_of(folder), pattern):
        click.echo(f"{'created' if one.created else 'kept   '}  {one.path}")
    click.echo("next: gitwf lint, then git commit and git push, then gitwf reconcile")


@click.command()
@click.argument(
    "kind", type=click.Choice(list(schemas.KINDS), case_sensitive=False), required=False
)
def schema(kind: str | None) -> None:
    """Print the JSON Schema of a document kind.

    Without KIND, an object that holds the schema of every kind. Draft 7, as editors understand it.
    """
    every = {one: schemas.schema(one) for one in schemas.KINDS}
    options.print_json(every[kind] if kind else every)
