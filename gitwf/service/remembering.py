"""What was read of pipelines, written down, so that the next process need not read it again.

A summary is a function of files, and so are the parts of a run key; each stands beside the ids that
Git gives these files, and counts for no others. What cannot be understood here, or was written by
other versions of what reads documents, is forgotten: it takes time then, and changes nothing else.
"""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gitwf.delivery import keys, pipeline
from gitwf.errors import Diagnostic
from gitwf.service import reading
from gitwf.text import models


@dataclass(frozen=True)
class Apart:
    """A run key taken apart. `made_of`: what tells the inputs, beside the pipeline's own files."""

    made_of: tuple[object, ...]
    parts: keys.KeyParts


def written(known: Iterable[tuple[reading.Summary, Apart | None]]) -> bytes:
    """Write down summaries, and the parts of their keys where these are known."""
    rows = [_summary(one) | {"apart": _apart(apart)} for one, apart in known]
    return json.dumps({"read by": models.READ_BY, "pipelines": rows}).encode()


def recalled(content: bytes) -> list[tuple[reading.Summary, Apart | None]]:
    """Read what `written` wrote; nothing where that cannot be trusted."""
    try:
        body = json.loads(content)
        if body["read by"] != models.READ_BY:
            return []
        return [_recalled(row) for row in body["pipelines"]]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return []


def _summary(one: reading.Summary) -> dict[str, Any]:
    return {
        "file": one.file,
        "document": one.document.to_json(),
        "workflow_files": sorted(one.workflow_files),
        "problems": [dataclasses.astuple(problem) for problem in one.problems],
        "unsupported": [dataclasses.astuple(problem) for problem in one.unsupported],
        "meaning": dict(one.meaning),
        "alone": one.alone,
        "made_of": one.made_of,
    }


def _apart(one: Apart | None) -> dict[str, Any] | None:
    return None if one is None else {"made_of": one.made_of, "parts": one.parts.body(None)}


def _recalled(row: dict[str, Any]) -> tuple[reading.Summary, Apart | None]:
    apart = row["apart"]
    summary = reading.Summary(
        file=row["file"],
        document=pipeline.Pipeline.from_json(row["document"]),
        workflow_files=frozenset(row["workflow_files"]),
        problems=tuple(Diagnostic(*problem) for problem in row["problems"]),
        unsupported=tuple(Diagnostic(*problem) for problem in row["unsupported"]),
        meaning=row["meaning"],
        alone=row["alone"],
        made_of=_frozen(row["made_of"]),
    )
    if apart is None:
        return summary, None
    return summary, Apart(_frozen(apart["made_of"]), keys.KeyParts.read(apart["parts"]))


def _frozen(value: Any) -> Any:
    """Give lists as the tuples that they were."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
