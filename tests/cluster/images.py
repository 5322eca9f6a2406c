"""The images of the tests, made without a container engine: `steps`, `viewer` and the pause image.

A Debian root file system is one layer; on top of it `viewer` gets what gitwf imports, and gitwf
itself as it stands in this checkout, for `gitwf fetch`. Only a layer whose content changed is built
again, so that an edit of gitwf costs a second and not the two minutes of R.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import platform
import shutil
import stat
import subprocess
import sys
import tarfile
import tomllib

from tests.cluster import cache, layout

ROOT = pathlib.Path(__file__).parents[2]
SUITE = "bookworm"
PYTHON = "3.11"  # Debian bookworm's
ENGINE_BASE = f"debian:{SUITE}-slim"
PACKAGES = {
    "steps": ("ca-certificates", "python3"),
    "viewer": ("python3", "r-base-core", "r-cran-jsonlite", "r-cran-shiny"),
}
# Neither is read in a container, and both are a third of the bytes.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
USER = 1000  # of the viewer; no name in /etc/passwd is needed for it
SITE = "opt/gitwf"  # where gitwf and what it imports lie in the viewer
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
WHEELS = {"amd64": "x86_64", "arm64": "aarch64"}
COMMAND = f"""#!/bin/sh
PYTHONPATH=/{SITE}/packages:/{SITE}/gitwf exec python3 -m gitwf "$@"
"""
# R's own recipe for a server: no browser is opened, and it listens where a Service finds it.
VIEWER = [
    "Rscript",
    "-e",
    "shiny::runApp(Sys.getenv('VIEWER', '/srv/viewer'), host = '0.0.0.0', port = 3838)",
]


class CannotBuild(Exception):
    """Why an image cannot be built here."""


@dataclasses.dataclass(frozen=True)
class Image:
    """An image: its name, the layers' tar files from the ground up, and how it starts."""

    name: str
    layers: tuple[pathlib.Path, ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""


def architecture():
    return ARCHITECTURES[platform.machine()]


def images(engine=None):
    """All images, their missing layers built first; `engine`: the container engine that builds."""
    steps, viewer = base("steps", engine), base("viewer", engine)
    return (
        Image(layout.PAUSE, (steps,), entrypoint=("/bin/sleep", "infinity")),
        Image(named("steps", steps), (steps,), command=("python3",)),
        Image(
            named("viewer", viewer, dependencies(), program()),
            (viewer, dependencies(), program()),
            command=tuple(VIEWER),
            user=f"{USER}:{USER}",
        ),
        Image(
            named("controller", steps, dependencies(), dependencies("kubernetes"), program()),
            (steps, dependencies(), dependencies("kubernetes"), program()),
            command=("gitwf", "serve"),
            user=f"{USER}:{USER}",
        ),
    )


def named(name, *layers):
    """An image's name; its tag says what is in it, so that two checkouts share a cluster."""
    return f"localhost/gitwf-{name}:{cache.key(*(layer.parent.name for layer in layers))}"


# ---- layers ------------------------------------------------------------------------------------


def base(name, engine=None):
    """Layer: Debian with the packages of the image `name`."""
    packages = PACKAGES[name]

    def build(place):
        with_engine(engine, packages, place) if engine else with_mmdebstrap(packages, place)

    content = cache.key(SUITE, architecture(), packages, LEFT_OUT, engine or "mmdebstrap")
    return cache.made_once(f"image-{name}", content, build) / "layer.tar"


def with_mmdebstrap(packages, place):
    """Debian's own tool, as root."""
    command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=essential"]
    command += [f"--include={','.join(packages)}", f"--architectures={architecture()}"]
    command += [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    _run(*command, SUITE, str(place / "layer.tar"))


def with_engine(engine, packages, place):
    """A container of the engine, in which apt installs, and whose files are exported."""
    name = f"gitwf-base-{place.name}".replace(".", "-")
    script = "apt-get -qq update && apt-get -qq install -y --no-install-recommends "
    script += " ".join(packages) + " >/dev/null && rm -rf /var/lib/apt/lists/*"
    try:
        _run(engine, "run", "--name", name, ENGINE_BASE, "sh", "-c", script)
        _run(engine, "export", "--output", str(place / "layer.tar"), name)
    finally:
        subprocess.run([engine, "rm", "--force", name], capture_output=True, check=False)


def dependencies(extra=""):
    """Layer: what gitwf imports, pinned, for Debian's Python whichever Python runs the tests.

    extra: the name of an extra, for a layer of that alone.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = sorted(project["optional-dependencies"][extra] if extra else project["dependencies"])
    pins = ROOT / "constraints.txt"

    def build(place):
        files = place / "files" / SITE / "packages"
        machine = WHEELS[architecture()]
        platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in range(17, 37)]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
        command += ["--target", str(files), "--constraint", str(pins), "--only-binary=:all:"]
        _run(*command, f"--python-version={PYTHON}", *platforms, *wanted)
        pack(place / "layer.tar", place / "files")
        shutil.rmtree(place / "files")

    content = cache.key(*wanted, pins, PYTHON, architecture())
    return cache.made_once("image-dependencies", content, build) / "layer.tar"


def program():
    """Layer: gitwf as it stands in this checkout, the command, and the worked pipeline's viewer."""
    sources = {f"{SITE}/gitwf/{path.relative_to(ROOT)}": path for path in _tracked("gitwf")}
    viewer = ROOT / "pipelines" / "ad-effect" / "viewer"
    sources |= {f"srv/viewer/{path.relative_to(viewer)}": path for path in _tracked(viewer)}

    def build(place):
        files = place / "files"
        for name, path in sources.items():
            target = files / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        command = files / "usr" / "local" / "bin" / "gitwf"
        command.parent.mkdir(parents=True)
        command.write_text(COMMAND, "utf-8")
        command.chmod(0o755)
        pack(place / "layer.tar", files)
        shutil.rmtree(files)

    parts = [part for name, path in sorted(sources.items()) for part in (name, path)]
    return cache.made_once("image-program", cache.key(COMMAND, *parts), build) / "layer.tar"


def _tracked(under):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", str(under)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if (ROOT / name).is_file()]


def pack(archive, files):
    """Write the tree `files` as a layer: owned by root, readable by all, without times."""

    def plain(entry):
        entry.uid = entry.gid = entry.mtime = 0
        entry.uname = entry.gname = "root"
        entry.mode |= stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
        if entry.isdir() or entry.mode & stat.S_IXUSR:
            entry.mode |= stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
        return entry

    with tarfile.open(archive, "w") as tar:
        for path in sorted(files.iterdir()):
            tar.add(path, arcname=path.name, filter=plain)


def _run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        raise CannotBuild(f"{command[0]} failed:\n{done.stderr[-2000:]}")


# ---- the layout that containerd imports -------------------------------------------------------


def layout_of(images_):
    """Folder of one OCI image layout that holds all of `images_`; its layers are hard links."""

    def build(place):
        blobs = place / "layout" / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        index = {
            "schemaVersion": 2,
            "manifests": [_manifest(blobs, image) for image in images_],
        }
        (place / "layout" / "index.json").write_text(json.dumps(index), "utf-8")
        (place / "layout" / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', "utf-8")

    content = cache.key(*(str(image) for image in images_))
    return cache.made_once("images", content, build) / "layout"


def _manifest(blobs, image):
    layers = [_linked(blobs, layer) for layer in image.layers]
    config = {
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "User": image.user,
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    media = "application/vnd.oci.image"
    described = {
        "schemaVersion": 2,
        "mediaType": f"{media}.manifest.v1+json",
        "config": _written(blobs, config, f"{media}.config.v1+json"),
        "layers": layers,
    }
    written = _written(blobs, described, f"{media}.manifest.v1+json")
    return {**written, "annotations": {"io.containerd.image.name": image.name}}


def _linked(blobs, layer):
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not (blobs / digest).exists():
        os.link(layer, blobs / digest)
    return {
        "mediaType": "application/vnd.oci.image.layer.v1.tar",
        "digest": f"sha256:{digest}",
        "size": layer.stat().st_size,
    }


def _written(blobs, value, media):
    content = json.dumps(value, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(content)}
