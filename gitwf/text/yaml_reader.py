"""Read YAML strictly, and remember where every value came from.

The idea: a document that two people could read in two ways is refused, with the place and what to
write instead. Duplicate keys, tags, numbers with a leading zero that is no octal, aliases that
explode: all are Diagnostics, all found in one go. Merge keys (`<<`) are honoured as Argo's parser
honours them: what stands in the mapping itself wins. Read next: `gitwf.text.models`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gitwf.errors import Diagnostic, Rejected, Severity
from gitwf.text import goyaml, nodes, places, scalars

PathStep = str | int


@dataclass(frozen=True)
class Document:
    """One document of a file: its value, and the place of everything in it.

    Equal when the values are; the file, and how it was written, do not count. `doubts` are warnings
    of words that Argo reads as YAML 1.2 does not.
    """

    file: str = field(compare=False)
    value: Any
    root: nodes.Node = field(compare=False, repr=False)
    lines: places.Lines = field(compare=False, repr=False)
    doubts: tuple[Diagnostic, ...] = field(default=(), compare=False, repr=False)

    def place(
        self, path: Sequence[PathStep] = (), *, key: bool = False, within: str = ""
    ) -> places.Place:
        """Find the value at `path` (keys and indexes), or its key; where it is missing, its parent.

        The parent of what is missing is the best place to write it, so that nothing raises here.
        `within` finds that text inside the value, if it stands there as it is.
        """
        node, name = self.root, None
        for step in path:
            found = _step(node, step)
            if found is None:
                return self.lines.place(name.start if name is not None else node.start)
            name, node = found
        if key and name is not None:
            return self.lines.place(name.start)
        offset = self.lines.text.find(within, node.start, node.end) if within else -1
        return self.lines.place(max(node.start, offset))

    def holds(self, path: Sequence[PathStep]) -> bool:
        """Whether there is a value at `path`."""
        node: nodes.Node | None = self.root
        for step in path:
            found = _step(node, step) if node is not None else None
            node = found[1] if found is not None else None
        return node is not None

    def diagnostic(
        self,
        path: Sequence[PathStep],
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        within: str = "",
        severity: Severity = "error",
    ) -> Diagnostic:
        """Name a mistake at `path`."""
        place = self.place(path, key=key, within=within)
        return Diagnostic(self.file, place.line, place.column, message, hint, severity)


def read(source: bytes | str, file: str, *, argo: bool = False) -> list[Document]:
    """Read every document of a file; none for an empty one. Rejected: all that is wrong with it.

    With `argo` unquoted words mean what they mean to Argo (`goyaml`), else YAML 1.2 (`scalars`).
    """
    text = nodes.decode(source, file)
    # libyaml skips a byte order mark without counting it.
    text = text.removeprefix("\ufeff")
    lines = places.Lines(file, text)
    roots, problems = nodes.compose(text, lines)
    documents: list[Document] = []
    for root in roots:
        constructor = _Constructor(lines, text, argo=argo)
        value = constructor.value(root)
        documents.append(Document(file, value, root, lines, tuple(constructor.doubts)))
        problems += constructor.problems
    if problems:
        raise Rejected(sorted(problems))
    return documents


def read_one(source: bytes | str, file: str, *, argo: bool = False) -> Document:
    """Read a file that holds exactly one document. Rejected otherwise too."""
    documents = read(source, file, argo=argo)
    if not documents:
        raise Rejected([Diagnostic(file, 0, 0, "the file is empty")])
    if len(documents) > 1:
        message = "the file holds more than one document"
        raise Rejected([documents[1].diagnostic((), message, "give each a file of its own")])
    return documents[0]


def _step(node: nodes.Node, step: PathStep) -> tuple[nodes.Node | None, nodes.Node] | None:
    """Go one step down: the key (None in a list) and the value."""
    if isinstance(step, int):
        if node.kind is nodes.Kind.SEQUENCE and 0 <= step < len(node.items):
            return None, node.items[step]
        return None
    for key, value in node.entries:
        if key.text == step and not _merges(key):
            return key, value
    for key, value in node.entries:
        if _merges(key):
            for source in value.items or [value]:
                if (found := _step(source, step)) is not None:
                    return found
    return None


def _merges(key: nodes.Node) -> bool:
    return key.text == "<<" and not key.style and key.kind is nodes.Kind.SCALAR


class _Constructor:
    """Turns trees into plain Python. Depth is bounded by the composer, so recursion is safe."""

    def __init__(self, lines: places.Lines, text: str, *, argo: bool) -> None:
        self.problems: list[Diagnostic] = []
        self.doubts: dict[Diagnostic, None] = {}  # in order, each once: an anchor may be read twice
        self._lines = lines
        self._text = text
        self._argo = argo

    def value(self, node: nodes.Node) -> Any:
        match node.kind:
            case nodes.Kind.SEQUENCE:
                return [self.value(item) for item in node.items]
            case nodes.Kind.MAPPING:
                return self._mapping(node)
            case nodes.Kind.SCALAR:
                return self._scalar(node)

    def _scalar(self, node: nodes.Node) -> scalars.Scalar:
        if node.style:
            return node.text
        try:
            if not self._argo:
                return scalars.resolve(node.text, node.tag)
            value = goyaml.resolve(node.text, node.tag)
        except scalars.ScalarError as error:
            self._report(node, str(error))
            return None
        self._doubt(node, goyaml.surprises(node.text, value))
        return value

    def _doubt(self, node: nodes.Node, message: str) -> None:
        if message:
            doubt = self._lines.diagnostic(node.start, message, "quote it to keep the text")
            self.doubts.setdefault(replace(doubt, severity="warning"))

    def _mapping(self, node: nodes.Node) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        firsts: dict[str, nodes.Node] = {}
        for key, value in node.entries:
            name = self._key(key)
            if name is None:
                continue
            if _merges(key):
                self._merge(value, merged)
            elif name in firsts:
                line = self._lines.place(firsts[name].start).line
                self._report(key, f"duplicate key `{name}`", f"it stands in line {line} already")
            else:
                firsts[name] = key
                own[name] = self.value(value)
        return {**merged, **own} if merged else own

    def _merge(self, node: nodes.Node, into: dict[str, Any]) -> None:
        for source in node.items or [node]:
            if source.kind is not nodes.Kind.MAPPING:
                self._report(source, "the merge key `<<` needs a mapping or a list of mappings")
                continue
            for name, value in self._mapping(source).items():
                into.setdefault(name, value)

    def _key(self, key: nodes.Node) -> str | None:
        if key.kind is not nodes.Kind.SCALAR:
            tag = self._text.startswith("{{", key.start - 1)
            hint = nodes.TAG_HINT if tag else ""
            self._report(key, "a key must be text, not a list or a mapping", hint)
            return None
        if not key.text and not key.style:
            self._report(key, "a key is missing before the `:`")
            return None
        if not self._argo or key.style or _merges(key):
            return key.text
        try:
            name = goyaml.key(key.text, key.tag)
        except scalars.ScalarError as error:
            self._report(key, str(error))
            return None
        if name != key.text:
            self._doubt(key, f"Argo reads this key as `{name}`")
            key.text = name  # what the places in this document are found by
        return name

    def _report(self, node: nodes.Node, message: str, hint: str = "") -> None:
        self.problems.append(self._lines.diagnostic(node.start, message, hint))
