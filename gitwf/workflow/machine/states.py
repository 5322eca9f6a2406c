"""The phases of a node as a table: which may follow which.

A phase only ever goes forward. A node that is fulfilled stays as it is, for good: that is what lets
every reader keep what it has seen.
"""

from gitwf.workflow import record

_P = record.Phase
_ENDS = (_P.SUCCEEDED, _P.SKIPPED, _P.FAILED, _P.ERROR, _P.OMITTED)

TABLE: dict[record.Phase, frozenset[record.Phase]] = {
    _P.PENDING: frozenset({_P.RUNNING, *_ENDS}),
    _P.RUNNING: frozenset({_P.SUCCEEDED, _P.FAILED, _P.ERROR, _P.SKIPPED}),
    **{end: frozenset() for end in _ENDS},
}


def check(before: record.Phase, after: record.Phase) -> None:
    """Raise ValueError where no node may go from `before` to `after`."""
    if after is not before and after not in TABLE[before]:
        raise ValueError(f"no node goes from {before} to {after}")
