"""Whether a run that HEAD no longer wants goes on.

A newer key cancels an older estimate, or lets it end when the pipeline says `finish`; it never
touches an apply. After `supersede.max` cancellations in a row one run is let finish, so that a
stream of pushes still gives a model now and then: its result is kept for the day its code comes
back. See docs/protocol.md, rule 15.
"""

from gitwf.delivery import entry, pipeline, project
from gitwf.delivery import facts as ledger_facts


def goes_on(
    claim: entry.Claim,
    facts: ledger_facts.Facts,
    document: pipeline.Pipeline,
    settings: project.Project,
) -> bool:
    """Whether the run under `claim`, which is not wanted any more, is let finish."""
    if document.spec.supersede == "finish":
        return True
    return in_a_row(facts, claim) >= settings.spec.supersede.max


def in_a_row(facts: ledger_facts.Facts, claim: entry.Claim) -> int:
    """How many runs of the model before this one were superseded since one was let finish."""
    count = 0
    for number in facts.numbers(claim.model):
        key = facts.key_of(claim.model, number)
        if number >= claim.version or key is None:
            continue
        ended = facts.ended(claim.model, key)
        if facts.has_result(claim.model, key) or not ended or ended[-1].outcome != "superseded":
            break
        count += 1
    return count
