"""The isolation ladder: which rung this machine can stand on, found out by standing on it.

From the top: a container of the step's image, root namespaces, a user namespace, none. A rung
counts when a real process ran in it just now; what the kernel claims to allow does not. A container
engine counts when it answers, and only where somebody asks for it: what an image holds is not this
machine (docs/decisions/0005). The result is kept for the life of the engine and told to people in
words.
"""

import contextlib
import functools
import os
import select
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import filelock

from gitwf.adapters.local import bare, box, container, engines, sandbox
from gitwf.errors import Stalled

CHOICES = ("auto", *engines.CHOICES, "root", "user", "none")
_IMAGED = "each step runs in a container of its image"
_WORDS = {
    "podman": f"{_IMAGED}, by Podman",
    "docker": f"{_IMAGED}, by Docker",
    "root": "each step has its own file system view, processes and limits (root namespaces)",
    "user": "each step has its own file system view and processes (user namespace); writes outside "
    "its declared paths, /tmp and home are refused",
    "none": "steps see this machine's files; each has a private home, TMPDIR and process group",
}
_IGNORED = "image ignored: host, as are memory and cpu limits"
_SECONDS = 60.0
_PROBE = "gitwf-probe-"


def choose(wanted: str) -> str:
    """Find the highest rung that works, or make sure that the wanted one does. Raises Stalled."""
    if wanted not in CHOICES:
        raise Stalled(f"there is no isolation {wanted!r}", hint="one of " + ", ".join(CHOICES))
    if wanted == "none":
        return wanted
    if wanted in engines.CHOICES:
        return _engine(wanted)
    candidates = ["root", "user"] if wanted == "auto" else [wanted]
    for name in candidates:
        if works(name):
            return name
    if wanted == "auto":
        return "none"
    hint = "use engine.isolation auto, or none for steps that need no isolation"
    message = f"the isolation {wanted!r} does not work on this machine: {fault(wanted)}"
    raise Stalled(message, hint=hint)


def _engine(wanted: str) -> str:
    found = engines.find(wanted)
    if found is None:
        names = " nor ".join(engines.NAMES)
        who = f"neither {names}" if wanted == engines.ANY else wanted
        hint = "start it, and see that `info` of its command works for this user"
        said = "answers" if wanted == engines.ANY else "does not answer"
        raise Stalled(f"{who} {said} on this machine", hint=hint)
    return Path(found.program).name


def describe(name: str) -> str:
    """Say in words what a rung gives, and what it does not keep."""
    lacking = "" if name in engines.CHOICES else f"; {_IGNORED}"
    return f"isolation {name}: {_WORDS[name]}{lacking}"


def works(name: str) -> bool:
    """Whether a step can run on a rung."""
    if name in engines.CHOICES:
        return engines.find(name) is not None
    return not fault(name)


@functools.cache
def fault(name: str) -> str:
    """Say why no step can run on a rung of this machine's own, or ""; tried once a process."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if name == "root" and os.getuid() != 0:
        return "it needs to be root"
    with _probing() as folder:
        rung = make(name, hidden=[], shown=[], stage=folder / "view")
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
        try:
            probe = box.Box(("true",), {"PATH": os.defpath}, "/")
            running = rung.start(probe, folder, log, log)
            while (ended := running.poll()) is None:
                if not select.select([running], [], [], _SECONDS)[0]:
                    running.stop(kill=True)
            running.close()
        except OSError as error:
            return str(error)
        finally:
            os.close(log)
            rung.close()
        return _said(ended)


def _said(ended: box.Ended) -> str:
    if ended.code is None:
        return ended.broken or "a step of its did not end"
    return ended.refused or f"exit code {ended.code}" if ended.code else ""


@contextlib.contextmanager
def _probing() -> Iterator[Path]:
    """Give a folder to try a rung in, and remove those of this user whose try was killed."""
    with tempfile.TemporaryDirectory(prefix=_PROBE) as place:
        folder = Path(place)
        with filelock.FileLock(folder / "lock"):
            for other in folder.parent.glob(f"{_PROBE}*"):
                with contextlib.suppress(OSError):  # Another may be removing it too.
                    _remove_left(other)
            yield folder


def _remove_left(folder: Path) -> None:
    about = folder.lstat()
    # One that was made just now is not locked yet.
    if about.st_uid != os.getuid() or time.time() - about.st_mtime < _SECONDS:
        return
    with (
        contextlib.suppress(filelock.Timeout),
        filelock.FileLock(folder / "lock", blocking=False),
    ):
        shutil.rmtree(folder)


def make(name: str, hidden: Iterable[Path], shown: Iterable[Path], stage: Path) -> box.Rung:
    """Make the rung for one run. `stage` is a folder of the run that views are built on."""
    if name == "none":
        return bare.Bare(stage.parent)
    if name in engines.CHOICES:
        return container.Containers(stage.parent, name)
    return sandbox.Sandbox(sandbox.layout(hidden, shown), stage, user=name == "user")


class Chosen:
    """The rung of one engine, found when it is first asked for."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._found = ""
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The rung's name."""
        with self._lock:
            if not self._found:
                self._found = choose(self._wanted)
            return self._found

    @property
    def explicit(self) -> bool:
        """Whether somebody asked for exactly this rung."""
        return self._wanted != "auto"
