"""Tell one process from another that got its number later.

A process number alone names nothing: after a crash or a restart it may belong to somebody else, who
must not be killed. Number, start time and boot together name one process for ever. A group's
number is its leader's, so that a group whose leader is gone is left alone unless it can be told by
its members' start: then nothing is killed, and a leftover is at worst left over.
"""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """One process of one boot of one machine."""

    pid: int
    start: str
    boot: str


def boot() -> str:
    """Name this boot of the machine; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def of(pid: int) -> Identity:
    """Name the process that has the number `pid` now."""
    return Identity(pid, _start(pid), boot())


def _start(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        pass
    except OSError:
        return ""
    else:
        # The name may hold blanks and brackets; the 20th field after it is the start in ticks.
        return stat.rpartition(")")[2].split()[19]
    if Path("/proc/self").exists():
        return ""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def alive(identity: Identity) -> bool:
    """Whether exactly this process is still there."""
    return bool(identity.start) and of(identity.pid) == identity


def kill_group(identity: Identity) -> bool:
    """Kill the group that this process leads, if it is still the same; says whether it was."""
    if not alive(identity):
        return False
    try:
        os.killpg(identity.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
