"""How long a release takes on a cluster: release commit to complete, beside kubectl's own way.

    GITWF_TEST_CLUSTER=processes python -m benchmarks.rollout [ROUNDS]

Both roll out the same Deployment of the same cluster by turns: gitwf from the release commit to the
end of `gitwf reconcile`, kubectl by `set env` and `rollout status`. The goal is a ratio of 1.2.
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
    began = time.monotonic()
    kubectl(world, "set", "env", f"deployment/{worlds.NAME}", f"ROUND={number}")
    kubectl(world, "rollout", "status", f"deployment/{worlds.NAME}", "--timeout=100s")
    return time.monotonic() - began


def by_gitwf(world: worlds.ClusterWorld, number: int) -> float:
    """Seconds from a person's promotion, which is the release commit, to the rollout's end."""
    world.gitwf("promote", f"toy@{number}", "--in", "production")
    began = time.monotonic()
    world.gitwf("reconcile")
    return time.monotonic() - began


def main() -> None:
    """Print both medians and their ratio; exit 1 beyond the goal."""
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
        text = world.remote.git("show", "main:pipelines/toy/pipeline.yaml")
        manual = text.replace("/manifests/viewer}", "/manifests/viewer, promote: manual}")
        world.write({worlds.MANIFEST: world.manifest(replicas=1)})
        world.gitwf("reconcile")
        for mape in ("0.19\n", "0.18\n"):
            world.write({"pipelines/toy/pipeline.yaml": manual, "pipelines/toy/mape.txt": mape})
            world.gitwf("reconcile")
        ours, theirs = [], []
        for number in range(rounds):
            ours.append(by_gitwf(world, 2 + number % 2))
            theirs.append(by_kubectl(world, number))
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(f"gitwf {statistics.median(ours):.1f} s, kubectl {statistics.median(theirs):.1f} s")
    print(f"ratio {ratio:.2f} (goal {GOAL}) on {os.cpu_count()} cores")
    sys.exit(ratio > GOAL)


if __name__ == "__main__":
    main()
