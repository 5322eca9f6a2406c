"""Loops: withItems, withParam and withSequence as the items they stand for.

An item has a name, which ends the node's name (`train(0:small)`), and values for `{{item}}` and
`{{item.key}}`. Numbers keep the spelling that JSON gave them. The oddities are Argo's: parentheses
vanish from names, a list's name is Go's `[a b]`, texts inside a map stay escaped
(Argo: workflow/controller/operator.go, processItem and expandSequence; item.go).
What a loop gives back, all its children's outputs as JSON, is here too.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.workflow import failure, gojson, quoting, record, scope
from gitwf.workflow.document import flow, template

_VERB = re.compile(r"%(?P<flags>[-+ 0#]*)(?P<width>\d*)(?P<verb>[a-zA-Z%])")


@dataclass(frozen=True)
class Item:
    """One turn of a loop: what ends the node's name, and what its tags stand for."""

    description: str
    values: dict[str, scope.Value]


def items(call: template.Call) -> list[Item]:
    """Expand a substituted step or task. Raises NodeFailure in Argo's words."""
    if call.with_items:
        return [_item(value) for value in call.with_items]
    if call.with_param:
        return [_item(value) for value in _listed(call.with_param)]
    if call.with_sequence is not None:
        return [_item(text) for text in sequence(call.with_sequence)]
    return []


def node_name(name: str, index: int, item: Item) -> str:
    """Name one turn: `each(0:foo)`."""
    return f"{name}({index}:{item.description})"


def _listed(text: str) -> Sequence[Any]:
    prefix = f"withParam value could not be parsed as a JSON list: {text}: "
    try:
        values = quoting.loads(text)
    except json.JSONDecodeError:
        raise failure.NodeFailure(prefix + gojson.complaint(text)) from None
    if values is None:
        return []
    if not isinstance(values, list):
        kind = gojson.kind(values)
        raise failure.NodeFailure(
            f"{prefix}json: cannot unmarshal {kind} into Go value of type []v1alpha1.Item"
        )
    return values


def _item(value: Any) -> Item:
    if isinstance(value, str):
        text = str(value)
        return Item(_bare(text), {"item": text})
    if isinstance(value, dict):
        parts = {str(key): _unquoted(part) for key, part in sorted(value.items())}
        values: dict[str, scope.Value] = {f"item.{key}": part for key, part in parts.items()}
        values["item"] = quoting.dumps(value)
        return Item(_bare(",".join(f"{key}:{part}" for key, part in parts.items())), values)
    if isinstance(value, list | tuple) or value is None:
        elements = " ".join(map(_plain, value or ()))
        return Item(_bare(f"[{elements}]"), {"item": quoting.dumps(value)})
    text = quoting.dumps(value)
    return Item(_bare(text), {"item": text})


def _bare(text: str) -> str:
    return text.replace("(", "").replace(")", "")


def _unquoted(value: Any) -> str:
    text = quoting.dumps(value)
    return text[1:-1] if text.startswith('"') else text


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str) else quoting.dumps(value)


def sequence(loop: flow.Sequence) -> list[str]:
    """Expand a withSequence. Raises NodeFailure on a bound that is no number."""
    start = _whole(loop.start) if loop.start not in (None, "") else 0
    if loop.end not in (None, ""):
        end = _whole(loop.end)
    elif loop.count not in (None, ""):
        count = _whole(loop.count)
        if count == 0:
            return []
        end = start + count - 1
    else:
        raise failure.NodeFailure("must have either count or end")
    step = 1 if start <= end else -1
    style = loop.format or "%d"
    return [format_number(style, number) for number in range(start, end + step, step)]


def _whole(bound: int | str | None) -> int:
    text = str(bound)
    if not re.fullmatch(r"[+-]?\d+", text):
        raise failure.NodeFailure(f"strconv.Atoi: parsing {quoting.quote(text)}: invalid syntax")
    return int(text)


def format_number(style: str, number: int) -> str:
    """Format one whole number as Go's fmt.Sprintf(style, number)."""
    used = False

    def verb(match: re.Match[str]) -> str:
        nonlocal used
        letter = match["verb"]
        if letter == "%":
            return "%"
        if used:
            return f"%!{letter}(MISSING)"
        used = True
        if letter in "dvxXo":
            letter = "d" if letter == "v" else letter
            return f"%{match['flags']}{match['width']}{letter}" % number
        if letter == "b":
            return f"{number:b}".rjust(int(match["width"] or 0))
        return f"%!{letter}(int={number})"

    text = _VERB.sub(verb, style)
    return text if used else f"{text}%!(EXTRA int={number})"


def aggregate(prefix: str, children: Iterable[record.Outputs]) -> dict[str, scope.Value]:
    """Gather the outputs of a loop's children, those that succeeded, in the order of the items.

    A result must be JSON: raises NodeFailure with Go's words otherwise, as Argo does.
    """
    results: list[Any] = []
    rows: list[dict[str, str]] = []
    columns: dict[str, list[str]] = {}
    for outputs in children:
        if outputs.parameters:
            rows.append(dict(outputs.parameters))
            for name, value in outputs.parameters.items():
                columns.setdefault(name, []).append(value)
        if outputs.result is not None:
            results.append(_parsed(outputs.result))
    values: dict[str, scope.Value] = {
        f"{prefix}.outputs.result": quoting.dumps(results),
        f"{prefix}.outputs.parameters": quoting.dumps(rows),
    }
    for name, column in columns.items():
        values[f"{prefix}.outputs.parameters.{name}"] = quoting.dumps(_embedded(column))
    return values


def _parsed(text: str) -> Any:
    try:
        return quoting.loads(text)
    except json.JSONDecodeError:
        raise failure.NodeFailure(gojson.complaint(text)) from None


def _embedded(column: list[str]) -> list[Any]:
    """Give the values as JSON where every one is an object or a list, else as text."""
    parsed: list[Any] = []
    for text in column:
        try:
            value = quoting.loads(text)
        except json.JSONDecodeError:
            return list(column)
        if not isinstance(value, dict | list):
            return list(column)
        parsed.append(value)
    return parsed
