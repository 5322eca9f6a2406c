"""What Go's encoding/json says about text that is not JSON, word for word.

Argo shows these sentences to people (`withParam value could not be parsed …`), so a run has to say
the same. The scanner walks the grammar only as far as the first mistake.
"""

import re
from typing import Any

from gitwf.workflow import quoting

_SPACE = re.compile(r"[ \t\r\n]*")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DIGITS = re.compile(r"[0-9]*")
_ESCAPE = re.compile(r"u[0-9a-fA-F]{0,3}")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_END = "unexpected end of JSON input"


class _WrongError(Exception):
    """The first mistake."""


def kind(value: Any) -> str:
    """Name a parsed value's kind as Go's error messages do."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    return "number" if isinstance(value, quoting.Number) else "string"


def complaint(text: str) -> str:
    """Say what is wrong with `text`, which is not JSON."""
    try:
        position = space(text, value(text, 0))
        if position < len(text):
            _wrong(text, position, "after top-level value")
    except _WrongError as problem:
        return str(problem)
    return _END


def _wrong(text: str, position: int, where: str) -> None:
    """Raise the mistake at `position`, or that the text ends there."""
    if position >= len(text):
        raise _WrongError(_END)
    raise _WrongError(f"invalid character {_shown(text[position])} {where}")


def _cut(text: str, position: int, where: str) -> None:
    """Raise the mistake at `position`; where the text ends, Go goes on to a blank."""
    raise _WrongError(f"invalid character {_shown(text[position : position + 1] or ' ')} {where}")


def _shown(character: str) -> str:
    """Show a character as Go does, which looks at the first byte of it alone."""
    if character == "'":
        return "'\\''"
    if character == '"':
        return "'\"'"
    first = character.encode("utf-8", "surrogatepass")[0]
    return f"'{quoting.quote(chr(first))[1:-1]}'"


def space(text: str, position: int) -> int:
    """Give the end of the white space at `position`."""
    match = _SPACE.match(text, position)
    return match.end() if match else position


def value(text: str, start: int) -> int:
    """Give the end of the JSON value that begins at `start`, white space before it apart."""
    position = space(text, start)
    first = text[position : position + 1]
    if first == "{":
        return _members(text, position + 1, "}", "object key:value pair")
    if first == "[":
        return _members(text, position + 1, "]", "array element")
    if first == '"':
        return _string(text, position)
    if first in _LITERALS and first:
        return _literal(text, position, _LITERALS[first])
    match = _WHOLE.match(text, position)
    if match is None:
        if first == "-":
            _cut(text, position + 1, "in numeric literal")
        _wrong(text, position, "looking for beginning of value")
        return position
    return _fraction(text, match.end())


def _fraction(text: str, position: int) -> int:
    """Give the end of a number whose whole part ends at `position`."""
    if text[position : position + 1] == ".":
        position = _digits(text, position + 1, "after decimal point in numeric literal")
    if text[position : position + 1] in {"e", "E"}:
        signed = text[position + 1 : position + 2] in {"+", "-"}
        position = _digits(text, position + 1 + signed, "in exponent of numeric literal")
    return position


def _digits(text: str, position: int, where: str) -> int:
    match = _DIGITS.match(text, position)
    end = match.end() if match else position
    if end == position:
        _cut(text, position, where)
    return end


def _members(text: str, start: int, close: str, what: str) -> int:
    position = space(text, start)
    if text[position : position + 1] == close:
        return position + 1
    while True:
        if close == "}":
            position = _key(text, position)
        position = space(text, value(text, position))
        following = text[position : position + 1]
        if following == close:
            return position + 1
        if following != ",":
            _wrong(text, position, f"after {what}")
        position = space(text, position + 1)


def _key(text: str, position: int) -> int:
    if text[position : position + 1] != '"':
        _wrong(text, position, "looking for beginning of object key string")
    position = space(text, _string(text, position))
    if text[position : position + 1] != ":":
        _wrong(text, position, "after object key")
    return position + 1


def _string(text: str, position: int) -> int:
    match = _STRING.match(text, position)
    end = match.end() if match else position + 1
    following = text[end : end + 1]
    if following == '"':
        return end + 1
    if following == "\\":
        escape = _ESCAPE.match(text, end + 1)
        if escape is not None:
            _cut(text, escape.end(), "in \\u hexadecimal character escape")
        _cut(text, end + 1, "in string escape code")
    _wrong(text, end, "in string literal")
    return end


def _literal(text: str, position: int, word: str) -> int:
    for offset, expected in enumerate(word):
        if text[position + offset : position + offset + 1] != expected:
            _cut(text, position + offset, f"in literal {word} (expecting '{expected}')")
    return position + len(word)
