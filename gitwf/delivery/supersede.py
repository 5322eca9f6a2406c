"""Whether a run that HEAD no longer wants goes on, and when what it made is released after all.

A newer key cancels an older estimate, or lets it end when the pipeline says `finish`; it never
touches an apply. After `supersede.max` cancellations in a row one run is let finish, and what it
made may be released while HEAD's own run has no result yet, so that a stream of pushes starves no
release. It never goes back: its request must be newer than that of anything released before. See
docs/protocol.md, rules 7 and 15, and docs/decisions/0003-released-although-overtaken.md.
"""

from dataclasses import dataclass

from gitwf.delivery import entry, keys, observed, pipeline, project
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import trail as trails
from gitwf.values import CommitId, RunKey


@dataclass(frozen=True)
class Overtaken:
    """A version whose run was let finish although newer commits came, and its own request."""

    version: int
    request: observed.Request


def goes_on(
    claim: entry.Claim,
    facts: ledger_facts.Facts,
    document: pipeline.Pipeline,
    settings: project.Project,
) -> bool:
    """Whether the run under `claim`, which is not wanted any more, is let finish."""
    if document.spec.supersede == "finish":
        return True
    return in_a_row(facts, claim.model, claim.version) >= settings.spec.supersede.max


def in_a_row(facts: ledger_facts.Facts, model: str, version: int) -> int:
    """How many runs of the model before this one were superseded since one was let finish."""
    count = 0
    for number in facts.numbers(model):
        key = facts.key_of(model, number)
        if number >= version or key is None:
            continue
        ended = facts.ended(model, key)
        if facts.has_result(model, key) or not ended or ended[-1].outcome != "superseded":
            break
        count += 1
    return count


def overtaken(
    view: observed.ModelView,
    environment: observed.EnvironmentView,
    facts: ledger_facts.Facts,
    settings: project.Project,
) -> Overtaken | None:
    """Find the version to release in place of HEAD's, which has no result yet; or None.

    It was let finish, for a commit, by rule 15; its request is newer than anything released; and
    the code never went back past it.
    """
    if view.pipeline.spec.supersede == "finish":
        return None
    made = _let_finish(view.name, facts, settings)
    if not made:
        return None
    found: Overtaken | None = None
    newer: set[str] = set()
    for stretch in _since_released(view, environment.trail()):
        if found is not None and stretch.base in newer:
            return None
        version = made.get(keys.of(stretch.base))
        if found is None and version is not None and newer:
            found = Overtaken(version, stretch.request)
        elif found is None:
            newer.add(stretch.base)
    return found


def _let_finish(
    model: str, facts: ledger_facts.Facts, settings: project.Project
) -> dict[RunKey, int]:
    """The versions by key that were made after as many cancellations in a row as may be."""
    return {
        key: number
        for number, key in facts.versions(model).items()
        if facts.has_result(model, key)
        and facts.occasion(model, key)[1] is None
        and in_a_row(facts, model, number) >= settings.spec.supersede.max
    }


def _since_released(view: observed.ModelView, trail: trails.Trail) -> list[observed.Stretch]:
    """The stretches that began after every release and its request, newest first.

    What a person or a rollback named counts as of its commit: who made it knew all before it.
    """
    promoted = {change.request for change in trail.changes if change.kind == "promote"}
    walked: list[observed.Stretch] = []
    for stretch in view.stretches():
        walked.append(stretch)
        if stretch.request.commit in promoted:
            break
    depths = {stretch.request.commit: stretch.request.depth for stretch in walked}
    bound = min(
        (
            # A request that is no longer on the branch is as new as its release, to be safe.
            depths.get(CommitId(change.request), change.depth)
            if change.kind == "promote"
            else change.depth
            for change in trail.changes
        ),
        default=None,
    )
    return [one for one in walked if bound is None or one.request.depth < bound]
