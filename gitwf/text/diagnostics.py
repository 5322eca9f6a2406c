"""Diagnostics for programs: the same mistakes that people read, as JSON."""

import dataclasses
import json
from collections.abc import Iterable

from gitwf.errors import Diagnostic


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Write diagnostics as a JSON list of objects, fields named as in `errors.Diagnostic`."""
    return json.dumps([dataclasses.asdict(one) for one in diagnostics], ensure_ascii=False)
