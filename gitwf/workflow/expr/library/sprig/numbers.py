"""Sprig's numbers: sums of ints (`add`), of floats (`addf`), extremes, rounding, sequences.

Arguments pass through `casts` first, so a number in a text counts and anything else is zero. Ints
wrap at 64 bits; the functions that end in `f` compute in decimals, as sprig does, so that 0.1 + 0.2
is 0.3.
"""

import functools
import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation, localcontext

from gitwf.workflow.expr import errors, numbers
from gitwf.workflow.expr.library import context
from gitwf.workflow.expr.library.sprig import casts

Context = context.Context
_MAX_PLACES = 300


def _fold(step: Callable[[int, int], int]) -> Callable[..., object]:
    def apply(_given: Context, *terms: object) -> object:
        whole = (casts.to_int(term) for term in terms)
        return functools.reduce(
            lambda one, other: numbers.wrap(step(one, other)), whole, next(whole, 0)
        )

    return apply


def _quotient(one: int, other: int) -> int:
    if other == 0:
        raise errors.Fault("runtime error: integer divide by zero")
    return (one - numbers.remainder(one, other)) // other


def _exact(step: Callable[[Decimal, Decimal], Decimal]) -> Callable[..., object]:
    def apply(_given: Context, *terms: object) -> object:
        with localcontext() as rules:
            rules.prec = 400
            decimals = (Decimal(numbers.go_float(casts.to_float(term))) for term in terms)
            try:
                return float(functools.reduce(step, decimals, next(decimals, Decimal(0)))) or 0.0
            except (InvalidOperation, ZeroDivisionError):
                raise errors.Fault("decimal division by 0") from None

    return apply


def _divided(one: Decimal, other: Decimal) -> Decimal:
    # Go's decimal package keeps sixteen places of a quotient.
    return round(one / other, 16)


def _successor(_given: Context, value: object) -> object:
    return numbers.wrap(casts.to_int(value) + 1)


def _extreme(
    choose: Callable[..., float], cast: Callable[[object], float]
) -> Callable[..., object]:
    return lambda _given, *terms: choose(cast(term) for term in terms)


def _ceil(_given: Context, value: object) -> object:
    exact = casts.to_float(value)
    return float(math.ceil(exact)) if math.isfinite(exact) else exact


def _floor(_given: Context, value: object) -> object:
    exact = casts.to_float(value)
    return float(math.floor(exact)) if math.isfinite(exact) else exact


def _round(_given: Context, value: object, places: object, threshold: object = 0.5) -> object:
    exact, digits = casts.to_float(value), casts.to_int(places)
    if abs(digits) > _MAX_PLACES or not math.isfinite(exact):
        return exact
    power = 10.0**digits
    scaled = power * exact
    if not math.isfinite(scaled):
        return exact
    fraction = math.modf(scaled)[0]
    up = fraction >= casts.to_float(threshold)
    return float(math.ceil(scaled) if up else math.floor(scaled)) / power


def _range(given: Context, start: int, stop: int, step: int) -> list[object]:
    if step == 0 or (stop > start) is not (step > 0):
        return []
    given.cost.collect(abs(stop - start) // abs(step) + 1)
    return list(range(start, stop, step))


def _until(given: Context, count: object) -> object:
    stop = casts.to_int(count)
    return _range(given, 0, stop, -1 if stop < 0 else 1)


def _until_step(given: Context, start: object, stop: object, step: object) -> object:
    return _range(given, casts.to_int(start), casts.to_int(stop), casts.to_int(step))


def _seq(given: Context, *bounds: object) -> object:
    """Write a sequence of ints, both ends included, as the shell's seq does."""
    whole = [casts.to_int(bound) for bound in bounds]
    if not whole or len(whole) > 3:  # noqa: PLR2004
        return ""
    start, stop = (1, whole[0]) if len(whole) == 1 else (whole[0], whole[-1])
    away = 1 if stop >= start else -1
    step = whole[1] if len(whole) == 3 else away  # noqa: PLR2004
    if len(whole) == 3 and stop < start and step > 0:  # noqa: PLR2004
        return ""
    made = _range(given, start, stop + away, step)
    text = " ".join(map(str, made))
    given.cost.write(len(text))
    return text


FUNCTIONS: context.Bodies = {
    "add": _fold(lambda one, other: one + other),
    "add1": _successor,
    "sub": _fold(lambda one, other: one - other),
    "mul": _fold(lambda one, other: one * other),
    "div": _fold(_quotient),
    "mod": _fold(numbers.remainder),
    "addf": _exact(lambda one, other: one + other),
    "add1f": lambda _given, value: casts.to_float(value) + 1,
    "subf": _exact(lambda one, other: one - other),
    "mulf": _exact(lambda one, other: one * other),
    "divf": _exact(_divided),
    "max": _extreme(max, casts.to_int),
    "biggest": _extreme(max, casts.to_int),
    "min": _extreme(min, casts.to_int),
    "maxf": _extreme(max, casts.to_float),
    "minf": _extreme(min, casts.to_float),
    "ceil": _ceil,
    "floor": _floor,
    "round": _round,
    "until": _until,
    "untilStep": _until_step,
    "seq": _seq,
    "int": lambda _given, value: casts.to_int(value),
    "int64": lambda _given, value: casts.to_int(value),
    "float64": lambda _given, value: casts.to_float(value),
    "atoi": lambda _given, value: numbers.parse_int(str(value)) or 0,
}
"""The number functions by name."""
