"""Git at the edge: the watched branch, the ledger and the heartbeats, on one remote.

    repo.py         the watched branch, read without a checkout, published by compare-and-swap
    ledger.py       immutable facts on their own branch, created if absent; heartbeats
    remote.py       one remote, as both of them see it: ask, fetch, swap, move
    mirror.py       the cache of the remote's objects: deleted or damaged, it is built again
    local.py        moving a ref of a repository that is a folder on this machine
    network.py      moving a ref through a Git server
    last_seen.py    the remote while it cannot be reached
    objects.py      trees and commits, looked into and built without a checkout
    credentials.py, address.py, errors.py
                    who we are, where the remote is, and what libgit2 means
    checkout.py     the checkout that a person stands in

The one idea: a ref is moved only from the object id that its writer planned from, never because
the move happens to be a fast-forward. This package is the only one that knows pygit2.
"""
