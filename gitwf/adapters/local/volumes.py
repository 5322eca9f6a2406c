# Names are relative to open folders, which pathlib does not know.
"""Volumes: what stands behind a `volumeMount` on one machine.

emptyDir lives as long as the pod, a volumeClaimTemplate as long as the run, and a named
persistentVolumeClaim as long as the state folder. ConfigMaps and granted secrets are folders of
files. Sources that only a cluster has are refused before anything runs, hostPath among them: a
step's view is its own.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gitwf.adapters.local import box, copying, environment, folder
from gitwf.workflow.document import base, containers

SOURCES = frozenset({"emptyDir", "configMap", "secret", "persistentVolumeClaim"})


@dataclass(frozen=True)
class Places:
    """Where the volumes of one pod come from. `claims` are the run's volumeClaimTemplates."""

    state: folder.StateFolder
    run: folder.RunFolder
    work: Path
    sources: environment.Sources
    claims: frozenset[str] = frozenset()


def source_of(volume: containers.Volume) -> str:
    """The kind of source that a volume has, as documents spell it, or "" for none."""
    return next((name for name in volume.plain() if name != "name"), "")


def mounts(
    wanted: Sequence[containers.VolumeMount],
    volumes: Iterable[containers.Volume],
    places: Places,
    variables: Mapping[str, str],
) -> list[box.Mount]:
    """Make the volumes that a container with these variables mounts ready. Raises Unavailable.

    No source has a link in its path.
    """
    known = {volume.name: volume for volume in volumes}
    made: list[box.Mount] = []
    for mount in wanted:
        source, kind = _source(mount.name, known.get(mount.name), places)
        if sub_path := mount.sub_path or _expanded(mount.sub_path_expr, variables):
            source = _below(source, sub_path)
            if kind is box.Kind.SHARED and not source.exists():
                _open_to_all(source)
        else:
            source = source.resolve()
        made.append(box.Mount(mount.mount_path, source, box.Kind.READ if mount.read_only else kind))
    return made


def _expanded(expr: str, variables: Mapping[str, str]) -> str:
    """Fill in a `subPathExpr`, each of whose variables must be there. Raises Unavailable."""
    for name in environment.references(expr):
        if name not in variables:
            raise environment.Unavailable(f"missing value for {name!r}")
    return environment.expand(expr, variables)


def innermost(mounts: Iterable[box.Mount], path: str) -> box.Mount | None:
    """Give the mount that a path lies in, the innermost of several."""
    around = [mount for mount in mounts if box.is_below(path, mount.path)]
    return max(around, key=lambda mount: len(mount.path), default=None)


def fill(mount: box.Mount, given: box.Mount) -> None:
    """Copy what `given` would put in place into the volume `mount`, where it stays.

    No link that a step may have left in the volume is followed. Raises Unavailable
    (Argo: executor.go, LoadArtifacts).
    """
    *folders, name = PurePosixPath(given.path).relative_to(mount.path).parts or ("",)
    if not name or mount.kind is not box.Kind.SHARED:
        raise environment.Unavailable(f"an artifact cannot be put at {given.path} in its volume")
    at = os.open(mount.source, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder_name in folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder_name, 0o700, dir_fd=at)
            inner = os.open(folder_name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        _remove(name, at)
        copying.copy(str(given.source), at, name)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise environment.Unavailable(
            f"an artifact cannot be put at {given.path}: {why}"
        ) from error
    finally:
        os.close(at)


def _remove(name: str, at: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(name, dir_fd=at).st_mode):
            shutil.rmtree(name, dir_fd=at)
        else:
            os.unlink(name, dir_fd=at)


def _below(source: Path, sub_path: str) -> Path:
    """Follow a sub-path, and links that steps have left, but not out of the volume.

    Raises Unavailable.
    """
    found = _inside(source, sub_path).resolve()
    if not found.is_relative_to(source.resolve()):
        raise environment.Unavailable(f"the subPath {sub_path!r} leads out of its volume")
    return found


def _inside(source: Path, sub_path: str) -> Path:
    path = PurePosixPath(sub_path)
    if path.is_absolute() or ".." in path.parts:
        raise environment.Unavailable(f"the subPath {sub_path!r} leads out of its volume")
    return source / path


def _source(name: str, volume: containers.Volume | None, places: Places) -> tuple[Path, box.Kind]:
    if volume is None and name in places.claims:
        return _open_to_all(places.run.volumes / folder.checked(name)), box.Kind.SHARED
    if volume is None:
        raise environment.Unavailable(f"volume {name!r} is not declared")
    if volume.persistent_volume_claim is not None:
        claim = str(volume.persistent_volume_claim.get("claimName", ""))
        return _made(places.state.volumes / folder.checked(claim)), box.Kind.SHARED
    if volume.empty_dir is not None:
        return _open_to_all(places.work / "volumes" / folder.checked(name)), box.Kind.SHARED
    if volume.config_map is not None:
        wanted = str(volume.config_map.get("name", ""))
        found = places.sources.config_maps.get(wanted)
        return _files(f'configmap "{wanted}"', name, volume.config_map, found, places)
    if volume.secret is not None:
        wanted = str(volume.secret.get("secretName", ""))
        secrets = places.sources.secrets
        spared = volume.secret.get("optional") and secrets.lacks(wanted)
        found = None if spared else secrets.values(wanted)
        return _files(f'secret "{wanted}"', name, volume.secret, found, places)
    kind = source_of(volume)
    raise environment.Unavailable(f"the local engine has no volumes of the kind {kind!r}")


def _open_to_all(path: Path) -> Path:
    """Make a folder of the run that whoever a container runs as may write to, as on Kubernetes."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(parents=True)
        path.chmod(0o777)
    return path


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _files(
    what: str,
    name: str,
    given: base.Opaque,
    content: Mapping[str, str] | None,
    places: Places,
) -> tuple[Path, box.Kind]:
    """Write each key as a file, or those of `items` under the paths that it gives them."""
    place = places.work / "volumes" / folder.checked(name)
    if place.exists():
        return place, box.Kind.READ
    _made(place)
    if content is None:
        if given.get("optional"):
            return place, box.Kind.READ
        raise environment.Unavailable(f"{what} not found")
    items = given.get("items") or [{"key": key, "path": key} for key in content]
    default = int(given.get("defaultMode", 0o644))
    for item in items:
        if item["key"] not in content:
            if given.get("optional"):
                continue
            raise environment.Unavailable(f"{what} has no key {item['key']!r}")
        file = _inside(place, item["path"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(content[item["key"]], "utf-8")
        file.chmod(int(item.get("mode", default)))
    return place, box.Kind.READ
