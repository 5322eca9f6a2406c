"""The one exception of a run that is under way: a node cannot go on.

Its text is the message that the node ends with, in Argo's words. Whoever owns the node catches it
and turns it into a phase; it never leaves `gitwf.workflow.machine`, and documents that are wrong
before anything runs are `gitwf.errors.Rejected` instead.
"""


class NodeFailure(Exception):
    """What ends a node in Error; `str()` is the node's message."""


class Unresolved(NodeFailure):
    """A tag that had to be resolved was not."""


def no_int(text: int | str) -> NodeFailure:
    """Say that what a tag may have given is no whole number (Argo: util/intstr)."""
    return NodeFailure(f"value '{text}' cannot be resolved to an int")
