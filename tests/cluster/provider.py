"""Where the tests' cluster comes from: one that is given, kind, or processes of our own.

The first that can be had is taken, in this order; GITWF_TEST_CLUSTER names one to have no other:
`1` or `given` (the one of KUBECONFIG; without that word KUBECONFIG is never touched, since it may
be somebody's production), `kind` or `processes`.
"""

import contextlib
import dataclasses
import ipaddress
import os
import pathlib
import socket
import tempfile
import urllib.parse

import kubernetes

from gitwf.adapters.kubernetes import credentials
from tests import s3_gateway
from tests.cluster import images, kind, layout, processes

# The images of a given cluster: such as `images` makes, and somebody brought there.
IMAGES = ("GITWF_TEST_STEPS_IMAGE", "GITWF_TEST_VIEWER_IMAGE", "GITWF_TEST_CONTROLLER_IMAGE")
ORDER = ("given", "kind", "processes")


class NoCluster(Exception):
    """Why there is no cluster to be had here."""


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A cluster that stands.

    kubeconfig: what its clients read. node: the address at which NodePorts answer this machine.
    machine: the address at which pods reach this machine. steps, viewer, controller: images
    that its nodes have, see `images`. endpoint: URL of an S3 gateway that stands beside it, ""
    where `gateway_of` starts one.
    """

    provider: str
    kubeconfig: pathlib.Path
    node: str
    machine: str
    steps: str
    viewer: str
    controller: str
    endpoint: str = ""

    def client(self):
        """A new API client, the caller's to close."""
        return credentials.client(self.kubeconfig, "")


def chosen():
    """Name of the provider to use. NoCluster: none, and what each lacks."""
    wanted = os.environ.get("GITWF_TEST_CLUSTER", "")
    wanted = "given" if wanted == "1" else wanted
    if wanted and wanted not in ORDER:
        raise NoCluster(f"GITWF_TEST_CLUSTER={wanted}; it may be 1, {', '.join(ORDER)}")
    lacking = {}
    for name in [wanted] if wanted else ORDER:
        lacking[name] = _lacking(name, allowed=bool(wanted))
        if not lacking[name]:
            return name
    raise NoCluster("no Kubernetes: " + "; ".join(f"{name}: {lacking[name]}" for name in lacking))


def _lacking(name, *, allowed):
    """Why a provider has no cluster for us; empty where it has one."""
    if name == "kind":
        return kind.lacking()
    if name == "processes":
        return processes.lacking()
    if not os.environ.get("KUBECONFIG"):
        return "KUBECONFIG names none"
    if not allowed:
        return "GITWF_TEST_CLUSTER=1 does not allow the KUBECONFIG"
    unnamed = [name for name in IMAGES if not os.environ.get(name)]
    return f"{' and '.join(unnamed)} must name an image that its nodes have" if unnamed else ""


def stands(name):
    """Whether the cluster of a provider stands already."""
    if name == "given":
        return True
    return kind.stands() if name == "kind" else processes.stands(layout.chosen())


def up(*, told=print):
    """Have the cluster stand. NoCluster, processes.CannotStart: why it does not."""
    name = chosen()
    if name == "kind":
        kind.up(told=told)
    if name == "processes":
        processes.up(layout.chosen(), told=told)
    return standing(name)


def down():
    """Take the cluster away that `up` started; a given one stays as it is."""
    name = chosen()
    if name == "kind":
        kind.down()
    if name == "processes":
        processes.down(layout.chosen())


def standing(name):
    """The cluster of a provider, which stands."""
    if name == "given":
        return _given(pathlib.Path(os.environ["KUBECONFIG"]))
    _, steps, viewer, controller = images.images(kind.engine() if name == "kind" else None)
    if name == "kind":
        return Cluster(
            provider=name,
            kubeconfig=kind.place().kubeconfig,
            node=kind.node_port_address(),
            machine=kind.address_of_machine(),
            steps=steps.name,
            viewer=viewer.name,
            controller=controller.name,
        )
    return Cluster(
        provider=name,
        kubeconfig=layout.chosen().kubeconfig,
        node="127.0.0.1",
        machine=layout.NODE_ADDRESS,
        steps=steps.name,
        viewer=viewer.name,
        controller=controller.name,
        endpoint=f"http://{layout.NODE_ADDRESS}:{layout.S3_PORT}",
    )


def _given(kubeconfig):
    """A cluster of somebody's."""
    client = credentials.client(kubeconfig, "")
    with client:
        server = urllib.parse.urlsplit(client.configuration.host)
        nodes = kubernetes.client.CoreV1Api(client).list_node().items
    addresses = [each for node in nodes for each in node.status.addresses]
    inside = [each.address for each in addresses if each.type in {"InternalIP", "ExternalIP"}]
    node = next(each for each in inside if ipaddress.ip_address(each).version == 4)
    # Connecting a datagram socket sends nothing and tells which of our addresses leads there.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((server.hostname, server.port or 443))
        machine = probe.getsockname()[0]
    return Cluster("given", kubeconfig, node, machine, *(os.environ[name] for name in IMAGES))


@contextlib.contextmanager
def gateway_of(cluster):
    """AWS_* of an S3 gateway that this machine and the cluster's pods reach, bucket `models`."""
    if cluster.endpoint:
        yield s3_gateway.settings(cluster.endpoint)
        return
    with tempfile.TemporaryDirectory() as folder:
        buckets = pathlib.Path(folder)
        with s3_gateway.running(buckets, cluster.machine) as settings:
            yield settings
