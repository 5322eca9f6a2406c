"""Reading JSON as Go does: every number becomes a float64, and the errors are Go's.

Argo shows encoding/json's messages (`invalid character 'h' looking for beginning of value`) to
people whose step printed something that is not JSON; they should find the same words here.
"""

import json
import math

from gitwf.workflow.expr import budget, errors

_LOOKING = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key"
    " string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_ENDLESS = "Unterminated string starting at"


def read(text: str, cost: budget.Budget) -> object:
    """Give the value of a JSON text. Raises Fault with Go's message when it is not JSON."""
    cost.write(len(text))
    try:
        value: object = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no)
    except json.JSONDecodeError as wrong:
        raise errors.Fault(_message(text, wrong)) from None
    except RecursionError:
        raise errors.Fault("JSON is nested too deeply") from None
    cost.collect(text.count(",") + text.count("["))
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        message = f"json: cannot unmarshal number {digits} into Go value of type float64"
        raise errors.Fault(message)
    return value


def _no(word: str) -> float:
    raise errors.Fault(f"invalid character '{word[0]}' looking for beginning of value")


def _message(text: str, wrong: json.JSONDecodeError) -> str:
    place = wrong.pos
    if wrong.msg == "Expecting value" and text[place : place + 1] in _LITERALS:
        return _half(text[place:])
    if wrong.msg.startswith("Invalid \\") and wrong.msg != "Invalid \\escape":
        place += 1
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    if place >= len(text) or wrong.msg == _ENDLESS:
        return "unexpected end of JSON input"
    if wrong.msg == "Expecting ',' delimiter":
        inside = _container(text[:place])
        return f"invalid character {_shown(text[place])} after {inside}"
    kind = wrong.msg.rstrip(": ")
    found = next((words for start, words in _LOOKING.items() if kind.startswith(start)), "")
    return f"invalid character {_shown(text[place])} {found}".rstrip()


def _half(text: str) -> str:
    """Say where `true`, `false` or `null` goes wrong."""
    word = _LITERALS[text[0]]
    same = next(place for place in range(len(word)) if text[place : place + 1] != word[place])
    wrong = _shown(text[same : same + 1] or " ")
    return f"invalid character {wrong} in literal {word} (expecting '{word[same]}')"


def _container(before: str) -> str:
    """Say what a value just ended in: the innermost bracket still open."""
    opened: list[str] = []
    in_text = escaped = False
    for character in before:
        if in_text:
            in_text = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_text = True
        elif character in "[{":
            opened.append(character)
        elif character in "]}" and opened:
            opened.pop()
    return "object key:value pair" if opened[-1:] == ["{"] else "array element"


def _shown(character: str) -> str:
    if character == "'":
        return "'\\''"
    return "'\"'" if character == '"' else repr(character)
