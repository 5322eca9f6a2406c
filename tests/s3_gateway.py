"""A real S3 gateway on loopback: versitygw, built once from its Go module into a cache folder."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import filelock
import pytest

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
ACCESS, SECRET = "gitwf-tests", "not-a-secret-but-long-enough"


def gateway_binary():
    """The built gateway, or None where there is neither a built one nor Go."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    folder = cache / "gitwf-tests" / f"versitygw-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    # One builds it; who comes meanwhile would find half a program.
    with filelock.FileLock(f"{folder}.lock"):
        return _built(folder / "versitygw")


def _built(binary):
    if binary.exists():
        return binary
    places = [os.environ["PATH"], f"{sys.prefix}/bin", "/usr/local/go/bin", "/usr/lib/go/bin"]
    go = shutil.which("go", path=os.pathsep.join(places))
    if go is None:
        return None
    env = {**os.environ, "GOBIN": str(binary.parent), "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw"}
    done = subprocess.run(
        [go, "install", MODULE], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return binary


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def await_listening(address, port, process, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, "the gateway ended"
        with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("the gateway does not listen")


def settings(endpoint):
    """AWS_* of a client of the gateway at this URL."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


@contextlib.contextmanager
def running(buckets, address="127.0.0.1"):
    """AWS_* of a gateway that runs over the folder `buckets`, with the bucket `models`."""
    binary = gateway_binary()
    if binary is None:
        pytest.skip("no Go to build the S3 gateway with")
    (buckets / "models").mkdir(parents=True, exist_ok=True)
    port = free_port(address)
    env = {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET, "PATH": os.environ["PATH"]}
    command = [binary, "--port", f"{address}:{port}", "posix", buckets]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=buckets
    ) as process:
        try:
            await_listening(address, port, process)
            yield settings(f"http://{address}:{port}")
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """AWS_* of a running gateway with the bucket `models`."""
    with running(tmp_path_factory.mktemp("s3") / "buckets") as there:
        yield there
