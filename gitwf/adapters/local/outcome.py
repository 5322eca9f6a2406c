"""What the end of a process means, in the words that Argo's status has for it.

Main's own failure goes before anything its outputs lack; outputs are saved after a failure too. The
messages are those of Argo's emissary and wait container, paths included (Argo: cmd/argoexec,
workflow/executor), because people and `retryStrategy` expressions read them.
"""

import dataclasses
import os
import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitwf.adapters.local import artifacts, box, folder, members, packing, scratch
from gitwf.values import Instant
from gitwf.workflow import quoting, record
from gitwf.workflow.document import containers, template
from gitwf.workflow.document import parameters as documented
from gitwf.workflow.machine import messages

RESULT_LIMIT = 256 * 1024
_TOLD_LINES, _TOLD_BYTES = 80, 2048
_WAIT = "wait: Error (exit code 64): "
# Where Argo's wait container has the volumes of main: common.ExecutorMainFilesystemDir.
_MIRRORED = "/mainctrfs"
_SAVED = "/var/run/argo/outputs"
_GONE = "no such file or directory"
_FOLDER = "is a directory"
_UNSAVED = 64


def never_ran(node: str, at: Instant, message: str) -> messages.PodEnded:
    """A pod that asked for what is not there."""
    return messages.PodEnded(node, at, record.Phase.ERROR, message)


def saved(
    made: template.Template, member: members.Member, ended: box.Ended, work: Path
) -> box.Ended:
    """Say how main ended once its outputs were brought out, which is the end of main itself.

    What has no folder's place, a parameter, ends that there: the value stays empty, what was to
    come after it is not brought out, and the code is the emissary's own, whatever the program's
    was.
    """
    files = {source.path for one in made.outputs.parameters if (source := one.value_from)}
    own = {path for path in member.outputs if not _mirrored(made, path)}
    for number, path in enumerate(member.outputs):
        if path in own and path in files and _at(work, number).is_dir():
            to = f"{_SAVED}/parameters/{path}"
            return dataclasses.replace(
                ended,
                code=_UNSAVED,
                own_code=ended.code,
                refused=f"failed to copy {path} to {to}: write {to}: copy_file_range: {_FOLDER}",
                missing=_broken_off(member, ended, own, number),
            )
    return ended


def _broken_off(
    member: members.Member, ended: box.Ended, own: Collection[str], last: int
) -> tuple[str | None, ...]:
    """Say why outputs are not there where those of its `own` after the `last` were not saved."""
    unsaved = (number > last and path in own for number, path in enumerate(member.outputs))
    return tuple(_GONE if lost else why for lost, why in zip(unsaved, ended.missing, strict=True))


def last_words(ended: box.Ended) -> str:
    """What Argo's emissary adds to the log of a step that failed."""
    if ended.refused:
        return f"Error: {ended.refused}\n{ended.refused}\n"
    return f"Error: exit status {ended.code}\n" if ended.code else ""


def tells_by_log(container: containers.Container, ended: box.Ended) -> bool:
    """Whether the end of a container's log is its message, as Kubernetes has it on demand."""
    wanted = container.termination_message_policy == "FallbackToLogsOnError"
    return wanted and bool(ended.code) and not (ended.refused or ended.message)


def end_of(log: int) -> str:
    """Give as much of the end of an open log as Kubernetes puts into a message."""
    end = os.pread(log, _TOLD_BYTES, max(0, os.fstat(log).st_size - _TOLD_BYTES))
    # It ends with a newline, after which nothing comes.
    return quoting.decoded(b"\n".join(end.split(b"\n")[-_TOLD_LINES - 1 :]))


def result_of(stdout: bytes) -> str:
    """Standard output as `outputs.result`: one newline less, the last 256 KiB."""
    return quoting.decoded(stdout.removesuffix(b"\n")[-RESULT_LIMIT:])


@dataclass(frozen=True)
class Found:
    """A declared output: where its copy is, or why there is none."""

    path: Path
    why: str | None


def found(
    made: template.Template,
    several: Mapping[str, members.Member],
    ends: Mapping[str, box.Ended],
    works: Mapping[str, Path],
) -> Iterator[Found]:
    """Give every declared output of a pod in the order of `members.outputs_of`.

    A path that two outputs share was copied for each of them.
    """
    left = {
        name: [
            (path, Found(_at(works[name], number), _why(ends[name], number)))
            for number, path in enumerate(member.outputs)
        ]
        for name, member in several.items()
    }
    for path in members.outputs_of(made):
        for mine in left.values():
            if mine and mine[0][0] == path:
                yield mine.pop(0)[1]
                break


def judge(
    start: messages.StartPod,
    made: template.Template,
    at: Instant,
    ends: Mapping[str, box.Ended],
    outputs: Iterator[Found],
    run: folder.RunFolder,
    stdout: bytes | None,
    *,
    archive_logs: bool = False,
) -> messages.PodEnded:
    """Turn the ends of a pod's members into the pod's. `outputs` are what they put out."""
    parameters, unsaved = _parameters(made, outputs)
    kept, unkept = _artifacts(start.node, made, outputs, run)
    if _archives_logs(made, by_default=archive_logs):
        kept |= _logs(start, ends, run)
    main = ends.get(members.MAIN)
    phase, message = _verdict(ends, unsaved or unkept)
    told = record.Outputs(
        parameters=parameters,
        artifacts=kept,
        result=result_of(stdout) if stdout is not None else None,
        exit_code=str(main.code) if main is not None else None,
    )
    return messages.PodEnded(start.node, at, phase, message, told)


def _verdict(ends: Mapping[str, box.Ended], lacking: str) -> tuple[record.Phase, str]:
    # Kubernetes lists the containers of a pod by name, and Argo tells of the first that failed.
    for name, ended in sorted(ends.items()):
        if ended.code:
            said = ended.refused or ended.message
            why = f": {said}" if said else ""
            return record.Phase.FAILED, f"{name}: {ended.reason} (exit code {ended.code}){why}"
    if lacking:
        return record.Phase.ERROR, _WAIT + lacking
    return record.Phase.SUCCEEDED, ""


def _parameters(
    declared: template.Template, outputs: Iterator[Found]
) -> tuple[dict[str, str], str]:
    """Read the output parameters; the second value is the first one's error, or ""."""
    values: dict[str, str] = {}
    problem = ""
    for parameter in declared.outputs.parameters:
        source = parameter.value_from
        if source is None or not source.path:
            if parameter.value is not None:
                values[parameter.name] = parameter.value
            continue
        one = next(outputs)
        why = one.why
        if why is None and one.path.is_dir() and _mirrored(declared, source.path):
            why = _FOLDER
        if problem:
            continue
        if why is None:
            content = b"" if one.path.is_dir() else one.path.read_bytes()
            values[parameter.name] = quoting.decoded(content.removesuffix(b"\n"))
        elif source.default is not None:
            values[parameter.name] = source.default.removesuffix("\n")
        else:
            problem = _unread(declared, source.path, why)
    return values, problem


def _unread(made: template.Template, path: str, why: str) -> str:
    mirrored = _mirror(made, path)
    if not mirrored:
        return f"open {_SAVED}/parameters{posixpath.normpath(path)}: {why}"
    verb = "read" if why == _FOLDER else "open"
    return f"{verb} {mirrored}: {why}"


def _unstaged(made: template.Template, artifact: documented.Artifact, why: str) -> str:
    path = posixpath.normpath(artifact.path)
    mirrored = _mirror(made, artifact.path)
    if not mirrored:
        return f"open {_SAVED}/artifacts{path}.tgz: {why}"
    if artifact.archive is not None and artifact.archive.none is not None:
        return f"{path} no such file or directory"
    return f"stat {mirrored}: {why}"


def _mirror(made: template.Template, path: str) -> str:
    """Where the wait container has a path of main, or "" where it has none."""
    return f"{_MIRRORED}{posixpath.normpath(path)}" if _mirrored(made, path) else ""


def _mirrored(made: template.Template, path: str) -> bool:
    """Whether the wait container reads a path itself (Argo: executor.go, isBaseImagePath)."""
    container = made.container or made.script
    mounted = container.volume_mounts if container is not None else ()
    if any(box.is_below(path, mount.mount_path) for mount in mounted):
        return True
    if members.in_shared_volume(made, path):
        return True
    inputs = [artifact for artifact in made.inputs.artifacts if artifact.path]
    return any(box.is_below(path, artifact.path) for artifact in inputs if not artifact.optional)


def _at(work: Path, number: int) -> Path:
    """Where a member's output is brought out to."""
    return work / scratch.OUTPUTS / str(number)


def _why(ended: box.Ended, number: int) -> str | None:
    """Why an output is not there; a program that never started made none."""
    missing = ended.missing
    return missing[number] if number < len(missing) else _GONE


def _artifacts(
    node: str, made: template.Template, outputs: Iterator[Found], run: folder.RunFolder
) -> tuple[dict[str, record.ArtifactLocation], str]:
    """Keep the output artifacts; the second value names those that are missing."""
    kept: dict[str, record.ArtifactLocation] = {}
    problems = ""
    declared = [artifact for artifact in made.outputs.artifacts if artifact.path]
    if not declared:
        return kept, problems
    for artifact, one in zip(declared, outputs, strict=True):
        why = "" if one.why is None else _unstaged(made, artifact, one.why)
        absent, unread = bool(why), ""
        if not why:
            try:
                unread = packing.pack(one.path, artifact, _mirror(made, artifact.path))
            except packing.Unstaged as problem:
                why, absent = str(problem), isinstance(problem, packing.Absent)
        if not why:
            artifacts.keep(one.path, run.artifact(node, artifact.name))
            kept[artifact.name] = _located(artifact, node, unread)
            if artifact.key:
                artifacts.note(run, artifact.key, kept[artifact.name])
        elif not (artifact.optional and absent):
            problems += f"{why}; "
    return kept, problems


def _archives_logs(made: template.Template, *, by_default: bool) -> bool:
    """Whether the logs of a template's pod are artifacts (Argo: addArchiveLocation)."""
    if made.archive_location is None:
        return by_default
    own = made.archive_location.get("archiveLogs")
    return bool(own) if own is not None else by_default and not made.archive_location


def _logs(
    start: messages.StartPod, ends: Mapping[str, box.Ended], run: folder.RunFolder
) -> dict[str, record.ArtifactLocation]:
    """Keep what each container that ran has written; Argo's own last words are not of it."""
    kept = {}
    for name, ended in ends.items():
        if name == members.WAIT or (ended.refused and ended.own_code is None):
            continue
        words = last_words(ended).encode()
        log = Path(run.log(start.containers.get(name, start.node)))
        wrote = log.read_bytes().removesuffix(words) if log.exists() else b""
        artifact = f"{name}-logs"
        artifacts.keep_text(wrote, run.artifact(start.node, artifact))
        kept[artifact] = record.ArtifactLocation(artifact, start.node)
    return kept


def _located(artifact: documented.Artifact, node: str, unread: str) -> record.ArtifactLocation:
    packed = artifact.archive is None or artifact.archive.none is None
    return record.ArtifactLocation(
        artifact.name, node, packed=packed, optional=artifact.optional, unread=unread
    )
