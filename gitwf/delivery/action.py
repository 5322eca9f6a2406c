"""What the plan can ask for. Each action is a frozen value with its reason in words.

Three kinds write. A `Write` adds to the ledger: `decide` is asked again with the facts at the tip
each time the push loses, and answers None when the tip makes the entry wrong or needless.
A `Publish` is one commit on the branch, put on exactly the head it was planned from; who loses
plans anew. The rest start or ask for something outside Git, or say why nothing is done. The service
does the first action of a model that changes anything, then observes again.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from gitwf.delivery import entry
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import pipeline as pipelines
from gitwf.values import CommitId, Digest, Instant

Decide: TypeAlias = Callable[[ledger_facts.Facts], entry.Additions | None]


@dataclass(frozen=True)
class Claim:
    """Claim a key nobody claimed; the tip allots the version. `claim.version` is a guess."""

    model: str
    reason: str
    claim: entry.Claim
    at_least: int
    message: str
    decide: Decide = field(compare=False, repr=False)
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reclaim:
    """Claim the next attempt of a key: after an attempt that ended, or from an owner that died."""

    model: str
    reason: str
    claim: entry.Claim
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class Run:
    """Start the run of a claim that this process holds, or attach to it.

    `run` is the engine's id for it. The run keeps this `pipeline`, read at `file`, to its end.
    """

    model: str
    reason: str
    claim: entry.Claim
    run: str
    pipeline: pipelines.Pipeline
    file: str


@dataclass(frozen=True)
class Cancel:
    """Ask the engine to end a run whose key is no longer wanted."""

    model: str
    reason: str
    claim: entry.Claim
    run: str


@dataclass(frozen=True)
class End:
    """Record that an attempt gave no result, or give a claim up."""

    model: str
    reason: str
    ended: entry.Ended
    run: str
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class Accept:
    """Upload the model of a run that succeeded, then record the result.

    `draft` has everything but digests and addresses; `artifact` is the global output artifact that
    holds the model, "" for a pipeline without one. `decide(result)` gives the ledger's decision.
    """

    model: str
    reason: str
    claim: entry.Claim
    run: str
    artifact: str
    draft: entry.Result
    message: str
    decide: Callable[[entry.Result], Decide] = field(compare=False, repr=False)

    def result(
        self,
        uri: str | None,
        digest: Digest | None,
        record_uri: str | None = None,
        record: Digest | None = None,
    ) -> entry.Result:
        """Fill in what only the store can tell."""
        return replace(self.draft, uri=uri, digest=digest, record_uri=record_uri, record=record)


@dataclass(frozen=True)
class Judge:
    """Write down what the gates say of a version in an environment."""

    model: str
    environment: str
    reason: str
    verdict: entry.Verdict
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class Mirror:
    """Copy release commits into the ledger."""

    model: str
    environment: str
    reason: str
    releases: tuple[entry.Released, ...]
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class Publish:
    """One commit on the branch: a promotion, or the rollback of a failed rollout.

    `edits`: path -> bytes. `expected`: the head it was planned from and must be put on.
    """

    model: str
    environment: str
    reason: str
    kind: entry.Kind
    version: int | None
    expected: CommitId
    edits: Mapping[str, bytes]
    message: str


@dataclass(frozen=True)
class RollOut:
    """Apply a release to a target whose revision is still `based_on` ("": never applied to)."""

    model: str
    environment: str
    reason: str
    release: CommitId
    version: int
    uri: str
    digest: Digest
    viewer: str
    based_on: str


@dataclass(frozen=True)
class Watch:
    """Ask how the rollout of a release goes until it is over; its end is in the next `Observed`."""

    model: str
    environment: str
    reason: str
    release: CommitId
    version: int
    uri: str
    digest: Digest
    viewer: str
    based_on: str


@dataclass(frozen=True)
class RecordRollout:
    """Write down how a rollout ended."""

    model: str
    environment: str
    reason: str
    rollout: entry.RolledOut
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class RecordDrift:
    """Write down what others made of a target, before it is healed."""

    model: str
    environment: str
    reason: str
    drift: entry.Drifted
    message: str
    decide: Decide = field(compare=False, repr=False)


@dataclass(frozen=True)
class Reread:
    """Read the head from the remote again before anything is applied to this target."""

    model: str
    environment: str
    reason: str


class State(enum.StrEnum):
    """Why nothing is done."""

    SYNCED = "synced"
    WAITING = "waiting"
    HELD = "held"
    FAILED = "failed"
    STALLED = "stalled"


@dataclass(frozen=True)
class Report:
    """Nothing is done, and this is why. `until`: when looking again is worth while."""

    model: str
    environment: str
    state: State
    reason: str
    hint: str = ""
    until: Instant | None = None

    def __str__(self) -> str:
        where = " in ".join(filter(None, [self.model, self.environment]))
        hint = f" (try: {self.hint})" if self.hint else ""
        return f"{where or 'gitwf'}: {self.state}: {self.reason}{hint}"


Write: TypeAlias = Claim | Reclaim | End | Judge | Mirror | RecordRollout | RecordDrift
Action: TypeAlias = Write | Run | Cancel | Accept | Publish | RollOut | Watch | Reread | Report


@dataclass(frozen=True)
class Plan:
    """What to do, in order, model by model."""

    actions: tuple[Action, ...] = ()

    @property
    def pending(self) -> tuple[Action, ...]:
        """The actions that change something."""
        return tuple(one for one in self.actions if not isinstance(one, Report))

    def of(self, model: str) -> tuple[Action, ...]:
        """The actions of one model, in order."""
        return tuple(one for one in self.actions if one.model == model)
