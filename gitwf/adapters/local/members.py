"""The containers of one pod: which may start, which must not, how each ended.

A container of a set waits for its dependencies one after the other, in the order in which they are
named, and never runs when one of them failed (Argo: cmd/argoexec/commands/emissary.go,
waitForDependencyExitCode). Everything else is a pod of one container. Where outputs lie in volumes
that all share, a last member brings them out when all others are over, as Argo's wait container
does. Nothing here starts anything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gitwf.adapters.local import box
from gitwf.workflow.document import containers, template

MAIN, WAIT = "main", "wait"
_NEVER_RAN, _TERMINATED = 64, 143


@dataclass(frozen=True)
class Member:
    """One process of a pod. `last`: it starts when all others are over, however they ended."""

    container: containers.Container
    after: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    last: bool = False


def members(made: template.Template) -> dict[str, Member]:
    """The members of a template's pod by name; none where it has no pod that runs here."""
    paths = outputs_of(made)
    several = made.container_set
    if several is None:
        container = made.container or made.script
        return {} if container is None else {MAIN: Member(container, outputs=paths)}
    shared = tuple(path for path in paths if in_shared_volume(made, path))
    own = tuple(path for path in paths if path not in shared)
    found = {
        one.name: Member(one, one.dependencies, own if one.name == MAIN else ())
        for one in several.containers
    }
    if shared:
        collector = containers.Container(command=("true",))
        found[WAIT] = Member(collector, outputs=shared, last=True)
    return found


def mounts(
    made: template.Template, container: containers.Container
) -> list[containers.VolumeMount]:
    """What a container of the template mounts: its own volumes, then those of its set."""
    several = made.container_set
    return [*container.volume_mounts, *(several.volume_mounts if several is not None else ())]


def in_shared_volume(made: template.Template, path: str) -> bool:
    """Whether a path lies in a volume that all containers of the set have."""
    several = made.container_set
    shared = several.volume_mounts if several is not None else ()
    return any(box.is_below(path, mount.mount_path) for mount in shared)


def outputs_of(made: template.Template) -> tuple[str, ...]:
    """The paths to bring out: those of output parameters, then those of artifacts."""
    if not made.outputs.parameters and not made.outputs.artifacts:
        return ()
    sources = (parameter.value_from for parameter in made.outputs.parameters)
    paths = [source.path for source in sources if source is not None and source.path]
    return (*paths, *(artifact.path for artifact in made.outputs.artifacts if artifact.path))


@dataclass
class Progress:
    """How far a pod has come. `running` and `ended` are by the names of its members."""

    members: Mapping[str, Member]
    running: set[str] = field(default_factory=set)
    ended: dict[str, box.Ended] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing runs and nothing will."""
        return len(self.ended) == len(self.members)

    @property
    def failed(self) -> bool:
        """Whether a member has ended badly."""
        return any(one.code for one in self.ended.values())

    def next(self, *, stopped: bool) -> Iterator[tuple[str, box.Ended | None]]:
        """Say what can be decided now: a member to start, or one that ends without having run."""
        waiting = [
            name for name in self.members if name not in self.running and name not in self.ended
        ]
        for name in waiting:
            member = self.members[name]
            if stopped:
                yield name, box.Ended(code=_TERMINATED)
            elif member.last:
                if all(one.last or other in self.ended for other, one in self.members.items()):
                    yield name, None
            elif (refused := self._refused(member)) is not None:
                yield name, box.Ended(code=_NEVER_RAN, refused=refused) if refused else None

    def _refused(self, member: Member) -> str | None:
        """Why a member will not run, "" when it may, None when that is not yet known."""
        for name in member.after:
            if name not in self.ended:
                return None
            if code := self._left(name):
                return f'dependency "{name}" exited with non-zero code: {code}'
        return ""

    def _left(self, name: str) -> int:
        """Give the exit code that a member leaves for those that wait for it.

        Argo writes down what the last of its own dependencies left, as long as it has run nothing:
        so a failure is passed on, and a program that is not there passes for a success. What a
        program ended with stays, though its outputs could not be saved.
        """
        ended, after = self.ended[name], self.members[name].after
        if ended.own_code is not None:
            return ended.own_code
        if not ended.refused or not after:
            return ended.code or 0
        return next((code for one in after if (code := self._left(one))), 0)
