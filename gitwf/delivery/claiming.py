"""Who trains: claims, takeovers, ends and results, each decided again at the ledger's tip.

A key is claimed by creating `claim-1` together with its version; whoever comes second finds it and
plans anew. A later claim follows an attempt that ended without a result or an owner that is gone,
and keeps the version. Only the owner of the latest claim may record a result, so that a process
that was paused or cut off cannot. See docs/protocol.md, rules 4 to 6. Read next: `training`.
"""

import dataclasses

from gitwf.delivery import action, entry
from gitwf.delivery import facts as ledger_facts
from gitwf.workflow import record


def run_id(facts: ledger_facts.Facts, claim: entry.Claim, *, shared: bool) -> str:
    """Name a claim's run for the engine, so that who may continue a run finds it by its name.

    A takeover continues the run of the claim before it when that attempt has not ended and the
    engine is `shared` by all hosts or of the same host; otherwise the run is a new one.
    """
    first = claim
    for before in reversed(facts.claims(claim.model, claim.key)):
        if before.attempt >= claim.attempt:
            continue
        same = shared or before.owner.host == first.owner.host
        if not same or facts.end_of(before) is not None:
            break
        first = before
    return f"{claim.model}-{claim.key.short}-{first.attempt}"


def claim(draft: entry.Claim, at_least: int) -> action.Decide:
    """Decide a first claim: nobody has claimed the key, and it gets the next number.

    `at_least` is the highest version that the branch ever named.
    """

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        if facts.claims(draft.model, draft.key) or facts.result(draft.model, draft.key):
            return None
        number = next_version(facts, draft.model, at_least)
        made = dataclasses.replace(draft, version=number)
        return ledger_facts.adding(facts, made, entry.Version(draft.model, number, draft.key))

    return decide


def next_version(facts: ledger_facts.Facts, model: str, at_least: int) -> int:
    """The number that the next claim of a model gets."""
    return max([at_least, *facts.numbers(model)[:1]]) + 1


def reclaim(draft: entry.Claim) -> action.Decide:
    """Decide a later claim: the attempt that it follows is still the latest, with no result."""

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        latest = facts.latest_claim(draft.model, draft.key)
        if latest is None or latest.attempt != draft.after:
            return None
        if facts.result(draft.model, draft.key) is not None:
            return None
        return ledger_facts.adding(facts, dataclasses.replace(draft, version=latest.version))

    return decide


def end(claim: entry.Claim, ended: entry.Ended) -> action.Decide:
    """Decide the end of an attempt: its claim is still the latest, and nothing came of it yet."""

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        if not holds(facts, claim):
            return None
        return ledger_facts.adding(facts, ended)

    return decide


def accept(claim: entry.Claim, result: entry.Result) -> action.Decide:
    """Decide a result: its claim is still the latest; otherwise what is recorded stands."""

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        if not holds(facts, claim):
            return None
        return ledger_facts.adding(facts, result)

    return decide


def holds(facts: ledger_facts.Facts, claim: entry.Claim) -> bool:
    """Whether this very claim is the latest of its key and still open."""
    latest = facts.latest_claim(claim.model, claim.key)
    return latest is not None and latest.nonce == claim.nonce and facts.is_open(latest)


def outcome(run: record.RunRecord) -> entry.Outcome:
    """Say whose fault a run's bad end was: the engine's and the machine's are tried again."""
    return "transient" if run.fault else "failed"
