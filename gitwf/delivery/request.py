"""The requests of a model: since when HEAD has wanted what it wants, and what was wanted before.

History falls into stretches of first-parent commits with the same key, the occasion apart. The
oldest commit of a stretch is its request: a function of history alone, so that every reconciler
finds the same one. A code revert ends the stretch and so makes a new request for an old key. See
docs/protocol.md, rule 3.
"""

from collections.abc import Iterable, Iterator

from gitwf.delivery import observed

History = Iterable[tuple[observed.Request, str]]
"""The oldest commit of each span without a change, and the base of the key; newest first."""


def stretches(history: History) -> Iterator[observed.Stretch]:
    """Give the stretches of a history, newest first, reading one span further than each goes."""
    found: observed.Stretch | None = None
    for oldest, base in history:
        if found is not None and base != found.base:
            yield found
        found = observed.Stretch(base, oldest)
    if found is not None:
        yield found


def find(history: History) -> observed.Request:
    """Find HEAD's request. ValueError: the history is empty."""
    for stretch in stretches(history):
        return stretch.request
    raise ValueError("a request needs a commit")
