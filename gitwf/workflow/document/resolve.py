"""Bring together what one workflow needs from several documents.

`resolve` merges a WorkflowTemplate into the Workflow that names it, as Argo's controller does
(Argo: workflow/util/merge.go): what the Workflow says wins, lists that have a merge key are merged
by it. Then it gathers the templates of every WorkflowTemplate in reach. A template that is missing
is no error here: `validate` says so at the step that wants it.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from gitwf import values
from gitwf.errors import Rejected
from gitwf.workflow.document import load, resolved, template, workflow

_KINDS = {"namespaced": "WorkflowTemplate", "cluster": "ClusterWorkflowTemplate"}
_MERGE_KEYS = {
    "volumes": "name",
    "tolerations": "key",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "parameters": "name",
    "artifacts": "name",
}
_SHOWN = 3
_VALUES = frozenset({"value", "valueFrom", "default"})


def resolve(
    source: load.Source, catalogue: load.Loaded, *, entrypoint: str | None = None
) -> resolved.Resolved:
    """Make one document runnable with what the others hold.

    `entrypoint` begins the run at another template. Rejected: the document is no workflow, or the
    WorkflowTemplate that it names is not there.
    """
    metadata, spec, path = _spec_of(source)
    origins = [resolved.Origin(source.document, path)]
    ref = spec.workflow_template_ref
    if ref is not None:
        library = _library(ref, origins[0], metadata.namespace, catalogue)
        origins.append(resolved.Origin(library.document, ("spec",)))
        spec = merge(_spec_of(library)[1], spec)
    if entrypoint is not None:
        spec = spec.model_copy(update={"entrypoint": entrypoint})
    whole = _gather(metadata, spec, origins, catalogue)
    if isinstance(source.model, workflow.CronWorkflow):
        return dataclasses.replace(whole, cron=source.model.spec, scheduled=True)
    return whole


def _spec_of(
    source: load.Source,
) -> tuple[workflow.ObjectMeta, workflow.WorkflowSpec, tuple[str, ...]]:
    match source.model:
        case workflow.CronWorkflow() as cron:
            own = cron.spec.workflow_metadata or workflow.ObjectMeta()
            named = {"name": cron.metadata.name, "namespace": cron.metadata.namespace}
            return own.model_copy(update=named), cron.spec.workflow_spec, ("spec", "workflowSpec")
        case workflow.ConfigMap() | workflow.Secret():
            message = f"a {source.kind} cannot be run"
            raise Rejected([source.document.diagnostic(("kind",), message)])
        case runnable:
            return runnable.metadata, runnable.spec, ("spec",)


def _library(
    ref: workflow.WorkflowTemplateRef,
    own: resolved.Origin,
    namespace: str,
    catalogue: load.Loaded,
) -> load.Source:
    kind = _KINDS["cluster" if ref.cluster_scope else "namespaced"]
    found = catalogue.find(kind, ref.name, namespace)
    if found is None:
        message = f'{kind.lower()}s.argoproj.io "{ref.name}" not found'
        where = own.at("workflowTemplateRef", "name")
        raise Rejected([where.diagnostic(message, unread_hint(catalogue.unread))])
    return found


def unread_hint(unread: Mapping[str, Any]) -> str:
    """Name the files that may hold what is missing, had they been readable."""
    files = sorted(unread)
    if not files:
        return ""
    more = f" and {len(files) - _SHOWN} more files" if len(files) > _SHOWN else ""
    return f"could not read {', '.join(files[:_SHOWN])}{more}"


def merge(below: workflow.WorkflowSpec, above: workflow.WorkflowSpec) -> workflow.WorkflowSpec:
    """Lay a Workflow's spec over its WorkflowTemplate's.

    A parameter that has a value above takes everything from above (Argo: JoinWorkflowSpec).
    `suspend` comes from the Workflow alone; a hook is never mixed from two.
    """
    merged = _merged(below.plain(), above.plain())
    hooks = {**below.plain().get("hooks", {}), **above.plain().get("hooks", {})}
    if hooks:
        merged["hooks"] = hooks
    merged.pop("suspend", None)
    result = workflow.WorkflowSpec.from_json(values.canonical(merged))
    return result.model_copy(update={"suspend": above.suspend})


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    out = dict(below)
    for name, value in above.items():
        under = out.get(name)
        if isinstance(value, dict) and isinstance(under, dict):
            out[name] = _merged(under, value)
        elif isinstance(value, list) and isinstance(under, list) and name in _MERGE_KEYS:
            out[name] = _merged_list(under, value, _MERGE_KEYS[name])
        else:
            out[name] = value
    return out


def _merged_list(below: list[Any], above: list[Any], key: str) -> list[Any]:
    over = {item.get(key): item for item in above if isinstance(item, dict)}
    out = []
    for item in below:
        other = over.pop(item.get(key), None)
        if other is None:
            out.append(item)
        else:
            out.append(other if _VALUES & other.keys() else _merged(item, other))
    return [*out, *over.values()]


def _gather(
    metadata: workflow.ObjectMeta,
    spec: workflow.WorkflowSpec,
    origins: list[resolved.Origin],
    catalogue: load.Loaded,
) -> resolved.Resolved:
    """Collect the templates in reach, and the ConfigMaps and Secrets that any of them may name."""
    found = _templates(spec, origins[-1], metadata.namespace, catalogue)
    templates = {key: one for key, (one, _) in found.items()}
    everything = [spec.plain(), *(one.plain() for one in templates.values())]
    wanted = (
        ("Secret", resolved.secret_names(everything)),
        ("ConfigMap", resolved.config_map_names(everything)),
    )
    sources = [
        one
        for kind, names in wanted
        for one in catalogue.of_kind(kind)
        if resolved.may_name(names, one.name)
    ]
    secrets = {
        one.name: one.model.plain_data for one in sources if isinstance(one.model, workflow.Secret)
    }
    maps = {one.name: one.model for one in sources if isinstance(one.model, workflow.ConfigMap)}
    return resolved.Resolved(
        metadata,
        spec,
        templates,
        {name: dict(one.data) for name, one in maps.items()},
        secrets,
        frozenset(name for name, one in maps.items() if not one.gives_parameters),
        origins={key: origin for key, (_, origin) in found.items()},
        spec_origins=tuple(origins),
        unread=catalogue.unread,
        wordless=tuple(_wordless(sources)),
    )


def _templates(
    spec: workflow.WorkflowSpec, origin: resolved.Origin, namespace: str, catalogue: load.Loaded
) -> dict[resolved.TemplateKey, tuple[template.Template, resolved.Origin]]:
    """Find the templates of the spec and those of every library in reach, and their places."""
    found: dict[resolved.TemplateKey, tuple[template.Template, resolved.Origin]] = {}
    seen: set[str] = set()
    ahead = [(resolved.LOCAL, spec, origin)]
    while ahead:
        scope, part, where = ahead.pop()
        for index, one in enumerate(part.templates):
            key = resolved.TemplateKey(scope, one.name)
            found.setdefault(key, (one, where.at("templates", index)))
        for wanted in sorted(_scopes(scope, part) - seen):
            seen.add(wanted)
            kind = wanted.partition("/")[0]
            ahead += [
                (
                    f"{kind}/{library.name}",
                    _spec_of(library)[1],
                    resolved.Origin(library.document, ("spec",)),
                )
                for library in _libraries(wanted, namespace, catalogue)
            ]
    return found


def _wordless(sources: list[load.Source]) -> Iterator[resolved.Origin]:
    """Give the place of every value that is no text."""
    for one in sources:
        if isinstance(one.model, workflow.ConfigMap | workflow.Secret):
            for path in one.model.wordless:
                yield resolved.Origin(one.document, path)


def _scopes(scope: str, part: workflow.WorkflowSpec) -> set[str]:
    """Name the libraries that a spec refers to."""
    keys = [key for one in part.templates for key in resolved.calls(scope, one)]
    keys += [key for hook in part.hooks.values() if (key := resolved.named(scope, hook))]
    return {key.scope for key in keys} - {scope, resolved.LOCAL}


def _libraries(scope: str, namespace: str, catalogue: load.Loaded) -> Iterator[load.Source]:
    """Find the library of a scope; all of its kind where a tag stands for the name."""
    kind, _, name = scope.partition("/")
    if "{{" in name:
        yield from catalogue.of_kind(_KINDS[kind])
    elif (found := catalogue.find(_KINDS[kind], name, namespace)) is not None:
        yield found
