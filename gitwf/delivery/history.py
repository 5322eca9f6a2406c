"""What was released when, from what, by whom: the rows that `history` and `show` print.

From the ledger and the release files' trails alone, offline. Every number that was ever allotted
has a row, one that gave no model too: an auditor asks what ran, not what went well. A version's
state in an environment is the first of these that is true: served, rolling out, failed, rejected,
held, withdrawn, failed gate, replaced, never released. Read next: `trail`, `facts`.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitwf.delivery import entry, release
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import trail as trails
from gitwf.values import CommitId, Instant, RunKey


class State(enum.StrEnum):
    """What became of a version in an environment."""

    SERVED = "served"
    RELEASED = "released"
    FAILED = "failed rollout"
    REJECTED = "rejected"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    GATED = "failed gate"
    REPLACED = "replaced"
    UNRELEASED = "not released"


@dataclass(frozen=True)
class Row:
    """One time that an environment named a version."""

    model: str
    environment: str
    version: int | None
    commit: CommitId
    kind: entry.Kind
    who: str
    when: Instant | None
    served: Instant | None
    state: str
    source: CommitId | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VersionRow:
    """One version and everything known about it. `run`: succeeded, running, or how it ended.

    `occasion`: why it was trained with nothing changed in Git; "" for a commit.
    """

    model: str
    version: int
    key: RunKey
    run: str
    reason: str
    claim: entry.Claim | None
    result: entry.Result | None
    states: Mapping[str, State]
    verdicts: tuple[entry.Verdict, ...] = ()
    releases: tuple[entry.Released, ...] = ()
    rollouts: tuple[entry.RolledOut, ...] = ()
    occasion: str = ""


@dataclass(frozen=True)
class Place:
    """One environment as its file at HEAD and its trail tell it."""

    name: str
    trail: trails.Trail
    hold: release.Hold = field(default_factory=release.Hold)


def releases(model: str, places: Mapping[str, Place], facts: ledger_facts.Facts) -> tuple[Row, ...]:
    """Every release of a model that HEAD's history tells of, newest first."""
    dated = [
        (change.depth, _row(model, place, change, facts))
        for place in places.values()
        for change in place.trail.changes
    ]
    return tuple(row for _, row in sorted(dated, key=lambda one: (one[0], one[1].environment)))


def _row(model: str, place: Place, change: trails.Change, facts: ledger_facts.Facts) -> Row:
    version, state = change.version, "nothing"
    result = rollout = None
    if version is not None:
        result = facts.result_of(model, version)
        rollout = facts.rollout(model, place.name, change.commit, version)
        state = _outcome(rollout, current=change is place.trail.last)
    mirror = facts.released(model, place.name, change.commit)
    return Row(
        model,
        place.name,
        version,
        change.commit,
        change.kind,
        change.who,
        change.time or (mirror.at if mirror is not None else None),
        rollout.finished if rollout is not None and rollout.ok else None,
        state,
        result.commit if result is not None else None,
        result.metrics if result is not None else {},
    )


def _outcome(rollout: entry.RolledOut | None, *, current: bool) -> str:
    if rollout is not None and not rollout.ok:
        return State.FAILED
    if not current:
        return State.REPLACED
    return State.RELEASED if rollout is None else State.SERVED


def versions(
    model: str,
    places: Mapping[str, Place],
    rejected: frozenset[int],
    facts: ledger_facts.Facts,
) -> tuple[VersionRow, ...]:
    """Every version of a model, newest first."""
    return tuple(version(model, number, places, rejected, facts) for number in facts.numbers(model))


def version(
    model: str,
    number: int,
    places: Mapping[str, Place],
    rejected: frozenset[int],
    facts: ledger_facts.Facts,
) -> VersionRow:
    """Tell everything about one version. KeyError: it was never allotted."""
    key = facts.key_of(model, number)
    if key is None:
        raise KeyError(number)
    run, reason = _run(model, key, facts)
    return VersionRow(
        model,
        number,
        key,
        run,
        reason,
        next(iter(facts.claims(model, key)), None),
        facts.result(model, key),
        {place.name: state(model, number, place, rejected, facts) for place in places.values()},
        tuple(one for name in places for one in facts.verdicts(model, name, number)),
        tuple(
            one for name in places for one in facts.releases(model, name) if one.version == number
        ),
        tuple(
            one for name in places for one in facts.rollouts(model, name) if one.version == number
        ),
        _occasion(model, key, facts),
    )


def _occasion(model: str, key: RunKey, facts: ledger_facts.Facts) -> str:
    occasion = facts.occasion(model, key)[1]
    if occasion is None:
        return ""
    wish = next((one for one in facts.retrains(model) if one.id == occasion), None)
    return f"{wish.who}: {wish.why}" if wish is not None else f"its schedule, due at {occasion}"


def _run(model: str, key: RunKey, facts: ledger_facts.Facts) -> tuple[str, str]:
    if facts.has_result(model, key):
        return "succeeded", ""
    ended, latest = facts.ended(model, key), facts.latest_claim(model, key)
    if latest is not None and facts.end_of(latest) is None:
        return "running", f"{latest.owner} holds the claim"
    return (ended[-1].outcome, ended[-1].reason) if ended else ("unknown", "")


def state(
    model: str,
    number: int,
    place: Place,
    rejected: frozenset[int],
    facts: ledger_facts.Facts,
) -> State:
    """What became of a version in one environment."""
    last = place.trail.last
    rollouts = [one for one in facts.rollouts(model, place.name) if one.version == number]
    if last is not None and last.version == number:
        ok = any(one.ok and one.commit == last.commit for one in rollouts)
        failed = any(not one.ok and one.commit == last.commit for one in rollouts)
        return State.SERVED if ok else State.FAILED if failed else State.RELEASED
    verdicts = facts.verdicts(model, place.name, number)
    was_named = any(change.version == number for change in place.trail.changes)
    found = {
        State.FAILED: any(not one.ok and not one.later for one in rollouts),
        State.REJECTED: number in rejected,
        State.HELD: number in place.hold.versions,
        State.WITHDRAWN: place.trail.withdrawn(number),
        State.REPLACED: was_named,
        State.GATED: bool(verdicts) and not verdicts[-1].passed,
    }
    return next((name for name, true in found.items() if true), State.UNRELEASED)


def places(
    environments: Mapping[str, tuple[trails.Trail, release.Release | None]],
) -> dict[str, Place]:
    """Build the places from each environment's trail and its release file at HEAD."""
    return {
        name: Place(name, trail, found.spec.hold if found is not None else release.Hold())
        for name, (trail, found) in environments.items()
    }
