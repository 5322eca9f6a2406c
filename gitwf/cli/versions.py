"""`history`, `show`, `diff` and `fsck`: what Git alone tells of a model, and whether it fits.

They read the branch and the ledger and nothing else, so an auditor needs a clone and no access to
engine, store or cluster; only `fsck --store` reads the models too.
"""

import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

import click

from gitwf import errors, wiring
from gitwf.cli import options
from gitwf.cli.render import versions as render
from gitwf.service import retrospect
from gitwf.values import CommitId
from gitwf.wiring.settings import Settings


def _looking_back(chosen: Settings) -> retrospect.Retrospect:
    """Look back from what the remote holds, or from what was seen of it last."""
    try:
        return _from(chosen, wiring.repository(chosen, listener=options.warn))
    except (errors.Transient, errors.Unreadable) as error:
        opened = wiring.repository(chosen, offline=True)
        if wiring.edge(chosen, opened).repo.head() is None:
            raise
        back = _from(chosen, opened)
        click.echo(error.message, err=True)
        click.echo(f"offline: as of {back.as_of.rfc3339()}", err=True)
        return back


def _from(chosen: Settings, opened: wiring.Repository) -> retrospect.Retrospect:
    around = wiring.edge(chosen, opened)

    def pipelines(commit: CommitId) -> Collection[str]:
        from gitwf.service import documents

        try:
            return documents.Documents(around.repo).at(commit).pipelines
        except errors.Rejected:
            return ()

    return retrospect.Retrospect(around.repo, around.ledger, pipelines)


def parsed(text: str) -> tuple[str, int]:
    """Read MODEL@VERSION. Rejected: it is something else."""
    model, found, number = text.rpartition("@")
    if not found or not number.isdigit():
        raise click.UsageError(f"a version is MODEL@NUMBER, such as ad-effect@42, not {text!r}")
    return model, int(number)


@click.command()
@click.argument("model", required=False)
@click.option("--releases", is_flag=True, help="List release commits instead of versions.")
@options.repository
@options.output
def history(chosen: Settings, model: str | None, form: str, *, releases: bool) -> None:
    """List a model's versions, newest first, from Git alone; every model's without MODEL."""
    back = _looking_back(chosen)
    stories = [back.story(name) for name in ([model] if model else back.models())]
    if form == "json":
        options.print_json([render.as_json(one) for one in stories])
        return
    console = options.console()
    for one in stories:
        if model is None:
            console.print(one.model, style="bold", markup=False)
        elif not one.versions and not one.releases:
            console.print(f"{model} has no version yet", markup=False)
            return
        (render.release_table if releases else render.history_table)(console, one)
    if not stories:
        console.print("no model has a version yet")


@click.command()
@click.argument("version", metavar="MODEL@VERSION")
@options.repository
@options.output
def show(chosen: Settings, version: str, form: str) -> None:
    """Tell all about one version: commit, data, parameters, metrics, gates, releases, by whom."""
    model, number = parsed(version)
    story = _looking_back(chosen).story(model)
    one = next((row for row in story.versions if row.version == number), None)
    if one is None:
        raise errors.Stalled(
            f"{model} has no version {number}", hint=f"gitwf history {model} lists them"
        )
    if form == "json":
        options.print_json(render.version_json(one))
    else:
        render.page(options.console(), one)


@click.command()
@click.argument("old", metavar="MODEL@OLD")
@click.argument("new", metavar="NEW")
@options.repository
@options.output
def diff(chosen: Settings, old: str, new: str, form: str) -> None:
    """Say in what two versions differ: inputs, parameters, workflow, metrics."""
    model, before = parsed(old)
    named, after = parsed(new) if "@" in new else parsed(f"{model}@{new}")
    if named != model:
        raise click.UsageError("both versions must be of one model")
    found = _looking_back(chosen).diff(model, before, after)
    if form == "json":
        options.print_json(
            {
                "model": model,
                "old": found.old.version,
                "new": found.new.version,
                "parts": found.parts,
                "metrics": [{**vars(one), "change": one.change} for one in found.metrics],
                "same": found.same_model,
            }
        )
    else:
        render.difference(options.console(), found)


@click.command()
@click.option("--store", "whole", is_flag=True, help="Read every model in the store as well.")
@options.repository
@options.output
def fsck(chosen: Settings, form: str, *, whole: bool) -> None:
    """Check that branch, ledger and store tell one story.

    Whatever gitwf writes does. What does not was left by a ledger that was lost, or by somebody's
    hand, and is mended by a person who knows which of two stories is true. Exits with 1 then.
    """
    opened = wiring.repository(chosen, listener=options.warn)
    around = wiring.edge(chosen, opened)
    back = retrospect.Retrospect(around.repo, around.ledger, doubting=True)
    found = list(back.misfits())
    if whole:
        from gitwf.service import documents

        project, _ = documents.Documents(around.repo).project(back.head)
        with tempfile.TemporaryDirectory() as scratch:
            found += back.unsound(around.store(project), Path(scratch))
    if form == "json":
        options.print_json([vars(one) for one in found])
    else:
        for one in found:
            click.echo(str(one))
        numbers = sum(len(back.facts.numbers(model)) for model in back.facts.models())
        several = "thing does not fit" if len(found) == 1 else "things do not fit"
        said = f"{len(found)} {several}" if found else "nothing wrong"
        click.echo(f"{numbers} version{'' if numbers == 1 else 's'} checked: {said}")
    if found:
        sys.exit(1)
