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
import time

PROC = pathlib.Path("/proc")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
CONTAINER_LOGS = pathlib.Path("/var/log/containers")
DEVICE_PLUGINS = pathlib.Path("/var/lib/kubelet/device-plugins")
NETWORK_RESULTS = pathlib.Path("/var/lib/cni/results")
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
PATIENCE = 60  # seconds for a killed process to be gone


def processes(place, programs=(*PROGRAMS, SHIM)):
    """{process id: program} of the cluster in this folder."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            command = _command(entry)
            program = _program(command)
            if program in programs and any(_names(word, place.folder) for word in command):
                found[int(entry.name)] = program
    return found


def kubelets():
    """Ids of all kubelets on the machine, whosever cluster they belong to."""
    everything = (entry for entry in PROC.iterdir() if entry.name.isdigit())
    return [int(each.name) for each in everything if _program(_command(each)) == "kubelet"]


def mounts(place):
    """Mount points under the folder, the deepest first."""
    lines = (PROC / "self" / "mountinfo").read_text("utf-8").splitlines()
    points = [line.split()[4] for line in lines]
    return sorted((point for point in points if point.startswith(f"{place.folder}/")), reverse=True)


def remove(place):
    """End the processes; take mounts, sockets and cgroups away. The folder itself stays."""
    # Who would start containers again goes before the containers.
    end(process for process, name in processes(place).items() if name != SHIM)
    deadline = time.monotonic() + PATIENCE
    while left := contained(place):  # what is killed may just have started another
        end(left)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes of pods do not end: {sorted(left)}")
    end(processes(place, (SHIM,)))
    for point in mounts(place):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    for each in sockets(place):
        each.unlink(missing_ok=True)
    for group in cgroups(place):
        _remove_cgroup(group)
    _remove_from_fixed_places(place)


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
    """The words of a process's command line; one empty word for one that has ended."""
    try:
        return (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return [""]


def _program(command):
    return pathlib.Path(command[0]).name


def _names(word, folder):
    """Whether a word of a command line names the folder or something in it."""
    return f"{folder}/" in f"{word}/"


def containers(place):
    """Folders of containerd, one for each container that runs or ran last."""
    return list(place.containerd_state.glob("io.containerd.runtime.v2.task/*/*"))


def sockets(place):
    """Sockets of shims: they lie outside the folder, and a killed shim leaves its own."""
    found = set()
    for container in containers(place):
        with contextlib.suppress(OSError):
            address = (container / "address").read_text("utf-8").strip()
            found.add(pathlib.Path(address.removeprefix("unix://")))
    return found


def cgroups(place):
    """Folders of the containers' cgroups, in each hierarchy, which the kernel does not remove."""
    ids = [f"{container.parent.name}/{container.name}" for container in containers(place)]
    return [group for name in ids for group in [*CGROUPS.glob(name), *CGROUPS.glob(f"*/{name}")]]


def network_results(place):
    """Files that tell what each pod got of its networks; one that was killed leaves its own."""
    ours = NETWORK_RESULTS.glob(f"{place.network}-*")
    pods = [file.name.removeprefix(f"{place.network}-").split("-")[0] for file in ours]
    return [file for pod in pods for file in NETWORK_RESULTS.glob(f"*-{pod}-*")]


def contained(place):
    """Ids of the processes that run in containers, whoever is their parent by now."""
    found = set()
    for group in cgroups(place):
        for file in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found |= {int(number) for number in file.read_text("ascii").split()}
    return found


def _remove_cgroup(group):
    for each in sorted(group.rglob("*/"), reverse=True):
        _rmdir(each)
    _rmdir(group)
    _rmdir(group.parent)  # refused while another cluster's containers are in it


def _rmdir(folder):
    with contextlib.suppress(OSError):
        folder.rmdir()


def _remove_from_fixed_places(place):
    """The kubelet and containerd know no other folders for these."""
    for link in CONTAINER_LOGS.glob("*.log") if CONTAINER_LOGS.is_dir() else ():
        with contextlib.suppress(OSError):
            if _names(str(link.readlink()), place.folder):
                link.unlink()
    for name in ("kubelet.sock", "kubelet_internal_checkpoint"):
        (DEVICE_PLUGINS / name).unlink(missing_ok=True)
    for result in network_results(place):
        result.unlink(missing_ok=True)
    kept = (CONTAINER_LOGS, NETWORK_RESULTS, DEVICE_PLUGINS)
    for folder in (*kept, NETWORK_RESULTS.parent, DEVICE_PLUGINS.parent):
        _rmdir(folder)  # refused where it holds anything of others
