"""Several containers in one pod: their names, their dependencies, the volumes that they share.

Argo: ContainerSetTemplate.Validate, and what validateLeaf asks of a set with inputs or outputs. Two
names more are refused, which Argo accepts and Kubernetes or Argo itself then stumbles over.
"""

from collections.abc import Iterator, Mapping

from gitwf.workflow.document import containers, resolved, template
from gitwf.workflow.document.rules import names, report

# Containers that Argo adds to every pod, and the node of an exit handler.
_TAKEN = {"init": "Argo's own container", "wait": "Argo's own container", "onExit": "exit handlers"}


def check(
    found: report.Report,
    one: template.Template,
    several: containers.ContainerSet,
    origin: resolved.Origin,
) -> None:
    """Check one containerSet, whose place is `origin`."""
    path = f"templates.{one.name}.containerSet"
    listed = [container.name for container in several.containers]
    if not listed:
        found.error(origin, f"{path}.containers must have at least one container")
    names.check(found, f"{path}.containers", listed, origin.at("containers"))
    for index, name in enumerate(listed):
        if whose := _TAKEN.get(name):
            where = origin.at("containers", index, "name")
            found.error(where, f"{path}.containers[{index}].name '{name}' is for {whose}")
    _check_mounts(found, path, several, origin)
    _check_dependencies(found, path, several, origin)
    exchanges = one.inputs.artifacts or one.outputs.parameters or one.outputs.artifacts
    if exchanges and "main" not in listed:
        message = f'{path}.containers must have a container named "main" for input or output'
        found.error(origin, message)


def _check_mounts(
    found: report.Report, path: str, several: containers.ContainerSet, origin: resolved.Origin
) -> None:
    taken: dict[str, str] = {}
    for index, mount in enumerate(several.volume_mounts):
        if previous := taken.get(mount.mount_path):
            message = (
                f"{path}.volumeMounts[{index}].mountPath '{mount.mount_path}' "
                f"already mounted in {previous}"
            )
            found.error(origin.at("volumeMounts", index, "mountPath"), message)
        taken[mount.mount_path] = f"volumeMounts.{mount.name}"


def _check_dependencies(
    found: report.Report, path: str, several: containers.ContainerSet, origin: resolved.Origin
) -> None:
    wanted = {container.name: container.dependencies for container in several.containers}
    whole = True
    for index, container in enumerate(several.containers):
        for position, name in enumerate(container.dependencies):
            if name not in wanted:
                whole = False
                message = f"{path}.containers.{container.name} dependency '{name}' not defined"
                found.error(origin.at("containers", index, "dependencies", position), message)
    cycle = next(_cycles(wanted), ()) if whole else ()
    if cycle:
        index = [container.name for container in several.containers].index(cycle[-1])
        message = f"{path}.containers dependency cycle detected: {'->'.join(cycle)}"
        found.error(origin.at("containers", index, "dependencies"), message)


def _cycles(wanted: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Find the cycles that a search from each name, in their order, runs into first.

    The way to a cycle is part of what is told, as Argo tells it (Argo: validateNoCycles).
    """
    done: set[str] = set()
    for start in sorted(wanted):
        way: list[str] = []
        ahead = [iter(wanted[start])]
        while ahead:
            name = next(ahead[-1], None)
            if name is None:
                ahead.pop()
                done.add(way.pop() if way else start)
            elif name in way:
                yield (*way, name)
                return
            elif name not in done:
                way.append(name)
                ahead.append(iter(wanted[name]))
