"""A container engine for the tests, and an image for it made of this machine's own programs.

No registry is asked for anything: a shell, the usual tools and Python are copied with the libraries
that they load, packed and imported. Where Podman does not run a container as it is set up (in a
sandbox without a network or systemd), it is given a configuration that asks less of the machine.
GITWF_TEST_CONTAINERS names the engine where several answer: podman or docker.
"""

import contextlib
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sysconfig
import tarfile
from collections.abc import Iterator

import filelock
import pytest

from gitwf.adapters.local import engines

# Of other content under another name.
IMAGE = (
    "localhost/gitwf-steps:" + hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()[:12]
)
_TOOLS = (
    "basename", "bash", "cat", "chmod", "cp", "cut", "date", "dirname", "echo", "env", "false",
    "find", "grep", "head", "id", "ln", "ls", "mkdir", "mkfifo", "mount", "mv", "printf", "pwd",
    "python3", "readlink", "rm", "sed", "seq", "sh", "sha256sum", "sleep", "sort", "stat", "tail", "tee",
    "tar", "test", "touch", "tr", "true", "uniq", "wc", "xargs",
)  # fmt: skip
# What a sandbox may lack: limits above its own, a network to itself, systemd, one cgroup tree.
_MODEST = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
# crun runs nothing where both kinds of control groups are in use.
_RUNC = 'runtime = "runc"\n'


def call(engine: engines.Engine, *words: str, **more) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(engine.command(*words), capture_output=True, check=False, **more)


def libraries(program: pathlib.Path) -> Iterator[pathlib.Path]:
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    yield from (pathlib.Path(found) for found in re.findall(r"(/\S+)(?= \(0x)", said))


def packed() -> bytes:
    """The image's files as a tar."""
    made = io.BytesIO()
    seen: set[str] = set()
    with tarfile.open(fileobj=made, mode="w") as tar:

        def add(path: pathlib.Path, name: str) -> None:
            name = name.lstrip("/")
            if name not in seen:
                seen.add(name)
                tar.add(path.resolve(), name, recursive=False)

        def folder(name: str, mode: int = 0o755) -> None:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)

        for name, mode in (("tmp", 0o1777), ("root", 0o700), ("etc", 0o755), ("home", 0o755)):
            folder(name, mode)
        for name in _TOOLS:
            if (found := shutil.which(name, path="/usr/bin:/bin")) is not None:
                add(pathlib.Path(found), f"/bin/{name}")
                for library in libraries(pathlib.Path(found)):
                    add(library, str(library))
        stdlib = pathlib.Path(_standard_library())
        for path in sorted(stdlib.rglob("*.py")) + sorted(stdlib.rglob("*.so")):
            if not {"test", "idlelib", "site-packages", "dist-packages"} & set(path.parts):
                add(path, str(path))
        entry = tarfile.TarInfo("etc/passwd")
        text = b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return made.getvalue()


def _standard_library() -> str:
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        return sysconfig.get_path("stdlib")
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def make(engine: engines.Engine, *names: str) -> None:
    """Have the image here, also under other names."""
    if call(engine, "image", "inspect", IMAGE).returncode:
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = call(engine, "import", f"--change={path}", "-", IMAGE, input=packed())
        assert done.returncode == 0, done.stderr.decode()
    for name in names:
        call(engine, "tag", IMAGE, name)


def names(engine: engines.Engine) -> Iterator[str]:
    """What workflows of the tests call the image."""
    yield "localhost/none:latest" if engine.name == "podman" else "none:latest"
    cases = pathlib.Path(__file__).parent / "parity" / "cases"
    texts = "".join(path.read_text() for path in cases.rglob("*.yaml"))
    yield from sorted(
        {name for name in re.findall(r"image: ([^\s,]+)", texts) if "/steps:" in name}
    )


def runs(engine: engines.Engine) -> str:
    """Why a container does not run, or nothing."""
    done = call(engine, "run", "--rm", IMAGE, "true")
    return done.stderr.decode() if done.returncode else ""


@pytest.fixture(scope="session")
def container_engine(tmp_path_factory):
    """An engine that runs containers, with the image in it; in words of its name."""
    wanted = os.environ.get("GITWF_TEST_CONTAINERS", engines.ANY)
    engine = engines.find(wanted)
    if engine is None:
        pytest.skip(f"no container engine answers on this machine as {wanted!r}")
    shared = tmp_path_factory.getbasetemp().parent
    with filelock.FileLock(shared / "containers.lock"), contextlib.ExitStack() as undo:
        make(engine, *names(engine))
        if why := runs(engine):
            conf = shared / "containers.conf"
            conf.write_text(_MODEST + _RUNC * bool(shutil.which("runc")))
            os.environ["CONTAINERS_CONF"] = str(conf)
            undo.callback(os.environ.pop, "CONTAINERS_CONF")
            assert not runs(engine), f"{why}\n{runs(engine)}"
        yield_undo = undo.pop_all()
    with yield_undo:
        yield engine
