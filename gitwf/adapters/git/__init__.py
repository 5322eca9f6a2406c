"""Git at the edge: the watched branch, the ledger and the heartbeats, on one remote.

    repo.py     Repo: the watched branch, read without a checkout, published by compare-and-swap
    ledger.py   Ledger: immutable facts on their own branch, created if absent
    remote.py   Remote: one remote as both see it; ask, fetch, swap, move
    mirror.py   the cache of the remote's objects: deleted or damaged, it is built again
    local.py    moving a ref of a repository that is a folder on this machine
    network.py  moving a ref through a Git server, and credentials for it

The one idea: a ref is moved only from the object id that its writer planned from, never because
the move happens to be a fast-forward. This package is the only one that knows pygit2.
"""
