"""The kernel's settings that a cluster changes, noted before and put back after.

kubelet and kube-proxy write them without asking, and none of them is the tests' to keep.
"""

import json
import pathlib

SYSTEM = pathlib.Path("/proc/sys")
NAMES = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "vm/overcommit_memory",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
)


def now():
    """{name: value} of those that this kernel has."""
    return {name: (SYSTEM / name).read_text().strip() for name in NAMES if (SYSTEM / name).exists()}


def note(file):
    """Write down what they are."""
    file.write_text(json.dumps(now()), "utf-8")


def put_back(file):
    """Make them what was noted; where nothing was, nothing is done."""
    if not file.exists():
        return
    here = now()
    for name, value in json.loads(file.read_text("utf-8")).items():
        if name in here and here[name] != value:
            (SYSTEM / name).write_text(value)
