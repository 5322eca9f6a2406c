"""The kinds of documents: Workflow, WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow.

All four hold one `WorkflowSpec` (Argo: workflow_types.go, cron_workflow_types.go). ConfigMap and
Secret are here because workflows take values from them. Fields that only place pods on a cluster
are carried unread: the local engine says that it ignores them, Argo gets them as written.
"""

import base64
import binascii
from typing import Literal

import pydantic

from gitwf.workflow.document import base, containers, flow, parameters, retry, template


class ObjectMeta(base.Model):
    """An object's name and labels; what the API server writes there is carried unread."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    labels: dict[str, str] = pydantic.Field(default_factory=dict)
    annotations: dict[str, str] = pydantic.Field(default_factory=dict)
    uid: str = ""
    resource_version: str = ""
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: base.OpaqueList = ()
    managed_fields: base.OpaqueList = ()
    self_link: str = ""


class WorkflowTemplateRef(base.Model):
    """The WorkflowTemplate that a Workflow takes its whole spec from."""

    name: str = ""
    cluster_scope: bool = False


class WorkflowSpec(base.Model):
    """What to run. `templates` and `arguments` are the heart of it."""

    entrypoint: str = ""
    arguments: parameters.Arguments = parameters.Arguments.model_construct()
    templates: tuple[template.Template, ...] = ()
    template_defaults: template.Template | None = None
    workflow_template_ref: WorkflowTemplateRef | None = None
    on_exit: str = ""
    hooks: dict[str, flow.Hook] = pydantic.Field(default_factory=dict)
    parallelism: int | None = None
    active_deadline_seconds: int | None = None
    retry_strategy: retry.RetryStrategy | None = None
    suspend: bool | None = None
    shutdown: str = ""
    synchronization: flow.Synchronization | None = None
    volumes: tuple[containers.Volume, ...] = ()
    volume_claim_templates: base.OpaqueList = ()
    volume_claim_gc: base.Opaque | None = base.renamed("volumeClaimGC")
    workflow_metadata: base.Opaque | None = None
    executor_plugins: base.OpaqueList = ()
    artifact_repository_ref: base.Opaque | None = None
    artifact_gc: base.Opaque | None = base.renamed("artifactGC")
    archive_logs: bool | None = None

    service_account_name: str = ""
    automount_service_account_token: bool | None = None
    executor: base.Opaque | None = None
    node_selector: dict[str, str] = pydantic.Field(default_factory=dict)
    affinity: base.Opaque | None = None
    tolerations: base.OpaqueList = ()
    image_pull_secrets: base.OpaqueList = ()
    host_network: bool | None = None
    dns_policy: str | None = None
    dns_config: base.Opaque | None = None
    ttl_strategy: base.Opaque | None = None
    priority: int | None = None
    scheduler_name: str = ""
    pod_gc: base.Opaque | None = base.renamed("podGC")
    pod_priority_class_name: str = ""
    host_aliases: base.OpaqueList = ()
    security_context: base.Opaque | None = None
    pod_spec_patch: str = ""
    pod_disruption_budget: base.Opaque | None = None
    pod_metadata: template.Metadata | None = None
    metrics: base.Opaque | None = None
    pod_resources: base.Opaque | None = None
    resource_claims: base.OpaqueList = ()


ArgoVersion = Literal["argoproj.io/v1alpha1"]


class Workflow(base.Model):
    """A workflow to run once."""

    api_version: ArgoVersion
    kind: Literal["Workflow"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    spec: WorkflowSpec
    status: base.Opaque | None = None


class WorkflowTemplate(base.Model):
    """A library of templates, and a workflow to start from it."""

    api_version: ArgoVersion
    kind: Literal["WorkflowTemplate"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    spec: WorkflowSpec
    status: base.Opaque | None = None


class ClusterWorkflowTemplate(base.Model):
    """A WorkflowTemplate of no namespace."""

    api_version: ArgoVersion
    kind: Literal["ClusterWorkflowTemplate"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    spec: WorkflowSpec
    status: base.Opaque | None = None


class CronWorkflowSpec(base.Model):
    """When to run which workflow."""

    workflow_spec: WorkflowSpec
    workflow_metadata: ObjectMeta | None = None
    schedules: tuple[str, ...] = ()
    timezone: str = ""
    concurrency_policy: str = ""
    suspend: bool = False
    starting_deadline_seconds: int | None = None
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None
    stop_strategy: base.Opaque | None = None
    when: str = ""


class CronWorkflow(base.Model):
    """A workflow to run on a schedule."""

    api_version: ArgoVersion
    kind: Literal["CronWorkflow"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    spec: CronWorkflowSpec
    status: base.Opaque | None = None


class ConfigMap(base.Model):
    """Values that workflows read by name and key."""

    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    data: dict[str, str] = pydantic.Field(default_factory=dict)
    binary_data: dict[str, str] = pydantic.Field(default_factory=dict)
    immutable: bool | None = None

    @property
    def wordless(self) -> list[tuple[str, str]]:
        """Where its bytes are no text: field and key."""
        return [("binaryData", key) for key in self.binary_data]

    @property
    def gives_parameters(self) -> bool:
        """Whether Argo's controller sees it as one to take parameters from."""
        return self.metadata.labels.get("workflows.argoproj.io/configmap-type") == "Parameter"


class Secret(base.Model):
    """Values written down beside a workflow that reads them; whoever reads the document has them.

    Secrets of the machine are another thing: those the policy grants.
    """

    api_version: Literal["v1"]
    kind: Literal["Secret"]
    metadata: ObjectMeta = ObjectMeta.model_construct()
    type: str = ""
    data: dict[str, str] = pydantic.Field(default_factory=dict, repr=False)
    string_data: dict[str, str] = pydantic.Field(default_factory=dict, repr=False)
    immutable: bool | None = None

    @pydantic.field_validator("data")
    @classmethod
    def _encoded(cls, data: dict[str, str]) -> dict[str, str]:
        for key, value in data.items():
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                raise ValueError(f"{key} is not base64; plain text goes into stringData") from None
        return data

    @property
    def wordless(self) -> list[tuple[str, str]]:
        """Where its bytes are no text: field and key."""
        found = []
        for key, value in self.data.items():
            try:
                base64.b64decode(value).decode()
            except UnicodeDecodeError:
                found.append(("data", key))
        return found

    @property
    def plain_data(self) -> dict[str, str]:
        """Its values by key, decoded; `stringData` goes first."""
        decoded = {
            key: base64.b64decode(value).decode("utf-8", "replace")
            for key, value in self.data.items()
        }
        return {**decoded, **self.string_data}


Runnable = Workflow | WorkflowTemplate | ClusterWorkflowTemplate | CronWorkflow
Kind = Runnable | ConfigMap | Secret

KINDS: dict[tuple[str, str], type[Kind]] = {
    ("argoproj.io/v1alpha1", "Workflow"): Workflow,
    ("argoproj.io/v1alpha1", "WorkflowTemplate"): WorkflowTemplate,
    ("argoproj.io/v1alpha1", "ClusterWorkflowTemplate"): ClusterWorkflowTemplate,
    ("argoproj.io/v1alpha1", "CronWorkflow"): CronWorkflow,
    ("v1", "ConfigMap"): ConfigMap,
    ("v1", "Secret"): Secret,
}
