"""Where the local engine keeps things: one folder a run, named once, here.

    <state>/runs/<id>/order.json        what was ordered; another order under the same id is refused
                      journal.jsonl     the machine's events, in order: the run's whole history
                      lock              held by the one process that drives the run
                      engine            present: a container engine may hold containers of the run
                      requests/*.json   what people ask of it: to stop, to go on, to try again
                      logs/<node>.log   what each step wrote
                      artifacts/<node>/<name>
                      keys/<digest>       which artifact was put at a key of the repository
                      volumes/<name>    volumes that live as long as the run
                      work/<number>/    what a step needs while it runs, removed after it
    <state>/volumes/<name>              volumes that outlive runs (persistentVolumeClaim)
    <state>/memory/, <state>/locks/     what runs leave for one another (`kept`)
    <state>/venvs/<digest>              Python environments
All of it is a cache but for running work: deleting it loses no fact. Nodes go by their ids, which
are safe as file names.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from gitwf.errors import Stalled

_SAFE = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")


def checked(name: str) -> str:
    """Return `name` when it is one safe file name. Raises Stalled."""
    if not _SAFE.fullmatch(name):
        raise Stalled(f"{name!r} cannot name a file", hint="use letters, digits, dots and dashes")
    return name


def unreadable(path: Path, error: Exception) -> Stalled:
    """What is said of a file of a run that makes no sense to this gitwf."""
    what = repr(error).partition("\n")[0]  # A model's error goes on and on.
    hint = "it was written by another gitwf or damaged; remove the run's folder to run anew"
    return Stalled(f"{path} cannot be read: {what}", hint=hint)


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; makes nothing."""

    path: Path

    @property
    def order(self) -> Path:
        """The order."""
        return self.path / "order.json"

    @property
    def journal(self) -> Path:
        """The history."""
        return self.path / "journal.jsonl"

    @property
    def lock(self) -> Path:
        """The driver's lock."""
        return self.path / "lock"

    @property
    def requests(self) -> Path:
        """What people ask of the run."""
        return self.path / "requests"

    @property
    def volumes(self) -> Path:
        """Volumes of the run."""
        return self.path / "volumes"

    @functools.cached_property
    def logs(self) -> Path:
        """What all nodes wrote."""
        return self.path / "logs"

    def log(self, node: str) -> str:
        """What a node wrote: text, not a path, because every step passes here."""
        return f"{self.logs}/{checked(node)}.log"

    def artifact(self, node: str, name: str) -> Path:
        """An output artifact of a node."""
        return self.path / "artifacts" / checked(node) / checked(name)

    @property
    def keys(self) -> Path:
        """The notes about what was put at which key."""
        return self.path / "keys"

    def keyed(self, key: str) -> Path:
        """The note about the artifact at a key."""
        return self.keys / hashlib.sha256(key.encode()).hexdigest()

    @property
    def work(self) -> Path:
        """The steps' scratch folders."""
        return self.path / "work"


@dataclass(frozen=True)
class StateFolder:
    """The engine's folder."""

    path: Path

    def runs(self) -> list[str]:
        """The ids of all runs, in no order."""
        found = self.path / "runs"
        return [path.name for path in found.iterdir()] if found.is_dir() else []

    def run(self, run: str) -> RunFolder:
        """Give the folder of a run."""
        return RunFolder(self.path / "runs" / checked(run))

    @property
    def volumes(self) -> Path:
        """Volumes that outlive runs."""
        return self.path / "volumes"

    @property
    def memory(self) -> Path:
        """Outputs of memoized templates."""
        return self.path / "memory"

    @property
    def locks(self) -> Path:
        """Locks between runs."""
        return self.path / "locks"

    @property
    def venvs(self) -> Path:
        """Python environments."""
        return self.path / "venvs"
