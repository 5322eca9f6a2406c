"""Change values in a YAML file and not one byte else.

The idea: the nodes know where each value begins and ends, so a change is a cut and a paste; the
comments, the order, the quotes and the line ends around it are never rendered again. Several
renderings of the new value are tried, from the one most like the old to the plainest, and the first
that reads back to exactly the wanted document is taken. Where none does, nothing is changed and the
caller is told: a person's file is never guessed at. How values are written: `gitwf.text.rendering`.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.errors import Rejected
from gitwf.text import nodes, rendering, yaml_reader

Path = tuple[yaml_reader.PathStep, ...]


def edit(source: bytes, changes: Mapping[Path, object], file: str = "the text") -> bytes:
    """Set each path (keys and indexes) to a value: null, bool, number, text, list or mapping.

    A key that is missing is added at the end of its mapping, an index one past a list's end at the
    end of the list. Equal bytes come back when nothing changes. Rejected: the text is not one sound
    document, or a value cannot be changed in place.
    """
    text = nodes.decode(source, file)
    for path, value in changes.items():
        text = _one(text, tuple(path), value, file)
    return text.encode()


@dataclass(frozen=True)
class _Cut:
    """Replace the characters from `start` to `end` by the first of `texts` that reads well."""

    start: int
    end: int
    texts: Sequence[str]


def _one(text: str, path: Path, value: object, file: str) -> str:
    document = yaml_reader.read_one(text, file)
    wanted = copy.deepcopy(document.value)
    if not path or not _set(wanted, path, value):
        raise _refusal(document, path, "there is no such place in the document")
    expected = _exact(wanted)
    if expected == _exact(document.value):
        return text
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    body = text.removeprefix(mark)
    for cut in _cuts(body, document.root, path, value):
        for rendered in cut.texts:
            after = body[: cut.start] + rendered + body[cut.end :]
            if _reads_as(after, expected):
                return mark + after
    raise _refusal(document, path, "this value cannot be changed in place")


def _refusal(document: yaml_reader.Document, path: Path, problem: str) -> Rejected:
    dotted = ".".join(map(str, path))
    hint = "change it by hand; an anchor, a merge key or an unusual layout stands in the way"
    return Rejected([document.diagnostic(path, f"`{dotted}`: {problem}", hint)])


def _exact(value: object) -> str:
    """Write a value so that 1, 1.0 and true are three; the order of keys does not count."""
    return json.dumps(value, sort_keys=True)


def _reads_as(text: str, expected: str) -> bool:
    try:
        return _exact(yaml_reader.read_one(text, "").value) == expected
    except Rejected:
        return False


def _set(value: Any, path: Path, new: object) -> bool:
    """Set a path in a plain value, adding what is missing; False when that cannot be."""
    *parents, last = path
    for step, following in zip(parents, path[1:], strict=True):
        below = _get(value, step)
        if below is None and isinstance(following, str):
            below = {}
            if not _put(value, step, below):
                return False
        value = below
    return _put(value, last, new)


def _get(value: Any, step: yaml_reader.PathStep) -> Any:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None


def _put(value: Any, step: yaml_reader.PathStep, new: object) -> bool:
    if isinstance(value, dict) and isinstance(step, str):
        value[step] = new
        return True
    if isinstance(value, list) and isinstance(step, int) and 0 <= step <= len(value):
        value[step : step + 1] = [new]
        return True
    return False


def _cuts(text: str, root: nodes.Node, path: Path, value: object) -> Iterator[_Cut]:
    """Find where to cut, in order of preference."""
    node, key = root, None
    flow = root.flow
    for position, step in enumerate(path):
        found = _own(node, step)
        if found is None:
            rest: object = value
            for missing in reversed(path[position + 1 :]):
                rest = {missing: rest}
            yield from _additions(text, node, key, step, rest, flow=flow)
            return
        if node.aliased:
            return
        key, node = found
        flow = flow or node.flow
    if node.aliased:
        return
    yield from _replacements(text, node, key, value, flow=flow)


def _own(
    node: nodes.Node, step: yaml_reader.PathStep
) -> tuple[nodes.Node | None, nodes.Node] | None:
    """Go one step down without following merge keys."""
    if isinstance(step, int):
        return (None, node.items[step]) if 0 <= step < len(node.items) else None
    return next(((key, value) for key, value in node.entries if key.text == step), None)


def _replacements(
    text: str, node: nodes.Node, key: nodes.Node | None, value: object, *, flow: bool
) -> Iterator[_Cut]:
    """Offer cuts that put `value` in the place of a node."""
    line_end = rendering.line_end(text)
    start, end = node.start, _end(text, node)
    in_line = flow or node.kind is nodes.Kind.SCALAR
    if _is_block(node) and not flow and rendering.is_collection(value):
        yield _Cut(start, end, [rendering.block(value, _column(text, start), line_end).lstrip(" ")])
    if key is not None and not flow:
        # The new value needs lines of its own, or the old one had them.
        colon = text.find(":", key.end) + 1
        if rendering.is_collection(value) and not text[end:].partition("\n")[0].strip():
            lines = rendering.block(value, _column(text, key.start) + 2, line_end)
            yield _Cut(colon, end, [line_end + lines])
        if not in_line:
            yield _Cut(colon, end, [" " + one for one in rendering.scalars(value, flow=False)])
    if in_line:
        indent = _column(text, key.start if key is not None else start) + 2
        yield _Cut(start, end, list(_inline(value, node, indent, line_end, flow=flow)))
    yield _Cut(start, end, list(rendering.scalars(value, flow=True)))


def _inline(
    value: object, node: nodes.Node, indent: int, line_end: str, *, flow: bool
) -> Iterator[str]:
    """Write a value where a scalar or a flow collection stood, with a blank if it needs one."""
    # An empty value begins right after its colon or dash.
    blank = " " if node.kind is nodes.Kind.SCALAR and node.start == node.end else ""
    if node.style in {"|", ">"} and not flow and isinstance(value, str):
        yield from rendering.literal(value, indent, line_end)
    for one in rendering.scalars(value, flow=flow, like=node.style):
        yield blank + one


def _additions(
    text: str,
    node: nodes.Node,
    key: nodes.Node | None,
    step: yaml_reader.PathStep,
    value: object,
    *,
    flow: bool,
) -> Iterator[_Cut]:
    """Offer cuts that add an entry to a mapping or an item to a list."""
    line_end = rendering.line_end(text)
    entry: object = {step: value} if isinstance(step, str) else [value]
    children = [one for _, one in node.entries] or node.items
    if node.kind is nodes.Kind.SCALAR or not children:
        # An empty value or an empty collection becomes one of one entry.
        yield from _replacements(text, node, key, entry, flow=flow)
        return
    if _is_block(node) and not flow:
        indent = _column(text, (node.entries[0][0] if node.entries else node).start)
        added = rendering.block(entry, indent, line_end)
        place = children[-1].end if children[-1].aliased else _last(children[-1])
        at = text.find("\n", max(place - 1, 0)) + 1
        yield (
            _Cut(at, at, [added + line_end])
            if at
            else _Cut(len(text), len(text), [line_end + added])
        )
        return
    inside = next(iter(rendering.scalars(entry, flow=True)))[1:-1]
    yield _Cut(_last(children[-1]), _last(children[-1]), [", " + inside])


def _is_block(node: nodes.Node) -> bool:
    return node.kind is not nodes.Kind.SCALAR and not node.flow


def _last(node: nodes.Node) -> int:
    """Give the offset behind a value; a block collection ends with its last child."""
    while _is_block(node) and not node.aliased:
        below = node.entries[-1][1] if node.entries else node.items[-1]
        node = below
    return node.end


def _end(text: str, node: nodes.Node) -> int:
    """Give the offset behind a value, without the line ends that a block scalar takes along."""
    end = _last(node)
    return max(node.start, len(text[:end].rstrip(" \r\n"))) if end > node.start else end


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset) - 1
