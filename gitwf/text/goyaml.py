"""What an unquoted word means to Argo: YAML 1.1's booleans, and numbers as Go writes them.

Argo reads its documents with a parser that kept `yes`, `off` and `n` as booleans, and that takes
`1_000`, `0b11` and `08` for numbers (the library is sigs.k8s.io/yaml; the tests hold what it says
of each word). gitwf reads workflows the same way, so that one file means one thing on both engines.
Whoever knows YAML 1.2 is told where that differs: `surprises`. Read next: `gitwf.text.scalars`.
"""

import ctypes
import decimal
import math
import re

from gitwf.text import scalars

_SPELLINGS = {
    word: value
    for value, names in ((True, ("y", "yes", "on")), (False, ("n", "no", "off")))
    for name in names
    for word in (name, name.capitalize(), name.upper())
}
_MAY_BE_A_NUMBER = frozenset("+-.0123456789")
_BASED = re.compile(r"(?P<sign>[-+]?)0(?P<base>[xXoObB]?)(?P<digits>[0-9a-fA-F]+)")
_BASES = {"x": (16, "0123456789abcdef"), "b": (2, "01"), "o": (8, "01234567"), "": (8, "01234567")}
_INTS = range(-(2**63), 2**64)
_WITHOUT_EXPONENT = range(-4, 6)
_KEYS = range(-(2**63), 2**63)


def resolve(text: str, tag: str = "") -> scalars.Scalar:
    """Read a plain word; `tag` is a core tag (`str`, `int`, …) or "". Raises ScalarError."""
    return text if tag == "str" else scalars.tagged(_resolve(text), tag)


def key(text: str, tag: str = "") -> str:
    """Read a plain word as the name of a field, which is text in JSON. Raises ScalarError."""
    if scalars.infinite(text):
        return text.removeprefix("+").lower()
    value = resolve(text, tag)
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if value in _KEYS:
            return str(value)
        case float():
            return _short(value)
    raise scalars.ScalarError("Argo takes no such word as a key; quote it")


def surprises(text: str, value: scalars.Scalar) -> str:
    """Say how Argo's reading of a plain word differs from YAML 1.2's, or ""."""
    if isinstance(value, str):
        return ""
    try:
        strict = scalars.resolve(text)
    except scalars.ScalarError:
        strict = text
    if type(strict) is type(value) and strict == value:
        return ""
    if isinstance(value, bool):
        return f"Argo reads `{text}` as {'true' if value else 'false'}"
    return "Argo reads this number by other rules than YAML 1.2"


def _resolve(text: str) -> scalars.Scalar:
    if text in _SPELLINGS:
        return _SPELLINGS[text]
    if not text or text[0] not in _MAY_BE_A_NUMBER or scalars.infinite(text):
        return scalars.resolve(text)
    return _number(text)


def _number(text: str) -> int | float | str:
    """Read a word that begins like a number. Underscores count for nothing, wherever they stand."""
    digits = text.replace("_", "")
    whole = _whole(digits)
    if whole is not None and whole in _INTS:
        return whole
    if not scalars.FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    return number if math.isfinite(number) else text


def _whole(digits: str) -> int | None:
    """Read a whole number, in the base that its prefix names; None where it is none."""
    if len(digits) > scalars.LONGEST:
        return None
    if scalars.INT.fullmatch(digits):
        return int(digits)
    if not (match := _BASED.fullmatch(digits)):
        return None
    base, allowed = _BASES[match["base"].lower()]
    if not set(match["digits"].lower()) <= set(allowed):
        return None
    return int(match["sign"] + match["digits"], base)


def _short(number: float) -> str:
    """Write a number as Go's strconv.FormatFloat(number, 'g', -1, 32) does."""
    single = _single(number)
    shown = next(one for n in range(9) if _single(float(one := f"{single:.{n}e}")) == single)
    mantissa, _, exponent = shown.partition("e")
    if int(exponent) in _WITHOUT_EXPONENT:
        return format(decimal.Decimal(shown), "f")
    return f"{mantissa}e{exponent}"


def _single(number: float) -> float:
    """Round to 32 bits."""
    return ctypes.c_float(number).value
