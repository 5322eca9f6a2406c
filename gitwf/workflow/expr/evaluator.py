"""From a tree and an environment to a value.

A walk over the tree. Chains that lean to the left (`a && b && …`, `a.b[c].d()`) are walked in a
loop, so their length costs no stack; everything else is as deep as the parser allowed. Each node
costs one step of the budget. An operator or function that fails raises a `Fault`, and the innermost
node being evaluated gives it its place. Read next: `operators` for what operators do, `iterate` for
the functions that take predicates.
"""

from collections.abc import Callable, Mapping

from gitwf.workflow.expr import budget, errors, iterate, library, nodes, operators, parser, values
from gitwf.workflow.expr.library import context

_LINKS = (nodes.Member, nodes.Slice, nodes.Chain)


class Evaluator:
    """One evaluation of one tree: its source (for errors), environment and budget."""

    def __init__(
        self, source: str, environment: Mapping[str, object], cost: budget.Budget | None = None
    ) -> None:
        self.source = source
        self.environment = environment
        self.cost = cost or budget.Budget()
        self.context = context.Context(environment, self.cost, self.compute)
        self.variables: dict[str, object] = {}
        self.scopes: list[iterate.Scope] = []
        self._rules: dict[type[nodes.Node], Callable[..., object]] = {
            nodes.Literal: self._literal,
            nodes.Name: self._name,
            nodes.Pointer: self._pointer,
            nodes.Unary: self._unary,
            nodes.Binary: self._binary,
            nodes.Conditional: self._conditional,
            nodes.Member: self._links,
            nodes.Slice: self._links,
            nodes.Chain: self._links,
            nodes.Call: self._links,
            nodes.Builtin: self._builtin,
            nodes.Let: self._let,
            nodes.Sequence: self._sequence,
            nodes.Array: self._array,
            nodes.Map: self._map,
        }

    def evaluate(self, node: nodes.Node) -> object:
        """Give the value of a node. Raises ExprRuntimeError where there is none."""
        try:
            self.cost.step()
            return self._rules[type(node)](node)
        except errors.Fault as fault:
            raise self.placed(fault, node) from None

    def compute(self, source: str, environment: Mapping[str, object]) -> object:
        """Evaluate another expression, as the filters of `jsonpath` need. Raises Fault."""
        try:
            return Evaluator(source, environment, self.cost).evaluate(parser.parse(source))
        except errors.ExprError as wrong:
            raise errors.Fault(wrong.message) from None

    def placed(self, fault: errors.Fault, node: nodes.Node) -> errors.ExprRuntimeError:
        """Give a fault its place."""
        return errors.ExprRuntimeError(fault.message, self.source, node.at)

    def truth(self, node: nodes.Node, blamed: nodes.Node | None = None) -> bool:
        """Evaluate a node that must be a bool; the one to blame may be another."""
        return self._bool(self.evaluate(node), blamed or node)

    def _bool(self, value: object, node: nodes.Node) -> bool:
        if isinstance(value, bool):
            return value
        raise errors.ExprRuntimeError(values.not_of(value, "bool"), self.source, node.at)

    def _literal(self, node: nodes.Literal) -> object:
        return node.value

    def _name(self, node: nodes.Name) -> object:
        if node.name in self.variables:
            return self.variables[node.name]
        if node.name == "$env":
            return self.environment
        if node.name in self.environment:
            return values.adopt(self.environment[node.name])
        if node.name in library.GLOBALS:
            return library.GLOBALS[node.name]
        raise errors.Fault(f"unknown name {node.name}")

    def _pointer(self, node: nodes.Pointer) -> object:
        scope = self.scopes[-1]
        if node.name == "":
            return values.adopt(scope.element)
        if node.name == "index":
            return scope.index
        if node.name == "acc" and scope.accumulates:
            return scope.accumulator
        raise errors.Fault(f"unknown pointer #{node.name}")

    def _unary(self, node: nodes.Unary) -> object:
        if node.operator == "!":
            return not self.truth(node.operand, node)
        value = self.evaluate(node.operand)
        if node.operator == "-":
            return operators.negate(value)
        if not values.is_number(value):
            raise errors.Fault(f"invalid operation: + {values.type_name(value)}")
        return value

    def _binary(self, node: nodes.Binary) -> object:
        spine = [node]
        while isinstance(spine[-1].left, nodes.Binary):
            spine.append(spine[-1].left)
        settled = next((place for place, part in enumerate(spine) if _settles(part)), None)
        if settled is None:
            value = self.evaluate(spine[-1].left)
        else:
            value, spine = spine[settled].operator == "||", spine[:settled]
        for part in reversed(spine):
            self.cost.step()
            value = self._infix(part, value)
        return value

    def _infix(self, node: nodes.Binary, left: object) -> object:
        if node.operator in {"&&", "||"} and _constant(node.right) is (node.operator == "&&"):
            return left
        if node.operator == "&&":
            # The right side is not checked: `true && 3` is 3 in expr-lang.
            return self.evaluate(node.right) if self._bool(left, node) else False
        if node.operator == "||":
            return True if self._bool(left, node) else self.evaluate(node.right)
        if node.operator == "??":
            return self.evaluate(node.right) if values.is_nil(left) else left
        right = self.evaluate(node.right)
        try:
            return operators.OPERATIONS[node.operator](left, right, self.cost)
        except KeyError:
            raise errors.Fault(f"unknown operator ({node.operator})") from None
        except errors.Fault as fault:
            raise self.placed(fault, node) from None

    def _conditional(self, node: nodes.Conditional) -> object:
        return self.evaluate(node.yes if self.truth(node.test, node) else node.no)

    def _links(self, node: nodes.Node) -> object:
        links: list[nodes.Node] = []
        base = node
        while True:
            if isinstance(base, _LINKS):
                links.append(base)
                base = base.base
            elif isinstance(base, nodes.Call):
                links.append(base)
                base = base.callee
            else:
                break
        value = self.evaluate(base)
        skipping = False
        for link in reversed(links):
            if isinstance(link, nodes.Chain):
                skipping = False
            elif not skipping:
                if isinstance(link, nodes.Member) and link.optional and value is None:
                    skipping = True
                else:
                    value = self._link(link, value)
        return value

    def _link(self, link: nodes.Node, value: object) -> object:
        try:
            self.cost.step()
            match link:
                case nodes.Member(_, _, key):
                    return operators.fetch(value, self.evaluate(key))
                case nodes.Slice(_, _, start, stop):
                    low = None if start is None else self.evaluate(start)
                    high = None if stop is None else self.evaluate(stop)
                    return operators.cut(value, low, high, self.cost)
                case nodes.Call(_, _, arguments):
                    given = [self.evaluate(argument) for argument in arguments]
                    return library.call(value, given, self.context)
        except errors.Fault as fault:
            raise self.placed(fault, link) from None
        raise AssertionError(link)

    def _builtin(self, node: nodes.Builtin) -> object:
        if node.name in iterate.FUNCTIONS:
            return iterate.FUNCTIONS[node.name](self, node.arguments)
        given = [self.evaluate(argument) for argument in node.arguments]
        return library.BUILTINS[node.name].call(self.context, *given)

    def _let(self, node: nodes.Let) -> object:
        if node.name in self.environment:
            raise errors.Fault(f"cannot redeclare {node.name}")
        self.variables[node.name] = self.evaluate(node.value)
        try:
            return self.evaluate(node.body)
        finally:
            del self.variables[node.name]

    def _sequence(self, node: nodes.Sequence) -> object:
        value: object = None
        for item in node.items:
            value = self.evaluate(item)
        return value

    def _array(self, node: nodes.Array) -> object:
        self.cost.collect(len(node.items))
        return [self.evaluate(item) for item in node.items]

    def _map(self, node: nodes.Map) -> object:
        self.cost.collect(len(node.pairs))
        made: dict[str, object] = {}
        for key_node, value_node in node.pairs:
            key = self.evaluate(key_node)
            if not isinstance(key, str):
                raise errors.Fault(values.not_of(key, "string"))
            made.setdefault(key, self.evaluate(value_node))  # As in expr-lang, the first one stays.
        return made


def _constant(node: nodes.Node) -> bool | None:
    value = node.value if isinstance(node, nodes.Literal) else None
    return value if isinstance(value, bool) else None


def _settles(node: nodes.Binary) -> bool:
    """Whether the right side alone says what comes out: `x && false`, `x || true`.

    expr-lang drops the other side then, and the constant where it says nothing (`x && true`).
    """
    constant = _constant(node.right)
    return node.operator in {"&&", "||"} and constant is (node.operator == "||")
