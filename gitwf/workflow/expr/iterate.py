"""The functions that evaluate a predicate once per element: `filter`, `all`, `reduce` and so on.

Inside a predicate `#` is the element, `#index` its place and, in `reduce`, `#acc` what has been
accumulated. The functions stop as early as expr-lang's do (`any` at the first true), so an error in
an element that is never reached stays unseen there and here. Read next: `evaluator`, which these
functions call back.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Protocol

from gitwf.workflow.expr import budget, errors, nodes, operators, values


@dataclass(slots=True)
class Scope:
    """Where a predicate stands: the element, its index and the accumulator of `reduce`."""

    element: object = None
    index: int = 0
    accumulator: object = None
    accumulates: bool = False


class Walker(Protocol):
    """The part of the evaluator that these functions need."""

    cost: budget.Budget
    scopes: list[Scope]

    def evaluate(self, node: nodes.Node) -> object:
        """Give the value of a node."""

    def truth(self, node: nodes.Node) -> bool:
        """Give the value of a node that must be a bool."""


Arguments = Sequence[nodes.Node]
Function = Callable[[Walker, Arguments], object]
Elements = Sequence[object]


def _elements(walker: Walker, node: nodes.Node) -> Elements:
    value = walker.evaluate(node)
    if values.is_list(value) or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return values.octets(value)
    raise errors.Fault(f"builtin takes only array (got {values.type_name(value)})")


def _body(node: nodes.Node) -> nodes.Node:
    return node.body if isinstance(node, nodes.Predicate) else node


@contextmanager
def _scope(walker: Walker) -> Iterator[Scope]:
    scope = Scope()
    walker.scopes.append(scope)
    try:
        yield scope
    finally:
        walker.scopes.pop()


def _each(walker: Walker, elements: Elements, body: nodes.Node) -> list[object]:
    found: list[object] = []
    with _scope(walker) as scope:
        for index, element in enumerate(elements):
            scope.element, scope.index = element, index
            found.append(walker.evaluate(_body(body)))
    return found


def _first(
    walker: Walker, elements: Elements, body: nodes.Node, order: Iterable[int], *, wanted: bool
) -> int | None:
    """Find the first index, in that order, whose predicate comes out as `wanted`."""
    with _scope(walker) as scope:
        for index in order:
            scope.element, scope.index = elements[index], index
            if walker.truth(_body(body)) is wanted:
                return index
    return None


def _quantifier(*, wanted: bool, found: bool) -> Function:
    def apply(walker: Walker, arguments: Arguments) -> object:
        elements = _elements(walker, arguments[0])
        order = range(len(elements))
        place = _first(walker, elements, arguments[1], order, wanted=wanted)
        return found if place is not None else not found

    return apply


def _finder(*, backwards: bool, index: bool) -> Function:
    def apply(walker: Walker, arguments: Arguments) -> object:
        elements = _elements(walker, arguments[0])
        order = range(len(elements))
        ordered = reversed(order) if backwards else order
        place = _first(walker, elements, arguments[1], ordered, wanted=True)
        if place is None or index:
            return place
        return values.adopt(elements[place])

    return apply


def _kept(walker: Walker, elements: Elements, body: nodes.Node) -> list[object]:
    kept: list[object] = []
    with _scope(walker) as scope:
        for index, element in enumerate(elements):
            scope.element, scope.index = element, index
            if walker.truth(_body(body)):
                kept.append(values.adopt(element))
    return kept


def _filter(walker: Walker, arguments: Arguments) -> object:
    kept = _kept(walker, _elements(walker, arguments[0]), arguments[1])
    walker.cost.collect(len(kept))
    return kept


def _map(walker: Walker, arguments: Arguments) -> object:
    made = _each(walker, _elements(walker, arguments[0]), arguments[1])
    walker.cost.collect(len(made))
    return made


def _one(walker: Walker, arguments: Arguments) -> object:
    return len(_kept(walker, _elements(walker, arguments[0]), arguments[1])) == 1


def _count(walker: Walker, arguments: Arguments) -> object:
    body = arguments[1] if len(arguments) > 1 else nodes.Pointer(arguments[0].at, "")
    return len(_kept(walker, _elements(walker, arguments[0]), body))


def _sum(walker: Walker, arguments: Arguments) -> object:
    elements = _elements(walker, arguments[0])
    terms = _each(walker, elements, arguments[1]) if len(arguments) > 1 else elements
    total: object = 0
    for term in terms:
        total = operators.OPERATIONS["+"](values.adopt(term), total, walker.cost)
    return total


def _group_by(walker: Walker, arguments: Arguments) -> object:
    elements = _elements(walker, arguments[0])
    groups = values.AnyMap()
    for element, key in zip(elements, _each(walker, elements, arguments[1]), strict=True):
        group = groups.get(key)
        if isinstance(group, list):
            group.append(element)
        else:
            groups.put(key, [element])
    walker.cost.collect(len(elements))
    return groups


def ordered(pairs: Sequence[tuple[object, object]], *, descending: bool) -> list[object]:
    """Sort the second of each pair by the first, equal ones in their old order."""

    def by_key(one: tuple[object, object], other: tuple[object, object]) -> int:
        if descending:
            one, other = other, one
        if operators.compare("<", one[0], other[0]):
            return -1
        return 1 if operators.compare("<", other[0], one[0]) else 0

    return [value for _, value in sorted(pairs, key=cmp_to_key(by_key))]


def _sort_by(walker: Walker, arguments: Arguments) -> object:
    elements = _elements(walker, arguments[0])
    order = walker.evaluate(arguments[2]) if len(arguments) > 2 else "asc"  # noqa: PLR2004
    if not isinstance(order, str):
        raise errors.Fault("sortBy order argument must be a string")
    if order not in ("asc", "desc"):
        raise errors.Fault("unknown order, use asc or desc")
    keys = _each(walker, elements, arguments[1])
    walker.cost.collect(len(elements))
    walker.cost.step(len(elements) * len(elements).bit_length())
    return ordered(list(zip(keys, elements, strict=True)), descending=order == "desc")


def _reduce(walker: Walker, arguments: Arguments) -> object:
    elements = _elements(walker, arguments[0])
    with _scope(walker) as scope:
        scope.accumulates = True
        start = 0
        if len(arguments) > 2:  # noqa: PLR2004
            scope.accumulator = walker.evaluate(arguments[2])
        elif elements:
            scope.accumulator, start = values.adopt(elements[0]), 1
        else:
            raise errors.Fault("reduce of empty array with no initial value")
        for index in range(start, len(elements)):
            scope.element, scope.index = elements[index], index
            scope.accumulator = walker.evaluate(_body(arguments[1]))
        return scope.accumulator


FUNCTIONS: dict[str, Function] = {
    "all": _quantifier(wanted=False, found=False),
    "any": _quantifier(wanted=True, found=True),
    "none": _quantifier(wanted=True, found=False),
    "one": _one,
    "filter": _filter,
    "map": _map,
    "count": _count,
    "sum": _sum,
    "find": _finder(backwards=False, index=False),
    "findIndex": _finder(backwards=False, index=True),
    "findLast": _finder(backwards=True, index=False),
    "findLastIndex": _finder(backwards=True, index=True),
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
"""Every builtin whose arguments the parser reads as predicates."""
