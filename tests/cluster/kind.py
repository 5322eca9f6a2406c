"""The cluster of kind: a node in a container, where Docker or Podman answers.

For developers' laptops and for runners of GitHub. The images are made with the engine, so that no
tool of Debian's is needed, and loaded into the node.
"""

import functools
import json
import os
import shutil
import subprocess

from tests.cluster import binaries, cache, images, layout

NAME = "gitwf-test"
NODE = "kindest/node:v1.34.0"
ENGINES = ("docker", "podman")
MINUTES = 10


def engine():
    """The container engine that answers, or None.

    Podman counts where KIND_EXPERIMENTAL_PROVIDER says so: kind calls it an experiment itself, and
    a machine may have it for steps alone.
    """
    asked_for = os.environ.get("KIND_EXPERIMENTAL_PROVIDER", "docker")
    for name in ENGINES:
        if name == asked_for and shutil.which(name) is not None:
            asked = subprocess.run([name, "info"], capture_output=True, timeout=30, check=False)
            # The client of Docker ends with 0 as well when there is only a client.
            if asked.returncode == 0 and b"Cannot connect" not in asked.stdout + asked.stderr:
                return name
    return None


@functools.cache
def lacking():
    """What keeps this machine from a cluster of kind; empty where nothing does."""
    found = engine()
    if found is None:
        return "no container engine answers"
    # An engine may be here for other work, and have no registry within reach.
    for ask in ("image", "manifest"):
        asked = subprocess.run([found, ask, "inspect", NODE], capture_output=True, check=False)
        if asked.returncode == 0:
            return ""
    return f"{found} neither has nor finds the image {NODE}"


def place():
    """The folder with the kubeconfig and the images' archive."""
    return layout.Layout(cache.folder() / "kind-cluster")


def stands():
    """Whether there is a cluster of ours."""
    return NAME in _kind("get", "clusters").split()


def up(*, told=print):
    """Start the cluster, or let it stand and bring its images up to date."""
    found = engine()
    here = place()
    here.folder.mkdir(parents=True, exist_ok=True)
    told("kind, and images where they are missing")
    folder = images.layout_of(images.images(found))
    if not stands():
        told("a cluster of kind")
        here.imported.unlink(missing_ok=True)
        node = ("--image", NODE, "--kubeconfig", here.kubeconfig, "--wait", "5m")
        _kind("create", "cluster", "--name", NAME, *node)
    elif not here.kubeconfig.exists():
        _kind("export", "kubeconfig", "--name", NAME, "--kubeconfig", here.kubeconfig)
    if not here.imported.exists() or here.imported.read_text("utf-8") != folder.parent.name:
        told("import the images")
        archive = here.folder / "images.tar"
        subprocess.run(["tar", "-C", str(folder), "-cf", str(archive), "."], check=True)
        _kind("load", "image-archive", archive, "--name", NAME)
        archive.unlink()
        here.imported.write_text(folder.parent.name, "utf-8")


def down():
    """Delete the cluster."""
    if engine() is not None and stands():
        _kind("delete", "cluster", "--name", NAME)
    shutil.rmtree(place().folder, ignore_errors=True)


def address_of_machine():
    """Where a container reaches this machine: the gateway of kind's network."""
    found = engine()
    shown = subprocess.run(
        [found, "network", "inspect", "kind"], capture_output=True, text=True, check=True
    ).stdout
    network = json.loads(shown)[0]
    # Docker's spelling, then Podman's.
    ranges = network.get("IPAM", {}).get("Config") or network.get("subnets", [])
    gateways = [each.get("Gateway") or each.get("gateway", "") for each in ranges]
    return next(gateway for gateway in gateways if "." in gateway)


def node_port_address():
    """Where the ports of the node are reached: the node container's own address."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    node = f"{NAME}-control-plane"
    return subprocess.run(
        [engine(), "inspect", "--format", form, node], capture_output=True, text=True, check=True
    ).stdout.strip()


def _kind(*arguments):
    environment = {**os.environ, "KIND_EXPERIMENTAL_PROVIDER": engine() or ENGINES[0]}
    done = subprocess.run(
        [str(binaries.kind()), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"kind {' '.join(map(str, arguments))}:\n{done.stderr[-2000:]}")
    return done.stdout
