r"""JSON that stays text: its parts as they were written, compacted as Go compacts them.

Argo keeps loop items and gathered results as the text they came in: `1.0` stays `1.0`, `\u00e9`
stays six characters, the keys of a mapping inside an item keep their order. Only white space goes,
and what HTML would read is escaped (Argo: item.go; Go: encoding/json.Compact). Whoever wants values
instead parses with `quoting.loads`.
"""

import json
import re
from collections.abc import Iterator

from gitwf.workflow import gojson, quoting

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[ \t\r\n]+', re.DOTALL)
_READABLE = {"\\u003c": "<", "\\u003e": ">", "\\u0026": "&"}
_ESCAPED = re.compile("|".join(map(re.escape, _READABLE)))


def check(text: str) -> str:
    """Say what is wrong with a text that should be JSON, in Go's words, or ""."""
    try:
        quoting.loads(text)
    except json.JSONDecodeError:
        return gojson.complaint(text)
    except RecursionError:
        return "exceeded max depth"
    return ""


def compact(text: str) -> str:
    """Give JSON without white space, `<`, `>` and `&` escaped, otherwise as written."""
    bare = _PART.sub(lambda part: part[0] if part[0][0] == '"' else "", text)
    return bare.translate(quoting.HTML)


def shown(text: str) -> str:
    """Give JSON as Argo shows it: a string without its quotes, its escapes kept."""
    made = compact(text)
    if made.startswith('"'):
        made = made[1:-1]
    return _ESCAPED.sub(lambda escape: _READABLE[escape[0]], made)


def elements(text: str) -> list[str]:
    """Split a list that is JSON into its elements."""
    return [part for _, part in _parts(text)]


def members(text: str) -> dict[str, str]:
    """Split a mapping that is JSON into its values by key; of twins the last counts."""
    return {json.loads(key): part for key, part in _parts(text)}


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Give key (or "") and value of each part of a list or mapping."""
    position = gojson.space(text, 0) + 1
    while True:
        position = gojson.space(text, position)
        if text[position] in "]}":
            return
        key = ""
        end = gojson.value(text, position)
        colon = gojson.space(text, end)
        if text[colon] == ":":
            key = text[position:end]
            position = gojson.space(text, colon + 1)
            end = gojson.value(text, position)
        yield key, text[position:end]
        position = gojson.space(text, end)
        if text[position] == ",":
            position += 1
