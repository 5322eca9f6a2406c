"""How library functions read their arguments: by type, with Go's words when the type is wrong.

Each reader returns the argument as its Python type or raises `Fault`; `of` is the function's name
for the message.
"""

from collections.abc import Mapping, Sequence

from gitwf.workflow.expr import errors, numbers, values


def wrong(value: object, wanted: str, of: str) -> errors.Fault:
    """Say that a function cannot take a value of that type."""
    name = values.type_name(value)
    return errors.Fault(f"cannot use {name} as argument (type {wanted}) to call {of}")


def text(value: object, of: str) -> str:
    """Take a string."""
    if isinstance(value, str):
        return value
    raise wrong(value, "string", of)


def whole(value: object, of: str) -> int:
    """Take an int."""
    if values.is_int(value):
        return value
    raise wrong(value, "int", of)


def index(value: object, of: str) -> int:
    """Take an int, or a float64 cut towards zero."""
    if values.is_number(value):
        return numbers.to_int(value)
    raise wrong(value, "int", of)


def array(value: object, verb: str) -> Sequence[object]:
    """Take an array; `verb` completes the message, as in `cannot reverse string`."""
    if values.is_list(value):
        return value
    raise errors.Fault(f"cannot {verb} {values.kind(value)}")


def mapping(value: object, verb: str) -> Mapping[object, object]:
    """Take a map; `verb` completes the message, as in `cannot get keys from string`."""
    if isinstance(value, Mapping):
        return value
    raise errors.Fault(f"cannot {verb} {values.kind(value)}")
