"""An order as a Workflow for Argo's controller: complete in itself, named after the run.

Templates of other documents are taken in under names of their own, so that a run needs nothing that
somebody may change in the cluster meanwhile. What a template may read of the cluster's Secrets is
held against the policy here, before anything is submitted: on a cluster nothing else would. Pure.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitwf import ports
from gitwf.errors import Diagnostic, Rejected
from gitwf.values import Instant
from gitwf.workflow.document import resolved

API = "argoproj.io/v1alpha1"
RUN = "gitwf.dev/run"
KEPT_SECONDS = 86_400
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST = 63
_SOURCE = "source"
# What says in words that nobody foresees what a pod may read.
_FREE = {"podSpecPatch", "manifest", "manifestFrom"}
_OF_EVERY_POD = ("templateDefaults", "podSpecPatch", "artifactGC")
# `secretKeyRef`, `nodePublishSecretRef`, a volume's `secret`, a store's `accessKeySecret`.
_REFERENCES = ("secret", "secretref", "secretkeyref")


@dataclass(frozen=True)
class Terms:
    """How runs are submitted. `account`: the steps' service account, "" the namespace's default."""

    account: str = ""


def name(run: str) -> str:
    """Name the Workflow of a run, so that submitting it twice meets the first."""
    if len(run) <= _LONGEST and _NAME.fullmatch(run):
        return run
    return "gitwf-" + hashlib.sha256(run.encode()).hexdigest()[:40]


def of(
    order: ports.Order, terms: Terms, source: str = "", *, at: Instant | None = None
) -> dict[str, Any]:
    """Write the Workflow of an order; `source` is the object that holds the code's tar, or "".

    `at` is when it is submitted, which a CronWorkflow's run may ask for.

    Rejected: a template asks for a Secret that the policy does not grant it.
    """
    workflow = order.workflow
    reached = sorted(workflow.reachable | _entry(order))
    problems = [one for key in reached for one in _not_granted(order, key)]
    if problems:
        raise Rejected(sorted(set(problems)))
    spec = {
        **_inlined(workflow.spec.plain()),
        "templates": [_template(workflow, key) for key in reached],
        "arguments": _arguments(order, source),
    }
    spec.pop("workflowTemplateRef", None)
    annotations = workflow.annotations if at is None else workflow.annotations_at(at)
    if order.entrypoint:
        spec["entrypoint"] = order.entrypoint
    if terms.account:
        spec.setdefault("serviceAccountName", terms.account)
    spec.setdefault("ttlStrategy", {"secondsAfterCompletion": KEPT_SECONDS})
    return {
        "apiVersion": API,
        "kind": "Workflow",
        "metadata": {
            "name": name(order.id),
            "labels": {**workflow.labels, "app.kubernetes.io/managed-by": "gitwf"},
            "annotations": {**annotations, RUN: order.id},
        },
        "spec": spec,
    }


def wants_source(order: ports.Order) -> bool:
    """Whether the entrypoint asks for the code at the commit."""
    key = resolved.TemplateKey(resolved.LOCAL, order.entrypoint or order.workflow.spec.entrypoint)
    entry = order.workflow.templates.get(key)
    return entry is not None and any(one.name == _SOURCE for one in entry.inputs.artifacts)


def _entry(order: ports.Order) -> frozenset[resolved.TemplateKey]:
    if not order.entrypoint:
        return frozenset()
    return order.workflow.started_at(order.entrypoint).reachable


def _arguments(order: ports.Order, source: str) -> dict[str, Any]:
    arguments = order.workflow.spec.plain().get("arguments", {})
    given = dict(order.parameters)
    parameters = [
        {**one, "value": given.pop(one["name"])} if one["name"] in given else one
        for one in arguments.get("parameters", ())
    ]
    parameters += [{"name": name, "value": value} for name, value in given.items()]
    artifacts = [one for one in arguments.get("artifacts", ()) if one["name"] != _SOURCE]
    if source:
        artifacts.append({"name": _SOURCE, "s3": {"key": source}})
    return {"parameters": parameters, "artifacts": artifacts}


def _template(workflow: resolved.Resolved, key: resolved.TemplateKey) -> dict[str, Any]:
    made: dict[str, Any] = _inlined(workflow.templates[key].plain(), key.scope)
    return {**made, "name": _called(key)}


def _called(key: resolved.TemplateKey) -> str:
    """What a template is called inside the Workflow."""
    return key.name if key.scope == resolved.LOCAL else f"{key.scope}/{key.name}".replace("/", ".")


def _inlined(value: Any, scope: str = resolved.LOCAL) -> Any:
    """Turn references to templates of other documents into names of this one."""
    if isinstance(value, list):
        return [_inlined(one, scope) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _inlined(part, scope) for name, part in value.items()}
    reference = made.pop("templateRef", None)
    if reference is not None:
        where = "cluster" if reference.get("clusterScope") else "namespaced"
        key = resolved.TemplateKey(f"{where}/{reference['name']}", reference["template"])
        return {**made, "template": _called(key)}
    named = made.get("template")
    if scope != resolved.LOCAL and isinstance(named, str):
        made["template"] = _called(resolved.TemplateKey(scope, named))
    return made


def _not_granted(order: ports.Order, key: resolved.TemplateKey) -> Iterator[Diagnostic]:
    """Each Secret that a template asks for and the policy does not grant it."""
    workflow = order.workflow
    grant = f"{workflow.file_of(key)}#{key.name}"
    granted = order.granted.get(grant, frozenset())
    origin = workflow.origins.get(key)
    for secret in sorted(secrets(workflow, key) - granted):
        what = f"a {secret}" if secret in _FREE else f"the secret {secret!r}"
        message = f"template {key.name!r}: the policy does not grant it {what}"
        hint = f'add policy: {{secrets: {{"{grant}": [{secret}]}}}}'
        if origin is None:
            yield Diagnostic(workflow.name, 0, 0, message, hint)
        else:
            yield origin.diagnostic(message, hint)


def secrets(workflow: resolved.Resolved, key: resolved.TemplateKey) -> frozenset[str]:
    """Every Secret that the pods of a template could read, wherever the document says so.

    A patch of the pod, and a resource's manifest, can ask for any: they count as one themselves.
    """
    made, spec = workflow.templates[key].plain(), workflow.spec.plain()
    asks = [made, _handed_to(made, spec)]
    if not made.keys() & {"steps", "dag"}:
        asks.append({name: spec[name] for name in _OF_EVERY_POD if name in spec})
        mounted = {one["name"] for one in _found(asks, "volumeMounts")}
        late = any("{{" in name for name in mounted)  # named when the pod is made: it may be any
        volumes = spec.get("volumes", ())
        asks.append([one for one in volumes if late or one["name"] in mounted])
    return frozenset(_secrets(asks))


def _handed_to(template: Mapping[str, Any], spec: Mapping[str, Any]) -> list[Any]:
    """The workflow's own artifacts that a template takes in by name, with the keys of them."""
    taken = {one["name"] for one in template.get("inputs", {}).get("artifacts", ())}
    given = spec.get("arguments", {}).get("artifacts", ())
    return [one for one in given if one["name"] in taken]


def _found(value: Any, field: str) -> Iterator[Mapping[str, Any]]:
    """The items of every list that is called `field`."""
    if isinstance(value, list):
        for one in value:
            yield from _found(one, field)
    elif isinstance(value, dict):
        for name, part in value.items():
            if name == field:
                yield from part
            else:
                yield from _found(part, field)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _secrets(one)
    elif isinstance(value, dict):
        for field, part in value.items():
            if field in _FREE:
                yield field
            elif field == "secretName":
                yield str(part)
            elif isinstance(part, dict) and field.lower().endswith(_REFERENCES):
                yield str(part.get("secretName") or part.get("name") or "")
            else:
                yield from _secrets(part)
