"""The value of a `when`: strings, float64, booleans, nil and lists, and what operators do to them.

Facts from govaluate (evaluationStage.go, EvaluableExpression.go). Both operands are evaluated
before either is checked, save where `&&`, `||`, `?`, `:` and `??` stop early. A wrong type is named
by its value: `Value 'foo' cannot be used with the modifier '-', it is not a number`.
"""

import math
import operator
from collections.abc import Callable

from gitwf.workflow.expr import budget, errors, numbers, patterns, times, values
from gitwf.workflow.when import planner, tokens

Value = str | float | bool | list["Value"] | patterns.Pattern | None

_WRONG = {
    tokens.Kind.LOGICALOP: "logical operator '{0}', it is not a bool",
    tokens.Kind.MODIFIER: "modifier '{0}', it is not a number",
    tokens.Kind.COMPARATOR: "comparator '{0}', it is not a number",
    tokens.Kind.TERNARY: "ternary operator '{0}', it is not a bool",
}


def shown(value: Value) -> str:
    """Print a value as Go's `%v` does."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return numbers.go_float(value)
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    return str(value)


def evaluate(stage: planner.Stage | None) -> Value:
    """Give the value of a tree. Raises Fault where there is none."""
    return _Evaluator().value(stage)


class _Evaluator:
    def __init__(self) -> None:
        self.cost = budget.Budget()

    def value(self, stage: planner.Stage | None) -> Value:
        match stage:
            case planner.Literal(token):
                return _constant(token)
            case planner.Group(inner):
                return self.value(inner)
            case planner.Access(name, arguments):
                self.value(arguments)
                raise errors.Fault(f"No parameter '{name}' found.")
            case planner.Prefix(symbol, operand):
                return _prefixed(symbol, self.value(operand))
            case planner.Infix():
                return self.infix(stage)
        return None

    def infix(self, stage: planner.Infix) -> Value:
        spine = [stage]
        while isinstance(spine[-1].left, planner.Infix):
            spine.append(spine[-1].left)
        value = self.value(spine[-1].left)
        for part in reversed(spine):
            value = self.combined(part, value)
        return value

    def combined(self, stage: planner.Infix, left: Value) -> Value:
        symbol = stage.symbol
        if (symbol == "&&" and left is False) or (symbol == "||" and left is True):
            return left
        if symbol in (":", "??"):
            return left if left is not None else self.value(stage.right)
        if symbol == "?":
            right = None if left is False else self.value(stage.right)
            if not isinstance(left, bool):
                raise _misused(left, stage)
            return right
        right = self.value(stage.right)
        if symbol == ",":
            self.cost.collect(1)
            return [*left, right] if isinstance(left, list) else [left, right]
        return self.operated(stage, left, right)

    def operated(self, stage: planner.Infix, left: Value, right: Value) -> Value:
        if stage.kind is tokens.Kind.COMPARATOR:
            return self.compared(stage, left, right)
        if stage.kind is tokens.Kind.MODIFIER:
            return self.calculated(stage, left, right)
        for side in (left, right):
            if not isinstance(side, bool):
                raise _misused(side, stage)
        return right

    def compared(self, stage: planner.Infix, left: Value, right: Value) -> Value:
        if stage.symbol in ("==", "!="):
            return _same(left, right) is (stage.symbol == "==")
        if stage.symbol in ("=~", "!~"):
            return self.matched(stage, left, right)
        if stage.symbol != "in":
            return _ordered(stage, left, right)
        if not isinstance(right, list):
            raise _misused(right, stage)
        self.cost.step(len(right))
        return any(_identical(left, each) for each in right)

    def calculated(self, stage: planner.Infix, left: Value, right: Value) -> Value:
        if isinstance(left, float) and isinstance(right, float):
            return _ARITHMETIC[stage.symbol](left, right)
        if stage.symbol == "+" and (isinstance(left, str) or isinstance(right, str)):
            text = f"{shown(left)}{shown(right)}"
            self.cost.write(len(text))
            return text
        raise _misused(right if isinstance(left, float) and stage.symbol != "+" else left, stage)

    def matched(self, stage: planner.Infix, left: Value, right: Value) -> Value:
        if not isinstance(left, str):
            raise _misused(left, stage)
        if not isinstance(right, str | patterns.Pattern):
            raise _misused(right, stage)
        if isinstance(right, str):
            try:
                right = patterns.compiled(right)
            except errors.Fault as fault:
                message = f"Unable to compile regexp pattern '{right}': {fault.message}"
                raise errors.Fault(message) from None
        found = right.search(left, self.cost) is not None
        return found is (stage.symbol == "=~")


def _constant(token: tokens.Token) -> Value:
    if isinstance(token.value, times.Moment):
        return float(token.value.nanoseconds // times.SECOND)
    if isinstance(token.value, tuple):
        return None
    return token.value


def _misused(value: Value, stage: planner.Infix) -> errors.Fault:
    symbol = "=" if stage.symbol == "==" else stage.symbol
    reason = _WRONG[stage.kind].format(symbol)
    return errors.Fault(f"Value '{shown(value)}' cannot be used with the {reason}")


def _prefixed(symbol: str, value: Value) -> Value:
    if symbol == "!" and isinstance(value, bool):
        return not value
    if symbol != "!" and isinstance(value, float):
        return -value if symbol == "-" else float(~numbers.to_int(value))
    raise errors.Fault(f"Value '{shown(value)}' cannot be used with the prefix '{symbol}'")


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_same(one, other) for one, other in pairs)
    return type(left) is type(right) and left == right


def _identical(left: Value, right: Value) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        raise errors.Fault("runtime error: comparing uncomparable type []interface {}")
    return _same(left, right)


def _ordered(stage: planner.Infix, left: Value, right: Value) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return bool(_ORDER[stage.symbol](left, right))
    if isinstance(left, str) and isinstance(right, str):
        return bool(_ORDER[stage.symbol](values.octets(left), values.octets(right)))
    raise _misused(left, stage)


def _unsigned(value: float) -> int:
    if 2.0**63 <= value < 2.0**64:
        return int(value)
    return numbers.to_int(value) % 2**64


def _shifted(value: float, count: float, *, left: bool) -> float:
    bits = min(_unsigned(count), 64)
    whole = _unsigned(value)
    return float((whole << bits) % 2**64 if left else whole >> bits)


def _modulo(left: float, right: float) -> float:
    if right == 0 or not math.isfinite(left) or math.isnan(right):
        return math.nan
    return math.fmod(left, right)


def _bits(combine: Callable[[int, int], int]) -> Callable[[float, float], float]:
    return lambda left, right: float(combine(numbers.to_int(left), numbers.to_int(right)))


_ORDER: dict[str, Callable[..., object]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": numbers.divide,
    "%": _modulo,
    "**": numbers.power,
    "&": _bits(operator.and_),
    "|": _bits(operator.or_),
    "^": _bits(operator.xor),
    "<<": lambda left, right: _shifted(left, right, left=True),
    ">>": lambda left, right: _shifted(left, right, left=False),
}
