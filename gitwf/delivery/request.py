"""The request of a model: since when HEAD has wanted what it wants.

It is the oldest commit of HEAD's unbroken first-parent stretch with the same key, the occasion
apart: a function of history alone, so that every reconciler finds the same one. A code revert ends
the stretch and so makes a new request for an old key. See docs/protocol.md, rule 3.
"""

from collections.abc import Iterable

from gitwf.delivery import observed
from gitwf.values import CommitId, Instant


def find(history: Iterable[tuple[CommitId, Instant, str]]) -> observed.Request:
    """Find the request in (commit, committer's time, base of the key), newest first.

    The history is read lazily and no further than the stretch goes. ValueError: it is empty.
    """
    found: observed.Request | None = None
    wanted: str | None = None
    for depth, (commit, time, base) in enumerate(history):
        if wanted is not None and base != wanted:
            break
        wanted = base
        found = observed.Request(commit, depth, time)
    if found is None:
        raise ValueError("a request needs a commit")
    return found
