"""What runs leave for one another under the state folder: remembered outputs, and locks.

A memoized template's outputs are one small file for each cache and key, replaced whole. A lock of a
whole workflow is a file that the process which drives the run holds locked, so that it comes free
however that process ends; a semaphore is as many files as it has places. Both are of this machine:
another state folder knows nothing of them.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import filelock

from gitwf.adapters import atomic
from gitwf.adapters.local import journal
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow.machine import locks, messages


class Memory:
    """The outputs that memoized templates left."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def look_up(self, wanted: messages.LookUp, now: Instant) -> messages.LookedUp:
        """Answer with what is kept and young enough. Raises Stalled on a file that is damaged."""
        file = self._file(wanted.cache, wanted.key)
        try:
            told = json.loads(file.read_bytes())
            outputs = journal.decode_outputs(told["outputs"])
            age = now.since(Instant(told["at"]))
        except FileNotFoundError:
            return messages.LookedUp(wanted.node, now)
        except (ValueError, KeyError, TypeError) as error:
            raise Stalled(f"{file} cannot be read: {error!r}", hint="remove it") from error
        if wanted.max_age is not None and age > wanted.max_age:
            return messages.LookedUp(wanted.node, now)
        return messages.LookedUp(wanted.node, now, found=True, outputs=outputs)

    def remember(self, kept: messages.Remember, now: Instant) -> None:
        """Keep outputs, in the place of older ones."""
        file = self._file(kept.cache, kept.key)
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"at": now.microseconds, "outputs": journal.encode_outputs(kept.outputs)}
        with atomic.replacing(file) as fresh:
            fresh.write(json.dumps(told).encode())

    def _file(self, cache: str, key: str) -> Path:
        return self._root / _named(cache) / f"{_named(key)}.json"


def hold(root: Path, wanted: Iterable[locks.Lock], held: contextlib.ExitStack) -> bool:
    """Take every lock until `held` is closed; False, and none is held, where one is taken."""
    root.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as taken:
        for lock in wanted:
            for place in range(lock.limit):
                one = filelock.FileLock(root / f"{_named(lock.name)}.{place}", thread_local=False)
                with contextlib.suppress(filelock.Timeout):
                    taken.enter_context(one.acquire(blocking=False))
                    break
            else:
                return False
        held.push(taken.pop_all())
    return True


def _named(name: str) -> str:
    """Give a file name for any name, one for one."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
