"""Sprig's lists: building, cutting, searching. Every function returns a new list.

Elements are compared as Go's DeepEqual compares them, type and value: 1 is not 1.0. A list is paid
for from the budget when it is read as well as when it is made, because a search costs as much as a
copy. The language's own functions on arrays are in `library.collections`.
"""

from collections.abc import Callable, Sequence

from gitwf.workflow.expr import errors, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context
from gitwf.workflow.expr.library.sprig import casts

Context = context.Context


_REFUSALS = {
    "chunk": "Cannot chunk type",
    "compact": "Cannot compact on type",
    "append": "Cannot push on type",
    "prepend": "Cannot prepend on type",
    "slice": "list should be type of slice or array but",
}


def _listed(given: Context, value: object, name: str) -> Sequence[object]:
    if value is None:
        raise errors.Fault("runtime error: invalid memory address or nil pointer dereference")
    if not values.is_list(value):
        refusal = _REFUSALS.get(name, f"Cannot find {name} on type")
        raise errors.Fault(f"{refusal} {values.kind(value)}")
    given.cost.collect(len(value))
    return value


def _list(given: Context, *items: object) -> object:
    given.cost.collect(len(items))
    return list(items)


def _of_list(name: str, work: Callable[[Sequence[object]], object]) -> Callable[..., object]:
    return lambda given, value: work(_listed(given, value, name))


def _filled(items: Sequence[object]) -> list[object]:
    return [item for item in items if not casts.is_empty(item)]


def _append(given: Context, value: object, item: object) -> object:
    return [*_listed(given, value, "append"), item]


def _prepend(given: Context, value: object, item: object) -> object:
    return [item, *_listed(given, value, "prepend")]


def _concat(given: Context, *lists: object) -> object:
    items: list[object] = []
    for each in lists:
        if each is not None and not values.is_list(each):
            raise errors.Fault(f"Cannot concat type {values.kind(each)} as list")
        items += _listed(given, each, "concat")
    return items


def _uniq(given: Context, value: object) -> object:
    return _kept(given, _listed(given, value, "uniq"))


def _kept(given: Context, items: Sequence[object]) -> list[object]:
    kept: list[object] = []
    for item in items:
        if not _inside(given, item, kept):
            kept.append(item)
    return kept


def _inside(given: Context, item: object, items: Sequence[object]) -> bool:
    """Search as Go's DeepEqual does: 1 and 1.0 are different."""
    return any(
        values.type_name(item) == values.type_name(other) and values.same(item, other, given.cost)
        for other in items
    )


def _without(given: Context, value: object, *omitted: object) -> object:
    items = _listed(given, value, "without")
    return [item for item in items if not _inside(given, item, omitted)]


def _has(given: Context, needle: object, value: object) -> object:
    return value is not None and _inside(given, needle, _listed(given, value, "has"))


def _slice(given: Context, value: object, *bounds: object) -> object:
    items = _listed(given, value, "slice")
    low = casts.to_int(bounds[0]) if bounds else 0
    high = casts.to_int(bounds[1]) if len(bounds) > 1 else len(items)
    if not 0 <= low <= high <= len(items):
        raise errors.Fault("reflect.Value.Slice: slice index out of bounds")
    return list(items[low:high])


def _chunk(given: Context, size: object, value: object) -> object:
    items, width = _listed(given, value, "chunk"), args.whole(size, "chunk")
    if width <= 0:
        raise errors.Fault("a chunk needs a positive size")
    return [list(items[place : place + width]) for place in range(0, len(items), width)]


def _sort_alpha(given: Context, value: object) -> object:
    if not values.is_list(value):
        return [casts.to_text(given, value)]
    shown = [casts.to_text(given, item) for item in _listed(given, value, "sortAlpha")]
    return sorted(shown, key=values.octets)


def _to_strings(given: Context, value: object) -> object:
    items = value if values.is_list(value) else [value]
    return [casts.to_text(given, item) for item in items if item is not None]


_PLAIN: context.Bodies = {
    "first": _of_list("first", lambda items: items[0] if items else None),
    "last": _of_list("last", lambda items: items[-1] if items else None),
    "rest": _of_list("rest", lambda items: list(items[1:])),
    "initial": _of_list("initial", lambda items: list(items[:-1])),
    "reverse": _of_list("reverse", lambda items: list(reversed(items))),
    "compact": _of_list("compact", _filled),
    "append": _append,
    "push": _append,
    "prepend": _prepend,
    "uniq": _uniq,
    "without": _without,
    "has": _has,
    "slice": _slice,
    "chunk": _chunk,
}
FUNCTIONS: context.Bodies = {
    **_PLAIN,
    **{f"must{name[0].upper()}{name[1:]}": body for name, body in _PLAIN.items()},
    "list": _list,
    "tuple": _list,
    "concat": _concat,
    "sortAlpha": _sort_alpha,
    "toStrings": _to_strings,
}
"""The list functions by name; `mustFirst` and its like are the same functions."""
