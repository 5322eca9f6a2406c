"""What the end of a process means, in the words that Argo's status has for it.

Main's own failure goes before anything its outputs lack; outputs are saved after a failure too. The
messages are those of Argo's emissary and wait container, paths included (Argo: cmd/argoexec,
workflow/executor), because people and `retryStrategy` expressions read them.
"""

from pathlib import Path

from gitwf.adapters.local import artifacts, box, folder
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.document import template
from gitwf.workflow.machine import messages

RESULT_LIMIT = 256 * 1024
_WAIT = "wait: Error (exit code 64): "


def never_ran(node: str, at: Instant, message: str) -> messages.PodEnded:
    """A pod that asked for what is not there."""
    return messages.PodEnded(node, at, record.Phase.ERROR, message)


def last_words(ended: box.Ended) -> str:
    """What Argo's emissary adds to the log of a step that failed."""
    if ended.refused:
        return f"Error: {ended.refused}\n{ended.refused}\n"
    return f"Error: exit status {ended.code}\n" if ended.code else ""


def result_of(stdout: bytes) -> str:
    """Standard output as `outputs.result`: one newline less, the last 256 KiB."""
    return stdout.removesuffix(b"\n")[-RESULT_LIMIT:].decode("utf-8", "replace")


def judge(
    start: messages.StartPod,
    at: Instant,
    ended: box.Ended,
    made: Path,
    run: folder.RunFolder,
    stdout: bytes | None,
) -> messages.PodEnded:
    """Turn the end of a process that ran into its pod's. `made` holds the numbered outputs."""
    parameters, unsaved = _parameters(start.template, ended, made)
    kept, unkept = _artifacts(start, ended, made, run)
    phase, message = _verdict(ended, unsaved or unkept)
    outputs = record.Outputs(
        parameters=parameters,
        artifacts=kept,
        result=result_of(stdout) if stdout is not None else None,
        exit_code=str(ended.code),
    )
    return messages.PodEnded(start.node, at, phase, message, outputs)


def _verdict(ended: box.Ended, lacking: str) -> tuple[record.Phase, str]:
    if ended.code:
        why = f": {ended.refused}" if ended.refused else ""
        return record.Phase.FAILED, f"main: Error (exit code {ended.code}){why}"
    if lacking:
        return record.Phase.ERROR, _WAIT + lacking
    return record.Phase.SUCCEEDED, ""


def _parameters(
    declared: template.Template, ended: box.Ended, made: Path
) -> tuple[dict[str, str], str]:
    """Read the output parameters; the second value is the first one's error, or ""."""
    values: dict[str, str] = {}
    number = -1
    for parameter in declared.outputs.parameters:
        source = parameter.value_from
        if source is None or not source.path:
            continue
        number += 1
        why = _why(ended, number)
        if why is None and (made / str(number)).is_dir():
            why = "is a directory"
        if why is None:
            content = (made / str(number)).read_bytes()
            values[parameter.name] = content.removesuffix(b"\n").decode("utf-8", "replace")
        elif source.default is not None:
            values[parameter.name] = source.default
        else:
            return values, f"open /var/run/argo/outputs/parameters{source.path}: {why}"
    return values, ""


def _why(ended: box.Ended, number: int) -> str | None:
    """Why an output is not there; a program that never started made none."""
    missing = ended.missing
    return missing[number] if number < len(missing) else "no such file or directory"


def _artifacts(
    start: messages.StartPod, ended: box.Ended, made: Path, run: folder.RunFolder
) -> tuple[dict[str, record.ArtifactLocation], str]:
    """Keep the output artifacts; the second value names those that are missing."""
    outputs = start.template.outputs
    sources = (parameter.value_from for parameter in outputs.parameters)
    first = sum(1 for source in sources if source is not None and source.path)
    kept: dict[str, record.ArtifactLocation] = {}
    problems = ""
    declared = [artifact for artifact in outputs.artifacts if artifact.path]
    for number, artifact in enumerate(declared, first):
        why = _why(ended, number)
        if why is None:
            artifacts.keep(made / str(number), run.artifact(start.node, artifact.name))
            location = record.ArtifactLocation(artifact.name, node=start.node)
            kept[artifact.name] = location
        elif not artifact.optional:
            problems += f"open /var/run/argo/outputs/artifacts{artifact.path}.tgz: {why}; "
    return kept, problems
