"""The kernel's settings that a cluster changes, noted before and put back after.

kubelet and kube-proxy write them without asking, and none of them is the tests' to keep. Those
below `net` belong to a network namespace; the others are the whole machine's, so that a cluster
which starts beside another finds them changed, and leaves them to who found them first.
"""

import json
import pathlib

SYSTEM = pathlib.Path("/proc/sys")
OF_NETWORK = ("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet")
OF_MACHINE = (
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
)


def now(names=OF_NETWORK + OF_MACHINE):
    """{name: value} of those that this kernel has."""
    return {name: (SYSTEM / name).read_text().strip() for name in names if (SYSTEM / name).exists()}


def note(file, *, alone):
    """Write down what they are; `alone`: no other cluster runs on the machine."""
    file.write_text(json.dumps(now(OF_NETWORK + OF_MACHINE if alone else OF_NETWORK)), "utf-8")


def put_back(file):
    """Make them what was noted; where nothing was, nothing is done."""
    if not file.exists():
        return
    here = now()
    for name, value in json.loads(file.read_text("utf-8")).items():
        if name in here and here[name] != value:
            (SYSTEM / name).write_text(value)
