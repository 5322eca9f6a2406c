"""Putting what a step needs exactly where it looks for it, where no view hides the machine's files.

A path where something else is already is never touched. Containers of one set share volumes: what
is in place for one of them is there for the others, and goes when the last is over. Whatever is put
in place is first written to the step's `placed` file, so that what a killed gitwf left is known to
be ours.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from gitwf.adapters.local import box, copying, environment

_PLACED = "placed"


class Places:
    """What is in place for the steps of one run. Used by one thread."""

    def __init__(self) -> None:
        self._users: dict[tuple[str, Path], int] = {}

    def put(self, given: box.Box, work: Path) -> None:
        """Put each mount at its path. Unavailable where something else is there already."""
        if not given.mounts and not given.outputs:
            return
        own = own_outputs(given)
        new = [mount for mount in given.mounts if not self._users.get(_key(mount))]
        for path in (*(mount.path for mount in new), *own):
            if os.path.lexists(path):
                raise environment.Unavailable(
                    f"{path} exists on this machine, where nothing hides it"
                )
        paths = [*(mount.path for mount in given.mounts), *own]
        (work / _PLACED).write_text(json.dumps(paths), "utf-8")
        for mount in sorted(new, key=lambda mount: mount.path):
            _put(mount)
        for mount in given.mounts:
            self._users[_key(mount)] = self._users.get(_key(mount), 0) + 1

    def take_away(self, given: box.Box) -> None:
        """Remove what nobody else uses, and the outputs, which are copied by now."""
        if not given.mounts and not given.outputs:
            return
        idle = []
        for mount in given.mounts:
            self._users[_key(mount)] = self._users.get(_key(mount), 1) - 1
            if not self._users[_key(mount)]:
                del self._users[_key(mount)]
                idle.append(mount.path)
        remove([*own_outputs(given), *idle])


def _key(mount: box.Mount) -> tuple[str, Path]:
    return mount.path, mount.source


def _put(mount: box.Mount) -> None:
    target = Path(mount.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if mount.kind in (box.Kind.SHARED, box.Kind.READ):
        target.symlink_to(mount.source)
    elif mount.kind is box.Kind.LAYER or not mount.source.is_dir():
        parent = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            copying.copy(str(mount.source), parent, target.name)
        finally:
            os.close(parent)
    else:
        shutil.move(mount.source, target)


def own_outputs(given: box.Box) -> list[str]:
    """The outputs that lie in no mount: what lies in a volume stays there for the next step."""
    places = [mount.path for mount in given.mounts]
    return [
        path for path in given.outputs if not any(box.is_below(path, place) for place in places)
    ]


def clear(work: Path) -> None:
    """Remove what a killed gitwf left in place for steps with scratch folders below `work`."""
    for placed in work.glob(f"*/{_PLACED}"):
        with contextlib.suppress(FileNotFoundError, ValueError):
            remove(json.loads(placed.read_text("utf-8")))


def remove(paths: Iterable[str]) -> None:
    """Remove files, links and folders; what is gone already is fine."""
    for path in paths:
        place = Path(path)
        if place.is_symlink() or not place.is_dir():
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                place.unlink()
        else:
            shutil.rmtree(place, ignore_errors=True)
