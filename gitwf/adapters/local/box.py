"""What a step needs from a rung of the isolation ladder, and what the rung answers.

A `Box` is the same for every rung: which program, which variables, what must be found where, what
is to be brought out. How a path comes to be at its place is the rung's own business. Two boxes are
equal when the same program would see the same world.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol


class Kind(enum.Enum):
    """How a step may use what is put in its view."""

    SHARED = "shared"  # A volume: what is written stays for the next step.
    OWN = "own"  # Prepared for this step alone; it may write.
    READ = "read"  # Read-only.
    LAYER = "layer"  # Somebody else's folder; writes stay in the step's view.


@dataclass(frozen=True)
class Mount:
    """`source` on the host is found at `path`, which is absolute, in the step's view."""

    path: str
    source: Path
    kind: Kind


@dataclass(frozen=True)
class Image:
    """What only rungs that run images honour.

    `pull` is the imagePullPolicy or "". The image's own command goes before the box's argv where
    `own_command` says so, and its own arguments after that where `own_args` does. `memory` in
    bytes and `cpus` are limits, 0 for none. `idle`: nothing runs, only the outputs are wanted.
    """

    name: str
    pull: str = ""
    own_command: bool = False
    own_args: bool = False
    memory: int = 0
    cpus: float = 0.0
    idle: bool = False


@dataclass(frozen=True)
class Box:
    """One process to run. `outputs` are absolute paths, copied out under their numbers.

    One that fails is run again in the same view, `attempts` times in all, `pause` seconds apart.
    `cwd` may be empty where there is an image that has its own.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    mounts: tuple[Mount, ...] = ()
    outputs: tuple[str, ...] = ()
    image: Image | None = None
    attempts: int = 1
    pause: float = 0.0


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path is `folder` or in it."""
    return PurePosixPath(path).is_relative_to(folder)


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    `code` is None when it was killed from outside or never ran. `refused` is why the program could
    not be started (the step's fault), `broken` why the rung could not (the machine's),
    `unavailable` what it lacked, so that it never ran. `missing` holds for each output the reason
    that it could not be copied, or None. `reason` is Kubernetes' word for a bad end, `message` what
    the program itself said of it. `own_code` is what the program ended with where that is not the
    end of its container.
    """

    code: int | None = None
    refused: str = ""
    broken: str = ""
    unavailable: str = ""
    missing: tuple[str | None, ...] = ()
    reason: str = "Error"
    own_code: int | None = None
    message: str = ""


class Running(Protocol):
    """A process under way. `fd` turns readable when it is worth asking `poll`."""

    pid: int

    def fileno(self) -> int:
        """Give the file to select on."""
        ...

    def poll(self) -> Ended | None:
        """How it ended, or None while it runs."""
        ...

    def stop(self, *, kill: bool) -> None:
        """Ask the whole group to end, or end it."""
        ...

    def close(self) -> None:
        """Give back files and places; called once, after the end."""
        ...


class Rung(Protocol):
    """One rung of the ladder."""

    name: str

    def start(self, box: Box, work: Path, stdout: int, stderr: int) -> Running:
        """Start `box`. Its outputs will be in `scratch.OUTPUTS` of `work`, a folder of its own.

        OSError: the machine cannot; Unavailable: the step asks for what cannot be had.
        """
        ...

    def close(self) -> None:
        """End whatever still runs."""
        ...
