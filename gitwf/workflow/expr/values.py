"""What a value is: the Go types an expression can hold, as Python values.

nil is None, bool is bool, int is int (64 bits), float64 is float, string is str, []byte is bytes,
a slice is any list or tuple, map[string]any any mapping. `AnyMap` is the map whose keys may be of
any type, which `groupBy` and `fromPairs` make; `times` has instants and durations. Callers hand in
plain Python values and get plain Python values back. `type_name` is what Go prints for `%T`: the
messages people search for contain it. Read next: `operators`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeGuard

from gitwf.workflow.expr import budget, errors, numbers, times, versions


class AnyMap(Mapping[object, object]):
    """A map of keys of any type, where 1, 1.0 and true are three keys; kept in the order made."""

    def __init__(self) -> None:
        self._items: dict[tuple[type, object], tuple[object, object]] = {}

    def put(self, key: object, value: object) -> None:
        """Set a key. Raises Fault when a key of its type cannot be one."""
        if is_list(key) or isinstance(key, Mapping | bytes):
            raise errors.Fault(f"runtime error: hash of unhashable type {type_name(key)}")
        self._items[type(key), key] = key, value

    def __getitem__(self, key: object) -> object:
        try:
            return self._items[type(key), key][1]
        except TypeError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[object]:
        return (key for key, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)


class NilSlice(tuple[object, ...]):
    """A slice that was never made: it has no elements, and it is nil."""

    __slots__ = ()


def is_nil(value: object) -> bool:
    """Say whether a value equals nil."""
    return value is None or isinstance(value, NilSlice)


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value is an int or a float64; a bool is neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    """Say whether a value is an array."""
    return isinstance(value, list | tuple)


def is_int(value: object) -> TypeGuard[int]:
    """Say whether a value is an int; a bool is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def octets(text: str) -> bytes:
    """Give the bytes of a text, which is what Go's strings are indexed and ordered by."""
    return text.encode("utf-8", "surrogatepass")


def adopt(value: object) -> object:
    """Take a value of the environment: Python's dates, and ints beyond 64 bits as float64."""
    if isinstance(value, datetime):
        return times.Moment.of(value)
    if is_int(value) and not numbers.INT_MIN <= value <= numbers.INT_MAX:
        try:
            return float(value)
        except OverflowError:
            raise errors.Fault("a number of the environment does not fit a float64") from None
    return value


_NAMES: dict[type, str] = {
    type(None): "<nil>",
    bool: "bool",
    int: "int",
    float: "float64",
    str: "string",
    bytes: "[]uint8",
    list: "[]interface {}",
    tuple: "[]interface {}",
    NilSlice: "[]string",
    dict: "map[string]interface {}",
    AnyMap: "map[interface {}]interface {}",
    times.Moment: "time.Time",
    times.Duration: "time.Duration",
    times.Zone: "*time.Location",
    times.Month: "time.Month",
    times.Weekday: "time.Weekday",
    versions.Version: "*semver.Version",
}


def type_name(value: object) -> str:
    """Name a value's type as Go prints it, `map[string]interface {}` for instance."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    if hasattr(value, "call"):
        return "func"
    if isinstance(value, Mapping):
        return _NAMES[dict]
    return next((_NAMES[base] for base in type(value).__mro__ if base in _NAMES), "unknown")


def not_of(value: object, wanted: str) -> str:
    """Say as Go's type assertion does that a value is not of a type."""
    name = "nil" if value is None else type_name(value)
    return f"interface conversion: interface {{}} is {name}, not {wanted}"


def kind(value: object) -> str:
    """Name a value's kind as Go's reflect does: slice, map, int, struct."""
    if value is None:
        return "invalid"
    if is_list(value) or isinstance(value, bytes):
        return "slice"
    if isinstance(value, Mapping):
        return "map"
    names = {"time.Time": "struct", "*time.Location": "ptr", "time.Duration": "int64"}
    name = type_name(value)
    return names.get(name, "int" if name.startswith("time.") else name)


def same(left: object, right: object, cost: budget.Budget) -> bool:
    """Say whether `==` holds: numbers by value, texts by text, collections element by element."""
    cost.step()
    if is_number(left) and is_number(right):
        return left == right
    if left is None or right is None:
        return is_nil(left) and is_nil(right)
    if is_list(left) and is_list(right):
        if len(left) != len(right):
            return False
        return all(same(one, other, cost) for one, other in zip(left, right, strict=True))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        if len(left) != len(right):
            return False
        return all(key in right and same(left[key], right[key], cost) for key in left)
    if type_name(left) != type_name(right) or type_name(left) in ("func", "unknown"):
        return False
    return left == right
