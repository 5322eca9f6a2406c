"""Names and addresses of the cluster of processes, and where its files lie.

One cluster per machine, in one fixed folder, so that whoever starts the next one finds what a
crash left. A second one can stand beside it only in a network namespace of its own.
"""

import dataclasses
import hashlib
import os
import pathlib

NODE = "node1"
LINK = "gitwf0"  # a bridge without ports: some kernels have no dummy links
NODE_ADDRESS = "10.254.0.1"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"  # the API server's
PODS = "10.244.0.0/24"
API_PORT, KUBELET_PORT, ETCD_PORT, ETCD_PEER_PORT, S3_PORT = 6443, 10250, 2379, 2380, 7480

# The domain `localhost` keeps the container runtime from looking for it anywhere.
PAUSE = "localhost/gitwf-pause:test"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The folder of one cluster and the files in it that more than one part knows."""

    folder: pathlib.Path

    @property
    def kubeconfig(self):
        """What a client of the cluster reads; there once the cluster stands."""
        return self.folder / "kubeconfig"

    @property
    def certificates(self):
        return self.folder / "certificates"

    @property
    def logs(self):
        return self.folder / "logs"

    @property
    def socket(self):
        """Where containerd listens."""
        return self.folder / "containerd.sock"

    @property
    def containerd_state(self):
        return self.folder / "containerd-state"

    @property
    def network(self):
        """Name of the pods' network: no other cluster's on the machine."""
        return f"gitwf-{hashlib.sha256(bytes(self.folder)).hexdigest()[:8]}"

    @property
    def addresses(self):
        """Which addresses pods have: what is killed gives none back."""
        return self.folder / "addresses"

    @property
    def buckets(self):
        """Root of the S3 gateway: a bucket is a folder."""
        return self.folder / "buckets"

    @property
    def started(self):
        """JSON: the processes that were started."""
        return self.folder / "processes.json"

    @property
    def before(self):
        """JSON: the kernel's settings as they were."""
        return self.folder / "settings-before.json"

    @property
    def imported(self):
        """Which images were imported last."""
        return self.folder / "imported"


def chosen():
    """The layout of this machine, or of GITWF_TEST_CLUSTER_FOLDER."""
    return Layout(
        pathlib.Path(os.environ.get("GITWF_TEST_CLUSTER_FOLDER", "/var/lib/gitwf-test-cluster"))
    )
