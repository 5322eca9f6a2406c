"""A template: the one unit of work of the Argo language, of which everything else is made.

A template is of exactly one type: it starts processes (container, script, containerSet), calls
templates (steps, dag), waits (suspend), asks a server (http), or needs a cluster (resource, data,
plugin). Steps
and tasks stand here too because they may hold a template `inline`, and a template holds them.
Argo: workflow_types.go (Template, WorkflowStep, DAGTask). The machine dumps a template once with
`to_json`, substitutes text and reads it back with `from_json` for every node.
"""

from typing import Any

import pydantic

from gitwf.workflow.document import base, containers, flow, http_request, parameters, retry


class Call(base.Model):
    """What a step and a DAG task have in common: the call of a template, perhaps in a loop."""

    name: str = ""
    template: str = ""
    inline: "Template | None" = None
    arguments: parameters.Arguments = parameters.Arguments.model_construct()
    template_ref: flow.TemplateRef | None = None
    with_items: tuple[Any, ...] = ()
    with_param: str = ""
    with_sequence: flow.Sequence | None = None
    when: str = ""
    continue_on: flow.ContinueOn | None = None
    on_exit: str = ""
    hooks: dict[str, flow.Hook] = pydantic.Field(default_factory=dict)

    @property
    def loops(self) -> bool:
        """Whether the call stands for any number of nodes (Argo: ShouldExpand)."""
        return bool(self.with_items or self.with_param or self.with_sequence is not None)


class Step(Call):
    """A call in a steps template; steps of one group run side by side."""


class Task(Call):
    """A call in a DAG; `depends` and `dependencies` exclude each other."""

    dependencies: tuple[str, ...] = ()
    depends: str = ""


class Dag(base.Model):
    """Tasks in the order of their dependencies. `fail_fast` absent means true."""

    target: str = ""
    tasks: tuple[Task, ...] = ()
    fail_fast: bool | None = None


class Suspend(base.Model):
    """Wait for a person, or for `duration` (Go's; a bare number means seconds)."""

    duration: str = ""


class Metadata(base.Model):
    """Labels and annotations of a pod."""

    annotations: dict[str, str] = pydantic.Field(default_factory=dict)
    labels: dict[str, str] = pydantic.Field(default_factory=dict)


_NO_METADATA = Metadata.model_construct()


class Template(base.Model):
    """One unit of work; `type` says which. An inline template has no name."""

    name: str = ""
    inputs: parameters.Inputs = parameters.Inputs.model_construct()
    outputs: parameters.Outputs = parameters.Outputs.model_construct()
    container: containers.Container | None = None
    script: containers.Script | None = None
    container_set: containers.ContainerSet | None = None
    steps: tuple[tuple[Step, ...], ...] = ()
    dag: Dag | None = None
    suspend: Suspend | None = None
    resource: base.Opaque | None = None
    data: base.Opaque | None = None
    http: http_request.Http | None = None
    plugin: base.Opaque | None = None

    retry_strategy: retry.RetryStrategy | None = None
    timeout: str = ""
    active_deadline_seconds: base.IntOrString | None = None
    pending_timeout: str = ""
    parallelism: int | None = None
    fail_fast: bool | None = None
    memoize: flow.Memoize | None = None
    synchronization: flow.Synchronization | None = None
    volumes: tuple[containers.Volume, ...] = ()
    daemon: bool | None = None
    init_containers: tuple[containers.UserContainer, ...] = ()
    sidecars: tuple[containers.UserContainer, ...] = ()

    # A default that holds a mapping is copied for every template that is read; a factory's is not.
    metadata: Metadata = pydantic.Field(default_factory=lambda: _NO_METADATA)
    annotations: dict[str, str] = pydantic.Field(default_factory=dict)
    metrics: base.Opaque | None = None
    archive_location: base.Opaque | None = None
    node_selector: dict[str, str] = pydantic.Field(default_factory=dict)
    affinity: base.Opaque | None = None
    tolerations: base.OpaqueList = ()
    scheduler_name: str = ""
    priority_class_name: str = ""
    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    executor: base.Opaque | None = None
    host_aliases: base.OpaqueList = ()
    security_context: base.Opaque | None = None
    pod_spec_patch: str = ""
    pod_resources: base.Opaque | None = None
    resource_claims: base.OpaqueList = ()

    @property
    def types(self) -> tuple[str, ...]:
        """The types the document names, in Argo's spelling; a sound template names one."""
        return tuple(alias for name, alias in _TYPES.items() if self._names(name))

    def _names(self, type_: str) -> bool:
        # Argo counts `steps: []` as no steps; an empty mapping such as `suspend: {}` counts.
        value = getattr(self, type_)
        return bool(value) if type_ == "steps" else value is not None

    @property
    def type(self) -> str:
        """The type of a sound template, in Argo's spelling: `container` or `steps`."""
        return next(iter(self.types), "")

    @property
    def calls_others(self) -> bool:
        """Whether the template is one of steps or tasks."""
        return bool(self.steps) or self.dag is not None

    @property
    def is_leaf(self) -> bool:
        """Whether the template has work of its own: it calls no others and waits for no person."""
        return not self.calls_others and self.suspend is None

    def calls(self) -> tuple[Call, ...]:
        """Every step or task, in the order of the document."""
        tasks = self.dag.tasks if self.dag is not None else ()
        return (*(step for group in self.steps for step in group), *tasks)


_TYPES = {
    "container": "container",
    "container_set": "containerSet",
    "steps": "steps",
    "script": "script",
    "resource": "resource",
    "data": "data",
    "dag": "dag",
    "suspend": "suspend",
    "http": "http",
    "plugin": "plugin",
}
