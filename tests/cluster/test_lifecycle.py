"""The cluster of processes ends without a trace, and starts whatever a crash has left.

Each test has a cluster of its own in a network namespace of its own, beside the one that may stand.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from tests.cluster import layout, leftovers, processes

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

ROOT = pathlib.Path(__file__).parents[2]
A_POD_RUNS = """
from tests.cluster import manifests, provider
cluster = provider.standing("processes")
with cluster.client() as client:
    manifests.run(client, "default", cluster.steps)
"""

OF_CLUSTER = "tests/cluster/test_cluster.py"
TWO_TESTS = (f"{OF_CLUSTER}::test_a_node_is_ready", f"{OF_CLUSTER}::test_a_pod_that_fails_says_so")


class Machine:
    """A network namespace, and the folder of the cluster in it."""

    def __init__(self, name, folder):
        self.name = name
        self.place = layout.Layout(folder)

    def run(self, *command):
        """What a command prints that runs in the namespace."""
        chosen = {
            "GITWF_TEST_CLUSTER": "processes",
            "GITWF_TEST_CLUSTER_FOLDER": str(self.place.folder),
        }
        done = subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.name}", *command],
            cwd=ROOT,
            env={**os.environ, **chosen},
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout

    def cluster(self, verb):
        return self.run(sys.executable, "-m", "tests.cluster", verb)

    def run_a_pod(self):
        self.run(sys.executable, "-c", A_POD_RUNS)

    def traces(self):
        """All that a cluster may leave on the machine."""
        chains = self.run("iptables-save") + self.run("ip6tables-save")
        return {
            "processes": leftovers.processes(self.place),
            "mounts": leftovers.mounts(self.place),
            "files": self.place.folder.exists(),
            "network": leftovers.network_results(self.place),
            "links": sorted(line.split()[1] for line in self.run("ip", "-o", "link").splitlines()),
            "routes": self.run("ip", "route"),
            "chains": [line for line in chains.splitlines() if line.startswith(":KUBE")],
            "settings": self.run(
                sys.executable,
                "-c",
                "from tests.cluster import settings as s; print(s.now(s.OF_NETWORK))",
            ),
        }

    def remove(self):
        self.cluster("down")
        subprocess.run(["ip", "netns", "delete", self.name], check=True)
        shutil.rmtree(self.place.folder.parent, ignore_errors=True)


# Short: sockets lie in the folder, and a socket's name may have 107 characters.
FOLDER = pathlib.Path(tempfile.gettempdir())
PREFIX = "gitwf-machine-"


def remove_what_a_crash_left():
    """Machines of tests that were killed: their names say by which process they were made."""
    for namespace in pathlib.Path("/run/netns").glob(f"{PREFIX}*"):
        if not pathlib.Path("/proc", namespace.name.removeprefix(PREFIX)).exists():
            Machine(namespace.name, FOLDER / namespace.name / "cluster").remove()


@pytest.fixture
def machine():
    lacking = processes.lacking()
    if lacking:
        pytest.skip(f"no cluster of processes: {lacking}")
    remove_what_a_crash_left()
    name = f"{PREFIX}{os.getpid()}"
    (FOLDER / name).mkdir()
    subprocess.run(["ip", "netns", "add", name], check=True)
    made = Machine(name, FOLDER / name / "cluster")
    try:
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        made.remove()


def test_the_end_leaves_nothing_on_the_machine(machine):
    before = machine.traces()
    machine.cluster("up")
    machine.run_a_pod()
    outside = [*leftovers.sockets(machine.place), *leftovers.cgroups(machine.place)]
    inside = leftovers.contained(machine.place)
    standing = machine.traces()

    machine.cluster("down")

    assert len(inside) >= 2  # the pod's process and the one that holds its network
    assert all(standing[trace] for trace in standing)
    assert machine.traces() == before
    assert [path for path in outside if path.exists()] == []
    assert [number for number in inside if pathlib.Path("/proc", str(number)).exists()] == []


def test_a_cluster_that_was_killed_whole_starts_again(machine):
    before = machine.traces()
    machine.cluster("up")
    machine.run_a_pod()
    orphans = leftovers.contained(machine.place)
    for number in leftovers.processes(machine.place):
        os.kill(number, signal.SIGKILL)

    machine.cluster("up")
    machine.run_a_pod()

    assert [number for number in orphans if pathlib.Path("/proc", str(number)).exists()] == []
    machine.cluster("down")
    assert machine.traces() == before


def test_a_start_that_finds_the_cluster_standing_lets_it_stand(machine):
    machine.cluster("up")
    started = leftovers.processes(machine.place)

    machine.cluster("up")

    assert leftovers.processes(machine.place) == started


def test_a_cluster_of_which_one_process_died_is_started_anew(machine):
    machine.cluster("up")
    started = leftovers.processes(machine.place)
    leftovers.end(number for number, name in started.items() if name == "kube-scheduler")

    machine.cluster("up")

    assert leftovers.processes(machine.place).keys().isdisjoint(started)
    machine.run_a_pod()


def test_tests_that_find_no_cluster_leave_none(machine):
    before = machine.traces()

    # Two workers: the second waits for the cluster of the first, and the last one ends it.
    machine.run(sys.executable, "-m", "pytest", "-n", "2", "-m", "cluster", *TWO_TESTS)

    assert machine.traces() == before


def test_tests_leave_a_cluster_that_a_person_started(machine):
    machine.cluster("up")
    started = leftovers.processes(machine.place)

    machine.run(sys.executable, "-m", "pytest", "-m", "cluster", TWO_TESTS[0])

    assert leftovers.processes(machine.place) == started
