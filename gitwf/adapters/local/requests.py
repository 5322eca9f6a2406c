"""What people ask of a run, from any process: one small file a wish, in the run's folder.

A wish is an event without its time, written whole and durably before `put` returns. Whoever drives
the run looks here, gives each wish its time, writes it into the journal, and only then removes the
file; the journal keeps the wish's name, so that one is never taken twice, whoever dies when. A run
that nobody drives keeps its wishes until somebody does.
"""

import dataclasses
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from gitwf.adapters import atomic
from gitwf.adapters.local import journal
from gitwf.errors import Stalled
from gitwf.values import Instant
from gitwf.workflow.machine import messages

Wish = messages.Shutdown | messages.Resume | messages.GiveUp | messages.Retry
_SUFFIX = ".json"


def put(folder: Path, wish: Wish) -> None:
    """Leave a wish for whoever drives the run. Its time and its name count for nothing."""
    folder.mkdir(exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    with atomic.replacing(folder / f"{name}{_SUFFIX}", durable=True) as file:
        file.write(json.dumps(journal.encode(wish)).encode())
    atomic.sync(folder)


def names(folder: Path) -> list[str]:
    """The names of the wishes that are there, oldest first."""
    return sorted(path.stem for path in folder.glob(f"*{_SUFFIX}"))


def take(folder: Path, now: Instant) -> Iterator[Wish]:
    """Give every wish that is there as an event of `now`, named. Stalled on a damaged one."""
    for name in names(folder):
        path = folder / f"{name}{_SUFFIX}"
        try:
            told = json.loads(path.read_bytes())
            wish = journal.decode(told | {"at": now.microseconds})
        except FileNotFoundError:
            continue
        except (ValueError, KeyError, TypeError) as error:
            raise Stalled(f"{path} cannot be read: {error!r}", hint="remove it") from error
        if isinstance(wish, Wish):
            yield dataclasses.replace(wish, request=name)


def remove(folder: Path, name: str) -> None:
    """Remove a wish that is durably in the journal."""
    (folder / f"{name}{_SUFFIX}").unlink(missing_ok=True)
