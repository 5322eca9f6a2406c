"""`run`: a workflow file, or a pipeline of the checkout, on this machine.

`run FILE` runs any workflow file on its own and knows nothing of models; `run PIPELINE` runs a
pipeline of the checkout as it stands, uncommitted changes included, and with `--view` goes on to
its viewer. Neither writes to the remote. Read next: `asking`, for runs that reconcile makes.
"""

import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from gitwf import errors, ports, wiring
from gitwf.adapters import clock
from gitwf.cli import options
from gitwf.cli.render import progress
from gitwf.service import documents, signals
from gitwf.service import reconcile as service
from gitwf.wiring import local
from gitwf.wiring.settings import Settings
from gitwf.workflow import blame, record, status
from gitwf.workflow.document import load, resolve, resolved, unsupported, validate


@click.command()
@click.argument("what", metavar="FILE|PIPELINE")
@click.option(
    "-p",
    "--parameter",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the workflow; may be given several times.",
)
@click.option("--entrypoint", help="Begin at another template.")
@click.option("--view", is_flag=True, help="Serve the pipeline's viewer with the new model.")
@options.repository
@options.output
def run(
    chosen: Settings,
    what: str,
    given: tuple[str, ...],
    entrypoint: str | None,
    form: str,
    *,
    view: bool,
) -> None:
    """Run a workflow file, or a pipeline, on this machine.

    FILE is any workflow; other documents beside it are at hand for its references. PIPELINE is a
    pipeline of this checkout by name, run on the files as they are, committed or not.
    """
    parameters = _parameters(given)
    if Path(what).is_file():
        if view:
            raise click.UsageError("--view is for a pipeline; a workflow file has no viewer")
        workflow = _of_file(Path(what), entrypoint, parameters)
        order = ports.Order(
            id=f"run-{secrets.token_hex(6)}",
            name=workflow.name or "workflow",
            workflow=workflow,
            parameters=parameters,
            source=Path.cwd() if _wants_source(workflow) else None,
        )
        done: record.RunRecord | None = _run(chosen, order, form)
    else:
        if entrypoint:
            raise click.UsageError("--entrypoint is for a workflow file")
        done = _of_pipeline(chosen, what, parameters, form, view=view)
    if done is not None and done.phase is not record.Phase.SUCCEEDED:
        raise errors.Stalled(f"the run did not succeed: {blame.summary(done)}")


def _parameters(given: Iterable[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found:
            raise click.UsageError(f"a parameter is NAME=VALUE, not {one!r}")
        parameters[name] = value
    return parameters


def _of_file(
    file: Path, entrypoint: str | None, parameters: Mapping[str, str]
) -> resolved.Resolved:
    """Read and check one workflow. Rejected with everything that is wrong."""
    beside = {
        str(path): path.read_bytes()
        for path in sorted([*file.parent.glob("*.yaml"), *file.parent.glob("*.yml")])
        if path.is_file()
    }
    name = str(file)
    beside[name] = file.read_bytes()
    if re.search(rb"^kind:\s*Pipeline\b", beside[name], re.MULTILINE):
        what = "this is a pipeline, not a workflow"
        hint = "`gitwf run NAME` runs a pipeline of the checkout by its name"
        raise errors.Rejected([errors.Diagnostic(name, 0, 0, what, hint)])
    catalogue = load.load(beside, asked=[name])
    workflow = resolve.resolve(catalogue.runnable(name), catalogue, entrypoint=entrypoint)
    found = [
        *validate.validate(workflow, parameters_given=parameters),
        *unsupported.check(workflow),
    ]
    for one in found:
        if one.severity == "warning":
            click.echo(str(one), err=True)
    wrong = [one for one in found if one.severity == "error"]
    if wrong:
        raise errors.Rejected(wrong)
    return workflow


def _wants_source(workflow: resolved.Resolved) -> bool:
    """Whether the entrypoint asks for the code."""
    key = resolved.TemplateKey(resolved.LOCAL, workflow.spec.entrypoint or "")
    entry_template = workflow.templates.get(key)
    artifacts = entry_template.inputs.artifacts if entry_template is not None else ()
    return any(artifact.name == "source" for artifact in artifacts)


def _run(chosen: Settings, order: ports.Order, form: str) -> record.RunRecord:
    """Run an order here, showing it as it goes."""
    engine = wiring.local_engine(chosen, chosen.state_folder)
    ticking = clock.SystemClock()
    console = options.console(stderr=form == "json")
    done: record.RunRecord | None = None
    with progress.listening(console) as listener:
        engine.start(order)
        try:
            for done in engine.watch(order.id):
                listener(signals.RunMoved(ticking.now(), order.id, "", done))
        except KeyboardInterrupt:
            engine.cancel(order.id, "interrupted")
            for done in engine.watch(order.id):
                listener(signals.RunMoved(ticking.now(), order.id, "", done))
    if done is None:
        raise errors.Transient(f"the engine let go of {order.id}")
    if form == "json":
        options.print_json({"metadata": {"name": order.name}, "status": status.of(done)})
    else:
        for name, value in done.outputs.parameters.items():
            click.echo(f"{name}: {value}")
        click.echo(f"run {order.id}: {done.phase}; its logs: gitwf logs {order.id}")
    return done


def _of_pipeline(
    chosen: Settings, name: str, parameters: dict[str, str], form: str, *, view: bool
) -> record.RunRecord | None:
    """Run a pipeline of the checkout's tree as it is, in a world that is thrown away."""
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
    order = ports.Order(
        id=f"{name}-{secrets.token_hex(6)}",
        name=one.workflow.name or name,
        workflow=one.workflow,
        parameters={**one.document.given(0, at.commit), **parameters},
        source=source,
        requirements=(source / requirements).read_text("utf-8") if requirements else "",
        granted=at.project.spec.policy.granted(),
    )
    return _run(chosen, order, form)


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
