"""The parts that steps and DAG tasks share: references, loops, hooks, what failure means.

Argo: workflow_types.go (TemplateRef, Sequence, ContinueOn, LifecycleHook). Read next:
`gitwf.workflow.document.template`, which puts them together.
"""

from gitwf.workflow.document import base, parameters


class TemplateRef(base.Model):
    """A template of a WorkflowTemplate, or of a ClusterWorkflowTemplate with `cluster_scope`."""

    name: str = ""
    template: str = ""
    cluster_scope: bool = False

    @property
    def late(self) -> bool:
        """Whether only the run will know what it names."""
        return "{{" in self.name + self.template


class Sequence(base.Model):
    """A loop over numbers: `start`..`end` inclusive, or `count` of them. Items are text."""

    count: base.IntOrString | None = None
    start: base.IntOrString | None = None
    end: base.IntOrString | None = None
    format: str = ""


class ContinueOn(base.Model):
    """Which bad ends of a node do not stop what follows."""

    error: bool = False
    failed: bool = False


class Hook(base.Model):
    """A template run beside or after a node. The hook named `exit` needs no expression."""

    template: str = ""
    arguments: parameters.Arguments = parameters.Arguments.model_construct()
    template_ref: TemplateRef | None = None
    expression: str = ""


class Memoize(base.Model):
    """Where the outputs of an earlier run with the same key are kept."""

    key: str
    cache: base.Opaque | None = None
    max_age: str = ""


class Mutex(base.Model):
    """A lock that one holder has at a time."""

    name: str = ""
    namespace: str = ""
    database: bool = False


class Semaphore(base.Model):
    """A lock that as many holders have at a time as a key of a ConfigMap says."""

    config_map_key_ref: parameters.KeySelector | None = None
    namespace: str = ""
    database: base.Opaque | None = None


class Synchronization(base.Model):
    """The locks that a workflow or template takes before it runs."""

    semaphores: tuple[Semaphore, ...] = ()
    mutexes: tuple[Mutex, ...] = ()
