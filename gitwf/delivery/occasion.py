"""Which run HEAD wants, and which finished run stands for HEAD.

A commit wants one run of its key. A schedule or a retrain wants another run of the same inputs:
the key then has an occasion. Of several occasions since the request began, the latest counts, and
what was missed in between is not made up for. A run that is under way is let end before the next
occasion of the same inputs begins, so that a schedule that is shorter than its run starves nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed
from gitwf.values import Instant, RunKey


@dataclass(frozen=True)
class Wish:
    """The run that HEAD wants: its key, its occasion, and why in words ("" for the commit)."""

    key: RunKey
    occasion: str | None = None
    why: str = ""


def wanted(view: observed.ModelView, facts: ledger_facts.Facts) -> Wish:
    """Say which run HEAD wants."""
    under_way = _under_way(view, facts)
    if under_way is not None:
        return under_way
    latest = max(_due(view, facts), key=lambda row: row[0], default=None)
    if latest is None:
        return Wish(view.parts.key())
    return Wish(view.parts.key(latest[1]), latest[1], latest[2])


def standing(view: observed.ModelView, facts: ledger_facts.Facts) -> int | None:
    """The newest version with a result that was made of HEAD's inputs for an occasion of HEAD's."""
    for number in facts.numbers(view.name):
        key = facts.key_of(view.name, number)
        if key is not None and facts.has_result(view.name, key) and _is_of_head(view, facts, key):
            return number
    return None


def _due(view: observed.ModelView, facts: ledger_facts.Facts) -> Iterator[tuple[Instant, str, str]]:
    """Every occasion since the request began that may be the latest: (when, occasion, why)."""
    due = view.due()
    if due is not None:
        yield due, due.rfc3339(), f"its schedule was due at {due.rfc3339()}"
    retrains = facts.retrains(view.name)
    if retrains:
        request = view.request().commit
        for wish in retrains:
            if wish.request == request:
                yield wish.at, wish.id, f"{wish.who} asked to retrain it: {wish.why}"


def _under_way(view: observed.ModelView, facts: ledger_facts.Facts) -> Wish | None:
    for claim in facts.open_claims(view.name):
        if _is_of_head(view, facts, claim.key):
            occasion = facts.occasion(view.name, claim.key)[1]
            return Wish(claim.key, occasion, "it is under way")
    return None


def _is_of_head(view: observed.ModelView, facts: ledger_facts.Facts, key: RunKey) -> bool:
    """Whether a key was made of HEAD's inputs for no occasion or one since HEAD's request."""
    if key == view.parts.key():
        return True
    base, occasion = facts.occasion(view.name, key)
    if base != view.parts.base or occasion is None:
        return False
    request = view.request()
    for wish in facts.retrains(view.name):
        if wish.id == occasion:
            return wish.request == request.commit
    try:
        return Instant.parse(occasion) > request.time
    except ValueError:
        return False
