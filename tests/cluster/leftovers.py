"""What a cluster of processes leaves on a machine, found by where it lies and taken away.

Nothing is remembered between start and end: processes are recognised by a program of ours with the
cluster's folder on its command line, mounts by the folder they are under. So a clean end, a crash
and a `kill -9` of everything are cleaned up alike.
"""

import contextlib
import os
import pathlib
import select
import signal
import subprocess

PROC = pathlib.Path("/proc")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
CONTAINER_LOGS = pathlib.Path("/var/log/containers")  # the kubelet knows no other place
SHIM = "containerd-shim-runc-v2"
PROGRAMS = (
    "etcd",
    "containerd",
    "versitygw",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
PATIENCE = 10  # seconds for a killed process to be gone


def processes(place, programs=(*PROGRAMS, SHIM)):
    """{process id: program} of the cluster in this folder."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            command = _command(entry)
            program = pathlib.Path(command[0]).name
            if program in programs and any(_names(word, place.folder) for word in command):
                found[int(entry.name)] = program
    return found


def mounts(place):
    """Mount points under the folder, the deepest first."""
    lines = (PROC / "self" / "mountinfo").read_text("utf-8").splitlines()
    points = [line.split()[4] for line in lines]
    return sorted((point for point in points if point.startswith(f"{place.folder}/")), reverse=True)


def remove(place):
    """End the processes; take mounts, sockets and cgroups away. The folder itself stays."""
    # Who would start containers again goes before the containers.
    end(process for process, name in processes(place).items() if name != SHIM)
    shims = processes(place, (SHIM,))
    end(_descendants(shims))
    end(shims)
    for point in mounts(place):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    _remove_sockets(place)
    _remove_cgroups(place)
    _remove_links_to_logs(place)


def end(numbers):
    """Kill processes by id and wait until they are gone. TimeoutError: one is not."""
    handles = {}
    for number in list(numbers):
        with contextlib.suppress(ProcessLookupError):
            handles[number] = os.pidfd_open(number)
    try:
        for handle in handles.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        for number, handle in handles.items():
            if not select.select([handle], [], [], PATIENCE)[0]:
                raise TimeoutError(f"process {number} does not end")
    finally:
        for handle in handles.values():
            os.close(handle)


def _command(entry):
    try:
        return (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:  # it has ended
        return [""]


def _names(word, folder):
    """Whether a word of a command line names the folder or something in it."""
    return f"{folder}/" in f"{word}/"


def _descendants(numbers):
    """Ids of all processes below those of `numbers`: what runs in the containers of shims."""
    parents = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name in parentheses may hold anything, blanks and parentheses included.
                after_name = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2]
                parents[int(entry.name)] = int(after_name.split()[1])
    found, grown = set(numbers), True
    while grown:
        below = {number for number, parent in parents.items() if parent in found} - found
        found |= below
        grown = bool(below)
    return found - set(numbers)


def _containers(place):
    """Folders of containerd, one for each container that runs or ran last."""
    return list(place.containerd_state.glob("io.containerd.runtime.v2.task/*/*"))


def _remove_sockets(place):
    """A shim's socket lies outside the folder, and a killed shim leaves it."""
    for container in _containers(place):
        with contextlib.suppress(OSError):
            address = (container / "address").read_text("utf-8").strip()
            pathlib.Path(address.removeprefix("unix://")).unlink()


def _remove_cgroups(place):
    """The kernel keeps a container's cgroup until somebody removes it."""
    for container in _containers(place):
        pattern = f"{container.parent.name}/{container.name}"
        for group in [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]:
            for each in sorted(group.rglob("*/"), reverse=True):
                _rmdir(each)
            _rmdir(group)
            _rmdir(group.parent)  # refused while another cluster's containers are in it


def _rmdir(folder):
    with contextlib.suppress(OSError):
        folder.rmdir()


def _remove_links_to_logs(place):
    for link in CONTAINER_LOGS.glob("*.log") if CONTAINER_LOGS.is_dir() else ():
        with contextlib.suppress(OSError):
            if _names(str(link.readlink()), place.folder):
                link.unlink()
