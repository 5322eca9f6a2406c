"""From tokens to a tree.

Facts from govaluate (stagePlanner.go): eleven levels of binding, all leaning to the left, the parts
of `a ? b : c` among them as two operators of one level. A missing operand (`(1 ==)`) is nil. What
follows a whole expression (`(true) (false)`) is not looked at; inside brackets the token after the
expression counts as the closing bracket, whatever it is. Read next: `evaluator`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gitwf.workflow.expr import errors
from gitwf.workflow.when import tokens

MAX_DEPTH = 60
"""Brackets inside brackets."""

Kind = tokens.Kind

_LEVELS: dict[str, int] = {
    ",": 0,
    **dict.fromkeys(("?", ":", "??"), 1),
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"), 4),
    **dict.fromkeys(("&", "|", "^"), 5),
    **dict.fromkeys(("<<", ">>"), 6),
    **dict.fromkeys(("+", "-"), 7),
    **dict.fromkeys(("*", "/", "%"), 8),
    "**": 9,
}
_OPERATORS = frozenset(
    (Kind.SEPARATOR, Kind.TERNARY, Kind.LOGICALOP, Kind.COMPARATOR, Kind.MODIFIER)
)


@dataclass(frozen=True, slots=True)
class Stage:
    """A node of the tree."""


@dataclass(frozen=True, slots=True)
class Literal(Stage):
    """A constant: the value of its token."""

    token: tokens.Token


@dataclass(frozen=True, slots=True)
class Group(Stage):
    """Something in brackets, or nothing."""

    inner: Stage | None


@dataclass(frozen=True, slots=True)
class Access(Stage):
    """`a.B` or `a.B(…)`: never found, because a `when` has no parameters."""

    name: str
    arguments: Stage | None


@dataclass(frozen=True, slots=True)
class Prefix(Stage):
    """`-`, `!` or `~` before a value."""

    symbol: str
    operand: Stage | None


@dataclass(frozen=True, slots=True)
class Infix(Stage):
    """An operator between two values; a missing one is None."""

    symbol: str
    kind: tokens.Kind
    left: Stage | None
    right: Stage | None


def plan(found: Sequence[tokens.Token]) -> Stage | None:
    """Make a tree of tokens that `tokens.check` let through. Raises Fault for the rest."""
    return _Planner(found).level(0)


class _Planner:
    def __init__(self, found: Sequence[tokens.Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0

    def peek(self) -> tokens.Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def level(self, lowest: int) -> Stage | None:
        left = self.value()
        while (token := self.peek()) is not None and token.kind in _OPERATORS:
            symbol = str(token.value)
            level = _LEVELS[symbol]
            if level < lowest:
                break
            self.at += 1
            left = Infix(symbol, token.kind, left, self.level(level + 1))
        return left

    def value(self) -> Stage | None:
        token = self.peek()
        if token is None or token.kind is Kind.CLAUSE_CLOSE:
            return None
        self.at += 1
        if token.kind is Kind.CLAUSE:
            return Group(self.bracketed())
        if token.kind is Kind.PREFIX:
            return Prefix(str(token.value), self.value())
        if token.kind is Kind.ACCESSOR:
            following = self.peek()
            called = following is not None and following.kind is Kind.CLAUSE
            names = token.value if isinstance(token.value, tuple) else ()
            return Access(names[0], self.nested() if called else None)
        if token.kind in _OPERATORS:
            name = token.kind.value
            raise errors.Fault(f"Unable to plan token kind: '{name}', value: '{token.value}'")
        return Literal(token)

    def bracketed(self) -> Stage | None:
        inner = self.nested()
        self.at += 1
        return inner

    def nested(self) -> Stage | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise errors.Fault("it is nested too deeply")
        inner = self.level(0)
        self.depth -= 1
        return inner
