"""The edge as the core sees it: Protocols, synchronous, in terms of our own values.

Each port has one contract suite under `tests/contracts`, run on the in-memory port of
`gitwf.testing` and on every real adapter. A port raises only `gitwf.errors`: `Transient` (try
again; `RaceLost` when a compare-and-swap met another writer), `Stalled` (a person must act) and
`Rejected`. None of them decides anything: what to do is decided in `gitwf.delivery`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gitwf.delivery import serving
from gitwf.values import CommitId, Digest, Instant, ObjectId
from gitwf.workflow import record

if TYPE_CHECKING:
    # An engine is no ledger, and what runs a file is to load nothing of one.
    from gitwf.delivery import facts as ledger_facts
    from gitwf.workflow.document import resolved

# What targets say is read by the plan, and so is defined where the plan is.
Serving = serving.Serving
Rollout = serving.Rollout
RolloutState = serving.RolloutState
Drift = serving.Drift


class Clock(Protocol):
    """Time, as far as anything may know it."""

    def now(self) -> Instant:
        """The wall clock: for people and for schedules."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump: for leases and deadlines."""
        ...

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or sooner when the process is asked to stop."""
        ...


@dataclass(frozen=True)
class Commit:
    """A commit on the watched branch. `time` is the committer's."""

    id: CommitId
    parents: tuple[CommitId, ...]
    tree: ObjectId
    author: str
    time: Instant
    message: str


class Kept(Protocol):
    """A place for what can be worked out again: whatever is wrong with it, it is but empty."""

    def read(self) -> bytes | None:
        """What this gitwf wrote last, whole, or None."""
        ...

    def write(self, content: bytes) -> None:
        """Keep this instead, if that can be."""
        ...


class Tree(Protocol):
    """The files of commits: all that documents are read from."""

    def object_id(self, commit: CommitId, path: str) -> ObjectId | None:
        """The id of the blob or tree at `path` ("." is the root), or None."""
        ...

    def read(self, commit: CommitId, path: str) -> bytes | None:
        """The content of the file at `path`, or None. Symbolic links read as None."""
        ...

    def files(self, commit: CommitId, under: str = ".") -> Iterator[tuple[str, ObjectId]]:
        """Every file below a folder, with its blob id, in path order."""
        ...


class Repo(Tree, Protocol):
    """The watched branch of the remote, with no checkout."""

    @property
    def branch(self) -> str:
        """The name of the watched branch."""
        ...

    @property
    def remote(self) -> object:
        """The remote; its `str` names it to people, with no secret in it."""
        ...

    def branches(self) -> Sequence[str]:
        """The names of the remote's branches, in order."""
        ...

    def head(self) -> CommitId | None:
        """Ask the remote and fetch what is new. None: the branch is unborn.

        A branch that no longer contains the head seen before is noticed and logged, never lost.
        """
        ...

    def history(self, tip: CommitId) -> Iterator[Commit]:
        """First parents from `tip` back. Stalled where a shallow clone ends it."""
        ...

    def export(self, commit: CommitId, paths: Iterable[str], to: Path) -> None:
        """Write the files at or below `paths` into the folder `to`, modes kept, links not."""
        ...

    def publish(
        self,
        expected: CommitId | None,
        edits: Mapping[str, bytes | None],
        message: str,
        *,
        branch: str | None = None,
    ) -> CommitId:
        """Commit `edits` (None deletes) on top of `expected` and compare-and-swap the branch.

        RaceLost when the branch is no longer at `expected`; Stalled when the server declines.
        """
        ...


Decide = Callable[["ledger_facts.Facts"], Mapping[str, object] | None]


class Ledger(Protocol):
    """The facts on `gitwf/ledger`: one immutable JSON file each, created if absent."""

    def facts(self) -> "ledger_facts.Facts":
        """Fetch and read. Stalled on a newer format, on a tip that lost what was seen before."""
        ...

    def append(self, decide: Decide, message: str) -> "ledger_facts.Facts":
        """Add the entries that `decide` returns for the facts at the tip (path -> JSON object).

        On a lost race the tip is read again and `decide` asked again; None or {} adds nothing.
        A path that exists is never written: that raises RaceLost. Returns the facts after.
        """
        ...

    def contains(self, commit: CommitId) -> bool:
        """Whether the ledger's history holds this ledger commit."""
        ...

    def beat(self, key: str) -> None:
        """Move the heartbeat ref of a claim that this process holds."""
        ...

    def heartbeat(self, key: str) -> str | None:
        """The value of the heartbeat ref now; that it changed is all that it means."""
        ...

    def end_beat(self, key: str) -> None:
        """Delete the heartbeat ref."""
        ...


@dataclass(frozen=True)
class Order:
    """One attempt of one run, as an engine takes it.

    `id` names the run for the engine: a second start of the same id attaches. `source`: folder with
    the code at the commit, kept by the caller until the run is over. `requirements`: text of a
    requirements.txt. `granted`: secret names by `file#template`. `name`: the workflow's name.
    """

    id: str
    name: str
    workflow: "resolved.Resolved"
    parameters: Mapping[str, str]
    source: Path | None = None
    requirements: str = ""
    granted: Mapping[str, frozenset[str]] = field(default_factory=dict)
    entrypoint: str | None = None


@dataclass(frozen=True)
class LogLine:
    """One line that a step wrote; `node` is the node's name."""

    node: str
    text: str


class Engine(Protocol):
    """Runs workflows."""

    @property
    def name(self) -> str:
        """`local` or `argo`: what evidence says."""
        ...

    def describe(self) -> str:
        """Where steps run and what is not kept there, in phrases that `; ` parts."""
        ...

    def start(self, order: Order) -> None:
        """Start, or attach to what runs or has run under this id. Never blocks on the run."""
        ...

    def observe(self, run: str) -> record.RunRecord | None:
        """The record as it stands, or None when the engine knows no such run."""
        ...

    def watch(self, run: str) -> Iterator[record.RunRecord]:
        """Snapshots as the run goes on; the last one is over."""
        ...

    def cancel(self, run: str, reason: str) -> None:
        """Ask the run to end; returns at once. Nothing when it is over."""
        ...

    def artifact(self, run: str, name: str, to: Path) -> Digest:
        """Copy the run's global output artifact `name` (one file) to the file `to`."""
        ...

    def logs(self, run: str, node: str | None = None) -> Iterator[LogLine]:
        """What the steps wrote so far, in order, of one node by name or of all."""
        ...

    def close(self) -> None:
        """Let go of every run; what a later start goes on from is kept."""
        ...


@dataclass(frozen=True)
class Stored:
    """An object of the store: where it is and what it is."""

    uri: str
    digest: Digest


class Store(Protocol):
    """Write-once bytes, addressed by digest."""

    def put(self, folder: str, file: Path) -> Stored:
        """Upload as `<root>/<folder>/sha256/<hex>/<file name>`; there already: a no-op."""
        ...

    def has(self, uri: str) -> bool:
        """Whether the object is there."""
        ...

    def fetch(self, uri: str, digest: Digest, to: Path) -> None:
        """Write the checked bytes to `to`, atomically. Stalled when the digest differs."""
        ...


@dataclass(frozen=True)
class Desired:
    """What a target should serve. `based_on` is the revision read before the branch was read.

    `viewer` is a folder with the viewer's files at the commit and `viewer_id` their tree id.
    `manifests`: what the repository's manifests say, rendered; only Kubernetes reads them.
    """

    environment: str
    release: CommitId
    model: str
    version: int
    uri: str
    digest: Digest
    viewer: Path | None
    viewer_id: str
    based_on: str
    env: Mapping[str, str] = field(default_factory=dict)
    manifests: tuple[Mapping[str, Any], ...] = ()

    @property
    def tag(self) -> str:
        """The value of MODEL."""
        return f"{self.model}-v{self.version}"


class Target(Protocol):
    """Where an environment's viewer runs."""

    def observe(self) -> Serving | None:
        """What is served, or None when nothing was ever applied."""
        ...

    def apply(self, desired: Desired) -> None:
        """Begin the rollout. RaceLost when the target's revision is not `desired.based_on`."""
        ...

    def progress(self, desired: Desired) -> Rollout:
        """How the rollout of exactly this release stands; called until it is not progressing."""
        ...
