"""A pipeline of the checkout, run on this machine as it stands: the other half of `run`.

The files count as they are, committed or not, in a throw-away world that is made of them
(`gitwf.wiring.local`): the remote is never written to. With a view the whole loop goes round in
that world, viewer included, until Ctrl-C.
"""

import secrets
import signal
from pathlib import Path

import click
import rich.console

from gitwf import errors, ports, wiring
from gitwf.cli import options
from gitwf.cli.render import progress, tables
from gitwf.service import documents, edge, mainline
from gitwf.service import reconcile as service
from gitwf.wiring import fronts, local
from gitwf.wiring.settings import Settings


def ordered(
    chosen: Settings, name: str, given: dict[str, str], *, view: bool
) -> ports.Order | None:
    """Order a run of a pipeline of the checkout's tree as it is; None where its viewer ran it."""
    try:
        world = local.settings(chosen, uncommitted=True)
    except errors.Stalled as error:
        file = f"{name} is a folder" if Path(name).is_dir() else f"there is no file {name}"
        what = f"{file}, and no pipeline of that name: {error.message}"
        raise errors.Stalled(what, hint=error.hint) from error
    opened = wiring.repository(world)
    around = wiring.edge(world, opened)
    read = documents.Documents(around.repo)
    at = read.at(mainline.head(around.repo))
    one = at.pipelines.get(name)
    if one is None:
        if at.problems:
            raise errors.Rejected(at.problems)
        raise errors.Stalled(
            f"there is no file and no pipeline {name}",
            hint="pipelines: " + (", ".join(at.pipelines) or "none"),
        )
    if one.refused or one.workflow is None:
        raise errors.Rejected(one.problems)
    options.insist_known(given, one.workflow, f"the workflow of {name}")
    if view:
        _view(world, around, at, one, given)
        return None
    source = opened.state / "sources" / name
    around.repo.export(at.commit, one.sources(), source)
    requirements = one.requirements()
    return ports.Order(
        id=f"{name}-{secrets.token_hex(6)}",
        name=one.workflow.name or name,
        workflow=one.workflow,
        parameters={**one.document.given(0, at.commit), **given},
        source=source,
        requirements=(source / requirements).read_text("utf-8") if requirements else "",
        granted=at.project.spec.policy.granted(),
    )


def _view(
    world: Settings,
    around: edge.Edge,
    at: documents.ProjectAt,
    one: documents.PipelineAt,
    given: dict[str, str],
) -> None:
    """Train, gate and serve this one pipeline in the throw-away world, then wait for Ctrl-C."""
    from gitwf.adapters.viewer import control

    name = one.document.name
    if not one.document.spec.deploy:
        raise errors.Stalled(
            f"{name} is deployed nowhere, so it has no viewer", hint=f"gitwf run {name} runs it"
        )
    around.repo.publish(at.commit, local.alone(around.repo, at.commit, one.file, given), name)
    console = options.console()
    served = fronts.of_model(world, wiring.repository(world).state, at, name)
    try:
        _close(_reconciled(world, console), console)
        urls = [url for own in served if (url := control.url(own))]
        if not urls:
            raise errors.Stalled(f"{name} is not served")
        for url in urls:
            console.print(f"{name} is shown at {url}", markup=False)
        if console.is_terminal:
            click.launch(urls[0])
            console.print("Ctrl-C ends it.", style="dim")
            signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        for own in served:
            control.down(own)


def _reconciled(world: Settings, console: rich.console.Console) -> service.Outcome:
    with progress.listening(console) as listener:
        around = wiring.edge(world, wiring.repository(world), listener=listener)
        reconciler = service.Reconciler(around)
        try:
            return reconciler.run()
        finally:
            reconciler.hand_over()


def _close(outcome: service.Outcome, console: rich.console.Console) -> None:
    """Say how it went. Rejected, Stalled: not well."""
    for one in outcome.reports:
        tables.line(console, "", str(one))
    if outcome.verdict is service.Verdict.REJECTED:
        raise errors.Rejected(outcome.diagnostics)
    if outcome.failures:
        raise errors.Stalled("; ".join(outcome.failures))
