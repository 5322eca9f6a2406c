"""Write plain values as YAML: on one line, as block collections, as block scalars.

A text is written without quotes only where every reader, one of YAML 1.1 too, reads it as text.
Which rendering fits a place is the splice editor's to find out, by reading it back.
"""

import json
import re
from collections.abc import Iterator

import yaml

from gitwf.errors import Rejected
from gitwf.text import yaml_reader

# What must be escaped between double quotes although JSON does not ask for it.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ENDLESS = 1 << 20
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_RESOLVER = yaml.resolver.Resolver()


def document(value: object) -> str:
    """Write a whole document, keys in the order they come; for programs to read, fast."""
    written: str = yaml.dump(
        value, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=_ENDLESS
    )
    return written


def line_end(text: str) -> str:
    """Give the line end that a text uses."""
    return "\r\n" if "\r\n" in text else "\n"


def is_collection(value: object) -> bool:
    """Whether a value is a list or mapping that has something in it."""
    return isinstance(value, dict | list) and bool(value)


def scalars(value: object, *, flow: bool, like: str = "") -> Iterator[str]:
    """Write a value on one line, in ways to choose from; a collection gets its flow style.

    `like` is the quote that the old value had. Raises ValueError for what YAML cannot hold.
    """
    if isinstance(value, str):
        if like == "'" and value.isprintable():
            yield "'" + value.replace("'", "''") + "'"
        if like == '"':
            yield quoted(value)
        if _is_plain(value, flow=flow):
            yield value
        yield quoted(value)
    else:
        yield _flow(value)


def quoted(value: str) -> str:
    """Write a text between double quotes."""
    written = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def literal(value: str, indent: int, line_end: str) -> Iterator[str]:
    """Write a text as a literal block (`|`), without the line end behind it, where one can be."""
    body = value.removesuffix("\n")
    if not body or body.endswith("\n") or body[0] in " \n\t":
        return
    lines = (" " * indent + line if line else "" for line in body.split("\n"))
    header = "|" if value.endswith("\n") else "|-"
    yield line_end.join([header, *lines])


def block(value: object, indent: int, line_end: str) -> str:
    """Write a collection on lines of its own, each begun by `indent` blanks."""
    return line_end.join(_block(value, indent))


def _block(value: object, indent: int) -> Iterator[str]:
    margin = " " * indent
    if isinstance(value, dict) and value:
        for name, one in value.items():
            key = margin + _key(name) + ":"
            if is_collection(one):
                yield key
                yield from _block(one, indent + (2 if isinstance(one, dict) else 0))
            else:
                yield f"{key} {_simple(one)}"
    elif isinstance(value, list) and value:
        for one in value:
            if is_collection(one):
                first, *others = _block(one, indent + 2)
                yield margin + "- " + first.lstrip(" ")
                yield from others
            else:
                yield f"{margin}- {_simple(one)}"
    else:
        yield margin + _simple(value)


def _simple(value: object) -> str:
    return next(scalars(value, flow=False))


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(name)}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return next(scalars(value, flow=True))
    return json.dumps(value, allow_nan=False)


def _key(name: str) -> str:
    return name if _is_plain(name, flow=True) else quoted(name)


def _is_plain(value: str, *, flow: bool) -> bool:
    """Whether a text can stand without quotes, for readers of YAML 1.1 too."""
    if not value.isprintable() or value != value.strip():
        return False
    tag = _RESOLVER.resolve(  # type: ignore[no-untyped-call]  # its stub has no types
        yaml.ScalarNode, value, (True, False)
    )
    if tag != "tag:yaml.org,2002:str":
        return False
    sample = f"{{k: [{value}]}}" if flow else f"k: {value}"
    try:
        read = yaml_reader.read(sample, "")
    except Rejected:
        return False
    return bool(read) and read[0].value == {"k": [value] if flow else value}
