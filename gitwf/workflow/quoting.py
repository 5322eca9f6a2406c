"""How Go writes text: quoted strings, JSON, floating-point numbers.

Argo puts values into a template's JSON with Go's strconv.Quote, whose escapes are not all JSON's: a
value that holds an ESC byte makes the JSON invalid, and the node ends in Error. Node names,
messages and aggregated outputs are Go's spelling too, so this module is the one place that knows
it.
"""

import codecs
import json
import re
from typing import Any

from gitwf.workflow import failure
from gitwf.workflow.expr import numbers

_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_BASIC_PLANE = 0x10000
_DELETE = 0x7F
HTML = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_LARGEST, _SMALLEST = (1 << 63) - 1, -(1 << 63)

INVALID_JSON = "cannot finish template replacement because the result was invalid JSON"


def _one_byte(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    return "\ufffd", problem.start + 1


codecs.register_error("gitwf.each-byte", _one_byte)


def decoded(content: bytes) -> str:
    """Read text as Go's JSON does: one U+FFFD for each byte that is no part of a character."""
    return content.decode("utf-8", "gitwf.each-byte")


def for_json(value: str) -> str:
    """Escape as strconv.Quote does, without the quotes.

    Raises NodeFailure where that is no valid JSON: control bytes, DEL, unprintable characters
    beyond the basic plane (Argo: util/template/replace.go).
    """
    if is_plain(value):
        return value
    return "".join(map(_escape, value))


def is_plain(value: str) -> bool:
    """Whether JSON writes a text as it is."""
    return _PLAIN.fullmatch(value) is not None


def _escape(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < ord(" ") or code == _DELETE or code >= _BASIC_PLANE:
        raise failure.NodeFailure(INVALID_JSON)
    return f"\\u{code:04x}"


def quote(value: str) -> str:
    """Quote as strconv.Quote does, for a person or a program to read."""
    return '"' + "".join(_escape_freely(character) for character in value) + '"'


def _escape_freely(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES or character.isprintable():
        return _ESCAPES.get(character, character)
    if code in {7, 11}:
        return {7: "\\a", 11: "\\v"}[code]
    if code < ord(" ") or code == _DELETE:
        return f"\\x{code:02x}"
    return f"\\U{code:08x}" if code >= _BASIC_PLANE else f"\\u{code:04x}"


class Number(str):
    """A JSON number as it was written, so that 1.0 stays 1.0."""

    __slots__ = ()


def loads(text: str) -> Any:
    """Parse JSON and keep each number's spelling. Raises json.JSONDecodeError."""
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise json.JSONDecodeError(f"not JSON: {constant}", constant, 0)


def dumps(value: Any) -> str:
    """Render compact JSON as Go's json.Marshal: sorted keys, `<`, `>` and `&` escaped."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(HTML)
    if isinstance(value, float):
        return numbers.go_float(value, low=-6, high=21, pad=1)
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return dumps(float(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{dumps(k)}:{dumps(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)
