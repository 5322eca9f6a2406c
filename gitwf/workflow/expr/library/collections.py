"""Builtins on arrays and maps. The order of a map's keys is undefined in Go; here it is sorted.

A function that makes an array pays for its elements before it makes it, so that no expression can
fill the memory; none changes what it was given. Functions that take a predicate (`filter`, `map`,
`reduce`) are part of the grammar and live in `iterate`.
"""

from collections.abc import Mapping

from gitwf.workflow.expr import errors, iterate, operators, printing, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context

Context = context.Context


def _length(_context: Context, value: object) -> object:
    if isinstance(value, str | bytes | Mapping) or values.is_list(value):
        return len(value)
    raise errors.Fault(f"invalid argument for len (type {values.type_name(value)})")


def _first(_context: Context, value: object) -> object:
    return _quiet(value, 0)


def _last(_context: Context, value: object) -> object:
    return _quiet(value, -1)


def _quiet(value: object, key: object) -> object:
    try:
        return operators.fetch(value, key)
    except errors.Fault:
        return None


def _get(_context: Context, value: object, key: object) -> object:
    if isinstance(value, Mapping) and not isinstance(value, values.AnyMap):
        return operators.fetch(value, key)
    if (values.is_list(value) or isinstance(value, str | bytes)) and not values.is_number(key):
        raise errors.Fault(f"invalid operation: int({values.type_name(key)})")
    return _quiet(value, key)


def _take(context: Context, value: object, count: object) -> object:
    elements = args.array(value, "take from")
    if not values.is_int(count):
        raise errors.Fault(f"cannot take {values.kind(count)} elements")
    if count < 0:
        raise errors.Fault("reflect.Value.Slice: slice index out of bounds")
    context.cost.collect(min(count, len(elements)))
    return list(elements[:count])


def _keys(context: Context, value: object) -> object:
    items = args.mapping(value, "get keys from")
    context.cost.collect(len(items))
    return [key for key, _ in printing.items(items)]


def _values(context: Context, value: object) -> object:
    items = args.mapping(value, "get values from")
    context.cost.collect(len(items))
    return [item for _, item in printing.items(items)]


def _to_pairs(context: Context, value: object) -> object:
    if not isinstance(value, Mapping):
        raise errors.Fault(f"cannot transform {values.kind(value)} to pairs")
    context.cost.collect(3 * len(value))
    return [[key, item] for key, item in printing.items(value)]


def _from_pairs(context: Context, value: object) -> object:
    if not values.is_list(value):
        raise errors.Fault(f"cannot transform {values.kind(value)} from pairs")
    context.cost.collect(len(value))
    made = values.AnyMap()
    for pair in value:
        if not values.is_list(pair):
            raise errors.Fault(f"invalid pair {printing.plain(pair, context.cost)}")
        if len(pair) != 2:  # noqa: PLR2004
            raise errors.Fault(f"invalid pair length {printing.plain(pair, context.cost)}")
        made.put(values.adopt(pair[0]), pair[1])
    return made


def _reverse(context: Context, value: object) -> object:
    elements = args.array(value, "reverse")
    context.cost.collect(len(elements))
    return list(reversed(elements))


def _uniq(context: Context, value: object) -> object:
    found: list[object] = []
    for element in args.array(value, "uniq"):
        if not any(values.same(element, other, context.cost) for other in found):
            found.append(element)
    context.cost.collect(len(found))
    return found


def _concat(context: Context, *arrays: object) -> object:
    joined: list[object] = []
    for array in arrays:
        elements = args.array(array, "concat")
        context.cost.collect(len(elements))
        joined.extend(elements)
    return joined


def _flatten(context: Context, value: object) -> object:
    flat: list[object] = []
    waiting = [iter(args.array(value, "flatten"))]
    while waiting:
        for element in waiting[-1]:
            context.cost.collect(1)
            if values.is_list(element):
                waiting.append(iter(element))
                break
            flat.append(element)
        else:
            waiting.pop()
    return flat


def _sort(context: Context, value: object, order: object = "asc") -> object:
    elements = args.array(value, "sort")
    if not isinstance(order, str):
        shown = values.type_name(order)
        raise errors.Fault(f"sort order argument must be a string (got {shown})")
    if order not in ("asc", "desc"):
        raise errors.Fault(f"invalid order {order}, expected asc or desc")
    context.cost.collect(len(elements))
    context.cost.step(len(elements) * len(elements).bit_length())
    pairs = [(values.adopt(element), element) for element in elements]
    return iterate.ordered(pairs, descending=order == "desc")


FUNCTIONS = context.table(
    ("len", _length, 1, 1),
    ("first", _first, 1, 1),
    ("last", _last, 1, 1),
    ("get", _get, 2, 2),
    ("take", _take, 2, 2),
    ("keys", _keys, 1, 1),
    ("values", _values, 1, 1),
    ("toPairs", _to_pairs, 1, 1),
    ("fromPairs", _from_pairs, 1, 1),
    ("reverse", _reverse, 1, 1),
    ("uniq", _uniq, 1, 1),
    ("concat", _concat, 1, None),
    ("flatten", _flatten, 1, 1),
    ("sort", _sort, 1, 2),
)
"""The array and map builtins by name."""
