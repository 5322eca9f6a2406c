"""Loops: withItems, withParam and withSequence as the items they stand for.

An item has a name, which ends the node's name (`train(0:small)`), and values for `{{item}}` and
`{{item.key}}`. What JSON spelled stays spelled so: numbers, and the escapes of texts. The oddities
are Argo's: parentheses vanish from names, a list's name is Go's `[a b]`
(Argo: workflow/controller/operator.go, processItem and expandSequence; item.go).
What a loop gives back, all its children's outputs as JSON, is here too.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.workflow import failure, gofmt, gojson, quoting, rawjson, record, scope
from gitwf.workflow.document import flow, template
from gitwf.workflow.expr import budget, errors, jsontext

_TOO_LARGE = 1 << 63

_SIMPLE = re.compile(r"[-\w. ]*", re.ASCII)  # What JSON, Go and names all write in one way.


@dataclass(frozen=True, slots=True)
class Item:
    """One turn of a loop: what ends the node's name, and what its tags stand for."""

    description: str
    values: dict[str, scope.Value]


def items(call: template.Call) -> list[Item]:
    """Expand a substituted step or task. Raises NodeFailure in Argo's words."""
    if call.with_items:
        return [_item(quoting.dumps(value)) for value in call.with_items]
    if call.with_param:
        return [_item(text) for text in _listed(call.with_param)]
    if call.with_sequence is not None:
        return [_numbered(text) for text in sequence(call.with_sequence)]
    return []


def node_name(name: str, index: int, item: Item) -> str:
    """Name one turn: `each(0:foo)`."""
    return f"{name}({index}:{item.description})"


def _listed(text: str) -> Sequence[str]:
    prefix = f"withParam value could not be parsed as a JSON list: {text.strip()}: "
    wrong = rawjson.check(text)
    if wrong:
        raise failure.NodeFailure(prefix + wrong)
    first = text.strip(" \t\r\n")[0]
    if first == "[":
        return rawjson.elements(text)
    if first == "n":
        return []
    kind = gojson.kind(quoting.loads(text))
    raise failure.NodeFailure(
        f"{prefix}json: cannot unmarshal {kind} into Go value of type []v1alpha1.Item"
    )


def _item(text: str) -> Item:
    """Make an item of its JSON."""
    compact = rawjson.compact(text)
    if compact.startswith("{"):
        members = rawjson.members(text)
        shown = {key: rawjson.shown(part) for key, part in members.items()}
        values: dict[str, scope.Value] = {f"item.{key}": part for key, part in shown.items()}
        parts = (f"{quoting.dumps(key)}:{rawjson.compact(members[key])}" for key in sorted(members))
        values["item"] = "{" + ",".join(parts) + "}"
        return Item(_bare(",".join(sorted(f"{key}:{part}" for key, part in shown.items()))), values)
    if compact.startswith("["):
        listed = " ".join(map(rawjson.shown, rawjson.elements(text)))
        return Item(_bare(f"[{listed}]"), {"item": compact})
    if compact == "null":
        return Item("[]", {"item": "null"})
    shown_whole = rawjson.shown(text)
    return Item(_bare(shown_whole), {"item": shown_whole})


def _numbered(text: str) -> Item:
    """Make an item of a formatted number, which Argo puts between quotes and parses."""
    if _SIMPLE.fullmatch(text):
        return Item(text, {"item": text})
    written = f'"{text}"'
    wrong = rawjson.check(written)
    if wrong:
        raise failure.NodeFailure(wrong)
    return _item(written)


def _bare(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def sequence(loop: flow.Sequence) -> list[str]:
    """Expand a withSequence. Raises NodeFailure on a bound that is no number."""
    start = _whole(loop.start) if loop.start is not None else 0
    if loop.end is not None:
        end = _whole(loop.end)
    elif loop.count is not None:
        count = _whole(loop.count)
        if count == 0:
            return []
        end = start + count - 1
    else:
        raise failure.NodeFailure("neither end nor count was specified in withSequence")
    step = 1 if start <= end else -1
    style = loop.format or "%d"
    return [gofmt.whole(style, number) for number in range(start, end + step, step)]


def _whole(bound: int | str) -> int:
    text = str(bound)
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise failure.NodeFailure(f"strconv.Atoi: parsing {quoting.quote(text)}: invalid syntax")
    number = int(text)
    if abs(number) >= _TOO_LARGE:
        text = quoting.quote(text)
        raise failure.NodeFailure(f"strconv.Atoi: parsing {text}: value out of range")
    return number


def aggregate(prefix: str, children: Iterable[record.Outputs]) -> dict[str, scope.Value]:
    """Gather the outputs of a loop's children, those that succeeded, in the order of the items.

    A result must be JSON: raises NodeFailure with Go's words otherwise, as Argo does.
    """
    results: list[str] = []
    rows: list[dict[str, str]] = []
    columns: dict[str, list[str]] = {}
    for outputs in children:
        if outputs.parameters:
            rows.append(dict(outputs.parameters))
            for name, value in outputs.parameters.items():
                columns.setdefault(name, []).append(value)
        if outputs.result is not None:
            wrong = rawjson.check(outputs.result)
            if wrong:
                raise failure.NodeFailure(wrong)
            results.append(rawjson.compact(outputs.result))
    values: dict[str, scope.Value] = {
        f"{prefix}.outputs.result": f"[{','.join(results)}]",
        f"{prefix}.outputs.parameters": quoting.dumps(rows),
    }
    for name, column in columns.items():
        values[f"{prefix}.outputs.parameters.{name}"] = quoting.dumps(_embedded(column))
    return values


def _embedded(column: list[str]) -> list[Any]:
    """Give the values as JSON where every one is an object or a list, else as text."""
    parsed: list[Any] = []
    for text in column:
        try:
            value = jsontext.read(text, budget.Budget())
        except errors.Fault:
            return list(column)
        if not isinstance(value, dict | list):
            return list(column)
        parsed.append(value)
    return parsed
