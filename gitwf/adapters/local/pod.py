"""From the machine's wish for a pod to a box that a rung can start.

A container's argv is its command and args with `$(NAME)` expanded; a script's source becomes an
executable file whose path is the last argument (Argo: workflow/executor). Everything that the step
may see is gathered in its work folder first, so that a rung only has to put it in place. What
cannot be had makes the pod end in Error before it ran: `environment.Unavailable`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters.local import artifacts, box, environment, folder, scratch, volumes
from gitwf.workflow.document import containers, template
from gitwf.workflow.machine import messages

_HOME = "/home/step"  # In no use, so that nothing of the machine is ever shown in it.


@dataclass(frozen=True)
class Context:
    """What the pods of one run have in common. `search` is the steps' PATH.

    `entrypoints` gives the argv of images whose own is known, for containers without a command.
    """

    state: folder.StateFolder
    run: folder.RunFolder
    isolation: str
    search: str
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    granted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secrets: Path | None = None
    source: Path | None = None
    claims: frozenset[str] = frozenset()
    entrypoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def bare(self) -> bool:
        """Whether steps see the machine's own files."""
        return self.isolation == "none"


def container_of(made: template.Template) -> containers.Container:
    """The container that a pod runs. Raises Unavailable for kinds of pods not run here."""
    found = made.container or made.script
    if found is None:
        raise environment.Unavailable(f"the local engine runs no {made.type or 'such'} templates")
    return found


def prepare(start: messages.StartPod, work: Path, context: Context) -> box.Box:
    """Make everything ready in `work` that the step needs. Raises Unavailable, Stalled, OSError."""
    made = start.template
    container = container_of(made)
    granted = context.granted.get(start.origin, frozenset())
    sources = environment.Sources(
        config_maps=context.config_maps,
        secrets=environment.Secrets(context.secrets, granted),
        pod=start.pod,
        node=start.name,
    )
    places = volumes.Places(context.state, context.run, work, sources, context.claims)
    declared = environment.declared(container, sources)
    private = _private(work, context)
    mounts = [*private.mounts, *volumes.mounts(container.volume_mounts, start.volumes, places)]
    mounts += [_input(number, one, work, context) for number, one in enumerate(start.artifacts)]
    argv = [*_command(container, context), *container.args]
    argv = [environment.expand(one, declared) for one in argv]
    if isinstance(container, containers.Script):
        path = private.script
        argv.append(path)
        mounts += _script(container.source, work, path, context)
    return box.Box(
        argv=tuple(argv),
        env=private.env | declared,
        cwd=container.working_dir or private.cwd,
        mounts=tuple(mounts),
        outputs=outputs_of(made),
    )


def outputs_of(made: template.Template) -> tuple[str, ...]:
    """The paths to bring out: those of output parameters, then those of artifacts."""
    sources = (parameter.value_from for parameter in made.outputs.parameters)
    paths = [source.path for source in sources if source is not None and source.path]
    return (*paths, *(artifact.path for artifact in made.outputs.artifacts if artifact.path))


def _command(container: containers.Container, context: Context) -> tuple[str, ...]:
    if container.command:
        return container.command
    known = context.entrypoints.get(container.image)
    if known is None:
        message = f"the command of the image {container.image!r} is not known on this machine"
        raise environment.Unavailable(message, hint="write it down as `command`")
    return known


@dataclass(frozen=True)
class _Private:
    """The places that are a step's own, named as the step sees them."""

    env: dict[str, str]
    cwd: str
    script: str
    mounts: tuple[box.Mount, ...] = ()


def _private(work: Path, context: Context) -> _Private:
    home, temporary = work / scratch.HOME, work / scratch.TEMPORARY
    env = {"PATH": context.search, "LANG": "C.UTF-8"}
    if context.bare:
        env |= {"HOME": str(home), "TMPDIR": str(temporary)}
        return _Private(env, str(home), str(work / "script"))
    mounts = (
        box.Mount(_HOME, home, box.Kind.OWN),
        box.Mount("/tmp", temporary, box.Kind.OWN),  # noqa: S108 - the step's own
    )
    return _Private(env | {"HOME": _HOME}, "/", "/argo/staging/script", mounts)


def _script(source: str, work: Path, path: str, context: Context) -> list[box.Mount]:
    file = work / "script"
    file.write_text(source, "utf-8")
    file.chmod(0o755)
    return [] if context.bare else [box.Mount(path, file, box.Kind.OWN)]


def _input(number: int, wanted: messages.InputArtifact, work: Path, context: Context) -> box.Mount:
    location = wanted.location
    if location.source:
        if context.source is None:
            message = f"the input artifact {wanted.name!r} was not supplied"
            raise environment.Unavailable(message, hint="this run has no source")
        source = artifacts.inside(context.source, location.sub_path)
        return box.Mount(wanted.path, source, box.Kind.LAYER)
    own = work / "inputs" / str(number)
    own.parent.mkdir(exist_ok=True)
    artifacts.give(context.run, location, own)
    if wanted.mode is not None:
        own.chmod(wanted.mode)
    return box.Mount(wanted.path, own, box.Kind.OWN)
