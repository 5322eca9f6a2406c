"""Which of the cluster's own tests belong to this machine."""

from tests.cluster import kind, processes

# How the cluster of processes starts and ends is no concern where kind stands in for it.
collect_ignore = ["test_lifecycle.py"] if processes.lacking() and kind.engine() else []
