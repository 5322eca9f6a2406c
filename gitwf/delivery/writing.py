"""The bytes of release files: a new one written whole, an old one edited where it changes.

People comment and order their release files; gitwf changes only what its decision changes, and the
evidence, which is its own. Read next: `release`, `gitwf.text.splice`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitwf.delivery import document, entry, release
from gitwf.text import rendering, splice
from gitwf.values import CommitId


@dataclass(frozen=True)
class Naming:
    """What a release file shall name. `result` None names nothing (`version: null`).

    `verified`: False where nobody checks the bytes before they are served.
    """

    model: str
    environment: str
    result: entry.Result | None
    kind: entry.Kind
    who: str
    request: str
    parent: CommitId
    ledger: CommitId | None
    holds: Sequence[int] = field(default=())
    verified: bool = True

    def spec(self) -> dict[str, Any]:
        """The three fields that make a release."""
        result = self.result
        if result is None:
            return {"version": None, "uri": None, "digest": None}
        return {"version": result.version, "uri": result.uri, "digest": result.digest}

    def evidence(self) -> dict[str, Any]:
        """Everything the file tells about where the version came from."""
        evidence: dict[str, Any] = {
            "kind": self.kind,
            "environment": self.environment,
            "by": self.who,
            "request": self.request,
            "parent": self.parent,
            "ledger": self.ledger or "",
        }
        if self.result is not None:
            result = self.result
            evidence |= {
                "run": {
                    "key": result.key,
                    "commit": result.commit,
                    "pipeline": result.pipeline,
                    "engine": result.engine,
                    "finished": result.finished.rfc3339(),
                },
                "parameters": dict(result.parameters),
                "inputs": dict(result.inputs),
                "metrics": dict(result.metrics),
            }
            if not self.verified:
                evidence["verified"] = False
        return evidence


def named(source: bytes | None, naming: Naming) -> bytes:
    """Give the release file that names what `naming` says; holds are added to those there.

    Rejected: a person laid the file out so that it cannot be edited in place.
    """
    file = release.path(naming.model, naming.environment)
    if source is None:
        return whole(
            {
                "apiVersion": document.API_VERSION,
                "kind": "Release",
                "metadata": {"model": naming.model, "environment": naming.environment},
                "spec": naming.spec() | {"hold": {"versions": list(naming.holds)}},
                "evidence": naming.evidence(),
            }
        )
    held = release.load(source, file).spec.hold.versions
    changes: dict[splice.Path, object] = {
        ("spec", name): value for name, value in naming.spec().items()
    }
    if not set(naming.holds) <= set(held):
        changes["spec", "hold", "versions"] = sorted({*held, *naming.holds})
    changes["evidence",] = naming.evidence()
    return splice.edit(source, changes, file)


def holding(
    source: bytes | None, model: str, environment: str, *, held: bool, reason: str = ""
) -> bytes:
    """Give the release file with a person's hold, or without it."""
    file = release.path(model, environment)
    if source is None:
        source = whole(
            {
                "apiVersion": document.API_VERSION,
                "kind": "Release",
                "metadata": {"model": model, "environment": environment},
                "spec": {"version": None, "hold": {"versions": []}},
            }
        )
    changes: dict[splice.Path, object] = {
        ("spec", "hold", "all"): held,
        ("spec", "hold", "reason"): reason,
    }
    return splice.edit(source, changes, file)


def rejecting(
    source: bytes | None, model: str, rejected: Sequence[release.RejectedVersion]
) -> bytes:
    """Give the list of rejected versions with `rejected` added. Rejected: as for `named`."""
    rows = [row.model_dump(by_alias=True) for row in rejected]
    file = release.rejected_path(model)
    if source is None:
        return whole(
            {
                "apiVersion": document.API_VERSION,
                "kind": "Rejected",
                "metadata": {"model": model},
                "spec": {"versions": rows},
            }
        )
    old = release.load_rejections(source, file)
    fresh = [row for row in rows if row["version"] not in old.numbers()]
    if not old.spec.versions:
        return splice.edit(source, {("spec", "versions"): fresh}, file) if fresh else source
    changes: dict[splice.Path, object] = {
        ("spec", "versions", index): row
        for index, row in enumerate(fresh, start=len(old.spec.versions))
    }
    return splice.edit(source, changes, file)


def whole(content: Mapping[str, Any]) -> bytes:
    """Write a document from nothing."""
    return (rendering.block(content, 0, "\n") + "\n").encode()
