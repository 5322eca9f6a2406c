"""What the operators do to two values, and the messages when they cannot.

Each function takes evaluated operands and returns a value or raises `Fault` with the words
expr-lang prints (`invalid operation: string + int`), because those are the words people find when
they search. A nil beside `contains`, `startsWith`, `endsWith` or `matches` makes it false, not
wrong. Read next: `evaluator`, which decides what is evaluated at all.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from gitwf.workflow.expr import budget, errors, methods, numbers, patterns, times, values

Operation = Callable[[object, object, budget.Budget], object]


def _mismatch(symbol: str, left: object, right: object) -> errors.Fault:
    names = values.type_name(left), values.type_name(right)
    return errors.Fault(f"invalid operation: {names[0]} {symbol} {names[1]}")


def _number(value: object, target: str) -> int | float:
    if values.is_number(value):
        return value
    raise errors.Fault(f"invalid operation: {target}({values.type_name(value)})")


def _add(left: object, right: object, cost: budget.Budget) -> object:
    if values.is_number(left) and values.is_number(right):
        total = left + right
        return numbers.wrap(total) if isinstance(total, int) else total
    if isinstance(left, str) and isinstance(right, str):
        cost.write(len(left) + len(right))
        return left + right
    if isinstance(left, times.Moment) and isinstance(right, times.Duration):
        return left.add(right)
    if isinstance(left, times.Duration) and isinstance(right, times.Moment):
        return right.add(left)
    if isinstance(left, times.Duration) and isinstance(right, times.Duration):
        return times.Duration(numbers.wrap(left.nanoseconds + right.nanoseconds))
    raise _mismatch("+", left, right)


def _subtract(left: object, right: object, _cost: budget.Budget) -> object:
    if values.is_number(left) and values.is_number(right):
        rest = left - right
        return numbers.wrap(rest) if isinstance(rest, int) else rest
    if isinstance(left, times.Moment) and isinstance(right, times.Moment):
        return left.since(right)
    if isinstance(left, times.Moment) and isinstance(right, times.Duration):
        return left.add(times.Duration(-right.nanoseconds))
    if isinstance(left, times.Duration) and isinstance(right, times.Duration):
        return times.Duration(numbers.wrap(left.nanoseconds - right.nanoseconds))
    raise _mismatch("-", left, right)


def _multiply(left: object, right: object, _cost: budget.Budget) -> object:
    if values.is_number(left) and values.is_number(right):
        product = left * right
        return numbers.wrap(product) if isinstance(product, int) else product
    for duration, factor in ((left, right), (right, left)):
        if isinstance(duration, times.Duration) and values.is_number(factor):
            scaled = numbers.to_int(duration.nanoseconds * factor)
            return times.Duration(numbers.wrap(scaled))
    raise _mismatch("*", left, right)


def _divide(left: object, right: object, _cost: budget.Budget) -> object:
    if values.is_number(left) and values.is_number(right):
        return numbers.divide(left, right)
    raise _mismatch("/", left, right)


def _modulo(left: object, right: object, _cost: budget.Budget) -> object:
    if values.is_int(left) and values.is_int(right):
        return numbers.remainder(left, right)
    raise _mismatch("%", left, right)


def _power(left: object, right: object, _cost: budget.Budget) -> object:
    return numbers.power(_number(left, "float"), _number(right, "float"))


def _range(left: object, right: object, cost: budget.Budget) -> object:
    low = numbers.to_int(_number(left, "int"))
    high = numbers.to_int(_number(right, "int"))
    cost.collect(max(0, high - low + 1))
    return list(range(low, high + 1))


def compare(symbol: str, left: object, right: object) -> bool:
    """Order two numbers, texts, instants or durations. Raises Fault for anything else."""
    test = _COMPARE[symbol]
    if values.is_number(left) and values.is_number(right):
        return bool(test(left, right))
    if isinstance(left, str) and isinstance(right, str):
        return bool(test(values.octets(left), values.octets(right)))
    if isinstance(left, times.Moment) and isinstance(right, times.Moment):
        return bool(test(left.nanoseconds, right.nanoseconds))
    if isinstance(left, times.Duration) and isinstance(right, times.Duration):
        return bool(test(left.nanoseconds, right.nanoseconds))
    raise _mismatch(symbol, left, right)


def contains(needle: object, haystack: object, cost: budget.Budget) -> bool:
    """Say whether `needle in haystack`: an element of an array or a key of a map."""
    if haystack is None:
        return False
    if values.is_list(haystack):
        return any(values.same(element, needle, cost) for element in haystack)
    if isinstance(haystack, values.AnyMap):
        return needle in haystack
    if isinstance(haystack, Mapping):
        if needle is not None and not isinstance(needle, str):
            name = values.type_name(needle)
            raise errors.Fault(f"cannot use {name} as index to {values.type_name(haystack)}")
        return (needle or "") in haystack
    raise errors.Fault(f'operator "in" not defined on {values.type_name(haystack)}')


def _on_texts(test: Callable[[str, str], bool]) -> Operation:
    def apply(left: object, right: object, _cost: budget.Budget) -> object:
        if left is None or right is None:
            return False
        for value in (left, right):
            if not isinstance(value, str):
                raise errors.Fault(values.not_of(value, "string"))
        return test(str(left), str(right))

    return apply


def _matches(left: object, right: object, cost: budget.Budget) -> object:
    if left is None or right is None:
        return False
    if isinstance(left, bytes):
        left = left.decode("utf-8", "replace")
    for value in (left, right):
        if not isinstance(value, str):
            raise errors.Fault(values.not_of(value, "string"))
    return patterns.compiled(str(right)).search(str(left), cost) is not None


_COMPARE: dict[str, Callable[[Any, Any], object]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

OPERATIONS: dict[str, Operation] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "**": _power,
    "..": _range,
    "==": values.same,
    "!=": lambda left, right, cost: not values.same(left, right, cost),
    "in": contains,
    "contains": _on_texts(lambda text, part: part in text),
    "startsWith": _on_texts(str.startswith),
    "endsWith": _on_texts(str.endswith),
    "matches": _matches,
    "<": lambda left, right, _cost: compare("<", left, right),
    "<=": lambda left, right, _cost: compare("<=", left, right),
    ">": lambda left, right, _cost: compare(">", left, right),
    ">=": lambda left, right, _cost: compare(">=", left, right),
}
"""Every infix operator that always evaluates both sides."""


def negate(value: object) -> object:
    """Apply the unary minus. Raises Fault for what is no number."""
    if isinstance(value, times.Duration):
        return times.Duration(numbers.wrap(-value.nanoseconds))
    if values.is_int(value):
        return numbers.wrap(-value)
    if isinstance(value, float):
        return -value
    raise errors.Fault(f"invalid operation: - {values.type_name(value)}")


def fetch(base: object, key: object) -> object:
    """Take an element, a map's value or a method. Raises Fault when there is none to take."""
    if isinstance(base, Mapping):
        if isinstance(base, values.AnyMap) or isinstance(key, str):
            return values.adopt(base.get(key))
        if key is None:
            return values.adopt(base.get(""))
        name = values.type_name(key)
        raise errors.Fault(f"cannot use {name} as index to {values.type_name(base)}")
    if isinstance(key, str):
        method = methods.method(base, key)
        if method is not None:
            return method
    if values.is_list(base) or isinstance(base, str | bytes):
        elements = values.octets(base) if isinstance(base, str) else base
        index = numbers.to_int(_number(key, "int"))
        place = index + len(elements) if index < 0 else index
        if not 0 <= place < len(elements):
            length = len(elements)
            raise errors.Fault(f"index out of range: {place} (array length is {length})")
        return values.adopt(elements[place])
    shown = key if isinstance(key, str) else repr(key)
    raise errors.Fault(f"cannot fetch {shown} from {values.type_name(base)}")


def cut(base: object, start: object, stop: object, cost: budget.Budget) -> object:
    """Take `base[start:stop]`; bounds count from the end when negative and clamp to the ends."""
    if not (values.is_list(base) or isinstance(base, str | bytes)):
        raise errors.Fault(f"cannot slice {values.type_name(base)}")
    elements = values.octets(base) if isinstance(base, str) else base
    length = len(elements)
    low = 0 if start is None else numbers.to_int(_number(start, "int"))
    high = length if stop is None else numbers.to_int(_number(stop, "int"))
    high = min(max(high + length if high < 0 else high, 0), length)
    low = min(max(low + length if low < 0 else low, 0), high)
    part = elements[low:high]
    if isinstance(part, bytes):
        cost.write(len(part))
        return part.decode("utf-8", "replace") if isinstance(base, str) else part
    cost.collect(len(part))
    return list(part)
