"""Images are written as the OCI layout that container runtimes import."""

import hashlib
import json
import stat
import tarfile

import pytest

from tests.cluster import images


@pytest.fixture
def layer(tmp_path):
    files = tmp_path / "files"
    (files / "bin").mkdir(parents=True)
    (files / "bin" / "tool").write_text("#!/bin/sh\n")
    (files / "bin" / "tool").chmod(0o700)
    (files / "bin" / "text").write_text("words")
    (files / "bin" / "text").chmod(0o600)
    images.pack(tmp_path / "layer.tar", files)
    return tmp_path / "layer.tar"


def blob(layout, described):
    return (layout / "blobs" / "sha256" / described["digest"].removeprefix("sha256:")).read_bytes()


def test_a_layer_is_roots_and_readable_by_all(layer):
    with tarfile.open(layer) as tar:
        entries = {entry.name: entry for entry in tar}

    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, 0)}
    assert stat.S_IMODE(entries["bin"].mode) & 0o555 == 0o555
    assert stat.S_IMODE(entries["bin/tool"].mode) & 0o555 == 0o555
    assert stat.S_IMODE(entries["bin/text"].mode) & 0o555 == 0o444


def test_every_part_of_a_layout_is_found_by_its_digest(layer, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    image = images.Image("localhost/one:test", (layer,), command=("sh",), user="1000:1000")

    layout = images.layout_of([image])

    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(layout, index["manifests"][0]))
    config = json.loads(blob(layout, manifest["config"]))
    digest = f"sha256:{hashlib.sha256(layer.read_bytes()).hexdigest()}"
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "localhost/one:test"
    assert [each["digest"] for each in manifest["layers"]] == [digest]
    assert config["rootfs"]["diff_ids"] == [digest]
    assert (config["config"]["Cmd"], config["config"]["User"]) == (["sh"], "1000:1000")
    assert {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (layout / "blobs" / "sha256").iterdir()
    } == {path.name: path.name for path in (layout / "blobs" / "sha256").iterdir()}
