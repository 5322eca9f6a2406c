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
    for number, key in _of_head(view, facts):
        if facts.result(view.name, key) is not None:
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
    for _, key in _of_head(view, facts):
        claim = facts.latest_claim(view.name, key)
        if claim is not None and facts.is_open(claim):
            occasion = facts.occasion(view.name, key)[1]
            return Wish(key, occasion, "it is under way")
    return None


def _of_head(view: observed.ModelView, facts: ledger_facts.Facts) -> Iterator[tuple[int, RunKey]]:
    """Every version made of HEAD's inputs for an occasion of HEAD's, newest first."""
    base = view.parts.base
    plain = view.parts.key()
    for number, key in facts.versions(view.name).items():
        if key == plain:
            yield number, key
            continue
        made_of, occasion = facts.occasion(view.name, key)
        if made_of == base and occasion is not None and _is_of_head(view, facts, occasion):
            yield number, key


def _is_of_head(view: observed.ModelView, facts: ledger_facts.Facts, occasion: str) -> bool:
    """Whether an occasion came after HEAD's request began: a retrain for it, a later instant."""
    request = view.request()
    for wish in facts.retrains(view.name):
        if wish.id == occasion:
            return wish.request == request.commit
    try:
        return Instant.parse(occasion) > request.time
    except ValueError:
        return False
