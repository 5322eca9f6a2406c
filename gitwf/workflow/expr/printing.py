"""How a value looks as text: Go's `%v` and Go's JSON.

Both differ from Python's in what people see: floats lose `.0`, maps are sorted by key, `<`, `>` and
`&` are escaped in JSON. Printing pays for every element, because a few `let`s can share one list so
often that its print would fill the disk. Read next: `numbers.go_float`.
"""

import base64
import re
from collections.abc import Mapping

from gitwf.workflow.expr import budget, errors, numbers, times, values, versions

_ESCAPED = re.compile('["\\\\<>&\u2028\u2029\x00-\x1f\ud800-\udfff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def plain(value: object, cost: budget.Budget) -> str:
    """Print a value as fmt's `%v` does: `[1 2 map[a:<nil>]]`."""
    cost.step()
    if isinstance(value, str):
        cost.write(len(value))
        return value
    if isinstance(value, Mapping):
        parts = [
            f"{plain(key, cost)}:{plain(values.adopt(item), cost)}" for key, item in items(value)
        ]
        return f"map[{' '.join(parts)}]"
    if values.is_list(value) or isinstance(value, bytes):
        return f"[{' '.join(plain(values.adopt(item), cost) for item in value)}]"
    if isinstance(value, float):
        return numbers.go_float(value)
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | versions.Version) or times.is_time(value):
        return str(value)
    raise errors.Fault(f"a value of type {values.type_name(value)} has no text")


def items(value: Mapping[object, object]) -> list[tuple[object, object]]:
    """Sort a map's items as Go prints them: by kind of key, then by key."""
    return sorted(value.items(), key=lambda item: _rank(item[0]))


def _rank(key: object) -> tuple[int, float, bytes]:
    if isinstance(key, str):
        return 3, 0, values.octets(key)
    if values.is_number(key):
        return (1 if isinstance(key, int) else 2), key, b""
    return 0, 0, _scalar(key).encode()


def quoted(text: str) -> str:
    """Write a JSON string as Go's encoding/json does, safe inside HTML."""

    def escape(match: re.Match[str]) -> str:
        character = match.group()
        if "\ud800" <= character <= "\udfff":
            return "\\ufffd"
        return _SHORT.get(character, f"\\u{ord(character):04x}")

    return f'"{_ESCAPED.sub(escape, text)}"'


def go_quoted(text: str) -> str:
    """Write a text in double quotes as Go source does (`%q`), letters of any script bare."""
    made: list[str] = []
    for character in text:
        if character in _SHORT:
            made.append(_SHORT[character])
        elif character.isprintable():
            made.append(character)
        else:
            code = ord(character)
            width = 2 if code < 0x80 else 4 if code < 0x10000 else 8  # noqa: PLR2004
            made.append(f"\\{'xuU'[(2, 4, 8).index(width)]}{code:0{width}x}")
    return f'"{"".join(made)}"'


def json(value: object, cost: budget.Budget, indent: str = "", margin: str = "\n") -> str:
    """Write a value as compact JSON, or indented when `indent` is given.

    Raises Fault for what JSON cannot hold: NaN, infinities, maps with keys of any type.
    """
    cost.step()
    if value is None:
        return "null"
    if isinstance(value, str):
        cost.write(len(value))
        return quoted(value)
    if isinstance(value, Mapping):
        if isinstance(value, values.AnyMap):
            raise errors.Fault(f"json: unsupported type: {values.type_name(value)}")
        colon = ": " if indent else ":"
        inner = margin + indent
        entries = [
            f"{quoted(str(key))}{colon}{json(values.adopt(item), cost, indent, inner)}"
            for key, item in items(value)
        ]
        return _bracketed("{", entries, "}", indent, margin)
    if values.is_list(value):
        inner = margin + indent
        entries = [json(values.adopt(item), cost, indent, inner) for item in value]
        return _bracketed("[", entries, "]", indent, margin)
    return _json_scalar(value)


def _bracketed(opening: str, entries: list[str], closing: str, indent: str, margin: str) -> str:
    if not indent or not entries:
        return f"{opening}{','.join(entries)}{closing}"
    inner = margin + indent
    return f"{opening}{inner}{(',' + inner).join(entries)}{margin}{closing}"


def _json_scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = numbers.go_float(value, low=-6, high=21, pad=1)
        if text in ("NaN", "+Inf", "-Inf"):
            raise errors.Fault(f"json: unsupported value: {text}")
        return text
    if isinstance(value, versions.Version):
        return quoted(str(value))
    if isinstance(value, bytes):
        return quoted(base64.b64encode(value).decode())
    encoded = times.json(value)
    if encoded is not None:
        return encoded
    if isinstance(value, int):
        return str(value)
    raise errors.Fault(f"json: unsupported type: {values.type_name(value)}")
