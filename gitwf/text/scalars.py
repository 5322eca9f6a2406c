"""What an unquoted word means in gitwf's own documents: YAML 1.2's rules, but for octal numbers.

Only `true` and `false` are booleans; dates, times, `on`, `yes` and `n` are text. A leading zero
means octal, as Kubernetes reads it (`mode: 0644`), and is refused where YAML 1.1 and 1.2 could
disagree about it. A number that JSON cannot hold is refused. What Argo reads has its own rules:
`gitwf.text.goyaml`.
"""

import math
import re

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_OCTAL = re.compile(r"(?P<sign>[-+]?)0o?(?P<digits>[0-7]+)")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_DOUBTFUL = re.compile(r"[-+]?0[0-9]+|[-+]?[0-9][0-9]*_[0-9_]*|[-+]?0b[01_]+")
LONGEST = 400

Scalar = None | bool | int | float | str


class ScalarError(ValueError):
    """The word is a number to one reader and something else to another."""


def resolve(text: str, tag: str = "") -> Scalar:
    """Read a plain word; `tag` is a core tag (`str`, `int`, …) or "". Raises ScalarError."""
    if tag == "str":
        return text
    return tagged(_resolve(text), tag)


def tagged(value: Scalar, tag: str) -> Scalar:
    """Hold a value to its tag. Raises ScalarError."""
    if tag and tag != _name(value) and not (tag == "float" and _name(value) == "int"):
        raise ScalarError(f"this is not of the type `!!{tag}`")
    return value


def infinite(text: str) -> bool:
    """Whether a word names a number that JSON cannot hold."""
    return _NOT_JSON.fullmatch(text) is not None


def _resolve(text: str) -> Scalar:
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] in "+-.0123456789":
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    """Read a word that begins like a number; it may be none, as a date is none."""
    if len(text) > LONGEST and FLOAT.fullmatch(text):
        raise ScalarError("a number this long cannot be read; quote it")
    if INT.fullmatch(text):
        return int(text)
    if match := _OCTAL.fullmatch(text):
        return int(match["sign"] + match["digits"], 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if infinite(text):
        raise ScalarError("JSON cannot hold this number; quote it")
    if _DOUBTFUL.fullmatch(text):
        raise ScalarError("tools read this number in different ways; quote it")
    if not FLOAT.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise ScalarError("this number is too large; quote it")
    return number


def _name(value: Scalar) -> str:
    # A bool is an int to Python, so that the order matters.
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(value, kind):
            return name
    return "null"
