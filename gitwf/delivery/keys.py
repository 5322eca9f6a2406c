"""The run key: what a run is a function of, hashed; and words for how two keys differ.

A key covers the resolved workflow, the user's parameters, the Git object ids of the inputs and the
occasion; never the commit, so that reverting code brings the old key back and with it the old
model, untrained. Left out of the inputs by construction are `models/`, every pipeline.yaml and the
ignored paths: this pruning, not the author of a commit, is what keeps gitwf's own commits from
triggering it. Workflow files are left out as files, because they count by their meaning.
`KeyParts` goes into the ledger with the first claim, so that any later pass can explain a decision.
"""

import functools
import hashlib
import json
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitwf import values
from gitwf.delivery import globs, pipeline, project, release
from gitwf.values import ObjectId, RunKey

FORMAT = 1
_OUTLINE = 60  # more files than this are outlined by folder, so that a claim stays small

Listing = Callable[[str], Iterable[tuple[str, ObjectId]]]


@dataclass(frozen=True)
class KeyParts:
    """What a key is made of. Two are equal when their keys are for every occasion.

    `workflow`: part of the workflow -> digest of its canonical text. `inputs`: path -> digest of
    the pruned files at or below it. `outline`: file or folder -> short id, for words only.
    """

    workflow: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]
    outline: Mapping[str, str] = field(default_factory=dict, compare=False)

    @functools.cached_property
    def base(self) -> str:
        """The digest of everything but the occasion: what a request is a stretch of."""
        return _digest([FORMAT, dict(self.workflow), dict(self.parameters), dict(self.inputs)])

    def key(self, occasion: str | None = None) -> RunKey:
        """The run key for an occasion: None for a commit, an instant, or a retrain's id."""
        return of(self.base, occasion)

    def body(self, occasion: str | None) -> dict[str, Any]:
        """Give the JSON that a claim keeps."""
        return {
            "base": self.base,
            "workflow": dict(self.workflow),
            "parameters": dict(self.parameters),
            "inputs": dict(self.inputs),
            "outline": dict(self.outline),
            "occasion": occasion,
        }

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "KeyParts":
        """Read what a claim kept."""
        return cls(body["workflow"], body["parameters"], body["inputs"], body.get("outline", {}))


def of(base: str, occasion: str | None = None) -> RunKey:
    """Give the run key of a base, the digest of everything but the occasion, for an occasion."""
    return RunKey(_digest([base, occasion]))


def _digest(value: object) -> str:
    return hashlib.sha256(values.canonical(value).encode()).hexdigest()


def parts(
    document: pipeline.Pipeline,
    file: str,
    *,
    settings: project.Project,
    workflow: Mapping[str, str],
    workflow_files: Collection[str],
    listing: Listing,
) -> KeyParts:
    """Take a key apart.

    `file`: where `document` stands. `workflow`: the parts of its workflow, from the files
    `workflow_files`. `listing(path)`: every (path, blob id) at or below a path at the commit.
    """
    left_out = [
        release.FOLDER,
        *settings.spec.pipelines,
        file,
        *(pipeline.rooted(pattern, file) for pattern in document.spec.triggers.ignore),
    ]
    paths = [pipeline.rooted(path, file) for path in document.spec.triggers.paths]
    if document.spec.requirements is not None:
        paths.append(pipeline.rooted(document.spec.requirements, file))
    inputs: dict[str, str] = {}
    outline: dict[str, str] = {}
    for path in paths:
        kept = [
            (name, blob)
            for name, blob in listing(path)
            if name not in workflow_files and (name == path or not globs.matches(name, left_out))
        ]
        inputs[path] = _digest(sorted(kept))
        outline.update(_outline(path, kept))
    return KeyParts(
        workflow=workflow,
        parameters=dict(document.spec.parameters),
        inputs=inputs,
        outline=outline,
    )


def workflow_parts(canonical: str) -> dict[str, str]:
    """Digest the canonical text of a resolved workflow by its parts, each template on its own."""
    meaning = json.loads(canonical)
    named = {f"template {name}": text for name, text in meaning.pop("templates", {}).items()}
    return {name: _digest(text)[:16] for name, text in sorted({**meaning, **named}.items())}


def _outline(path: str, files: list[tuple[str, ObjectId]]) -> dict[str, str]:
    """Name the files of an input with short ids, by folder where there are many."""
    if len(files) <= _OUTLINE:
        return {name: blob[:12] for name, blob in files}
    folders: dict[str, list[tuple[str, str]]] = {}
    for name, blob in files:
        below = posixpath.relpath(name, path)
        folders.setdefault(posixpath.join(path, below.partition("/")[0]), []).append((name, blob))
    if len(folders) > _OUTLINE:
        return {path: _digest(sorted(files))[:12]}
    return {name: _digest(sorted(rows))[:12] for name, rows in folders.items()}


def explain(old: KeyParts, new: KeyParts) -> tuple[str, ...]:
    """Say which parts differ, most telling first; () when only the occasion can."""
    return (
        *_differences("parameters.", old.parameters, new.parameters, show=True),
        *_differences("", old.outline, new.outline),
        *_unnamed(old, new),
        *_differences("workflow: ", old.workflow, new.workflow),
    )


def _differences(
    prefix: str, old: Mapping[str, str], new: Mapping[str, str], *, show: bool = False
) -> Iterator[str]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if show:
            yield f"{prefix}{name}: {_shown(before)} -> {_shown(after)}"
        elif before is None:
            yield f"{prefix}{name} added"
        else:
            yield f"{prefix}{name} {'removed' if after is None else 'changed'}"


def _shown(value: str | None) -> str:
    return "absent" if value is None else value


def _unnamed(old: KeyParts, new: KeyParts) -> Iterator[str]:
    """Name inputs that differ although no file of their outlines does."""
    for path in sorted({*old.inputs, *new.inputs}):
        if old.inputs.get(path) == new.inputs.get(path):
            continue
        below = {name for name in {*old.outline, *new.outline} if _is_below(name, path)}
        if all(old.outline.get(name) == new.outline.get(name) for name in below):
            yield f"{path} changed"


def _is_below(name: str, path: str) -> bool:
    return path in (".", name) or name.startswith(path + "/")
