"""How long a release takes on a cluster: release commit to complete, beside kubectl's own way.

    GITWF_TEST_CLUSTER=processes python -m benchmarks.rollout [ROUNDS]

All roll out the same Deployment of the same cluster by turns:

    main job   `gitwf reconcile` after a push: it trains and releases. From the moment when the
               remote's branch is at the release commit to the moment when its ledger says that
               the version is served, as the remote's own refs tell
    by hand    a person's `gitwf promote`, and then `gitwf reconcile`: the whole of the second, from
               the start of Python to its end
    kubectl    `set env` and `rollout status`, both whole

No rollout begins before the pods of the one before have ended. The goal is that the main job takes
at most 1.2 times what kubectl takes.
"""

import compileall
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import gitwf
from tests.cluster import binaries, fixtures, provider, sharing
from tests.kubernetes import worlds

GOAL = 1.2


def kubectl(world: worlds.ClusterWorld, *arguments: str) -> None:
    """Run kubectl in the world's namespace."""
    config = f"--kubeconfig={world.cluster.kubeconfig}"
    command = [str(binaries.kubectl()), config, f"--namespace={world.namespace}", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)


def by_kubectl(world: worlds.ClusterWorld, number: int) -> float:
    """Seconds of a rollout by hand; what it changes is no field of gitwf's."""
    calm(world)
    began = time.monotonic()
    kubectl(world, "set", "env", f"deployment/{worlds.NAME}", f"ROUND={number}")
    kubectl(world, "rollout", "status", f"deployment/{worlds.NAME}", "--timeout=100s")
    return time.monotonic() - began


def by_push(world: worlds.ClusterWorld, version: int) -> float:
    """Seconds from the release commit of a version that a push trains to its rollout's record."""
    world.push(f"Train version {version}", mape=f"0.{20000 - version}\n")
    calm(world)
    world.gitwf("reconcile")
    released = at(world, "main", f"Release toy@{version} ")
    return at(world, "gitwf/ledger", f"Note that toy@{version} is served") - released


def calm(world: worlds.ClusterWorld) -> None:
    """Wait until the pods of the rollout before have ended: their end is no part of the next."""
    while len(world.connection().listed("v1", "Pod")[0]) > 1:
        time.sleep(0.1)


def at(world: worlds.ClusterWorld, branch: str, subject: str) -> float:
    """When the remote's branch came to the commit that it is at, which must be of this subject."""
    found = world.remote.git("log", "-1", "--format=%s", branch)
    assert found.startswith(subject), found
    return (world.remote.path / "refs" / "heads" / branch).stat().st_mtime


def by_promotion(world: worlds.ClusterWorld, version: int) -> float:
    """Seconds of a whole `gitwf reconcile` after a person's promotion, which is the release."""
    world.gitwf("promote", f"toy@{version}", "--in", "production")
    calm(world)
    began = time.monotonic()
    world.gitwf("reconcile")
    return time.monotonic() - began


def main() -> None:
    """Print the medians and their ratios to kubectl's; exit 1 beyond the goal."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    # Otherwise an environment that keeps no bytecode would be measured.
    compileall.compile_dir(pathlib.Path(gitwf.__file__).parent, quiet=1)
    with (
        sharing.shared() as cluster,
        provider.gateway_of(cluster) as keys,
        fixtures.new_namespace(cluster) as namespace,
        tempfile.TemporaryDirectory() as folder,
    ):
        world = worlds.make(pathlib.Path(folder) / "world", cluster, namespace, keys)
        world.write({worlds.MANIFEST: world.manifest(replicas=1)})
        world.gitwf("reconcile")
        pushed, promoted, theirs = [], [], []
        for number in range(rounds):
            pushed.append(by_push(world, number + 2))
            theirs.append(by_kubectl(world, 2 * number))
            promoted.append(by_promotion(world, number + 1))
            theirs.append(by_kubectl(world, 2 * number + 1))
    kubectls = statistics.median(theirs)
    print(f"kubectl                  {kubectls:.2f} s, on {os.cpu_count()} cores")
    for name, ours in (("by hand, whole process", promoted), ("main job", pushed)):
        median = statistics.median(ours)
        print(f"{name:24} {median:.2f} s, {median / kubectls:.2f} times")
    print(f"goal: {GOAL} times for the main job")
    sys.exit(statistics.median(pushed) > GOAL * kubectls)


if __name__ == "__main__":
    main()
