"""What Argo made of a workflow beside what gitwf makes of it: every case, every field, every log.

A case is a YAML file of one Workflow and the documents that it uses; its recording, under the same
group and name, says what a real Argo Workflows controller did. Two runs are equal when phase,
message, global outputs, the names of the nodes and every field of each node are, and what each step
wrote. What Argo refuses as `invalid spec: …` gitwf must refuse in the same words, before anything
runs; what crashes Argo or never ends there, gitwf may refuse in its own.
"""

import concurrent.futures
import json
import pathlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitwf import errors, ports
from gitwf.workflow import record
from gitwf.workflow.document import load, resolve, resolved, unsupported, validate

HERE = pathlib.Path(__file__).parent
FIELDS = (
    "displayName", "type", "phase", "message", "templateName", "templateRef", "boundaryName",
    "children", "outboundNodes", "inputs", "inputArtifacts", "outputs", "nodeFlag",
    "memoizationStatus",
)  # fmt: skip
_INVALID = "invalid spec: "
_NAMESPACE = "argo"
_NEVER_ENDS = 5.0  # Seconds that a run which never ends on Argo gets here.


@dataclass(frozen=True)
class Case:
    """One workflow and what Argo made of it."""

    path: pathlib.Path
    recording: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Group and name."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def invalid(self) -> str:
        """Why Argo refused it, or "": it says so of its rules, or ended it before any node."""
        message = self.recording.get("message") or ""
        begun = bool(self.nodes) or self.recording.get("phase") not in {"Failed", "Error"}
        return "" if begun else message.removeprefix(_INVALID)

    @property
    def refusal(self) -> str:
        """Why nothing of it ran on Argo, by its rules or as a document that nobody can read."""
        return self.invalid or self.recording.get("refused") or ""

    @property
    def unfinished(self) -> bool:
        """Whether Argo never got to an end: it crashed, or waits for ever."""
        return bool(self.recording.get("controllerCrash") or self.recording.get("timeout"))

    @property
    def nodes(self) -> Mapping[str, Any]:
        """The nodes that Argo made."""
        return self.recording.get("nodes") or {}

    def read(self) -> resolved.Resolved:
        """Read the workflow, as one of the namespace that was recorded in. Raises Rejected."""
        loaded = load.load({self.path.name: self.path.read_bytes()})
        whole = resolve.resolve(loaded.runnable(self.path.name), loaded)
        named = {"namespace": whole.metadata.namespace or _NAMESPACE}
        return replace(whole, metadata=whole.metadata.model_copy(update=named))

    def checked(self) -> resolved.Resolved:
        """Read the workflow as a run would. Raises Rejected where it would refuse."""
        whole = self.read()
        found = [*validate.validate(whole), *unsupported.check(whole)]
        wrong = [one for one in found if one.is_error]
        if wrong:
            raise errors.Rejected(wrong)
        return whole


@dataclass
class Verdict:
    """How a case came out: `differences` in words, `nodes` compared, `refused` on both sides."""

    case: Case
    differences: list[str] = field(default_factory=list)
    nodes: int = 0
    refused: bool = False


def cases(
    folder: pathlib.Path = HERE / "cases", recordings: pathlib.Path = HERE / "recordings"
) -> list[Case]:
    """Find every case below `folder` that has a recording of the same group and name."""
    pairs = [
        (path, recordings / path.relative_to(folder).with_suffix(".json"))
        for path in sorted(folder.rglob("*.yaml"))
    ]
    return [Case(path, json.loads(said.read_text())) for path, said in pairs if said.exists()]


def every() -> list[Case]:
    """Find all that stands here, an older controller's recordings too, as the README there says."""
    return [*cases(), *cases(HERE / "older" / "cases", HERE / "older" / "recordings")]


def try_out(case: Case, engine: ports.Engine, patience: float = 120.0) -> Verdict:
    """Run a case on an engine that works, and compare. `patience`: seconds that it may take."""
    verdict, run = Verdict(case), case.name.replace("/", "-")
    try:
        whole = case.checked()
        engine.start(ports.Order(run, whole.name, whole, {}))
    except errors.GitwfError as problem:
        verdict.refused = True
        verdict.differences = list(refused_otherwise(case, problem))
        return verdict
    if case.refusal:
        verdict.differences = [f"ran, Argo says: {case.refusal}"]
        return verdict
    got = _followed(engine, run, _NEVER_ENDS if case.unfinished else patience)
    verdict.nodes = len(set(got.nodes) & set(case.nodes))
    verdict.differences = [*differences(case, got), *_logs(case, engine, run, got)]
    return verdict


def refused_otherwise(case: Case, problem: errors.GitwfError) -> Iterator[str]:
    """Say where Argo does not refuse what gitwf does, or does so in other words."""
    said = [str(problem)]
    if isinstance(problem, errors.Rejected):
        said = [one.message for one in problem.diagnostics if one.is_error]
    if case.unfinished or case.recording.get("refused") or case.invalid in said:
        return
    wanted = f"Argo says: {case.invalid}" if case.invalid else "Argo runs it"
    yield f"refused ({'; '.join(said)}), {wanted}"


def _followed(engine: ports.Engine, run: str, patience: float) -> record.RunRecord:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        last = pool.submit(lambda: deque(engine.watch(run), maxlen=1)[0])
        try:
            return last.result(patience)
        except TimeoutError:
            shown = engine.observe(run)
            engine.cancel(run, "it takes too long")
            if shown is None:
                raise
            return shown


def differences(case: Case, got: record.RunRecord) -> Iterator[str]:
    """Say everything in which a run's record is not what Argo recorded, but what steps wrote."""
    yield from _differ("phase", str(got.phase), case.recording["phase"])
    yield from _differ("message", got.message or None, case.recording.get("message"))
    yield from _differ("outputs", _outputs(got.outputs), case.recording.get("outputs") or None)
    for name in sorted(set(case.nodes) - set(got.nodes)):
        yield f"node {name} is missing"
    for name in sorted(set(got.nodes) - set(case.nodes)):
        said = got.nodes[name].message
        yield f"node {name} is not on Argo" + (f": {said}" if said else "")
    for name in sorted(set(got.nodes) & set(case.nodes)):
        mine, theirs = _shown(got.nodes[name], got.nodes), _recorded(case.nodes[name])
        for part in FIELDS:
            yield from _differ(f"node {name}: {part}", mine[part], theirs[part])


def _differ(what: str, mine: object, theirs: object) -> Iterator[str]:
    if mine != theirs:
        yield f"{what} is {mine!r}, Argo's {theirs!r}"


def _logs(case: Case, engine: ports.Engine, run: str, got: record.RunRecord) -> Iterator[str]:
    """Compare what each container wrote; those of a set have nodes of their own."""
    wanted: dict[str, tuple[str, bool]] = {}
    for name, node in case.nodes.items():
        # Nothing orders standard output among standard error where it is read as the result.
        mixed = (node.get("outputs") or {}).get("result") is not None
        if node.get("logs"):
            for container, log in node["logs"].items():
                wanted[f"{name}.{container}"] = log, mixed
        elif node.get("log") is not None:
            wanted[name] = node["log"], mixed
    for name in sorted(wanted.keys() & got.nodes):
        log, mixed = wanted[name]
        mine = [line.text for line in engine.logs(run, name)]
        theirs = log.removesuffix("\n").split("\n") if log else []
        if mine != theirs and not (mixed and sorted(mine) == sorted(theirs)):
            yield f"node {name}: log is {mine!r}, Argo's {theirs!r}"


def _shown(one: record.NodeRecord, nodes: Mapping[str, record.NodeRecord]) -> dict[str, Any]:
    """Write a node record as the recordings do."""
    name, _, template = one.template_ref.partition("/")
    names = {node.id: node.name for node in nodes.values()}
    flag = {"hooked": one.hooked, "retried": one.retried}
    return {
        "displayName": one.display_name,
        "type": str(one.type),
        "phase": str(one.phase),
        "message": one.message or None,
        "templateName": one.template or None,
        "templateRef": {"name": name, "template": template} if name else None,
        "boundaryName": names.get(one.boundary),
        "children": sorted(names[child] for child in one.children) or None,
        "outboundNodes": sorted(names[end] for end in one.outbound) or None,
        "inputs": [{"name": n, "value": v} for n, v in one.inputs.items()] or None,
        "inputArtifacts": sorted(one.input_artifacts) or None,
        "outputs": _outputs(one.outputs),
        "memoizationStatus": None
        if (memo := one.memoized) is None
        else {"hit": memo.hit, "key": memo.key, "cacheName": memo.cache},
        "nodeFlag": {key: True for key, value in flag.items() if value} or None,
    }


def _outputs(outputs: record.Outputs) -> dict[str, Any] | None:
    parts = {
        "parameters": [
            *({"name": n, "value": v} for n, v in outputs.parameters.items()),
            *({"name": n, "value": None} for n in outputs.unset),
        ],
        "result": outputs.result,
        "exitCode": outputs.exit_code,
        "artifacts": sorted(outputs.artifacts),
    }
    return {key: value for key, value in parts.items() if value not in (None, [])} or None


def _recorded(node: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {part: node.get(part) or None for part in FIELDS}
    for part in ("children", "outboundNodes", "inputArtifacts"):
        wanted[part] = sorted(wanted[part]) if wanted[part] else None
    return wanted
