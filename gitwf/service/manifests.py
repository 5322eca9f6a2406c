"""What the repository's manifests say for one release: read at a commit, rendered, parsed strictly.

A folder of YAML files; those that end in `.j2` are jinja2, sandboxed, over `release`, `environment`
and `viewer`. The viewer's own files are among the values, so that a manifest can carry them to a
cluster: one app for every target. A mistake is named at its place in what was written, or, in a
template, by the file and what the template asked for.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitwf import ports
from gitwf.errors import Diagnostic, Rejected, Stalled
from gitwf.text import yaml_reader
from gitwf.values import CommitId

Render = Callable[[str, Mapping[str, Any]], str]
Manifest = Mapping[str, Any]

_WRITTEN = (".yaml", ".yml", ".json")
_TEMPLATE = ".j2"


def rendered(
    tree: ports.Tree, commit: CommitId, folder: str, render: Render, known: Mapping[str, Any]
) -> tuple[Manifest, ...]:
    """Read every manifest of a folder. Rejected: a file is wrong, or there is none at all."""
    found: list[Manifest] = []
    problems: list[Diagnostic] = []
    for path, _ in tree.files(commit, folder):
        plain = path.removesuffix(_TEMPLATE)
        if not plain.endswith(_WRITTEN):
            continue
        text = (tree.read(commit, path) or b"").decode("utf-8", "replace")
        try:
            if plain != path:
                text = render(text, known)
            found += _parsed(text, path)
        except Rejected as error:
            problems += error.diagnostics
        except Stalled as error:
            problems.append(Diagnostic(path, 0, 0, error.message, error.hint))
    if not found and not problems:
        what = "the folder has no manifests"
        problems.append(Diagnostic(folder, 0, 0, what, "add .yaml or .yaml.j2 files"))
    if problems:
        raise Rejected(sorted(problems))
    return tuple(found)


def _parsed(text: str, path: str) -> Iterator[Manifest]:
    for document in yaml_reader.read(text, path):
        value = document.value
        if value is None:
            continue
        if not isinstance(value, dict) or not _is_manifest(value):
            what = "a manifest needs apiVersion, kind and metadata.name"
            raise Rejected([document.diagnostic((), what)])
        yield value


def _is_manifest(value: Mapping[str, Any]) -> bool:
    meta = value.get("metadata")
    named = isinstance(meta, dict) and isinstance(meta.get("name"), str)
    return named and all(isinstance(value.get(key), str) for key in ("apiVersion", "kind"))


def viewer(tree: ports.Tree, commit: CommitId, folder: str, name: str) -> dict[str, Any]:
    """The viewer's files as values: `id`, `files` (text by path), `binary` (base64 by path)."""
    files: dict[str, str] = {}
    binary: dict[str, str] = {}
    for path, _ in tree.files(commit, folder):
        content = tree.read(commit, path)
        if content is None:
            continue
        short = path.removeprefix(f"{folder}/")
        try:
            files[short] = content.decode("utf-8")
        except UnicodeDecodeError:
            binary[short] = base64.b64encode(content).decode("ascii")
    return {"id": name, "files": files, "binary": binary}
