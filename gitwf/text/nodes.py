"""YAML as a tree of nodes that know their place: what the reader and the splice editor share.

The tree is built from libyaml's events, one by one and without recursion, because only so can
depth and size be bounded before memory is spent. Aliases point at their anchor's node and count
with its whole weight, so that a few lines cannot stand for a billion values. A syntax error ends
the reading (libyaml cannot go on); every other mistake is collected. A message never repeats a
value: it may be a password that nobody quoted. Read next: `gitwf.text.yaml_reader`.
"""

import dataclasses
import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from gitwf.errors import Diagnostic, Rejected
from gitwf.text import places

MAX_BYTES = 1_048_576  # an object of Kubernetes cannot be larger than 1.5 MB either
MAX_DEPTH = 100
MAX_NODES = 200_000

# PyYAML may have been built without libyaml; its own parser reads the same, more slowly.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
READ_BY = f"{yaml.__version__} {_LOADER.__name__}"
TAG_HINT = 'a value that begins with a tag needs quotes: "{{…}}"'
_TAG_PREFIX = "tag:yaml.org,2002:"


class Kind(enum.Enum):
    """What a node is."""

    SCALAR = enum.auto()
    SEQUENCE = enum.auto()
    MAPPING = enum.auto()


@dataclass(slots=True)
class Node:
    """One value. `start`, `end`: character offsets; a block collection ends anywhere after it.

    `entries` holds a mapping's (key, value) pairs, `items` a sequence's values. `weight` counts the
    values this one stands for and `height` the levels, aliases followed. `style` is a scalar's
    quote, "|" or ">", or "" for a plain one.
    """

    kind: Kind
    start: int
    end: int
    tag: str = ""
    text: str = ""
    style: str = ""
    flow: bool = False
    aliased: bool = False
    weight: int = 1
    height: int = 1
    items: list["Node"] = field(default_factory=list)
    entries: list[tuple["Node", "Node"]] = field(default_factory=list)

    def children(self) -> Iterator["Node"]:
        """Every node directly below."""
        yield from self.items
        for key, value in self.entries:
            yield key
            yield value


def decode(source: bytes | str, file: str) -> str:
    """Turn a file's bytes into text. Rejected: not UTF-8, too large."""
    if len(source) > MAX_BYTES:
        raise Rejected([Diagnostic(file, 0, 0, f"the file is larger than {MAX_BYTES} bytes")])
    if isinstance(source, str):
        return source
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        place = places.Lines(file, source[: error.start].decode()).place(
            len(source[: error.start].decode())
        )
        hint = "save it with that encoding"
        raise Rejected(
            [Diagnostic(file, place.line, place.column, "the file is not UTF-8", hint)]
        ) from error


def compose(text: str, lines: places.Lines) -> tuple[list[Node], list[Diagnostic]]:
    """Build one tree for each document of `text`; a document without content is left out."""
    composer = _Composer(lines)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except _TooMuch as error:
        composer.problems.append(lines.diagnostic(error.offset, str(error)))
        return [], composer.problems
    except yaml.YAMLError as error:
        composer.problems.append(_syntax(error, text, lines))
        return [], composer.problems
    return composer.roots, composer.problems


class _TooMuch(Exception):
    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class _Composer:
    """Turns events into trees; `_open` holds the collections that have not ended."""

    def __init__(self, lines: places.Lines) -> None:
        self.roots: list[Node] = []
        self.problems: list[Diagnostic] = []
        self._lines = lines
        self._open: list[Node] = []
        self._waiting: list[Node | None] = []  # the key that waits for its value, by depth
        self._anchors: dict[str, Node] = {}
        self._total = 0

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._anchors = {}
            case yaml.ScalarEvent():
                self._add(
                    Node(
                        Kind.SCALAR,
                        _at(event.start_mark),
                        _at(event.end_mark),
                        tag=self._tag(event),
                        text=event.value,
                        style=event.style or "",
                    ),
                    event.anchor,
                )
            case yaml.AliasEvent():
                self._add(self._alias(event), None)
            case yaml.CollectionStartEvent():
                self._begin(event)
            case yaml.CollectionEndEvent():
                self._finish(event)

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        kind = Kind.MAPPING if isinstance(event, yaml.MappingStartEvent) else Kind.SEQUENCE
        node = Node(
            kind,
            _at(event.start_mark),
            _at(event.end_mark),
            tag=self._tag(event),
            flow=bool(event.flow_style),
        )
        self._add(node, event.anchor)
        self._open.append(node)
        self._waiting.append(None)

    def _finish(self, event: yaml.CollectionEndEvent) -> None:
        node = self._open.pop()
        self._waiting.pop()
        node.end = _at(event.end_mark)
        node.weight = 1 + sum(child.weight for child in node.children())
        node.height = 1 + max((child.height for child in node.children()), default=0)

    def _add(self, node: Node, anchor: str | None) -> None:
        self._total += node.weight
        if len(self._open) + node.height > MAX_DEPTH:
            raise _TooMuch(f"values are nested more than {MAX_DEPTH} deep", node.start)
        if self._total > MAX_NODES:
            raise _TooMuch(f"the file stands for more than {MAX_NODES} values", node.start)
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            if node.kind is not Kind.SCALAR or node.text or node.style:
                self.roots.append(node)
            return
        parent = self._open[-1]
        if parent.kind is Kind.SEQUENCE:
            parent.items.append(node)
            return
        key = self._waiting[-1]
        if key is None:
            self._waiting[-1] = node
        else:
            parent.entries.append((key, node))
            self._waiting[-1] = None

    def _alias(self, event: yaml.AliasEvent) -> Node:
        start, end = _at(event.start_mark), _at(event.end_mark)
        target = self._anchors.get(event.anchor or "")
        if target is None:
            message = "this alias has no anchor before it"
            hint = "quote a text that begins with `*`"
            self.problems.append(self._lines.diagnostic(start, message, hint))
        elif any(target is node for node in self._open):
            message = "this alias stands inside its own anchor"
            self.problems.append(self._lines.diagnostic(start, message))
        else:
            return dataclasses.replace(target, start=start, end=end, aliased=True)
        return Node(Kind.SCALAR, start, end, aliased=True, text="", style="'")

    def _tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> str:
        tag: str = event.tag or ""
        if tag in {"", "!"}:
            return "str" if tag and isinstance(event, yaml.ScalarEvent) else ""
        known = _TAGS_OF[type(event)]
        if tag.removeprefix(_TAG_PREFIX) in known and tag.startswith(_TAG_PREFIX):
            return tag.removeprefix(_TAG_PREFIX)
        message = "this tag is not supported here"
        hint = "quote a text that begins with `!`"
        self.problems.append(self._lines.diagnostic(_at(event.start_mark), message, hint))
        return ""


def _at(mark: Any) -> int:
    """Give a mark's offset; libyaml's events always have one."""
    return int(mark.index)


_TAGS_OF: dict[type[yaml.Event], frozenset[str]] = {
    yaml.ScalarEvent: frozenset({"str", "int", "float", "bool", "null"}),
    yaml.SequenceStartEvent: frozenset({"seq"}),
    yaml.MappingStartEvent: frozenset({"map"}),
}


def _syntax(error: yaml.YAMLError, text: str, lines: places.Lines) -> Diagnostic:
    """Say in plain words what libyaml could not read."""
    if not isinstance(error, yaml.MarkedYAMLError):
        offset = getattr(error, "position", 0)
        return lines.diagnostic(offset, "the file holds a control character")
    offset = min(_at(error.problem_mark or error.context_mark), len(text))
    problem = error.problem or "it cannot be read"
    if text[offset : offset + 1] == "\t":
        return lines.diagnostic(offset, "a tab cannot indent YAML", "use spaces")
    if "start any token" in problem:
        shown = text[offset : offset + 1]
        return lines.diagnostic(offset, f"a value cannot begin with {shown}", "quote it")
    if "unexpected end of stream" in problem and error.context_mark is not None:
        return lines.diagnostic(_at(error.context_mark), "this quote is never closed")
    message = f"this is not YAML: {problem}"
    return lines.diagnostic(offset, message, _syntax_hint(problem, text, offset))


def _syntax_hint(problem: str, text: str, offset: int) -> str:
    # libyaml often notices an unquoted tag only at the start of the next line.
    begin = text.rfind("\n", 0, len(text[:offset].rstrip())) + 1
    if "{{" in text[begin : offset + 80].partition("\n")[0]:
        return TAG_HINT
    if "mapping values are not allowed" in problem:
        return "quote a text that holds `: `, or mend the indentation"
    if "did not find expected" in problem:
        return "look for a wrong indentation or a missing bracket or comma"
    return ""
