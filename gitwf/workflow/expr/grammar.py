"""The tables of the grammar: how strongly operators bind and which calls take predicates.

Data only, after expr-lang 1.17's parser (parser/operator/operator.go and parser/parser.go).
Read next: `parser`.
"""

from typing import Final, Literal

UNARY: Final = {"not": 50, "!": 50, "-": 90, "+": 90}
"""How strongly a prefix operator binds; a larger number binds tighter."""

BINARY: Final = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    "==": 20,
    "!=": 20,
    "<": 20,
    ">": 20,
    ">=": 20,
    "<=": 20,
    "in": 20,
    "matches": 20,
    "contains": 20,
    "startsWith": 20,
    "endsWith": 20,
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
"""How strongly an infix operator binds; all lean to the left but those in `RIGHT`."""

RIGHT: Final = frozenset(("**", "^"))
NEGATABLE: Final = frozenset(("contains", "matches", "startsWith", "endsWith", "in"))
COMPARISONS: Final = frozenset(("<", ">", ">=", "<="))

SYNONYMS: Final = {"and": "&&", "or": "||", "not": "!", "^": "**"}
"""Spellings that mean the same; the tree holds only the one on the right."""

Argument = Literal["value", "predicate", "optional value", "optional predicate"]

_TESTS: Final = (
    *("all", "none", "any", "one", "filter"),
    *("find", "findIndex", "findLast", "findLastIndex"),
)
_ONE: Final[tuple[Argument, ...]] = ("value", "predicate")

PREDICATES: Final[dict[str, tuple[Argument, ...]]] = {
    **dict.fromkeys((*_TESTS, "map", "groupBy"), _ONE),
    **dict.fromkeys(("count", "sum"), ("value", "optional predicate")),
    **dict.fromkeys(("sortBy", "reduce"), ("value", "predicate", "optional value")),
}
"""Builtins that evaluate one argument once per element, and what they take."""

TESTS: Final = frozenset({*_TESTS, "count"})
"""Those whose predicate says yes or no."""
