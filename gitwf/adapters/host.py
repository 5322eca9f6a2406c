"""This host and its processes: who holds a claim, and whether that owner still lives.

A process is named by host, boot, pid and start time together, since pids are used again. On Linux
the facts come from /proc; elsewhere `ps` tells the start time and the boot is left empty, so that a
takeover there waits for the lease instead. Nothing here ends a process.
"""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process of one boot of one host; equal only when it is the very same process."""

    host: str
    boot: str
    pid: int
    start: str


def _boot() -> str:
    """The boot's id, or "" where the system has none to read."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """When a process of this boot began, in the system's own words; "" when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        shown = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return shown.stdout.strip()
    # The command's name, in brackets, may itself hold blanks and brackets.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def this_process() -> Process:
    """The process that runs this code."""
    pid = os.getpid()
    return Process(platform.node(), _boot(), pid, start_time(pid))


def known_dead(owner: Process) -> bool:
    """Whether `owner` surely no longer runs: of this host, and of an earlier boot or gone."""
    if owner.host != platform.node():
        return False
    boot = _boot()
    if not owner.boot or not boot:
        return not start_time(owner.pid)
    return owner.boot != boot or start_time(owner.pid) != owner.start
