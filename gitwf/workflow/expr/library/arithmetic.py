"""Builtins on numbers: rounding, extremes, averages and bits.

Go keeps ints and floats apart, and so do these: what a function gives has the type that Go's would
have, and an int wraps at 64 bits. Extremes and averages look into nested arrays, from left to
right, and pay a step of the budget for each element. The operators themselves are in `operators`.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from gitwf.workflow.expr import errors, numbers, operators, values
from gitwf.workflow.expr.library import context

Context = context.Context


def _absolute(_context: Context, value: object) -> object:
    if values.is_int(value):
        return numbers.wrap(abs(value))
    if isinstance(value, float):
        return abs(value)
    raise errors.Fault(f"invalid argument for abs (type {values.type_name(value)})")


def _rounded(name: str, rounding: Callable[[float], float]) -> Callable[..., object]:
    def apply(_context: Context, value: object) -> object:
        if not values.is_number(value):
            raise errors.Fault(f"invalid argument for {name} (type {values.type_name(value)})")
        exact = float(value)
        return math.copysign(rounding(exact), exact) if math.isfinite(exact) else exact

    return apply


def _leaves(name: str, arguments: Sequence[object], context: Context) -> Iterator[int | float]:
    """Yield the numbers of nested arrays from left to right."""
    for argument in arguments:
        context.cost.step()
        if values.is_list(argument):
            yield from _leaves(name, argument, context)
        elif values.is_number(argument):
            yield argument
        else:
            raise errors.Fault(f"invalid argument for {name} (type {values.type_name(argument)})")


def _extreme(name: str, symbol: str) -> Callable[..., object]:
    def apply(context: Context, *arguments: object) -> object:
        if len(arguments) == 1 and not (
            values.is_list(arguments[0]) or values.is_number(arguments[0])
        ):
            return arguments[0]
        found: int | float | None = None
        for number in _leaves(name, arguments, context):
            if found is None or operators.compare(symbol, found, number):
                found = number
        return found

    return apply


def _mean(context: Context, *arguments: object) -> object:
    leaves = [float(number) for number in _leaves("mean", arguments, context)]
    total = 0.0
    for number in leaves:
        total += number
    return total / len(leaves) if leaves else 0.0


def _median(context: Context, *arguments: object) -> object:
    leaves = sorted(float(number) for number in _leaves("median", arguments, context))
    middle = len(leaves) // 2
    if not leaves:
        return 0.0
    return leaves[middle] if len(leaves) % 2 else (leaves[middle - 1] + leaves[middle]) / 2


def _shift(value: int, count: int, shifted: Callable[[int, int], int]) -> int:
    if count < 0:
        raise errors.Fault(f"invalid operation: negative shift count {count} (type int)")
    return numbers.wrap(shifted(value, min(count, 64)))


_BITS: dict[str, Callable[[int, int], int]] = {
    "bitand": lambda one, other: one & other,
    "bitor": lambda one, other: one | other,
    "bitxor": lambda one, other: one ^ other,
    "bitnand": lambda one, other: one & ~other,
    "bitshl": lambda one, count: _shift(one, count, lambda x, y: x << y),
    "bitshr": lambda one, count: _shift(one, count, lambda x, y: x >> y),
    "bitushr": lambda one, count: _shift(one, count, lambda x, y: (x % 2**64) >> y),
}


def _bits(name: str) -> Callable[..., object]:
    def apply(_context: Context, *arguments: object) -> object:
        for argument in arguments:
            if not values.is_int(argument):
                shown = values.type_name(argument)
                raise errors.Fault(f"cannot use {shown} as argument (type int) to call {name}")
        if name == "bitnot":
            return ~int(str(arguments[0]))
        one, other = (argument for argument in arguments if values.is_int(argument))
        return numbers.wrap(_BITS[name](one, other))

    return apply


FUNCTIONS = context.table(
    ("abs", _absolute, 1, 1),
    ("ceil", _rounded("ceil", math.ceil), 1, 1),
    ("floor", _rounded("floor", math.floor), 1, 1),
    ("round", _rounded("round", numbers.half_away), 1, 1),
    ("max", _extreme("max", "<"), 1, None),
    ("min", _extreme("min", ">"), 1, None),
    ("mean", _mean, 1, None),
    ("median", _median, 1, None),
    *((name, _bits(name), 2, 2) for name in _BITS),
    ("bitnot", _bits("bitnot"), 1, 1),
)
"""The number builtins by name."""
