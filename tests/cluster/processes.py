"""The cluster of processes: etcd, control plane, containerd, kubelet and proxy, on this machine.

For machines without a container engine, as root on Linux. Everything is thrown away at the end;
starting begins with the same clean-up as ending, so a crash cannot stand in the way.
"""

import concurrent.futures
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import requests

from tests import s3_gateway
from tests.cluster import (
    binaries,
    certificates,
    components,
    images,
    layout,
    leftovers,
    network,
    settings,
)

# What a Debian or Ubuntu package brings: scripts/debian-packages-cluster.txt.
NEEDED = ("containerd", "containerd-shim-runc-v2", "ctr", "runc", "ip", "iptables", "mmdebstrap")
NEEDED_FILES = ("/usr/lib/cni/ptp", "/usr/lib/cni/host-local")
PORTS = {
    "etcd": ("127.0.0.1", layout.ETCD_PORT),
    "kubelet": ("0.0.0.0", layout.KUBELET_PORT),
    "kube-apiserver": ("0.0.0.0", layout.API_PORT),
}
SECONDS = 300  # for a step of the start; a busy machine needs many times what a quiet one does


class CannotStart(Exception):
    """Why the cluster does not come up, with the last lines of the log that tells."""


def lacking():
    """What keeps this machine from running the cluster; empty where nothing does."""
    if sys.platform != "linux":
        return "not Linux"
    if os.geteuid() != 0:
        return "not root"
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    missing = [name for name in NEEDED if shutil.which(name, path=path) is None]
    missing += [name for name in NEEDED_FILES if not pathlib.Path(name).exists()]
    if missing:
        return "not installed: " + ", ".join(missing)
    try:
        binaries.go()
    except binaries.CannotBuild as error:
        return str(error)
    return ""


def stands(place):
    """Whether the cluster in the folder is complete and answers.

    One that is complete and only busy gets its time: a false "no" would take it from who uses it.
    """
    deadline = time.monotonic() + SECONDS
    while not (gone := _gone(place)) and place.imported.exists() and not ready(place):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return not gone and place.imported.exists()


def ailing(place):
    """The processes that have ended, each with the last lines of its log; "" for none."""
    return "\n".join(f"{name} has ended:\n{tail(place, name)}" for name in _gone(place))


def _gone(place):
    """Names of the programs of the cluster that do not run."""
    running = leftovers.processes(place, leftovers.PROGRAMS).values()
    return sorted(set(leftovers.PROGRAMS) - set(running))


def up(place, *, told=print):
    """Start the cluster, or let it stand and bring its images up to date. CannotStart: why not."""
    begun = time.monotonic()

    def say(what):
        told(f"{time.monotonic() - begun:5.1f} s  {what}")

    with concurrent.futures.ThreadPoolExecutor() as pool:
        say("programs and images, built where they are missing")
        built = pool.submit(images.images), pool.submit(s3_gateway.gateway_binary)
        programs = binaries.kubernetes()
        archive, gateway = images.layout_of(built[0].result()), built[1].result()
        if stands(place):
            if place.imported.read_text("utf-8") != archive.parent.name:
                import_images(place, archive)
                say("the cluster stands; new images imported")
            else:
                say("the cluster stands")
            return
        say("clean up")
        down(place)
        say("processes")
        _prepare(place)
        foundation = components.foundation(place, programs, gateway)
        ids = {each.name: start(place, each) for each in foundation}
        wait(place, ids, "containerd", place.socket.exists)
        importing = pool.submit(import_images, place, archive)
        server = components.apiserver(place, programs)
        ids[server.name] = start(place, server)
        wait(place, ids, server.name, lambda: ready(place))
        say("the API server is ready")
        ids |= {each.name: start(place, each) for each in components.followers(place, programs)}
        importing.result()
        say("images are imported")
        wait(place, ids, "kubelet", lambda: node_ready(place))
        wait(place, ids, "kube-controller-manager", lambda: accounts_exist(place))
        say("the node is ready")


def down(place):
    """Take away what the cluster left: processes, pods, mounts, links, chains, files."""
    leftovers.remove(place)
    network.take_down()
    settings.put_back(place.before)
    shutil.rmtree(place.folder, ignore_errors=True)


def _prepare(place):
    for name, (address, port) in PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise CannotStart(f"port {port}, for {name}, belongs to another program") from error
    place.logs.mkdir(parents=True)
    (place.buckets / "models").mkdir(parents=True)
    settings.note(place.before, alone=not leftovers.kubelets())
    network.set_up()
    certificates.make(place.certificates)
    components.write_configuration(place)


def start(place, component):
    """Start one process in a session of its own, and give its id; what it says goes to its log."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    program = shutil.which(component.command[0], path=path)
    log = str(place.logs / f"{component.name}.log")
    return os.posix_spawn(
        program,
        component.command,
        {"PATH": path, **dict(component.environment)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def wait(place, ids, name, condition):
    """Wait until the condition holds, for as long as the process `name` of `ids` lives."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise CannotStart(f"{name} is not ready after {SECONDS} s:\n{tail(place, name)}")
        ended, status = os.waitpid(ids[name], os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            raise CannotStart(f"{name} ended with {code}:\n{tail(place, name)}")
        time.sleep(0.05)


def tail(place, name):
    """The last lines that a process wrote; "" for one that was never started."""
    try:
        text = (place.logs / f"{name}.log").read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-15:])


def import_images(place, archive):
    """Give containerd the images of an OCI layout, and note which they are."""
    ctr = ["ctr", "--address", str(place.socket), "--namespace", "k8s.io", "images", "import"]
    ctr += ["--no-unpack", "-"]  # the first pod of an image unpacks it: most tests need one only
    with subprocess.Popen(
        ["tar", "-C", str(archive), "-cf", "-", "."], stdout=subprocess.PIPE
    ) as packing:
        done = subprocess.run(
            ctr, stdin=packing.stdout, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    if done.returncode:
        raise CannotStart(f"the images cannot be imported: {done.stderr.strip()}")
    place.imported.write_text(archive.parent.name, "utf-8")


# ---- asking the API server as its administrator -----------------------------------------------


def ready(place):
    """Whether the API server says that it is ready."""
    answer = _get(place, "/readyz")
    return answer is not None and answer.ok


def node_ready(place):
    """Whether the node is ready and pods may be placed on it."""
    answer = _get(place, f"/api/v1/nodes/{layout.NODE}")
    if answer is None or not answer.ok:
        return False
    node = answer.json()
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def accounts_exist(place):
    """Whether pods can be created: each needs its namespace's default service account."""
    answer = _get(place, "/api/v1/namespaces/default/serviceaccounts/default")
    return answer is not None and answer.ok


def _get(place, path):
    keys = place.certificates
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no business here
        session.cert = (str(keys / "admin.crt"), str(keys / "admin.key"))
        session.verify = str(keys / "ca.crt")
        try:
            return session.get(f"https://{layout.NODE_ADDRESS}:{layout.API_PORT}{path}", timeout=30)
        except (requests.RequestException, OSError):
            return None
