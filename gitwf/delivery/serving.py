"""What a target serves and how a rollout goes: the values the plan reads.

A target is wherever an environment's viewer runs. `revision` is the target's own version for
compare-and-swap: it is read before the branch is, so that an older release can never be applied
over a newer one. `gitwf.ports.Target` speaks in these values; the rules are in
`gitwf.delivery.rollout`.
"""

import enum
from dataclasses import dataclass

from gitwf.values import CommitId, Digest


@dataclass(frozen=True)
class Serving:
    """What a target serves now. `revision` is its version for compare-and-swap.

    `release`: the release commit that was applied last; `model`: as in MODEL, `ad-effect-v42`;
    `viewer`: the tree id of the viewer's files; `ready`: a viewer with this model answers. `at`:
    where, when that is no longer the place that settings name; "" when it is. `url`: where people
    open it; "" when the target does not know.
    """

    revision: str
    release: CommitId | None = None
    model: str | None = None
    digest: Digest | None = None
    viewer: str | None = None
    ready: bool = False
    at: str = ""
    url: str = ""


class RolloutState(enum.StrEnum):
    """Where a rollout stands."""

    PROGRESSING = "progressing"
    COMPLETE = "complete"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Drift:
    """A field that is not as it was rolled out: who made it so, and the value it has now."""

    field: str
    manager: str
    value: str

    def __str__(self) -> str:
        by = f" by {self.manager}" if self.manager else ""
        return f"{self.field} is {self.value!r}{by}"


@dataclass(frozen=True)
class Rollout:
    """A rollout as it stands. `reason` is in words; `transient` failures reject nothing.

    `drift`: where a complete one no longer is what was rolled out.
    """

    state: RolloutState
    reason: str = ""
    transient: bool = False
    url: str = ""
    drift: tuple[Drift, ...] = ()
