"""A pipeline of the checkout, run on this machine as it stands: the other half of `run`.

The files count as they are, committed or not, in a throw-away world that is made of them
(`gitwf.wiring.local`): the remote is never written to. With a view the whole loop goes round in that
world, viewer included, until Ctrl-C.
"""

import secrets
import threading

import click

from gitwf import errors, ports, wiring
from gitwf.cli import options
from gitwf.cli.render import progress
from gitwf.service import documents
from gitwf.service import reconcile as service
from gitwf.wiring import local
from gitwf.wiring.settings import Settings


def ordered(
    chosen: Settings, name: str, given: dict[str, str], *, view: bool
) -> ports.Order | None:
    """Order a run of a pipeline of the checkout's tree as it is; None where its viewer ran it."""
    try:
        world = local.settings(chosen, uncommitted=True)
    except errors.Stalled as error:
        what = f"there is no file {name}, and no checkout whose pipeline could be meant"
        raise errors.Stalled(what, hint=error.hint) from error
    opened = wiring.repository(world)
    around = wiring.edge(world, opened)
    read = documents.Documents(around.repo)
    at = read.at(documents.head(around.repo))
    one = at.pipelines.get(name)
    if one is None:
        raise errors.Stalled(
            f"there is no file and no pipeline {name}",
            hint="pipelines: " + (", ".join(at.pipelines) or "none"),
        )
    if one.refused or one.workflow is None:
        raise errors.Rejected(one.problems)
    if view:
        _view(world, at, name)
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


def _view(world: Settings, at: documents.ProjectAt, name: str) -> None:
    """Train, gate and serve in the throw-away world, then wait for Ctrl-C."""
    from gitwf.adapters.viewer import control

    console = options.console()
    opened = wiring.repository(world)
    fronts = wiring.fronts(world, opened, at, name)
    with progress.listening(console) as listener:
        outcome = service.Reconciler(wiring.edge(world, opened, listener=listener)).run()
    try:
        for own in fronts:
            url = control.url(own)
            console.print(f"{own.environment}: {url or 'nothing is served'}")
            if url and console.is_terminal:
                click.launch(url)
        for one in outcome.reports:
            console.out(str(one), highlight=False)
        if outcome.verdict is service.Verdict.REJECTED:
            raise errors.Rejected(outcome.diagnostics)
        if outcome.verdict is not service.Verdict.IN_SYNC:
            raise errors.Stalled("; ".join(outcome.failures) or "the pipeline is not served")
        if console.is_terminal and fronts:
            console.print("Ctrl-C ends it.", style="dim")
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        for own in fronts:
            control.down(own)
