"""The record of a run: what every engine returns and every reader gets.

Argo-shaped on purpose: node names, types, phases, messages, inputs and outputs are those that
Argo's status holds (Argo: pkg/apis/workflow/v1alpha1/workflow_types.go), so that one record serves
both engines and tools that read Argo's JSON read ours. The record is a snapshot and never changes;
`gitwf.workflow.machine` makes it locally, an engine adapter makes it from Argo's status.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from gitwf.values import Instant


class Phase(enum.StrEnum):
    """A node's or workflow's phase, spelled as Argo spells it."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    SKIPPED = "Skipped"
    FAILED = "Failed"
    ERROR = "Error"
    OMITTED = "Omitted"

    @property
    def completed(self) -> bool:
        """Whether work was done and is over."""
        return self in _COMPLETED

    @property
    def fulfilled(self) -> bool:
        """Whether nothing more will happen."""
        return self in _FULFILLED

    @property
    def failed_or_error(self) -> bool:
        """Whether it ended badly."""
        return self in _BAD


_BAD = frozenset({Phase.FAILED, Phase.ERROR})
_COMPLETED = _BAD | {Phase.SUCCEEDED}
_FULFILLED = _COMPLETED | {Phase.SKIPPED, Phase.OMITTED}


class NodeType(enum.StrEnum):
    """What a node stands for, spelled as Argo spells it."""

    POD = "Pod"
    CONTAINER = "Container"
    STEPS = "Steps"
    STEP_GROUP = "StepGroup"
    DAG = "DAG"
    TASK_GROUP = "TaskGroup"
    RETRY = "Retry"
    SKIPPED = "Skipped"
    SUSPEND = "Suspend"
    HTTP = "HTTP"


@dataclass(frozen=True)
class ArtifactLocation:
    """Where an artifact's bytes are; at most one of `node`, `raw`, `key`, `source` is set.

    None is set where the artifact was passed on by name although nobody made it.
    `node` + `name`: the output artifact `name` of that node id, kept by the engine. `raw`: the
    content itself. `key`: an object of the artifact repository. `source`: the code at the commit.
    `sub_path` picks a file inside a directory artifact; one that Argo would have `packed` is a
    single object there, with nothing inside. `unread` is why nobody could unpack it; `optional`:
    whoever wants it goes on where it is not.
    """

    name: str
    node: str = ""
    raw: str | None = None
    key: str = ""
    source: bool = False
    sub_path: str = ""
    packed: bool = False
    optional: bool = False
    unread: str = ""

    @property
    def nowhere(self) -> bool:
        """Whether there are no bytes."""
        return not (self.node or self.raw is not None or self.key or self.source)


@dataclass(frozen=True)
class Outputs:
    """What a node gave: parameters and artifacts by name, standard output, exit code (as text).

    `unset` names the declared parameters of a pod that ran and did not write them.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactLocation] = field(default_factory=dict)
    result: str | None = None
    exit_code: str | None = None
    unset: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        given = self.parameters or self.artifacts or self.unset
        return bool(given) or self.result is not None or self.exit_code is not None


@dataclass(frozen=True)
class Memoized:
    """By what a node's outputs are remembered, and whether they were."""

    cache: str
    key: str
    hit: bool


@dataclass(frozen=True)
class NodeRecord:
    """One node, by Argo's names. `id` is `<workflow>-<FNV-1a 32 of name>`, the root's its name.

    `boundary`, `children` and `outbound` are node ids. `template_ref` is
    `<WorkflowTemplate>/<name>`.
    """

    id: str
    name: str
    display_name: str
    type: NodeType
    phase: Phase
    message: str = ""
    template: str = ""
    template_ref: str = ""
    boundary: str = ""
    started: Instant | None = None
    finished: Instant | None = None
    children: tuple[str, ...] = ()
    outbound: tuple[str, ...] = ()
    inputs: Mapping[str, str | None] = field(default_factory=dict)
    input_artifacts: tuple[str, ...] = ()
    outputs: Outputs = field(default_factory=Outputs)
    hooked: bool = False
    retried: bool = False
    memoized: Memoized | None = None


@dataclass(frozen=True)
class RunRecord:
    """A run as it stands. `nodes` is by node name, in the order the nodes came to be.

    `fault`: it ended by a fault of the engine or the machine, not of the workflow.
    """

    name: str
    phase: Phase
    message: str = ""
    started: Instant | None = None
    finished: Instant | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, NodeRecord] = field(default_factory=dict)
    outputs: Outputs = field(default_factory=Outputs)
    fault: bool = False

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.phase.completed
