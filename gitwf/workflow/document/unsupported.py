"""What of the Argo language the local engine does not run, in one table.

The idea: a workflow is refused by name and place before anything runs, never halfway through. Each
line is a path into a template or into the spec, and a reason; Argo runs all of it. Fields that only
say where on a cluster a pod goes change no result, so they earn a warning. To support a field is to
delete its line. Only templates that the run can come to are looked at.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gitwf.errors import Diagnostic
from gitwf.workflow.document import resolved

_ARGO = "runs on the Argo engine"
_CLUSTER = "only a cluster has it"
_DATABASE = "its locks are those of one machine"
_STORE = "the local engine passes artifacts between steps and knows no other store"

_HELD = {
    "mutexes": "the workflow holds this mutex already: on Argo the template waits for it for ever",
    "semaphores": (
        "the workflow holds a place of this semaphore already: on Argo the template has one less, "
        "and waits for ever where there is but one"
    ),
}
_OTHER_LOCK = "take another lock here"

# "*" stands for every item of a list or every entry of a mapping.
_TEMPLATE = {
    "resource": "it needs the Kubernetes API",
    "data": "it needs an artifact store",
    "plugin": "it runs in Argo's agent",
    "daemon": "a container that keeps running beside the steps",
    "sidecars": "containers that run beside the step until it ends",
    "initContainers": "containers that run before the step; a containerSet can say so",
    "synchronization.mutexes.*.database": _DATABASE,
    "synchronization.semaphores.*.database": _DATABASE,
}
_SPEC = {
    "synchronization.mutexes.*.database": _DATABASE,
    "synchronization.semaphores.*.database": _DATABASE,
    "executorPlugins": "it runs in Argo's agent",
}
_VOLUMES = (
    "hostPath", "projected", "downwardAPI", "csi", "ephemeral", "image", "nfs", "iscsi", "fc",
    "glusterfs", "rbd", "cephfs", "cinder", "gitRepo", "flexVolume", "flocker", "azureFile",
    "azureDisk", "awsElasticBlockStore", "gcePersistentDisk", "quobyte", "photonPersistentDisk",
    "portworxVolume", "scaleIO", "storageos", "vsphereVolume",
)  # fmt: skip
_KEYED = frozenset({"s3", "gcs", "oss"})
_STORES = (
    *sorted(_KEYED), "azure", "git", "http", "artifactory", "hdfs", "plugin",
)  # fmt: skip
_ARTIFACTS = (
    "inputs.artifacts.*",
    "outputs.artifacts.*",
    "steps.*.*.arguments.artifacts.*",
    "dag.tasks.*.arguments.artifacts.*",
)
_CONTAINERS = ("container", "script", "containerSet.containers.*")
_SOURCES = ("resourceFieldRef", "fileKeyRef")

_REFUSED_IN_TEMPLATE = {
    **_TEMPLATE,
    **{f"volumes.*.{source}": _CLUSTER for source in _VOLUMES},
    **{f"{place}.{store}": _STORE for place in _ARTIFACTS for store in _STORES},
    **{f"{one}.env.*.valueFrom.{source}": _CLUSTER for one in _CONTAINERS for source in _SOURCES},
}
_REFUSED_IN_SPEC = {
    **_SPEC,
    **{f"volumes.*.{source}": _CLUSTER for source in _VOLUMES},
    **{f"arguments.artifacts.*.{store}": _STORE for store in _STORES},
}

_PLACEMENT = (
    "affinity", "automountServiceAccountToken", "executor", "hostAliases", "metrics",
    "nodeSelector", "podResources", "podSpecPatch", "schedulerName", "securityContext",
    "serviceAccountName", "tolerations",
)  # fmt: skip
_IGNORED_IN_CONTAINER = (
    "lifecycle", "livenessProbe", "ports", "readinessProbe", "resizePolicy", "resources",
    "restartPolicy", "restartPolicyRules", "securityContext", "startupProbe", "stdin", "stdinOnce",
    "terminationMessagePath", "tty", "volumeDevices",
)  # fmt: skip
_IGNORED_IN_TEMPLATE = (
    *_PLACEMENT,
    "metadata", "pendingTimeout", "priorityClassName", "resourceClaims",
    *(f"archiveLocation.{store}" for store in _STORES),
    *(f"{one}.{field}" for one in _CONTAINERS for field in _IGNORED_IN_CONTAINER),
    "outputs.artifacts.*.artifactGC",
)  # fmt: skip
_IGNORED_IN_SPEC = (
    *_PLACEMENT,
    "artifactGC", "artifactRepositoryRef", "dnsConfig", "dnsPolicy", "hostNetwork",
    "imagePullSecrets", "podDisruptionBudget", "podGC", "podMetadata", "podPriorityClassName",
    "resourceClaims", "ttlStrategy", "volumeClaimGC",
)  # fmt: skip


def check(whole: resolved.Resolved) -> list[Diagnostic]:
    """Name what the local engine refuses (errors) and what it passes over (warnings)."""
    found: dict[Diagnostic, None] = {}
    spec = whole.spec.plain()
    for path, message, hint in _refused(spec, _REFUSED_IN_SPEC):
        found.setdefault(whole.origin(*path).diagnostic(message, hint, key=True))
    for place in whole.wordless:
        message = f"the local engine does not read `{place.path[-1]}`: its bytes are no text"
        found.setdefault(place.diagnostic(message, _ARGO, key=True))
    found.update(dict.fromkeys(_schedule(whole)))
    for path, message in _ignored(spec, _IGNORED_IN_SPEC):
        place = whole.origin(*path)
        found.setdefault(place.diagnostic(message, key=True, severity="warning"))
    parts = [(whole.templates[key].plain(), whole.origins[key]) for key in whole.reachable]
    if "templateDefaults" in spec:
        parts.append((spec["templateDefaults"], whole.origin("templateDefaults")))
    for part, origin in parts:
        found.update(dict.fromkeys(_template(part, origin)))
        found.update(dict.fromkeys(_memory(part, origin, whole)))
        found.update(dict.fromkeys(_held(part, origin, spec)))
    return sorted(found)


def _held(value: Any, origin: resolved.Origin, spec: Any) -> Iterator[Diagnostic]:
    """Say where a template asks for a lock of which the workflow holds a place all along."""
    for kind, message in _HELD.items():
        held = [one for _, one in _matches(spec, ("synchronization", kind, "*"))]
        for path, one in _matches(value, ("synchronization", kind, "*")):
            if one in held:
                yield origin.at(*path).diagnostic(message, _OTHER_LOCK, severity="warning")


def _memory(value: Any, origin: resolved.Origin, whole: resolved.Resolved) -> Iterator[Diagnostic]:
    """Say where a cache is filled by a document, which runs of this machine do not look into."""
    for path, name in _matches(value, ("memoize", "cache", "configMap", "name")):
        if whole.config_maps.get(str(name)):
            message = (
                f"what the ConfigMap `{name}` holds is not found here: this machine remembers "
                "what its own runs gave"
            )
            yield origin.at(*path).diagnostic(message, _ARGO, severity="warning")


def _schedule(whole: resolved.Resolved) -> Iterator[Diagnostic]:
    """Say what of a CronWorkflow means nothing for a run that somebody asks for."""
    if whole.cron is None:
        return
    origin = resolved.Origin(whole.spec_origins[0].document, ("spec",))
    hint = "a pipeline trains on a schedule of its own: `triggers.schedule`"
    for field in whole.cron.plain():
        if field not in {"workflowSpec", "workflowMetadata"}:
            message = (
                f"`{field}` starts and stops nothing here: the workflow runs when it is asked for"
            )
            yield origin.at(field).diagnostic(message, hint, key=True, severity="warning")


def _template(value: Any, origin: resolved.Origin) -> Iterator[Diagnostic]:
    """Look through one template and those that it holds inline."""
    for path, message, hint in _refused(value, _REFUSED_IN_TEMPLATE):
        yield origin.at(*path).diagnostic(message, hint, key=True)
    if "memoize" in value and value.get("outputs", {}).get("artifacts"):
        message = (
            "the local engine does not run `memoize` where artifacts come out: each is its run's"
        )
        yield origin.at("memoize").diagnostic(message, _ARGO, key=True)
    if "synchronization" in value:
        message = "the locks of a template count within one run here, on Argo between runs too"
        yield origin.at("synchronization").diagnostic(message, key=True, severity="warning")
    for path, message in _ignored(value, _IGNORED_IN_TEMPLATE):
        yield origin.at(*path).diagnostic(message, key=True, severity="warning")
    for pattern in ("steps.*.*.inline", "dag.tasks.*.inline"):
        for path, inline in _matches(value, pattern.split(".")):
            yield from _template(inline, origin.at(*path))


def _refused(value: Any, table: dict[str, str]) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    for pattern, reason in table.items():
        for path, found in _matches(value, pattern.split(".")):
            if not (path[-1] in _KEYED and _key_alone(found)):
                yield path, f"the local engine does not run `{path[-1]}`: {reason}", _ARGO


def _key_alone(store: Any) -> bool:
    """Whether a store is the workflow's own, of which the run keeps what its steps put there."""
    return isinstance(store, dict) and set(store) == {"key"}


def _ignored(value: Any, table: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for pattern in table:
        for path, _ in _matches(value, pattern.split(".")):
            yield path, f"the local engine ignores `{path[-1]}`"


def _matches(value: Any, pattern: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Find every value at a path that fits `pattern`. A field that is `false` asks for nothing."""
    if not pattern:
        if value is not False:
            yield (), value
        return
    step, rest = pattern[0], pattern[1:]
    parts: list[tuple[str | int, Any]] = []
    if step == "*":
        if isinstance(value, list):
            parts = list(enumerate(value))
        elif isinstance(value, dict):
            parts = list(value.items())
    elif isinstance(value, dict) and step in value:
        parts = [(step, value[step])]
    for name, part in parts:
        for path, found in _matches(part, rest):
            yield (name, *path), found
