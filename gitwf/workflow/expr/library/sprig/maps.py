"""Sprig's maps. Functions that change a map in Go give a changed copy here.

An expression is a function of its environment, so nothing it does may show in another expression:
`set(labels, …)` returns what Go would have left behind. Keys come in sorted order, for Go's order
is chance.
"""

from collections.abc import Mapping

from gitwf.workflow.expr import errors, printing, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context
from gitwf.workflow.expr.library.sprig import casts

Context = context.Context
Items = dict[object, object]


def _mapped(given: Context, value: object, name: str) -> Items:
    if not isinstance(value, Mapping):
        raise args.wrong(value, "map[string]interface {}", name)
    given.cost.collect(len(value))
    return dict(value)


def _dict(given: Context, *pairs: object) -> object:
    given.cost.collect(len(pairs))
    keys = [casts.to_text(given, key) for key in pairs[::2]]
    given_values = [*pairs[1::2], ""][: len(keys)]
    return dict(zip(keys, given_values, strict=True))


def _get(given: Context, value: object, key: object) -> object:
    return _mapped(given, value, "get").get(args.text(key, "get"), "")


def _set(given: Context, value: object, key: object, item: object) -> object:
    return {**_mapped(given, value, "set"), args.text(key, "set"): item}


def _unset(given: Context, value: object, key: object) -> object:
    items = _mapped(given, value, "unset")
    items.pop(args.text(key, "unset"), None)
    return items


def _has_key(given: Context, value: object, key: object) -> object:
    return args.text(key, "hasKey") in _mapped(given, value, "hasKey")


def _pluck(given: Context, key: object, *maps: object) -> object:
    name = args.text(key, "pluck")
    found = (_mapped(given, each, "pluck") for each in maps)
    return [items[name] for items in found if name in items]


def _keys(given: Context, *maps: object) -> object:
    return [key for each in maps for key, _ in printing.items(_mapped(given, each, "keys"))]


def _values(given: Context, value: object) -> object:
    return [item for _, item in printing.items(_mapped(given, value, "values"))]


def _pick(given: Context, value: object, *keys: object) -> object:
    items = _mapped(given, value, "pick")
    return {key: items[key] for key in keys if isinstance(key, str) and key in items}


def _omit(given: Context, value: object, *keys: object) -> object:
    items = _mapped(given, value, "omit")
    dropped = {key for key in keys if isinstance(key, str)}
    return {key: item for key, item in items.items() if key not in dropped}


def _merge(given: Context, value: object, *sources: object) -> object:
    """Fill what is missing or empty from the sources, the first one winning."""
    merged = _mapped(given, value, "merge")
    for source in sources:
        merged = _filled(given, merged, _mapped(given, source, "merge"))
    return merged


def _filled(given: Context, items: Items, source: Items) -> Items:
    made = dict(items)
    for key, item in source.items():
        given.cost.step()
        mine = made.get(key)
        if isinstance(mine, Mapping) and isinstance(item, Mapping):
            made[key] = _filled(given, dict(mine), dict(item))
        elif casts.is_empty(mine):
            made[key] = item
    return made


def _merge_over(given: Context, value: object, *sources: object) -> object:
    """Let the sources win over what is there, the last one over all."""
    merged = _mapped(given, value, "mergeOverwrite")
    for source in sources:
        stronger = _mapped(given, source, "mergeOverwrite")
        kept = {key: item for key, item in stronger.items() if not casts.is_empty(item)}
        merged = _filled(given, kept, merged)
    return merged


def _dig(_given: Context, *path: object) -> object:
    if len(path) < 3:  # noqa: PLR2004 - a key, a default and a map
        raise errors.Fault("dig needs at least three arguments")
    *keys, default, value = path
    for key in keys:
        if not isinstance(value, Mapping):
            raise errors.Fault(values.not_of(value, "map[string]interface {}"))
        if not isinstance(key, str):
            raise errors.Fault(values.not_of(key, "string"))
        if key not in value:
            return default
        value = value[key]
    return value


def _deep_equal(given: Context, one: object, other: object) -> object:
    return values.type_name(one) == values.type_name(other) and values.same(one, other, given.cost)


def _same(_given: Context, value: object) -> object:
    return value


FUNCTIONS: context.Bodies = {
    "dict": _dict,
    "get": _get,
    "set": _set,
    "unset": _unset,
    "hasKey": _has_key,
    "pluck": _pluck,
    "keys": _keys,
    "values": _values,
    "pick": _pick,
    "omit": _omit,
    "merge": _merge,
    "mustMerge": _merge,
    "mergeOverwrite": _merge_over,
    "mustMergeOverwrite": _merge_over,
    "dig": _dig,
    "deepEqual": _deep_equal,
    "deepCopy": _same,
    "mustDeepCopy": _same,
}
"""The map functions by name."""
