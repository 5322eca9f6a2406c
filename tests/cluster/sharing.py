"""One cluster for all who test on a machine at a time: the first starts it, the last ends it.

Who uses it is noted by process id in the cluster's folder. For as long as it is noted nobody else
takes the cluster down, and only then may it look at the cluster's processes and logs: for all
others they may be about to go, on purpose. A cluster that a person started stays when the tests are
done.
"""

import contextlib
import os
import pathlib

import filelock

from tests.cluster import cache, kind, layout, processes, provider

LOCK_SECONDS = 7200  # the first one may have to build everything


@contextlib.contextmanager
def shared():
    """The cluster, for as long as the block runs. NoCluster: there is none to be had."""
    name = provider.chosen()
    if name == "given":
        yield provider.standing(name)
        return
    folder = (kind.place() if name == "kind" else layout.chosen()).folder
    mine = _user(folder)
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


def ailing():
    """What is wrong with the cluster that this process uses, as far as it is ours to know.

    "" for nothing, and for one that this process does not use (any more).
    """
    place = layout.chosen()
    return processes.ailing(place) if _user(place.folder).exists() else ""


def keep():
    """Let the standing cluster stay when the tests are done: a person asked for it."""
    for place in (kind.place(), layout.chosen()):
        (place.folder / "temporary").unlink(missing_ok=True)


def lock():
    """Held while the cluster is started or ended."""
    return filelock.FileLock(cache.folder() / "cluster.lock", timeout=LOCK_SECONDS)


def _user(folder):
    """The file that notes this process as one who uses the cluster."""
    return folder / "users" / str(os.getpid())


def _in_use(folder):
    users = list((folder / "users").glob("*"))
    return any(pathlib.Path("/proc", user.name).exists() for user in users)


def _nothing(line):
    """Tests are quiet."""
