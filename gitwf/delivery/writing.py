"""The bytes of release files: a new one written whole, an old one edited where it changes.

People comment and order their release files; gitwf changes only what its decision changes. Scalars
are written as JSON, which is YAML that nobody reads in two ways. Read next: `release`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitwf.delivery import document, entry, release
from gitwf.values import CommitId


@dataclass(frozen=True)
class Naming:
    """What a release file shall name. `result` None names nothing (`version: null`)."""

    model: str
    environment: str
    result: entry.Result | None
    kind: entry.Kind
    who: str
    request: str
    parent: CommitId
    ledger: CommitId | None
    holds: Sequence[int] = field(default=())

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
        return evidence


def named(source: bytes | None, naming: Naming) -> bytes:
    """Give the release file that names what `naming` says; holds are added to those there."""
    old = release.load(source, release.path(naming.model, naming.environment)) if source else None
    hold = old.spec.hold if old is not None else release.Hold()
    versions = [*hold.versions, *(one for one in naming.holds if one not in hold.versions)]
    spec = naming.spec() | {"hold": _hold(hold, versions)}
    content = {
        "apiVersion": document.API_VERSION,
        "kind": "Release",
        "metadata": {"model": naming.model, "environment": naming.environment},
        "spec": spec,
        "evidence": naming.evidence(),
    }
    return whole(content)


def rejecting(
    source: bytes | None, model: str, rejected: Sequence[release.RejectedVersion]
) -> bytes:
    """Give the list of rejected versions with `rejected` added."""
    old = release.load_rejections(source, release.rejected_path(model)) if source else None
    rows = [*(old.spec.versions if old is not None else ())]
    known = {row.version for row in rows}
    rows += [row for row in rejected if row.version not in known]
    content = {
        "apiVersion": document.API_VERSION,
        "kind": "Rejected",
        "metadata": {"model": model},
        "spec": {"versions": [row.model_dump(by_alias=True) for row in rows]},
    }
    return whole(content)


def _hold(hold: release.Hold, versions: Sequence[int]) -> dict[str, Any]:
    kept: dict[str, Any] = {"versions": list(versions)}
    if hold.all:
        kept = {"all": True, "reason": hold.reason, **kept}
    return kept


def whole(content: Mapping[str, Any]) -> bytes:
    """Write a document from nothing: block mappings, leaves as JSON."""
    return ("\n".join(_lines(content, "")) + "\n").encode()


def _lines(content: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{_scalar(name)}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{_scalar(name)}: {_flow(value)}")
    return lines


def _flow(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _scalar(name: str) -> str:
    """Write a key: bare where nothing but letters could be meant."""
    return name if name.isalpha() and name.lower() not in _WORDS else _flow(name)


_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
