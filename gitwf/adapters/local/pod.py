"""From the machine's wish for a pod to the boxes that a rung can start, one for each member.

A container's argv is its command and args with `$(NAME)` expanded; a script's source becomes an
executable file whose path is the last argument (Argo: workflow/executor). Everything that the step
may see is gathered in its work folder first, so that a rung only has to put it in place. Input
artifacts are main's, but one whose path lies in a volume of a whole set is put into that volume.
What cannot be had makes the pod end in Error before it ran: `environment.Unavailable`.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters.local import (
    artifacts,
    box,
    engines,
    environment,
    folder,
    limits,
    members,
    scratch,
    volumes,
)
from gitwf.errors import Stalled
from gitwf.workflow import durations, failure
from gitwf.workflow.document import containers, template
from gitwf.workflow.machine import messages

_SCRIPT = "/argo/staging/script"
# Where a step may say how far it is. Nobody reads it, but scripts fail where it has no name.
_PROGRESS = "/tmp/.argo-progress"  # noqa: S108 - the step's own
_ARGO = "workflows.argoproj.io"
# What Argo's init container leaves where its store holds nothing at a key.
_INIT = "init: Error (exit code 64): "
_NO_KEY = "The specified key does not exist."
_LONGEST_HOSTNAME = 63  # Kubernetes names the host of a pod after it, as far as a name goes.
_LONGEST_ARGUMENT = 131_072  # Bytes; Argo: common.MaxEnvVarLen.
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
    written: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    source: Path | None = None
    claims: frozenset[str] = frozenset()
    entrypoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workflow: str = ""
    namespace: str = "default"
    account: str = "default"
    archive_logs: bool = False

    @property
    def imaged(self) -> bool:
        """Whether steps run in their images, which bring all that a document does not give."""
        return self.isolation in engines.CHOICES

    @property
    def bare(self) -> bool:
        """Whether steps see the machine's own files."""
        return self.isolation == "none"


def prepare(
    start: messages.StartPod,
    made: template.Template,
    several: Mapping[str, members.Member],
    works: Mapping[str, Path],
    context: Context,
) -> dict[str, box.Box]:
    """Make everything ready that the members of a pod need, each in its own folder of `works`.

    What they share is in the first one's. Raises Unavailable, Stalled, OSError.
    """
    granted = context.granted.get(start.origin, frozenset())
    sources = environment.Sources(
        config_maps=context.config_maps,
        secrets=environment.Secrets(context.secrets, granted, context.written),
        pod=start.pod,
        namespace=context.namespace,
        account=made.service_account_name or context.account,
        marks=lambda kind: _marks(kind, start, made, context),
    )
    shared = next(iter(works.values()))
    places = volumes.Places(context.state, context.run, shared, sources, context.claims)
    inputs = _inputs(start, made, shared, context, places)
    attempts, pause = _tries(made)
    imaged, bare = context.imaged, context.bare
    boxes = {}
    for name, member in several.items():
        container, work = member.container, works[name]
        private = _IMAGED if imaged else _private(work, context.search, bare=bare)
        declared = {
            "ARGO_CONTAINER_NAME": name,
            "ARGO_NODE_ID": start.node,
            "ARGO_PROGRESS_FILE": private.progress,
            "HOSTNAME": start.pod[:_LONGEST_HOSTNAME].rstrip("-."),
            **environment.declared(container, sources),
        }
        wanted = members.mounts(made, container)
        mounts = [*private.mounts, *volumes.mounts(wanted, start.volumes, places, declared)]
        mounts += inputs if name == members.MAIN else []
        command = container.command if imaged else _command(container, context)
        argv = [*command, *container.args]
        argv = [environment.expand(one, declared) for one in argv]
        if isinstance(container, containers.Script) and container.source:
            argv.append(private.script)
            mounts += _script(container.source, work, private.script, context)
        argv, files = _offloaded(argv, len(command[:1]), work, context)
        mounts += files
        boxes[name] = _startable(
            box.Box(
                argv=tuple(argv),
                env=private.env | declared,
                cwd=container.working_dir or private.cwd,
                mounts=tuple(mounts),
                outputs=member.outputs,
                attempts=1 if member.last else attempts,
                pause=pause,
                image=_image(made, member) if imaged else None,
            )
        )
    return boxes


def _marks(
    kind: str, start: messages.StartPod, made: template.Template, context: Context
) -> dict[str, str]:
    """Give the labels or annotations that Argo puts on a pod, then its template's."""
    declared = made.metadata
    if kind == "labels":
        own = {f"{_ARGO}/workflow": context.workflow, f"{_ARGO}/completed": "false"}
        return own | dict(declared.labels)
    return {
        f"{_ARGO}/node-name": start.name,
        f"{_ARGO}/node-id": start.node,
        **declared.annotations,
    }


def _startable(made: box.Box) -> box.Box:
    """Give a box back that a kernel can start. Raises Unavailable.

    Kubernetes would not create the container, or its runtime would not start it.
    """
    for name, value in made.env.items():
        if not name or "=" in name:
            raise environment.Unavailable(f"{name!r} cannot be the name of a variable")
        if "\0" in name + value:
            raise environment.Unavailable(f"the variable {name!r} holds a null byte")
    texts = (*made.argv, made.cwd, *made.outputs, *(mount.path for mount in made.mounts))
    for text in texts:
        if "\0" in text:
            raise environment.Unavailable(f"{text!r} holds a null byte")
    return made


def _tries(made: template.Template) -> tuple[int, float]:
    """How often a container of a set runs at most, and how many seconds apart.

    `retries` counts the first time too (Argo: ContainerSetTemplate.GetRetryStrategy).
    """
    strategy = made.container_set.retry_strategy if made.container_set is not None else None
    if strategy is None:
        return 1, 0.0
    count = str(strategy.retries)
    try:
        pause = durations.written(strategy.duration) if strategy.duration else 0.0
    except failure.NodeFailure as problem:
        raise environment.Unavailable(f"failed to get retry strategy: {problem}") from problem
    if pause < 0:
        wrong = f"duration has to be positive, current duration: {strategy.duration}"
        raise environment.Unavailable(f"failed to get retry strategy: {wrong}")
    return max(1, int(count)) if count.isdecimal() else 1, pause


def _image(made: template.Template, member: members.Member) -> box.Image:
    """What an image is asked for; what only brings outputs out borrows one of its set."""
    if member.last and made.container_set is not None:
        return box.Image(made.container_set.containers[0].image, idle=True)
    one = member.container
    own = not one.command
    own_args = own and not one.args and not isinstance(one, containers.Script)
    memory, cpus = limits.of(one)
    return box.Image(one.image, one.image_pull_policy, own, own_args, memory, cpus)


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
    progress: str
    mounts: tuple[box.Mount, ...] = ()


_IMAGED = _Private({}, "", _SCRIPT, _PROGRESS)


@functools.lru_cache(maxsize=64)
def _private(work: Path, search: str, *, bare: bool) -> _Private:
    """Name the places in a folder, which one step after another uses."""
    home, temporary = work / scratch.HOME, work / scratch.TEMPORARY
    env = {"PATH": search, "LANG": "C.UTF-8"}
    if bare:
        env |= {"HOME": str(home), "TMPDIR": str(temporary)}
        return _Private(env, str(home), str(work / "script"), str(temporary / ".argo-progress"))
    mounts = (
        box.Mount(_HOME, home, box.Kind.OWN),
        box.Mount("/tmp", temporary, box.Kind.OWN),  # noqa: S108 - the step's own
    )
    return _Private(env | {"HOME": _HOME}, "/", _SCRIPT, _PROGRESS, mounts)


def _script(source: str, work: Path, path: str, context: Context) -> list[box.Mount]:
    file = work / "script"
    file.write_text(source, "utf-8")
    file.chmod(0o755)
    return [] if context.bare else [box.Mount(path, file, box.Kind.OWN)]


def _offloaded(
    argv: list[str], program: int, work: Path, context: Context
) -> tuple[list[str], list[box.Mount]]:
    """Write each argument that no kernel takes into a file, and give `@` and its path instead.

    The first `program` words name the program, and are not counted (Argo: emissary.go).
    """
    made, mounts = list(argv), []
    for number, text in enumerate(argv[program:]):
        if len(text) * 4 > _LONGEST_ARGUMENT and len(content := text.encode()) > _LONGEST_ARGUMENT:
            name = f"argo_arg_{number}.txt"
            file = work / name
            file.write_bytes(content)
            path = str(file) if context.bare else f"/tmp/{name}"  # noqa: S108 - the step's own
            mounts += [] if context.bare else [box.Mount(path, file, box.Kind.OWN)]
            made[program + number] = f"@{path}"
    return made, mounts


def _inputs(
    start: messages.StartPod,
    made: template.Template,
    work: Path,
    context: Context,
    places: volumes.Places,
) -> list[box.Mount]:
    """Give main's input artifacts; those that lie in a volume that takes them are put there."""
    if not start.artifacts:
        return []
    found: list[box.Mount] = []
    for number, wanted in enumerate(start.artifacts):
        try:
            found.append(_input(number, wanted, work, context))
        except artifacts.Unreadable as problem:
            raise Stalled(f"{_INIT}{problem}") from problem
        except artifacts.Missing as problem:
            if not wanted.location.optional:
                message = f"{_INIT}artifact {wanted.name} failed to load: {_NO_KEY}"
                raise Stalled(message) from problem
            found.append(_nothing(number, wanted, work))
    alone = made.container or made.script
    mounting = made.container_set if alone is None else alone
    if not found or mounting is None:
        return found
    mounted = volumes.mounts(mounting.volume_mounts, start.volumes, places, {})
    kept = []
    for one in found:
        around = volumes.innermost(mounted, one.path)
        if around is None or (alone is not None and around.kind is not box.Kind.SHARED):
            kept.append(one)
        else:
            volumes.fill(around, one)
    return kept


def _nothing(number: int, wanted: messages.InputArtifact, work: Path) -> box.Mount:
    """Give the folder that Kubernetes makes where what was to be mounted is not there."""
    own = work / "inputs" / str(number)
    own.mkdir(parents=True)
    return box.Mount(wanted.path.rstrip("/") or "/", own, box.Kind.OWN)


def _input(number: int, wanted: messages.InputArtifact, work: Path, context: Context) -> box.Mount:
    location = wanted.location
    if location.source:
        if context.source is None:
            message = f"the input artifact {wanted.name!r} was not supplied"
            raise environment.Unavailable(message, hint="this run has no source")
        source = artifacts.inside(context.source, location.sub_path)
        return box.Mount(wanted.path, source, box.Kind.LAYER)
    path = wanted.path.rstrip("/") or "/"
    own = work / "inputs" / str(number)
    own.parent.mkdir(exist_ok=True)
    artifacts.give(context.run, location, own)
    if wanted.mode is not None:
        artifacts.set_mode(own, wanted.mode, recurse=wanted.recurse)
    return box.Mount(path, own, box.Kind.OWN)
