"""Numbers as Go counts them: int is 64 bits and wraps, float64 is everything else.

Python's int has no end and its float refuses what IEEE arithmetic answers with an infinity; both
would give an expression another value here than on a cluster. `bool` is not a number. Read next:
`operators`, which applies these to operands of any type.
"""

import math
import re

from gitwf.workflow.expr import errors

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf(?:inity)?|nan)",
    re.ASCII | re.IGNORECASE,
)
_HEX_FLOAT = re.compile(r"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]+", re.IGNORECASE)
_BASES = {"0x": (16, "hex"), "0b": (2, "binary"), "0o": (8, "octal")}
MAX_DIGITS = 1_000
"""Digits of a number in text; more are refused before Python counts them."""


def wrap(value: int) -> int:
    """Keep the low 64 bits, as Go's int does on overflow."""
    if INT_MIN <= value <= INT_MAX:
        return value
    return (value + 2**63) % 2**64 - 2**63


def literal(text: str) -> int | float:
    """Read a number of the source. Raises Fault when it fits neither int nor float64."""
    plain = text.replace("_", "")
    base, kind = _BASES.get(plain[:2].lower(), (10, "integer"))
    if base == 10 and re.search("[.eE]", plain):  # noqa: PLR2004
        value = parse_float(plain)
        if value is None or math.isinf(value):
            raise errors.Fault(f'invalid float literal: "{plain}"')
        return value
    digits = plain if base == 10 else plain[2:]  # noqa: PLR2004
    try:
        number = int(digits, base) if len(digits) <= MAX_DIGITS else INT_MAX + 1
    except ValueError:
        raise errors.Fault(f'invalid {kind} literal: "{plain}": invalid syntax') from None
    if number > INT_MAX:
        raise errors.Fault(f'invalid {kind} literal: "{plain}": value out of range')
    return number


def parse_int(text: str) -> int | None:
    """Read decimal digits with a sign as Go's strconv.Atoi does; None when they are not that."""
    if len(text) > MAX_DIGITS or not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if INT_MIN <= value <= INT_MAX else None


def parse_float(text: str) -> float | None:
    """Read a float64 as Go's strconv.ParseFloat does; None when the text is no number."""
    if len(text) > MAX_DIGITS:
        return None
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return None
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    overflowed = math.isinf(value) and "inf" not in text.lower()
    return None if overflowed else value


def to_int(value: float) -> int:
    """Convert as Go's int(x) does: towards zero, and the smallest int for what does not fit."""
    if isinstance(value, int):
        return value
    if math.isnan(value) or math.isinf(value) or not -(2.0**63) <= value < 2.0**63:
        return INT_MIN
    return int(value)


def power(base: float, exponent: float) -> float:
    """Raise to a power with infinities instead of exceptions.

    Go squares its way to a whole exponent, which rounds differently from the C library; gates
    compare such numbers, so that rounding is reproduced. For other exponents the last digit may
    differ from Go's.
    """
    base, exponent = float(base), float(exponent)
    whole = math.isfinite(exponent) and exponent.is_integer() and 1 < abs(exponent) < 2.0**63
    if not whole or base in (0, 1) or not math.isfinite(base):
        return _library_power(base, exponent)
    mantissa, scale = _squared(base, int(abs(exponent)))
    if exponent < 0:
        mantissa, scale = 1 / mantissa, -scale
    try:
        return math.ldexp(mantissa, scale)
    except OverflowError:
        return math.copysign(math.inf, mantissa)


def _squared(base: float, count: int) -> tuple[float, int]:
    """Give base**count as a mantissa and a binary exponent."""
    mantissa, scale = 1.0, 0
    factor, factor_scale = math.frexp(base)
    while count:
        if abs(factor_scale) > 1 << 12:  # Beyond this nothing but an infinity or zero remains.
            return mantissa, scale + factor_scale
        if count & 1:
            mantissa, scale = mantissa * factor, scale + factor_scale
        factor, factor_scale = factor * factor, factor_scale * 2
        if factor < 0.5:  # noqa: PLR2004
            factor, factor_scale = factor * 2, factor_scale - 1
        count >>= 1
    return mantissa, scale


def _library_power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:  # Zero to a negative power.
        odd = abs(exponent) < 2.0**53 and exponent % 2 == 1
        return math.copysign(math.inf, base) if odd else math.inf


def divide(left: float, right: float) -> float:
    """Divide in float64, by zero too: an infinity or NaN."""
    left, right = float(left), float(right)
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder(left: int, right: int) -> int:
    """Give the remainder with the sign of the dividend. Raises Fault on zero."""
    if right == 0:
        raise errors.Fault("runtime error: integer divide by zero")
    magnitude = abs(left) % abs(right)
    return -magnitude if left < 0 else magnitude


def half_away(value: float) -> float:
    """Round to the nearest whole number, halves away from zero."""
    if not math.isfinite(value):
        return value
    whole = float(math.floor(abs(value)))
    if abs(value) - whole >= 0.5:  # noqa: PLR2004
        whole += 1
    return math.copysign(whole, value)


def go_float(value: float, *, low: int = -4, high: int = 6, pad: int = 2) -> str:
    """Print the shortest digits that read back, in Go's layout.

    An exponent below `low` or from `high` up is written in scientific form, with at least `pad`
    digits: (-4, 6, 2) is fmt's `%v`, (-6, 21, 1) is encoding/json.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    digits, exponent = _shortest(abs(value))
    if value != 0 and (exponent < low or exponent >= high):
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        mark = "-" if exponent < 0 else "+"
        return f"{sign}{digits[0]}{fraction}e{mark}{abs(exponent):0{pad}d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{sign}{whole}{'.' + fraction if fraction else ''}"


def _shortest(value: float) -> tuple[str, int]:
    """Split Python's shortest repr into digits and a decimal exponent of the first digit."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    shift = len(whole) - 1 + int(exponent or "0")
    stripped = digits.lstrip("0")
    shift -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0")
    return (stripped, shift) if stripped else ("0", 0)
