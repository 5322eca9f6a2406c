"""Which of the cluster's own tests belong to this machine."""

from tests.cluster import processes, provider


def _stands_otherwise():
    """Whether the cluster is one that is given, or kind's."""
    try:
        return provider.chosen() != "processes"
    except provider.NoCluster:
        return False


# How a cluster of processes starts and ends is no concern where another stands in for it.
collect_ignore = ["test_lifecycle.py"] if processes.lacking() and _stands_otherwise() else []
