"""`fetch`, `front` and `down`: what a viewer needs, and the local process in front of it.

`fetch` is what runs before every viewer, on this machine as in an init container: it puts the
model's bytes in place only when they are the recorded ones. `front` and `down` are for a person, or
a service manager, who wants the front in hand; `reconcile` starts one by itself.
"""

import dataclasses
import itertools
import os
from pathlib import Path

import click

from gitwf import errors, wiring
from gitwf.adapters.viewer.settings import FrontSettings
from gitwf.cli import options
from gitwf.delivery import project
from gitwf.service import documents, mainline
from gitwf.values import Digest
from gitwf.wiring import fronts
from gitwf.wiring.settings import Settings


@click.command()
@click.argument("uri")
@click.option("--digest", required=True, help="sha256:<64 hex digits>, as the release says.")
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), help="The file to write, atomically."
)
@click.option("--store", default="", help="Root of a folder store, for URIs like file:model/….")
def fetch(uri: str, digest: str, to: Path, store: str) -> None:
    """Put a checked model in place.

    Writes the file only when its bytes have the digest; otherwise exits with 1 and leaves what was
    there as it was.
    """
    from gitwf.adapters import store as stores

    try:
        wanted = Digest(digest)
    except ValueError as error:
        raise errors.Rejected([errors.Diagnostic("--digest", 0, 0, str(error))]) from error
    stores.open_uri(uri, stores.Settings(store, environment=os.environ)).fetch(uri, wanted, to)
    click.echo(f"{to}: {digest}")


@click.command()
@click.argument("environment")
@click.option("--model", help="Which model, where several deploy to the environment.")
@click.option("--port", help="Port to listen on; default: from gitwf.yaml, else any free one.")
@options.repository
def front(chosen: Settings, environment: str, model: str | None, port: str | None) -> None:
    """Run the local front of an environment, in the foreground.

    It owns the port and the viewer processes, serves what `reconcile` tells it, and ends with
    Ctrl-C, SIGTERM or `gitwf down`. It says where it listens, and each thing that happens.
    """
    from gitwf.adapters.viewer import front as viewer_front

    own = _front(chosen, environment, model, port or chosen.port)
    said = itertools.chain([f"front of {environment}: "], itertools.repeat("  "))
    if not viewer_front.run_front(own, told=lambda line: click.echo(next(said) + line)):
        raise errors.Stalled(
            f"the front of {environment} is running already",
            hint=f"gitwf down {environment}",
        )
    click.echo(f"front of {environment}: stopped")


@click.command()
@click.argument("environment")
@click.option("--model", help="Which model, where several deploy to the environment.")
@click.option("--local", "on_laptop", is_flag=True, help="The front of `reconcile --local`.")
@options.repository
def down(chosen: Settings, environment: str, model: str | None, *, on_laptop: bool) -> None:
    """Stop the local front of an environment, and its viewers.

    Whatever port it has, and also when HEAD no longer names its environment or its model.
    """
    from gitwf.adapters.viewer import control
    from gitwf.wiring import local

    # Offline: what runs here can be stopped although the remote is out of reach, or gone.
    opened = wiring.repository(local.existing(chosen) if on_laptop else chosen, offline=True)
    homes = sorted((opened.state / "fronts" / environment).glob("*"))
    if model is None and len(homes) > 1:
        names = ", ".join(home.name for home in homes)
        raise errors.Stalled(f"{environment} has fronts of {names}", hint="say which with --model")
    if model is not None and not any(home.name == model for home in homes) and homes:
        names = ", ".join(home.name for home in homes)
        raise errors.Stalled(f"{environment} has no front of {model}", hint=f"it has: {names}")
    was_there = False
    for home in homes:
        if model in {None, home.name}:
            own = fronts.settings(chosen, opened.state, home.name, environment, None)
            was_there = control.down(own) or was_there
    if on_laptop:
        local.tidy(chosen)
    known = {home.parent.name for home in (opened.state / "fronts").glob("*/*")}
    others = ", ".join(sorted(known - {environment}))
    said = "stopped" if was_there else "was not running"
    click.echo(
        f"{environment}: {said}" + (f"; there is {others}" if others and not was_there else "")
    )


def _front(chosen: Settings, environment: str, model: str | None, port: str) -> FrontSettings:
    """Find out which front is meant, from the documents at HEAD."""
    opened = wiring.repository(chosen)
    repo = wiring.edge(chosen, opened).repo
    at = documents.Documents(repo).at(mainline.head(repo))
    where = at.project.spec.environments.get(environment)
    if where is None or where.local is None:
        raise errors.Stalled(
            f"{environment} is no local environment of {project.FILE}",
            hint="one of " + ", ".join(at.project.spec.environments),
        )
    models = [name for name, one in at.pipelines.items() if one.document.deploy(environment)]
    if not models and at.problems:
        raise errors.Rejected(at.problems)
    if model is None and len(models) != 1:
        raise errors.Stalled(
            f"{len(models)} models deploy to {environment}", hint="say which with --model"
        )
    given = dataclasses.replace(chosen, port=port)
    return fronts.settings(given, opened.state, model or models[0], environment, where.local.port)
