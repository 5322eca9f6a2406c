"""What a pass has read, as one value: the plan is a function of this and of nothing else.

The order of reading matters and is the caller's duty: each target's state first, then the branch's
head from the remote, then the ledger, then everything else at exactly that head. Views of the past
(`request`, `stretches`, `trail`, `named`) are functions because most passes never ask for them;
whoever builds the value makes them pure, and may answer from a cache. `gitwf.service` and the
exploring test build the same value. Read next: `gitwf.delivery.plan`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gitwf.delivery import entry, keys
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import pipeline as pipelines
from gitwf.delivery import project as projects
from gitwf.delivery import release as releases
from gitwf.delivery import serving as targets
from gitwf.delivery import trail as trails
from gitwf.errors import Diagnostic
from gitwf.values import CommitId, Instant
from gitwf.workflow import record as records


@dataclass(frozen=True)
class Request:
    """The oldest commit of HEAD's unbroken stretch with one key; `time` is its committer's.

    `depth` is the number of first-parent steps from HEAD.
    """

    commit: CommitId
    depth: int
    time: Instant


@dataclass(frozen=True)
class Stretch:
    """First-parent commits in a row with one key, the occasion apart: its base and its request."""

    base: str
    request: Request


@dataclass(frozen=True)
class EnvironmentView:
    """One environment of one model at HEAD, and what its target serves.

    `deploy` is None when the pipeline no longer deploys there; `known` whether HEAD's first-parent
    history contains `serving.release`. `source` holds the release file's bytes (None: no file) and
    `release` what they say. `viewer` is the id of everything else that is rolled out with a
    release (viewer tree, manifests, `deploy[]`). `rollout`: how the release applied now goes, asked
    for when `serving.release` is HEAD's release commit; None: not asked yet. `applied`: when this
    process applied it.
    """

    name: str
    deploy: pipelines.Deploy | None
    source: bytes | None = None
    release: releases.Release | None = None
    trail: Callable[[], trails.Trail] = trails.Trail
    serving: targets.Serving | None = None
    rollout: targets.Rollout | None = None
    applied: Instant | None = None
    viewer: str = ""
    known: bool = True
    unreachable: str = ""

    @property
    def version(self) -> int | None:
        """The version that the release file at HEAD names."""
        return self.release.spec.version if self.release is not None else None


@dataclass(frozen=True)
class ModelView:
    """One pipeline at HEAD. `problems`: its documents are wrong, and nothing is done for it.

    `parts`: the run key's parts at HEAD. `stretches`: HEAD's, whose request is `request`, and those
    before it, newest first, read no further than asked for. `due`: the latest instant at which its
    schedule was due after the request's time and up to now. `named`: the highest version that any
    release file of this model named at any commit of the branch. `rejected_source`: bytes of
    rejected.yaml.
    """

    name: str
    file: str
    pipeline: pipelines.Pipeline
    parts: keys.KeyParts
    request: Callable[[], Request]
    environments: tuple[EnvironmentView, ...] = ()
    stretches: Callable[[], Iterable[Stretch]] = tuple
    due: Callable[[], Instant | None] = lambda: None
    named: Callable[[], int] = lambda: 0
    rejected: frozenset[int] = frozenset()
    rejected_source: bytes | None = None
    problems: tuple[Diagnostic, ...] = ()

    def environment(self, name: str) -> EnvironmentView | None:
        """One environment, or None."""
        return next((one for one in self.environments if one.name == name), None)


@dataclass(frozen=True)
class Held:
    """A run that this process started or attached to, under which claim and by which pipeline.

    `pipeline` and `file` are as they were when it was started. `record` is None until the engine
    has shown one; `cancelled`: it was asked to end.
    """

    claim: entry.Claim
    pipeline: pipelines.Pipeline
    file: str
    record: records.RunRecord | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class Observed:
    """Everything that a pass has read.

    `me`: this process. `nonce`: fresh for this pass. `lease`: seconds after which others may take
    over a claim of this process. `gone`: nonces of claims whose owner is known or believed dead ->
    why. `runs`: the runs in hand, by the engine's id. `finished`: run ids whose end this process
    has recorded; it never starts them again. `lost_stamps`: ledger commits that
    release files at HEAD name and the ledger does not contain. `reread`: HEAD was read from the
    remote a second time, because a target's release was not known on it. `left`: environments with
    a release file of a model whose pipeline is no longer at HEAD, by model. `strays`: viewers of
    this machine that HEAD does not name, by model and environment -> their address. `settled`: the
    models of which the last plan said nothing, and of which nothing has changed since.
    """

    head: CommitId
    project: projects.Project
    models: Mapping[str, ModelView]
    facts: ledger_facts.Facts
    me: entry.Owner
    nonce: str
    lease: float = 60.0
    gone: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Held] = field(default_factory=dict)
    finished: frozenset[str] = frozenset()
    lost_stamps: frozenset[str] = frozenset()
    reread: bool = False
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strays: Mapping[tuple[str, str], str] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
