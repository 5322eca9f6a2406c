"""An expression that was read: its names, its paths and its value in an environment.

`parse` is the door into the language: what it gives was read once, may be kept, and tells before
any evaluation which names it needs, so that a tag can wait for an output that does not exist yet.
Evaluating never changes a program or its environment. Read next: `parser` for how text becomes
nodes, `evaluator` for how nodes become a value.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gitwf.workflow.expr import budget, checker, errors, evaluator, library, nodes, parser, printing


@dataclass(frozen=True)
class Program:
    """One expression, ready to be evaluated any number of times; equal when its text is."""

    source: str
    root: nodes.Node = field(compare=False, repr=False)

    def evaluate(self, environment: Mapping[str, object]) -> object:
        """Give the value in an environment of plain Python values.

        Every free name must be in the environment, and all types must fit, even in a branch that
        is not taken, as expr-lang demands. Raises ExprRuntimeError, which is an ExprTypeError where
        that is so.
        """
        kinds = {
            name: checker.kind(environment[name]) for name in self._free if name in environment
        }
        try:
            if kinds not in self._checked:
                checker.Checker(self.source, kinds).check(self.root)
                self._checked.append(kinds)
            return evaluator.Evaluator(self.source, environment).evaluate(self.root)
        except RecursionError:
            message = "evaluation is nested too deeply"
            raise errors.ExprRuntimeError(message, self.source, 0) from None

    @property
    def identifiers(self) -> frozenset[str]:
        """The free names: neither bound by `let` nor functions of the library."""
        return frozenset(path[0] for path in self.paths)

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """The dotted paths read, each as long as its keys are constant strings."""
        return frozenset(path for path, _ in self._uses if path[0] not in library.GLOBALS)

    @cached_property
    def required(self) -> tuple[tuple[str, ...], ...]:
        """The paths that must be there, each after the name that it begins with.

        What stands left of `??` or before a `?.` may be missing; its bare name may not
        (Argo: util/template/expression_template.go getIdentifiers).
        """
        found = _required(self.root)
        return tuple(path for path in found if path[0] not in library.GLOBALS)

    @cached_property
    def _free(self) -> frozenset[str]:
        return frozenset(path[0] for path, _ in self._uses)

    @cached_property
    def _checked(self) -> list[dict[str, str]]:
        """The kinds that the free names had where all types fitted: few, one after another."""
        return []

    @cached_property
    def _uses(self) -> tuple[tuple[tuple[str, ...], nodes.Node], ...]:
        return tuple(_uses(self.root))


def parse(source: str) -> Program:
    """Read an expression. Raises ExprSyntaxError where the text stops being one."""
    return Program(source, parser.parse(source))


def to_text(value: object) -> str:
    """Print a value as Argo inserts it: a string bare, anything else as compact JSON.

    Raises ExprRuntimeError for a value JSON cannot hold.
    """
    return value if isinstance(value, str) else _printed(printing.json, value)


def to_plain(value: object) -> str:
    """Print a value as Go's `%v` does: `[1 2 map[a:<nil>]]`.

    Raises ExprRuntimeError for a value that has no text.
    """
    return _printed(printing.plain, value)


def _printed(how: Callable[[object, budget.Budget], str], value: object) -> str:
    try:
        return how(value, budget.Budget())
    except errors.Fault as fault:
        raise errors.ExprRuntimeError(fault.message, "", 0) from None
    except RecursionError:
        raise errors.ExprRuntimeError("the value is nested too deeply", "", 0) from None


def _uses(root: nodes.Node) -> Iterator[tuple[tuple[str, ...], nodes.Node]]:
    """Yield each free name with the constant keys that follow it, and where it stands."""
    waiting: list[tuple[nodes.Node, frozenset[str]]] = [(root, frozenset(("$env",)))]
    while waiting:
        node, bound = waiting.pop()
        path, base = _path(node)
        if path:
            if path[0] not in bound:
                yield path, base
            continue
        if isinstance(node, nodes.Let):
            waiting.append((node.body, bound | {node.name}))
            waiting.append((node.value, bound))
            continue
        waiting.extend((child, bound) for child in reversed(list(nodes.children(node))))


def _required(root: nodes.Node) -> dict[tuple[str, ...], None]:
    found: dict[tuple[str, ...], None] = {}
    waiting: list[tuple[nodes.Node, frozenset[str], bool]] = [(root, frozenset(("$env",)), False)]
    while waiting:
        node, bound, guarded = waiting.pop()
        match node:
            case nodes.Let(_, name, value, body):
                waiting += [(body, bound | {name}, guarded), (value, bound, guarded)]
                continue
            case nodes.Binary(_, "??", left, right):
                waiting += [(right, bound, guarded), (left, bound, True)]
                continue
            case nodes.Name(_, name) if name not in bound:
                found.setdefault((name,))
            case nodes.Member(_, base, _, optional):
                path = () if guarded or _has_optional(node) else _path(node)[0]
                if path and path[0] not in bound:
                    for length in range(1, len(path) + 1):
                        found.setdefault(path[:length])
                if optional:
                    waiting.append((base, bound, True))
                    continue
        waiting += [(child, bound, guarded) for child in reversed(list(nodes.children(node)))]
    return found


def _has_optional(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Member | nodes.Chain):
        if isinstance(node, nodes.Member) and node.optional:
            return True
        node = node.base
    return False


def _path(node: nodes.Node) -> tuple[tuple[str, ...], nodes.Node]:
    """Give `a.b["c"]` as a path; an empty one for anything that is not a name and its keys."""
    keys: list[str] = []
    while True:
        match node:
            case nodes.Chain(_, base):
                node = base
            case nodes.Member(_, base, nodes.Literal(_, str(key))):
                keys.append(key)
                node = base
            case nodes.Name(_, name):
                return (name, *reversed(keys)), node
            case _:
                return (), node
