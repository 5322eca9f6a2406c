"""A workflow and everything it reaches: what a run needs, and what makes two runs the same.

The idea: after `resolve` nobody looks anything up in files again. A `Resolved` holds the merged
spec, every template by scope and name, and the ConfigMaps it may read; `canonical` writes the part
that a run depends on as one text, so that equal meaning is equal text, whatever the formatting.
Where it all came from is kept beside it for messages and does not count. Read next: `resolve`.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gitwf import values
from gitwf.errors import Diagnostic, Severity
from gitwf.text import yaml_reader
from gitwf.values import Instant
from gitwf.workflow.document import flow, template, workflow

LOCAL = "local"
_ALL_PARAMETERS = re.compile(
    r"workflow\.parameters\s*[^.\[?\s]"
)  # as in toJson(workflow.parameters)
SCHEDULED = "workflows.argoproj.io/scheduled-time"  # Argo: AnnotationKeyCronWfScheduledTime.


class TemplateKey(NamedTuple):
    """A template's scope and name. Scope: `local`, `namespaced/<name>` or `cluster/<name>`."""

    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope}/{self.name}"

    @classmethod
    def of_ref(cls, ref: flow.TemplateRef) -> "TemplateKey":
        """The key that a reference names."""
        return cls(f"{'cluster' if ref.cluster_scope else 'namespaced'}/{ref.name}", ref.template)


@dataclass(frozen=True)
class Origin:
    """Where a part of the workflow was written: a document, and the path inside it."""

    document: yaml_reader.Document
    path: tuple[yaml_reader.PathStep, ...] = ()

    @property
    def file(self) -> str:
        """The file's path in the repository."""
        return self.document.file

    def at(self, *path: yaml_reader.PathStep) -> "Origin":
        """The part at `path` below this one."""
        return Origin(self.document, (*self.path, *path))

    def holds(self, *path: yaml_reader.PathStep) -> bool:
        """Whether something was written at `path` below this."""
        return self.document.holds((*self.path, *path))

    def diagnostic(
        self,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        within: str = "",
        severity: Severity = "error",
    ) -> Diagnostic:
        """Name a mistake here."""
        return self.document.diagnostic(
            self.path, message, hint, key=key, within=within, severity=severity
        )


@dataclass(frozen=True)
class Resolved:
    """One workflow, complete. Equal when a run of it would be, wherever it was written.

    `spec` is merged with that of its WorkflowTemplate and keeps `templateDefaults` apart;
    `templates` has those of the spec under the scope `local`. `config_maps` is data by name,
    `secrets` too: those that are documents beside the workflow. `unlabelled` names the ConfigMaps
    that give no parameters, for Argo's controller only sees those that are labelled for it.
    `wordless` are the places of those of their values that are no text, and cannot be given.
    `cron` says when a CronWorkflow is due; that does not change what a run does, but that it is
    `scheduled` does: the run knows the moment for which it was made.
    """

    metadata: workflow.ObjectMeta
    spec: workflow.WorkflowSpec
    templates: Mapping[TemplateKey, template.Template]
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    unlabelled: frozenset[str] = frozenset()
    scheduled: bool = False
    origins: Mapping[TemplateKey, Origin] = field(default_factory=dict, compare=False, repr=False)
    cron: workflow.CronWorkflowSpec | None = field(default=None, compare=False, repr=False)
    spec_origins: Sequence[Origin] = field(default=(), compare=False, repr=False)
    unread: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    wordless: Sequence[Origin] = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        """The workflow's name, as far as the document gives one."""
        return self.metadata.name or self.metadata.generate_name.rstrip("-")

    @property
    def namespace(self) -> str:
        """What `{{workflow.namespace}}` stands for: a cluster's own namespace, if none is given."""
        return self.metadata.namespace or "default"

    @property
    def labels(self) -> Mapping[str, str]:
        """The workflow's labels."""
        return self.metadata.labels

    @property
    def annotations(self) -> Mapping[str, str]:
        """The workflow's annotations."""
        return self.metadata.annotations

    def annotations_at(self, at: Instant) -> Mapping[str, str]:
        """The annotations of a run that is asked for: a CronWorkflow's says for when it was made.

        Argo: ConvertCronWorkflowToWorkflow.
        """
        due = {SCHEDULED: at.rfc3339()} if self.scheduled else {}
        return {**due, **self.annotations}

    @functools.cached_property
    def parameter_maps(self) -> Mapping[str, Mapping[str, str]]:
        """The ConfigMaps that parameters may come from."""
        return {n: data for n, data in self.config_maps.items() if n not in self.unlabelled}

    def started_at(self, entrypoint: str) -> "Resolved":
        """The same workflow, begun at another template."""
        return replace(self, spec=self.spec.model_copy(update={"entrypoint": entrypoint}))

    def alone(self, template: str) -> "Resolved":
        """One template of the workflow by itself, without exit handler and hooks."""
        begun: dict[str, object] = {"entrypoint": template, "on_exit": "", "hooks": {}}
        return replace(self, spec=self.spec.model_copy(update=begun))

    def lookup(
        self, scope: str, call: template.Call | flow.Hook
    ) -> tuple[TemplateKey, template.Template] | None:
        """Find the template that a call in `scope` names. An inline template has no key."""
        key = named(scope, call)
        found = self.templates.get(key) if key is not None else None
        return (key, found) if key is not None and found is not None else None

    def missing(self, call: template.Call | flow.Hook) -> str:
        """Say in the words of Argo's controller that no template is there for a call."""
        ref = call.template_ref
        if ref is None:
            return f"template {call.template} not found"
        if any(key.scope == TemplateKey.of_ref(ref).scope for key in self.templates):
            return f"template {ref.template} not found in workflow template {ref.name}"
        return f"workflow template {ref.name} not found"

    @functools.cached_property
    def reachable(self) -> frozenset[TemplateKey]:
        """Every template that a run may come to, from entrypoint, exit handler and hooks.

        A name that holds a tag may come to any template of its document, and a reference whose
        document's name does to any template of others.
        """
        seen: set[TemplateKey] = set()
        ahead = [
            TemplateKey(LOCAL, name) for name in (self.spec.entrypoint, self.spec.on_exit) if name
        ]
        ahead += [key for hook in self.spec.hooks.values() if (key := named(LOCAL, hook))]
        while ahead:
            key = ahead.pop()
            if key in seen:
                continue
            seen.add(key)
            if "{{" in key.scope:
                ahead += [other for other in self.templates if other.scope != LOCAL]
            elif "{{" in key.name:
                ahead += [other for other in self.templates if other.scope == key.scope]
            if key in self.templates:
                ahead += (key_ for key_ in calls(key.scope, self.templates[key]))
        return frozenset(seen & self.templates.keys())

    def file_of(self, key: TemplateKey) -> str:
        """The file that a template was written in, for `file#template`."""
        return self.origins[key].file if key in self.origins else ""

    def origin(self, *path: yaml_reader.PathStep) -> Origin:
        """Where the part of the spec at `path` was written: the workflow, else its template."""
        for one in self.spec_origins:
            if one.holds(*path):
                return one.at(*path)
        return self.spec_origins[0].at(*path)

    def unknown_parameters(self, given: Iterable[str]) -> list[str]:
        """Those of `given` that nothing declares or uses, and that the entrypoint does not take."""
        known = {one.name for one in self.spec.arguments.parameters}
        entry = self.templates.get(TemplateKey(LOCAL, self.spec.entrypoint or ""))
        if entry is not None:
            known.update(one.name for one in entry.inputs.parameters)
        unknown = [one for one in given if one not in known]
        text = self.canonical() if unknown else ""
        if _ALL_PARAMETERS.search(text):
            return []
        used = r"workflow\.parameters\W+{}(?![\w-])"
        return [one for one in unknown if not re.search(used.format(re.escape(one)), text)]

    def canonical(self) -> str:
        """Write what a run depends on, one text for one meaning.

        Counts: name, namespace, labels, annotations, the spec, the templates within reach and the
        ConfigMaps. Does not count: templates out of reach, their order, how anything is written.
        """
        within = {str(key): self.templates[key].plain() for key in sorted(self.reachable)}
        spec = self.spec.plain()
        spec.pop("templates", None)
        spec.pop("workflowTemplateRef", None)
        names = config_map_names([spec, within]) if self.config_maps else set()
        meaning: dict[str, Any] = {
            "metadata": {
                "name": self.name,
                "namespace": self.metadata.namespace,
                "labels": dict(self.labels),
                "annotations": dict(self.annotations),
            },
            "spec": spec,
            "templates": within,
            "configMaps": {
                name: dict(content)
                for name, content in self.config_maps.items()
                if may_name(names, name)
            },
        }
        if unlabelled := self.unlabelled & meaning["configMaps"].keys():
            meaning["unlabelled"] = sorted(unlabelled)
        if self.scheduled:
            meaning["scheduled"] = True
        private = secret_names([spec, within]) if self.secrets else set()
        if own := {n: dict(c) for n, c in self.secrets.items() if may_name(private, n)}:
            meaning["secrets"] = own
        return values.canonical(meaning)


def named(scope: str, call: template.Call | flow.Hook) -> TemplateKey | None:
    """Give the key that a call in `scope` names, or None for an inline template."""
    if call.template_ref is not None:
        return TemplateKey.of_ref(call.template_ref)
    return TemplateKey(scope, call.template) if call.template else None


def calls(scope: str, caller: template.Template) -> Iterator[TemplateKey]:
    """Give the key of every template that another one names, in its inline templates too."""
    for call in caller.calls():
        if call.inline is not None:
            yield from calls(scope, call.inline)
        elif (key := named(scope, call)) is not None:
            yield key
        if call.on_exit:
            yield TemplateKey(scope, call.on_exit)
        yield from (key for hook in call.hooks.values() if (key := named(scope, hook)))


def config_map_names(value: Any) -> set[str]:
    """Gather the names of ConfigMaps that a document refers to, tags and all."""
    return _names(value, _CONFIG_MAP_FIELDS)


def secret_names(value: Any) -> set[str]:
    """Gather the names of Secrets that a document refers to, tags and all."""
    return _names(value, _SECRET_FIELDS)


def _names(value: Any, fields: Mapping[str, str]) -> set[str]:
    names: set[str] = set()
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            for field_name, part in one.items():
                if field_name in fields and isinstance(part, dict):
                    names.add(str(part.get(fields[field_name], "")))
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one
    return names


_CONFIG_MAP_FIELDS = dict.fromkeys(("configMapKeyRef", "configMapRef", "configMap"), "name")
_SECRET_FIELDS = {"secretKeyRef": "name", "secretRef": "name", "secret": "secretName"}


def may_name(names: set[str], name: str) -> bool:
    """Whether one of `names`, which may hold tags, can come to stand for `name`."""
    return name in names or any("{{" in one for one in names)
