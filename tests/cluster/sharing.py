"""One cluster for all who test at the same time on a machine: started by the first, ended by the last.

Who uses it is noted by process id in the cluster's folder. A cluster that a person started stays
when the tests are done.
"""

import contextlib
import os
import pathlib

import filelock

from tests.cluster import cache, kind, layout, provider

LOCK_SECONDS = 1800  # the first one may have to build everything


@contextlib.contextmanager
def shared():
    """The cluster, for as long as the block runs. NoCluster: there is none to be had."""
    name = provider.chosen()
    if name == "given":
        yield provider.standing(name)
        return
    folder = (kind.place() if name == "kind" else layout.chosen()).folder
    mine = folder / "users" / str(os.getpid())
    with lock():
        there = provider.stands(name)
        cluster = provider.up(told=_nothing)
        mine.parent.mkdir(exist_ok=True)
        mine.touch()
        if not there:
            (folder / "temporary").touch()
    try:
        yield cluster
    finally:
        with lock():
            mine.unlink(missing_ok=True)
            if (folder / "temporary").exists() and not _in_use(folder):
                provider.down()


def keep():
    """Let the standing cluster stay when the tests are done: a person asked for it."""
    for place in (kind.place(), layout.chosen()):
        (place.folder / "temporary").unlink(missing_ok=True)


def lock():
    """Held while the cluster is started or ended."""
    return filelock.FileLock(cache.folder() / "cluster.lock", timeout=LOCK_SECONDS)


def _in_use(folder):
    users = list((folder / "users").glob("*"))
    return any(pathlib.Path("/proc", user.name).exists() for user in users)


def _nothing(line):
    """Tests are quiet."""
