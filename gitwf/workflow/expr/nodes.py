"""The syntax tree of an expression: frozen values that know where they stand.

Every node carries `at`, the character offset an error about it points to. A chain that grows to
the left (`a && b && c`, `a.b.c`) is deep on its left side, so whoever walks the tree goes down the
left side in a loop and recurses only to the right, where the parser bounds the depth.
Read next: `parser`, which makes the nodes, and `evaluator`, which gives them values.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """Common ground of all nodes; `at` is an offset into the source in characters."""

    at: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: nil, bool, int, float, str or bytes."""

    value: bool | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name from the environment or from a `let`; `$env` is the environment itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer(Node):
    """`#` and its relatives in a predicate: the element (""), "index" or "acc"."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`not x`, `!x`, `-x`, `+x`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two operands around an operator; `&&`, `||` and `??` evaluate the right one on demand."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`test ? yes : no` or `if test { yes } else { no }`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`base.key`, `base[key]` or, when `optional`, `base?.key`."""

    base: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`base[start:stop]`; a missing bound is None."""

    base: Node
    start: Node | None
    stop: Node | None


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """The end of an optional chain: a nil met at a `?.` inside makes the whole chain nil."""

    base: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a value: a method, a library function or a callable of the environment."""

    callee: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Builtin(Node):
    """A call of a function that the language itself defines."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Predicate(Node):
    """The body that `filter`, `map` and their relatives evaluate once per element."""

    body: Node


@dataclass(frozen=True, slots=True)
class Let(Node):
    """`let name = value; body`."""

    name: str
    value: Node
    body: Node


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """`a; b; c`: the value of the last one."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Array(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Map(Node):
    """`{a: 1, "b": 2, (key): 3}`; keys evaluate to strings."""

    pairs: tuple[tuple[Node, Node], ...]


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below, in source order."""
    match node:
        case Unary(_, _, child) | Predicate(_, child) | Chain(_, child):
            yield child
        case Binary(_, _, left, right) | Member(_, left, right) | Let(_, _, left, right):
            yield left
            yield right
        case Conditional(_, test, yes, no):
            yield from (test, yes, no)
        case Slice(_, base, start, stop):
            yield base
            yield from (bound for bound in (start, stop) if bound is not None)
        case Call(_, callee, arguments):
            yield callee
            yield from arguments
        case Builtin(_, _, arguments) | Sequence(_, arguments) | Array(_, arguments):
            yield from arguments
        case Map(_, pairs):
            for pair in pairs:
                yield from pair
        case _:
            return
