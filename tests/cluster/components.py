"""How each process of the cluster is started: its command line and its configuration files.

What differs from a cluster for production is here on purpose: no swap or eviction rules and no
queue of cgroups, because tests share the machine with others; no fsync, because the state is thrown
away; the node's own address instead of every address, because nobody outside shall reach it.
"""

import dataclasses
import json

from tests import s3_gateway
from tests.cluster import certificates, layout, network

# An image that the node does not have is refused at once, and no name of a registry is looked up.
NO_REGISTRY = 'server = "http://127.0.0.1:1"\n'


@dataclasses.dataclass(frozen=True)
class Component:
    """One process: the program's name, its arguments, and the environment it gets besides PATH."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def write_configuration(place):
    """Write what the components read: containerd.toml, the pods' network, kubelet, kubeconfig."""
    (place.folder / "containerd.toml").write_text(_containerd(place), "utf-8")
    registries = place.folder / "registries" / "_default"
    registries.mkdir(parents=True)
    (registries / "hosts.toml").write_text(NO_REGISTRY, "utf-8")
    (place.folder / "cni").mkdir()
    _json(place.folder / "cni" / "10-gitwf.conflist", network.plugins(place))
    _json(place.folder / "kubelet.json", _kubelet(place))
    _json(place.kubeconfig, certificates.kubeconfig(place.certificates))
    place.kubeconfig.chmod(0o600)


def foundation(place, programs, gateway):
    """What stands alone: etcd, containerd and the S3 gateway."""
    client = f"http://127.0.0.1:{layout.ETCD_PORT}"
    peer = f"http://127.0.0.1:{layout.ETCD_PEER_PORT}"
    etcd = [f"{programs}/etcd", f"--data-dir={place.folder}/etcd", "--unsafe-no-fsync"]
    etcd += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
    etcd += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
    etcd += [f"--initial-cluster=default={peer}"]
    containerd = ["containerd", "--config", f"{place.folder}/containerd.toml"]
    address = f"{layout.NODE_ADDRESS}:{layout.S3_PORT}"
    s3 = [str(gateway), "--port", address, "posix", str(place.buckets)]
    keys = {"ROOT_ACCESS_KEY": s3_gateway.ACCESS, "ROOT_SECRET_KEY": s3_gateway.SECRET}
    return (
        Component("etcd", tuple(etcd)),
        Component("containerd", tuple(containerd)),
        Component("versitygw", tuple(s3), tuple(keys.items())),
    )


def apiserver(place, programs):
    """The API server: it needs etcd, and everything else needs it."""
    keys = place.certificates
    options = {
        "etcd-servers": f"http://127.0.0.1:{layout.ETCD_PORT}",
        "bind-address": layout.NODE_ADDRESS,
        "secure-port": layout.API_PORT,
        "advertise-address": layout.NODE_ADDRESS,
        "service-cluster-ip-range": layout.SERVICES,
        "client-ca-file": keys / "ca.crt",
        "tls-cert-file": keys / "apiserver.crt",
        "tls-private-key-file": keys / "apiserver.key",
        "kubelet-client-certificate": keys / "kubelet-client.crt",
        "kubelet-client-key": keys / "kubelet-client.key",
        # By name, logs and exec would ask a name server for the node.
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-key-file": keys / "service-accounts.pub",
        "service-account-signing-key-file": keys / "service-accounts.key",
        "service-account-issuer": "https://kubernetes.default.svc",
        "authorization-mode": "Node,RBAC",
        "allow-privileged": "true",
        "enable-priority-and-fairness": "false",
    }
    return _program("kube-apiserver", programs, options)


def followers(place, programs):
    """What talks to the API server: controllers, scheduler, kubelet and proxy."""
    keys = place.certificates
    access = {"kubeconfig": place.kubeconfig}
    alone = {**access, "leader-elect": "false", "bind-address": "127.0.0.1"}
    controllers = {
        **alone,
        "use-service-account-credentials": "true",
        "service-account-private-key-file": keys / "service-accounts.key",
        "root-ca-file": keys / "ca.crt",
        "node-monitor-period": "5s",
        # A kubelet that a busy machine keeps waiting is late, and its node not lost: of one that
        # is, every Service would have no endpoints after 50 s.
        "node-monitor-grace-period": "600s",
    }
    kubelet = {
        **access,
        "config": place.folder / "kubelet.json",
        "hostname-override": layout.NODE,
        "node-ip": layout.NODE_ADDRESS,
        "root-dir": place.folder / "kubelet",
        "cert-dir": place.folder / "kubelet" / "pki",
    }
    proxy = {
        **access,
        "hostname-override": layout.NODE,
        "proxy-mode": "iptables",
        "cluster-cidr": layout.PODS,
        "nodeport-addresses": f"127.0.0.0/8,{layout.NODE_ADDRESS}/32",
        "healthz-bind-address": "127.0.0.1",
        # The machine's limits are not ours to change.
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
    }
    return (
        _program("kube-controller-manager", programs, controllers),
        _program("kube-scheduler", programs, alone),
        _program("kubelet", programs, kubelet),
        _program("kube-proxy", programs, proxy),
    )


def _program(name, folder, options):
    arguments = (f"--{option}={value}" for option, value in options.items())
    return Component(name, (f"{folder}/{name}", *arguments))


def _json(path, value):
    path.write_text(json.dumps(value, indent=1), "utf-8")


def _kubelet(place):
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{place.certificates}/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{place.socket}",
        "podLogsDir": f"{place.logs}/pods",
        "resolvConf": "",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        # Without the cgroups of pods a kubelet that resizes them dies of the first pod that is
        # deleted by force (Kubernetes: issue 137993), and no pod is started any more.
        "featureGates": {"InPlacePodVerticalScaling": False},
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
        "maxPods": 250,
    }


def _containerd(place):
    return f"""version = 2
root = "{place.folder}/containerd"
state = "{place.containerd_state}"
# It would make a folder of its own under /opt; the others look for file systems nobody has here.
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{place.socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{layout.PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{place.folder}/registries"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{place.folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{place.folder}/runc"
"""
