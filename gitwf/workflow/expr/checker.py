"""What the types of an expression already say against it, before any of it is evaluated.

expr-lang refuses `item == 1` where `item` is a string, even in a branch that is not taken, because
it knows the types of literals, of its own functions and of the environment's names; of what is
inside the environment's maps it knows nothing, and nor does this. A kind is Go's name of a type, or
for an array `[]` and the kind of its elements; `ANY`, what a map or an array holds, fits
everything, and so does `UNKNOWN`, of which not even that is known. Chains that lean to the left are
walked in a loop, as in `evaluator`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from gitwf.workflow.expr import errors, grammar, library, nodes, numbers, values

UNKNOWN: Final = ""
NIL: Final = "nil"
ANY: Final = "interface {}"
_OPEN: Final = frozenset({UNKNOWN, ANY})
_ARRAY: Final = "[]"
_MAP: Final = "map[string]interface {}"
_TIME: Final = "time.Time"
_SPAN: Final = "time.Duration"
_NUMBERS: Final = frozenset({"int", "float64"})
_SCALARS: Final = frozenset({"bool", "int", "float64", "string"})
_RESULTS: Final = {
    **dict.fromkeys(("all", "any", "none", "one", "hasPrefix", "hasSuffix"), "bool"),
    **dict.fromkeys(("len", "int", "count", "indexOf", "lastIndexOf", "findIndex"), "int"),
    **dict.fromkeys(("float", "ceil", "floor", "round"), "float64"),
    **dict.fromkeys(
        (
            "string", "type", "upper", "lower", "trim", "trimPrefix", "trimSuffix", "replace",
            "repeat", "join", "toJSON", "toBase64", "fromBase64",
        ),
        "string",
    ),
    **dict.fromkeys(("filter", "map", "split", "splitAfter"), _ARRAY),
    "now": _TIME,
    "date": _TIME,
    "duration": _SPAN,
}  # fmt: skip
# What both sides of an operator can be, each pair alike, and what comes out.
_ALIKE: Final[Mapping[str, frozenset[str]]] = {
    "&&": frozenset({"bool"}),
    "||": frozenset({"bool"}),
    **dict.fromkeys(("<", ">", "<=", ">="), _NUMBERS | {"string", _TIME, _SPAN}),
    "+": _NUMBERS | {"string", _SPAN},
    "-": _NUMBERS | {_TIME, _SPAN},
    "*": _NUMBERS | {_SPAN},
    **dict.fromkeys(("/", "**", "^"), _NUMBERS),
    **dict.fromkeys(("%", ".."), frozenset({"int"})),
    **dict.fromkeys(("contains", "startsWith", "endsWith", "matches"), frozenset({"string"})),
}
_UNLIKE: Final = {
    ("+", _TIME, _SPAN): _TIME,
    ("+", _SPAN, _TIME): _TIME,
    ("-", _TIME, _SPAN): _TIME,
    ("-", _TIME, _TIME): _SPAN,
    **{("*", number, _SPAN): _SPAN for number in _NUMBERS},
    **{("*", _SPAN, number): _SPAN for number in _NUMBERS},
}
_GIVES: Final = {
    **dict.fromkeys(
        ("&&", "||", "<", ">", "<=", ">=", "contains", "startsWith", "endsWith", "matches"), "bool"
    ),
    **dict.fromkeys(("/", "**", "^"), "float64"),
    "%": "int",
    "..": "[]int",
}
_WORDS: Final = ("and", "or", "not")
_ENVIRONMENT: Final = "$env"


def kind(value: object) -> str:
    """Give the kind of a value of the environment."""
    if value is None:
        return NIL
    if values.is_int(value) and not numbers.INT_MIN <= value <= numbers.INT_MAX:
        return "float64"
    name = _TIME if isinstance(value, datetime) else values.type_name(value)
    return {"func": UNKNOWN, "unknown": UNKNOWN, "[]interface {}": _ARRAY}.get(name, name)


class Checker:
    """One check of one expression: its source, and the kinds of the environment's names."""

    def __init__(self, source: str, names: Mapping[str, str]) -> None:
        self._source = source
        self._names = dict(names)
        self._rules: dict[type[nodes.Node], Callable[..., str]] = {
            nodes.Literal: lambda node: kind(node.value),
            nodes.Name: self._name,
            nodes.Unary: self._unary,
            nodes.Binary: self._binary,
            nodes.Conditional: self._conditional,
            nodes.Member: self._links,
            nodes.Slice: self._links,
            nodes.Chain: self._links,
            nodes.Call: self._links,
            nodes.Builtin: self._builtin,
            nodes.Predicate: lambda node: self.check(node.body),
            nodes.Let: self._let,
            nodes.Sequence: lambda node: self._each(node.items)[-1],
            nodes.Array: self._array,
            nodes.Map: self._map,
        }

    def check(self, node: nodes.Node) -> str:
        """Give the kind of a node. Raises ExprTypeError: an unknown name, or types that clash."""
        rule = self._rules.get(type(node))
        if rule is not None:
            return rule(node)
        self._each(nodes.children(node))
        return UNKNOWN

    def _name(self, node: nodes.Name) -> str:
        if node.name in self._names:
            return self._names[node.name]
        if node.name != _ENVIRONMENT and node.name not in library.GLOBALS:
            raise self._wrong(node, f"unknown name {node.name}")
        return UNKNOWN

    def _each(self, several: Iterable[nodes.Node]) -> list[str]:
        return [self.check(one) for one in several]

    def _builtin(self, node: nodes.Builtin) -> str:
        kinds = self._each(node.arguments)
        if node.name in grammar.PREDICATES and not (
            kinds[0].startswith(_ARRAY) or kinds[0] in _OPEN
        ):
            message = f"builtin {node.name} takes only array (got {_shown(kinds[0])})"
            raise self._wrong(node.arguments[0], message)
        if node.name in grammar.TESTS and len(kinds) > 1:
            self._test(node.arguments[1], kinds[1])
        return _RESULTS.get(node.name, UNKNOWN if node.name == "reduce" else ANY)

    def _test(self, node: nodes.Node, kind: str) -> None:
        """Hold a predicate to saying yes or no."""
        if kind == NIL:
            raise self._wrong(node, "predicate should has one input and one output param")
        if kind != "bool" and kind not in _OPEN:
            raise self._wrong(node, f"predicate should return boolean (got {_shown(kind)})")

    def _array(self, node: nodes.Array) -> str:
        of = set(self._each(node.items))
        return f"[]{of.pop()}" if len(of) == 1 else _ARRAY

    def _map(self, node: nodes.Map) -> str:
        self._each(nodes.children(node))
        return _MAP

    def _wrong(self, node: nodes.Node, message: str) -> errors.ExprTypeError:
        return errors.ExprTypeError(message, self._source, node.at)

    def _unary(self, node: nodes.Unary) -> str:
        of = self.check(node.operand)
        fits = {"bool"} if node.operator == "!" else _NUMBERS
        if of in fits or of in _OPEN:
            return "bool" if node.operator == "!" else UNKNOWN if of in _OPEN else of
        sign = self._written(node.at, node.operator)
        raise self._wrong(node, f"invalid operation: {sign} (mismatched type {_shown(of)})")

    def _binary(self, node: nodes.Binary) -> str:
        spine = [node]
        while isinstance(spine[-1].left, nodes.Binary):
            spine.append(spine[-1].left)
        left = self.check(spine[-1].left)
        for part in reversed(spine):
            right = self.check(part.right)
            found = _joined(part.operator, left, right)
            if found is None:
                sign = self._written(part.at, part.operator)
                raise self._wrong(part, _misfit(sign, left, right))
            left = found
        return left

    def _written(self, at: int, operator: str) -> str:
        return next((word for word in _WORDS if self._source.startswith(word, at)), operator)

    def _conditional(self, node: nodes.Conditional) -> str:
        test = self.check(node.test)
        if test != "bool" and test not in _OPEN:
            message = f"non-bool expression (type {_shown(test)}) used as condition"
            raise self._wrong(node.test, message)
        yes, no = self.check(node.yes), self.check(node.no)
        if NIL in {yes, no}:
            return no if yes == NIL else yes
        return yes if yes == no else UNKNOWN

    def _let(self, node: nodes.Let) -> str:
        hidden = self._names.get(node.name)
        of = self.check(node.value)
        self._names[node.name] = of
        try:
            return self.check(node.body)
        finally:
            del self._names[node.name]
            if hidden is not None:
                self._names[node.name] = hidden

    def _links(self, node: nodes.Node) -> str:
        links: list[nodes.Node] = []
        while True:
            if isinstance(node, nodes.Call):
                links.append(node)
                node = node.callee
            elif isinstance(node, nodes.Member | nodes.Slice | nodes.Chain):
                links.append(node)
                node = node.base
            else:
                break
        of = self.check(node)
        for place in range(len(links) - 1, -1, -1):
            called = place > 0 and isinstance(links[place - 1], nodes.Call)
            of = self._link(links[place], of, called=called)
        return of

    def _link(self, link: nodes.Node, of: str, *, called: bool) -> str:
        match link:
            case nodes.Call(_, nodes.Name(_, "toJson"), arguments) if "toJson" not in self._names:
                self._each(arguments)
                return "string"
            case nodes.Call(_, callee, arguments):
                if of in _SCALARS:
                    raise self._wrong(callee, f"{of} is not callable")
                self._each(arguments)
                return UNKNOWN
            case nodes.Slice(_, _, start, stop):
                self._each(bound for bound in (start, stop) if bound is not None)
                return of if of == "string" or of.startswith(_ARRAY) else UNKNOWN
            case nodes.Member(_, _, key):
                return self._member(link, key, of, called=called)
        return of

    def _member(self, link: nodes.Node, key: nodes.Node, of: str, *, called: bool) -> str:
        by = self.check(key)
        if of in _SCALARS and isinstance(key, nodes.Literal):
            if isinstance(key.value, str):
                what = "method" if called else "field"
                raise self._wrong(link, f"type {of} has no {what} {key.value}")
            raise self._wrong(link, f"type {of}[{by}] is undefined")
        if not of.startswith(_ARRAY):
            return ANY if of == _MAP else UNKNOWN
        if by != "int" and by not in _OPEN:
            message = "array elements can only be selected using an integer"
            raise self._wrong(key, f"{message} (got {_shown(by)})")
        return of.removeprefix(_ARRAY) or ANY


def _joined(operator: str, left: str, right: str) -> str | None:
    """Give the kind of what an operator makes of two kinds; None where they do not fit."""
    if operator in {"==", "!="}:
        return "bool" if _comparable(left, right) else None
    if operator == "??":
        if NIL in {left, right}:
            return right if left == NIL else left
        return left if left in {right, ANY} else UNKNOWN
    if operator == "in":
        return "bool" if _holds(right, left) else None
    if (operator, left, right) in _UNLIKE:
        return _UNLIKE[operator, left, right]
    sides = _ALIKE.get(operator)
    if sides is None:
        return UNKNOWN
    known = {left, right} - _OPEN
    if not known <= sides or (len(known) > 1 and not known <= _NUMBERS):
        return None
    if operator in _GIVES:
        return _GIVES[operator]
    if {left, right} & _OPEN:
        return UNKNOWN
    return "float64" if known == _NUMBERS else left


def _comparable(left: str, right: str) -> bool:
    arrays = left.startswith(_ARRAY) and right.startswith(_ARRAY)
    either = {left, right}
    return arrays or left == right or either <= _NUMBERS or bool(either & (_OPEN | {NIL}))


def _holds(whole: str, part: str) -> bool:
    """Whether a value of kind `part` can be in one of kind `whole`."""
    if whole == _MAP:
        return part in {"string", NIL} or part in _OPEN
    if whole.startswith(_ARRAY):
        return _comparable(part, whole.removeprefix(_ARRAY))
    return whole in _OPEN or (whole == "string" and part in _OPEN)


def _misfit(sign: str, left: str, right: str) -> str:
    if sign == "in" and right == _MAP:
        return f"cannot use {_shown(left)} as type string in map key"
    if sign == "in" and right.startswith(_ARRAY):
        of = _shown(right.removeprefix(_ARRAY))
        return f"cannot use {_shown(left)} as type {of} in array"
    types = f"{_shown(left)} and {_shown(right)}"
    return f"invalid operation: {sign} (mismatched types {types})"


def _shown(of: str) -> str:
    if of.startswith(_ARRAY):
        return "[]interface {}"
    return "unknown" if of in {UNKNOWN, NIL} else of
