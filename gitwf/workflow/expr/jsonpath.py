"""JSONPath, for Argo's `jsonpath(text, path)`.

The dialect is the one Argo links (github.com/evilmonkeyinc/jsonpath): `.key`, `['key']`, `[n]`,
`[a:b:c]`, unions, `*`, `..` and filters. A path that can meet only one value gives that value and
fails when it is not there; from the first `*`, `..`, slice, union or filter on, the result is a
list and what is not there is left out. Filters are expressions of this package's own language with
`@` and `$` for the element and the document, evaluated by the function the caller hands in; one
that fails on an element leaves it out. Read next: `library.argo`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gitwf.workflow.expr import budget, errors, numbers, printing, values

Kind = Literal["key", "index", "all", "deep", "slice", "union", "filter", "script"]
Compute = Callable[[str, Mapping[str, object]], object]

_MAX_PATH = 10_000
_DOTTED = re.compile(r"\.(?!\.)\s*([^.\[\]\s'\"]+)\s*")
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_BOUNDS = re.compile(
    r"(-?[0-9]{1,18})?\s*:\s*(-?[0-9]{1,18})?\s*(?::\s*(-?[0-9]{1,18})?)?", re.ASCII
)
_LENGTH = re.compile(r"([@$](?:\.\w+|\[[^\]]*\])*)\.length\b")
_SIGNS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|@|\$|=~")


@dataclass(frozen=True, slots=True)
class _Part:
    kind: Kind
    text: str = ""
    places: tuple[int | str, ...] = ()
    bounds: tuple[int | None, ...] = ()


def query(path: str, document: object, cost: budget.Budget, compute: Compute) -> object:
    """Follow a path through a document. Raises Fault for a bad path or a missing value."""
    return _Walk(document, cost, compute).follow(_parts(path), document)


@lru_cache(maxsize=64)
def _parts(path: str) -> tuple[_Part, ...]:
    def bad(reason: str) -> errors.Fault:
        return errors.Fault(f"invalid JSONPath selector '{path}' {reason}")

    text = path.strip()
    if not text.startswith("$") or len(text) > _MAX_PATH:
        raise bad(f"unexpected token '{text[:1]}' at index 0")
    found: list[_Part] = []
    at = 1
    while at < len(text):
        dotted = _DOTTED.match(text, at)
        if text.startswith("..", at):
            found.append(_Part("deep"))
            at += 2
            plain = re.compile(r"[^.\[\]\s'\"]+").match(text, at)
            if plain:
                found.append(_key(plain.group()))
                at = plain.end()
        elif dotted:
            found.append(_key(dotted.group(1)))
            at = dotted.end()
        elif text[at] == "[":
            end = _closing(text, at)
            if end < 0:
                raise bad("invalid token. '[' does not match any token format")
            found.append(_bracketed(text[at + 1 : end].strip(), bad))
            at = end + 1
        else:
            raise bad(f"unexpected token '{text[at]}' at index {at}")
    return tuple(found)


def _key(text: str) -> _Part:
    return _Part("all") if text == "*" else _Part("key", text)


def _closing(text: str, start: int) -> int:
    """Find the bracket that closes the one at `start`, looking past quotes and inner brackets."""
    depth, quote, at = 0, "", start
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
            if depth == 0:
                return at if character == "]" else -1
        at += 1
    return -1


def _bracketed(inner: str, bad: Callable[[str], errors.Fault]) -> _Part:
    bounds = _BOUNDS.fullmatch(inner)
    if inner == "*":
        return _Part("all")
    if bounds:
        numbers_given = tuple(int(group) if group else None for group in bounds.groups())
        if numbers_given[2] == 0:
            raise bad("invalid token. the step of a slice is zero")
        return _Part("slice", bounds=numbers_given)
    if inner.startswith("?(") and inner.endswith(")"):
        return _Part("filter", _translated(inner[2:-1]))
    if inner.startswith("(") and inner.endswith(")"):
        return _Part("script", _translated(inner[1:-1]))
    places = tuple(_place(piece.strip(), bad) for piece in _pieces(inner))
    if len(places) > 1:
        return _Part("union", places=places)
    place = places[0]
    return _Part("key", place) if isinstance(place, str) else _Part("index", places=places)


def _pieces(inner: str) -> list[str]:
    return re.findall(r"(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[^,'\"])+", inner) or [inner]


def _place(piece: str, bad: Callable[[str], errors.Fault]) -> int | str:
    if _NUMBER.fullmatch(piece):
        return int(piece)
    if len(piece) > 1 and piece[0] in "'\"" and piece[-1] == piece[0]:
        return re.sub(r"\\(.)", r"\1", piece[1:-1])
    raise bad(f"invalid token. '[{piece}]' does not match any token format")


def _translated(source: str) -> str:
    """Turn a filter into an expression: `@` and `$` become names, `=~` becomes `matches`."""
    names = {"@": "this", "$": "document", "=~": " matches "}
    measured = _LENGTH.sub(r"len(\1)", source)
    return _SIGNS.sub(lambda found: names.get(found.group(), found.group()), measured)


class _Walk:
    def __init__(self, document: object, cost: budget.Budget, compute: Compute) -> None:
        self.document = document
        self.cost = cost
        self.compute = compute

    def follow(self, parts: Sequence[_Part], value: object) -> object:
        """Follow parts that meet one value each; from the first that may not, `spread` goes on."""
        for index, part in enumerate(parts):
            self.cost.step()
            if part.kind not in ("key", "index", "script"):
                return self.spread(parts[index:], value)
            value = self.single(part, value)
        return value

    def single(self, part: _Part, value: object) -> object:
        if part.kind == "script":
            place = self.compute(part.text, {"this": value, "document": self.document})
            if values.is_number(place):
                part = _Part("index", places=(numbers.to_int(place),))
            else:
                part = _Part("key", printing.plain(place, self.cost))
        if part.kind == "index":
            place = part.places[0]
            return _element(value, place if isinstance(place, int) else 0)
        if part.text == "length" and (values.is_list(value) or isinstance(value, str)):
            return len(value)
        if not isinstance(value, Mapping):
            message = f"key: invalid token target. expected [map] got [{_kind(value)}]"
            raise errors.Fault(message)
        if part.text not in value:
            raise errors.Fault(f"key: invalid token key '{part.text}' not found")
        return value[part.text]

    def spread(self, parts: Sequence[_Part], value: object) -> object:
        """Follow a part that meets several values, and the rest of the path from each of them."""
        rest = parts[1:]
        met = list(self.several(parts[0], value))
        self.cost.collect(len(met))
        if rest and rest[0].kind == "index" and parts[0].kind != "deep":
            return self.follow(rest, met)
        found: list[object] = []
        for element in met:
            try:
                reached = self.follow(rest, element)
            except errors.Fault:
                self.cost.step()
                continue
            several = any(part.kind not in ("key", "index", "script") for part in rest)
            flat = several or (parts[0].kind == "deep" and bool(rest))
            if flat and values.is_list(reached):
                found.extend(reached)
            else:
                found.append(reached)
        self.cost.collect(len(found))
        return found

    def several(self, part: _Part, value: object) -> Iterator[object]:
        if part.kind == "deep":
            yield from self.descendants(value)
        elif part.kind == "all":
            yield from _children(value, "wildcard")
        elif part.kind == "union":
            for place in part.places:
                whole = isinstance(place, int)
                single = _Part("index", places=(place,)) if whole else _Part("key", str(place))
                yield self.single(single, value)
        elif part.kind == "slice":
            if not values.is_list(value):
                message = (
                    f"range: invalid token target. expected [array slice] got [{_kind(value)}]"
                )
                raise errors.Fault(message)
            low, high, step = part.bounds
            yield from value[low:high:step]
        else:
            for element in _children(value, "filter"):
                if self.passes(part.text, element):
                    yield element

    def passes(self, source: str, element: object) -> bool:
        try:
            result = self.compute(source, {"this": element, "document": self.document})
        except errors.Fault:
            self.cost.step()
            return False
        return result if isinstance(result, bool) else result is not None

    def descendants(self, value: object) -> Iterator[object]:
        """Yield a value and everything inside it, each before what it holds."""
        waiting = [value]
        while waiting:
            element = waiting.pop()
            self.cost.step()
            yield element
            if isinstance(element, Mapping) or values.is_list(element):
                waiting.extend(reversed(list(_children(element, "recursive"))))


def _element(value: object, place: int) -> object:
    if not values.is_list(value):
        message = f"index: invalid token target. expected [array slice] got [{_kind(value)}]"
        raise errors.Fault(message)
    if not -len(value) <= place < len(value):
        raise errors.Fault("index: invalid token out of range")
    return value[place]


def _children(value: object, of: str) -> Iterator[object]:
    """Yield the elements of an array or the values of a map in the order of its keys."""
    if isinstance(value, Mapping):
        yield from (item for _, item in printing.items(value))
    elif values.is_list(value):
        yield from value
    else:
        message = f"{of}: invalid token target. expected [array map slice] got [{_kind(value)}]"
        raise errors.Fault(message)


def _kind(value: object) -> str:
    return "nil" if value is None else values.kind(value)
