"""What passes between the run's state machine and whoever does its work.

The machine is `Run.advance(event) -> commands`: it holds no clock, no process and no file. Events
tell it what happened and when; commands say what to do next. The events of a run, in order, are its
whole history: feeding them to a fresh machine gives the same run and the same commands, which is
how a killed engine picks up where it was. Read next: `gitwf.adapters.local` for the other side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitwf.values import Instant
from gitwf.workflow import preparation, record
from gitwf.workflow.document import containers
from gitwf.workflow.document import template as templates


@dataclass(frozen=True)
class InputArtifact:
    """An artifact to put in place before a pod starts; `path` is absolute in the pod's view."""

    name: str
    path: str
    location: record.ArtifactLocation
    mode: int | None = None
    recurse: bool = False


@dataclass(frozen=True, slots=True)
class StartPod:
    """Start a container, script, containerSet or http request: PodStarted, then PodEnded answer.

    `template` is fully substituted and without its input parameters, which are in its text;
    `origin` is the `file#template` it was written as. `volumes` are the workflow's and the
    template's. `wants_result`: standard output is read by somebody. `containers` gives the node id
    of each container of a containerSet, of which ContainerStarted and ContainerEnded tell. Nobody
    but the machine watches its time: StopPod comes when it is over.
    """

    node: str
    name: str
    pod: str
    written: preparation.Written
    origin: str = ""
    artifacts: tuple[InputArtifact, ...] = ()
    volumes: tuple[containers.Volume, ...] = ()
    wants_result: bool = False
    containers: Mapping[str, str] = field(default_factory=dict)

    @property
    def template(self) -> templates.Template:
        """What to run; read from its text when it is asked for."""
        return self.written.read()


@dataclass(frozen=True)
class StopPod:
    """Kill a pod's whole process group; answer with PodEnded carrying `message`.

    With `own_end` the answer says how the pod ended, killed as it was.
    """

    node: str
    message: str
    own_end: bool = False


@dataclass(frozen=True)
class WakeAt:
    """Send Tick at or soon after `at`; the earliest wish counts, later ones stand."""

    at: Instant


@dataclass(frozen=True)
class LookUp:
    """Look for outputs kept under `key` at most `max_age` seconds ago; answer with LookedUp."""

    node: str
    cache: str
    key: str
    max_age: float | None = None


@dataclass(frozen=True)
class Remember:
    """Keep outputs under `key`; nothing is answered."""

    cache: str
    key: str
    outputs: record.Outputs


@dataclass(frozen=True)
class Finish:
    """The run is over; `Run.record()` is final."""

    phase: record.Phase


Command = StartPod | StopPod | LookUp | Remember | WakeAt | Finish


@dataclass(frozen=True)
class PodStarted:
    """The pod's process runs."""

    node: str
    at: Instant


@dataclass(frozen=True)
class PodEnded:
    """The pod is over: its phase, Argo's message for it, and what it put out.

    Phase is Succeeded, Failed (the step's own fault) or Error (set-up or outputs failed).
    `transient`: the engine's or the machine's fault, not the step's.
    """

    node: str
    at: Instant
    phase: record.Phase
    message: str = ""
    outputs: record.Outputs = field(default_factory=record.Outputs)
    transient: bool = False


@dataclass(frozen=True)
class ContainerStarted:
    """One container of the containerSet that is the pod of `node` runs."""

    node: str
    container: str
    at: Instant


@dataclass(frozen=True)
class ContainerEnded:
    """One container of a containerSet is over; `message` is what is known beyond its exit code."""

    node: str
    container: str
    at: Instant
    exit_code: int = 0
    message: str = ""


@dataclass(frozen=True)
class LookedUp:
    """What was kept for a node that asked, if anything was."""

    node: str
    at: Instant
    found: bool = False
    outputs: record.Outputs = field(default_factory=record.Outputs)


@dataclass(frozen=True)
class Tick:
    """Time has passed; whatever was due by `at` is due now."""

    at: Instant


@dataclass(frozen=True)
class Shutdown:
    """End early. `terminate` runs no exit handler; otherwise exit handlers still run.

    `strategy`: Stop or Terminate where a person asked for it, as the run's message then says.
    `request`, here and below: the wish's own name, by which whoever records it tells that it was
    taken in.
    """

    at: Instant
    message: str
    terminate: bool = False
    strategy: str = ""
    request: str = ""

    @property
    def told(self) -> str:
        """What Argo says of what was ended so, or "" where nobody asked for it."""
        return f"Stopped with strategy '{self.strategy}'" if self.strategy else ""


@dataclass(frozen=True)
class Resume:
    """Let suspended nodes go on: one by id or, without id, all; with supplied outputs."""

    at: Instant
    node: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    request: str = ""


@dataclass(frozen=True)
class GiveUp:
    """End a suspended node as Failed, which is how a person says no."""

    at: Instant
    node: str
    message: str
    request: str = ""


@dataclass(frozen=True)
class Retry:
    """Try a run that failed again: what went well is kept. `parameters` go before those it had.

    A machine that is over stays so; whoever holds it makes the next one (`machine.try_again`).
    """

    at: Instant
    parameters: Mapping[str, str] = field(default_factory=dict)
    request: str = ""


Event = (
    PodStarted
    | PodEnded
    | ContainerStarted
    | ContainerEnded
    | LookedUp
    | Tick
    | Shutdown
    | Resume
    | GiveUp
    | Retry
)
