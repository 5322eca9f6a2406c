"""The network of the cluster of processes, and how the machine gets its own back.

A bridge without ports carries the node's address, and the ranges of services and pods are routed to
it: a service address that nobody translates, and the address of a pod that has just ended, die
there and never leave the machine. Each pod has a routed pair of links (CNI `ptp`), so that packets
between pods pass the kernel's filter, where kube-proxy translates them, without a bridge filter
that a kernel may lack; its own route comes before that of the range.

Tests ask NodePorts from the node itself. kube-proxy rejects packets to a Service without endpoints
where they come in, which for these is after they went out: what was rejected is then remembered as
a connection that is not translated, for two minutes, and the next one from the same port is
refused, whoever answers by then. So they are rejected before they go out, as those of other
machines are.
"""

import ipaddress
import json
import pathlib
import re
import subprocess

from tests.cluster import layout

FORWARDING = pathlib.Path("/proc/sys/net/ipv4/ip_forward")
TABLES = ("nat", "filter", "mangle")
RESTORE = {"iptables-save": "iptables-restore", "ip6tables-save": "ip6tables-restore"}
REJECTS = "KUBE-EXTERNAL-SERVICES"  # kube-proxy's, and filled by it
OURS = re.compile(r"\bKUBE-")


def plugins(place):
    """Configuration of the pods' network for containerd."""
    pods = {
        "type": "host-local",
        "dataDir": str(place.addresses),
        "ranges": [[{"subnet": layout.PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": place.network,
        "plugins": [{"type": "ptp", "ipMasq": False, "ipam": pods}],
    }


def set_up():
    """Make link, address and route, and let packets pass between pods."""
    _ip("link", "add", layout.LINK, "type", "bridge")
    _ip("address", "add", f"{layout.NODE_ADDRESS}/32", "dev", layout.LINK)
    _ip("link", "set", layout.LINK, "up")
    for addresses in (layout.SERVICES, layout.PODS):
        _ip("route", "add", addresses, "dev", layout.LINK)
    FORWARDING.write_text("1")
    _iptables("-N", REJECTS)
    _iptables("-A", "OUTPUT", "-o", "lo", "-m", "conntrack", "--ctstate", "NEW", "-j", REJECTS)


def take_down():
    """Remove links, with their routes, and chains of ours; nothing there is no error."""
    for link in links():
        _ip("link", "delete", link, check=False)
    for save, restore in RESTORE.items():
        for table in TABLES:
            _drop_chains(save, restore, table)


def links():
    """Names of the links that are ours: the node's bridge, and the hosts' ends of pods."""
    shown = json.loads(_ip("-json", "link").stdout)
    names = {link["ifname"] for link in shown}
    routes = json.loads(_ip("-json", "-4", "route").stdout)
    pods = ipaddress.ip_network(layout.PODS)
    to_pods = {route["dev"] for route in routes if "dev" in route and _within(route["dst"], pods)}
    return sorted(names & ({layout.LINK} | to_pods))


def chains():
    """Names of Kubernetes' chains that the kernel's filter holds."""
    found = set()
    for save in RESTORE:
        text = subprocess.run([save], capture_output=True, text=True, check=False).stdout
        found |= set(re.findall(r"^:(KUBE-\S+)", text, re.MULTILINE))
    return sorted(found)


def _within(destination, network):
    try:
        return ipaddress.ip_network(destination).subnet_of(network)
    except ValueError:  # `default`
        return False


def _drop_chains(save, restore, table):
    rules = subprocess.run([save, "-t", table], capture_output=True, text=True, check=False).stdout
    if OURS.search(rules):
        kept = "".join(line for line in rules.splitlines(True) if not OURS.search(line))
        subprocess.run([restore, "-T", table], input=kept, text=True, check=True)


def _iptables(*arguments):
    _run("iptables", "--wait", *arguments)


def _ip(*arguments, check=True):
    return _run("ip", *arguments, check=check)


def _run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done
