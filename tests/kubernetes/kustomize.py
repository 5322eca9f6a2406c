"""The manifests of a kustomization, read as `kubectl -k` would: its resources, folders included."""

import pathlib

from gitwf.text import yaml_reader

ROOT = pathlib.Path(__file__).parents[2] / "manifests" / "controller"


def resources(folder):
    """Every manifest of a folder's kustomization.yaml, in order."""
    (own,) = documents(folder / "kustomization.yaml")
    for name in own["resources"]:
        path = folder / name
        yield from resources(path.resolve()) if path.is_dir() else documents(path)


def documents(path):
    """The documents of a file."""
    return [one.value for one in yaml_reader.read(path.read_bytes(), path.name)]
