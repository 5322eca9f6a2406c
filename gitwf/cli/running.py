"""`run`: a workflow file, or a pipeline of the checkout, on this machine.

`run FILE` runs any workflow file on its own and knows nothing of models, so that nothing is loaded
for them; `run PIPELINE` is `pipelines`' and is loaded where it is meant. Neither writes to the
remote. Read next: `asking`, for runs that reconcile makes.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from gitwf import errors, ports, wiring
from gitwf.cli import options, watching
from gitwf.text import models, yaml_reader
from gitwf.wiring.settings import Settings
from gitwf.workflow.document import load, parameters, resolve, resolved, unsupported, validate

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@click.command()
@click.argument("what", metavar="FILE|PIPELINE")
@options.parameters("A parameter of the workflow")
@click.option(
    "-f",
    "--parameter-file",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Parameters as a YAML or JSON mapping of name to value; -p goes before it.",
)
@click.option("--name", help="Another name for the workflow.")
@click.option("--entrypoint", help="Begin at another template.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would run, and start nothing.")
@click.option("--view", is_flag=True, help="Serve the pipeline's viewer with the new model.")
@options.repository
@options.document
def run(
    chosen: Settings,
    what: str,
    given: tuple[str, ...],
    file: Path | None,
    name: str | None,
    entrypoint: str | None,
    form: str,
    *,
    dry: bool,
    view: bool,
) -> None:
    """Run a workflow file, or a pipeline, on this machine.

    FILE is any workflow, or - for standard input; other documents beside it are at hand for its
    references. PIPELINE is a pipeline of this checkout by name, run on the files as they are,
    committed or not. Ctrl-C stops the run, and its exit handlers run; a second one terminates it.
    """
    values = {**(_parameter_file(file) if file else {}), **options.pairs(given)}
    place = Path("/dev/stdin" if what == "-" else what)
    if _meant_as_file(place):
        if view:
            raise click.UsageError("--view is for a pipeline; a workflow file has no viewer")
        workflow = _of_file(place, entrypoint, values)
        order = ports.Order(
            id=f"run-{secrets.token_hex(6)}",
            name=_checked(name) or workflow.name or "workflow",
            workflow=workflow,
            parameters=values,
            source=Path.cwd() if _wants_source(workflow) else None,
        )
    else:
        if entrypoint or name:
            raise click.UsageError("--entrypoint and --name are for a workflow file")
        if view and dry:
            raise click.UsageError("--view needs a run; --dry-run starts none")
        from gitwf.cli import pipelines

        made = pipelines.ordered(chosen, what, values, view=view)
        if made is None:
            return
        order = made
    if dry:
        _preview(order, form)
        return
    engine = wiring.local_engine(chosen, chosen.state_folder)
    watching.insist(watching.drive(engine, order.id, form, lambda: engine.start(order)))


def _preview(order: ports.Order, form: str) -> None:
    from gitwf.cli.render import previews, runs
    from gitwf.workflow import preview

    planned = preview.of(order.workflow, order.name, order.parameters)
    if form == "text":
        runs.show(options.console(), previews.drawn(planned))
    else:
        options.print_document(previews.plain(planned), form)


def _parameter_file(file: Path) -> dict[str, str]:
    """Read parameters as Argo's `--parameter-file` does: lists and mappings become JSON."""
    read = yaml_reader.read_one(file.read_bytes(), str(file), argo=True)
    for doubt in read.doubts:
        click.echo(str(doubt), err=True)
    if not isinstance(read.value, dict):
        what = "a parameter file is a mapping of name to value"
        raise errors.Rejected([read.diagnostic((), what, "write `name: value`, a line each")])
    found: dict[str, str] = {}
    problems: list[errors.Diagnostic] = []
    for name, value in read.value.items():
        try:
            found[name] = parameters.text_of(value)
        except ValueError as problem:
            problems.append(read.diagnostic((name,), f"`{name}` {problem}"))
    if problems:
        raise errors.Rejected(problems)
    return found


def _checked(name: str | None) -> str | None:
    if name is not None and not _NAME.fullmatch(name):
        raise click.UsageError(
            f"{name!r} cannot name a workflow; use lower case letters, digits, dots and dashes"
        )
    return name


def _meant_as_file(place: Path) -> bool:
    """Whether a path, and not a pipeline's name, is given. Rejected: there is no such file."""
    if place.exists():
        return not place.is_dir()
    if place.suffix not in {".yaml", ".yml", ".json"} and len(place.parts) < 2:  # noqa: PLR2004
        return False
    there = place.parent.iterdir() if place.parent.is_dir() else ()
    hint = models.suggest(place.name, (one.name for one in there))
    raise errors.Rejected([errors.Diagnostic(str(place), 0, 0, "there is no such file", hint)])


def _of_file(file: Path, entrypoint: str | None, given: Mapping[str, str]) -> resolved.Resolved:
    """Read and check one workflow. Rejected with everything that is wrong."""
    name, content = str(file), _content(file)
    if isinstance(content, bytes) and re.search(rb"^kind:\s*Pipeline\b", content, re.MULTILINE):
        what = "this is a pipeline, not a workflow"
        hint = "`gitwf run NAME` runs a pipeline of the checkout by its name"
        raise errors.Rejected([errors.Diagnostic(name, 0, 0, what, hint)])
    beside = {str(path): _content(path) for path in _beside(file)}
    catalogue = load.load({**beside, name: content}, asked=[name])
    workflow = resolve.resolve(catalogue.runnable(name), catalogue, entrypoint=entrypoint)
    wrong = validate.validate(workflow, parameters_given=given)
    options.refuse([*wrong, *unsupported.check(workflow)])
    options.insist_known(given, workflow, name)
    return workflow


def _beside(file: Path) -> Iterator[Path]:
    """The YAML files of a file's folder."""
    found = (*file.parent.glob("*.yaml"), *file.parent.glob("*.yml"))
    return (path for path in found if path.is_file())


def _content(path: Path) -> load.Content:
    try:
        return path.read_bytes()
    except OSError as error:
        return [errors.Diagnostic(str(path), 0, 0, f"cannot be read: {error.strerror}")]


def _wants_source(workflow: resolved.Resolved) -> bool:
    """Whether the entrypoint asks for the code."""
    key = resolved.TemplateKey(resolved.LOCAL, workflow.spec.entrypoint or "")
    entry_template = workflow.templates.get(key)
    artifacts = entry_template.inputs.artifacts if entry_template is not None else ()
    return any(artifact.name == "source" for artifact in artifacts)
