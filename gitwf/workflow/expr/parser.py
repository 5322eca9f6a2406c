"""From tokens to a tree, by precedence climbing over expr-lang's tables.

The grammar is expr-lang 1.17's (parser/parser.go), quirks included: comparisons chain
(`1 < x < 3`), `??` mixes with other operators only in parentheses, `|` feeds its left side to the
call on its right. Two bounds keep a hostile text from costing anything: `MAX_DEPTH` nested
expressions and `MAX_NODES` nodes. Chains that grow to the left are loops here and count no depth.
Read next: `nodes` for the result, `evaluator` for its meaning.
"""

from typing import TypeVar

from gitwf.workflow.expr import cursor, errors, grammar, lexer, library, nodes, numbers

MAX_DEPTH = 80
"""Expressions inside expressions; ordinary ones stay below ten."""

MAX_NODES = 10_000
"""Nodes in one tree, as expr-lang's own limit."""

_Node = TypeVar("_Node", bound=nodes.Node)
_METHOD_LIKE = lexer.WORD_OPERATORS


def parse(source: str) -> nodes.Node:
    """Read one expression, wholly.

    Raises ExprSyntaxError where the text stops being one.
    """
    parser = _Parser(source)
    try:
        return parser.program()
    except RecursionError:
        raise parser.fail("expression is nested too deeply") from None


class _Parser(cursor.Cursor):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.depth = 0
        self.predicates = 0
        self.count = 0
        self.declared: list[str] = []

    def made(self, node: _Node) -> _Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise self.fail("expression exceeds maximum allowed nodes")
        return node

    def program(self) -> nodes.Node:
        self.reached_by(self.token)
        node = self.sequence()
        if self.token.kind != "end":
            raise self.unexpected()
        return node

    def sequence(self) -> nodes.Node:
        first = self.expression(0)
        items = [first]
        while self.accept(";"):
            if self.token.kind == "end":
                break
            items.append(self.expression(0))
        return first if len(items) == 1 else self.made(nodes.Sequence(first.at, tuple(items)))

    def expression(self, precedence: int) -> nodes.Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("expression is nested too deeply")
        try:
            if precedence == 0 and self.sees("let"):
                return self.declaration()
            if precedence == 0 and self.sees("if"):
                return self.branches()
            node = self.operators(self.primary(), precedence)
            return self.conditional(node) if precedence == 0 else node
        finally:
            self.depth -= 1

    def operators(self, left: nodes.Node, precedence: int) -> nodes.Node:
        previous = ""
        while True:
            token, negated = self.token, None
            if self.sees("not"):
                following = self.tokens[self.position + 1]
                self.reached_by(following)
                if following.value not in grammar.NEGATABLE or following.kind != "operator":
                    raise self.unexpected(following)
                token, negated = following, token
            binding = grammar.BINARY.get(token.value, -1) if token.kind == "operator" else -1
            if binding < precedence:
                return left
            if negated:
                self.next()
            self.next()
            if previous == "??" and token.value not in ("??", "|"):
                message = (
                    f"Operator ({token.value}) and coalesce expressions (??) cannot be mixed."
                    " Wrap either by parentheses."
                )
                raise self.fail(message, token)
            left = self.infix(left, token, binding)
            if negated:
                left = self.made(nodes.Unary(token.at, "!", left))
            previous = token.value

    def infix(self, left: nodes.Node, token: lexer.Token, binding: int) -> nodes.Node:
        if token.value == "|":
            return self.call(self.expect_name(), left)
        if token.value in grammar.COMPARISONS:
            return self.comparisons(left, token, binding)
        right = self.expression(binding if token.value in grammar.RIGHT else binding + 1)
        operator = grammar.SYNONYMS.get(token.value, token.value)
        return self.made(nodes.Binary(token.at, operator, left, right))

    def comparisons(self, left: nodes.Node, token: lexer.Token, binding: int) -> nodes.Node:
        whole: nodes.Node | None = None
        while True:
            right = self.expression(binding + 1)
            part = self.made(nodes.Binary(token.at, token.value, left, right))
            whole = self.made(nodes.Binary(token.at, "&&", whole, part)) if whole else part
            if not self.sees(*grammar.COMPARISONS):
                return whole
            left, token = right, self.next()

    def declaration(self) -> nodes.Node:
        self.expect("let")
        name = self.expect_name()
        if name.value in library.BUILTINS:
            raise self.fail(f"cannot redeclare builtin {name.value}", name)
        if name.value in self.declared:
            raise self.fail(f"cannot redeclare variable {name.value}", name)
        self.expect("=")
        value = self.expression(0)
        self.expect(";")
        self.declared.append(name.value)
        body = self.sequence()
        self.declared.pop()
        return self.made(nodes.Let(name.at, name.value, value, body))

    def branches(self) -> nodes.Node:
        self.next()
        test = self.expression(0)
        yes = self.block()
        self.expect("else")
        no = self.expression(0) if self.sees("if") else self.block()
        # expr-lang gives this kind of condition no place of its own, and the other that behind it.
        return self.made(nodes.Conditional(0, test, yes, no))

    def block(self) -> nodes.Node:
        self.expect("{")
        node = self.sequence()
        self.expect("}")
        return node

    def conditional(self, node: nodes.Node) -> nodes.Node:
        while self.sees("?"):
            self.next()
            if self.accept(":"):
                yes = node
            else:
                yes = self.expression(0)
                self.expect(":")
            no = self.expression(0)
            node = self.made(nodes.Conditional(self.token.at, node, yes, no))
        return node

    def primary(self) -> nodes.Node:
        token = self.token
        if token.kind == "operator" and token.value in grammar.UNARY:
            self.next()
            operand = self.expression(grammar.UNARY[token.value])
            operator = grammar.SYNONYMS.get(token.value, token.value)
            return self.postfix(self.made(nodes.Unary(token.at, operator, operand)))
        if self.accept("("):
            node = self.sequence()
            self.expect(")")
            return self.postfix(node)
        if self.predicates and self.sees("#", "."):
            name = ""
            if self.accept("#") and self.token.kind == "name" and self.token.at == token.at + 1:
                name = self.next().value
            return self.postfix(self.made(nodes.Pointer(token.at, name)))
        if self.accept("::"):
            return self.postfix(self.call(self.expect_name(), None))
        return self.atom()

    def atom(self) -> nodes.Node:
        token = self.token
        if token.kind == "name":
            self.next()
            constants = {"true": True, "false": False, "nil": None}
            if token.value in constants:
                return self.made(nodes.Literal(token.at, constants[token.value]))
            if self.sees("("):
                return self.postfix(self.call(token, None))
            return self.postfix(self.made(nodes.Name(token.at, token.value)))
        if token.kind == "number":
            self.next()
            return self.made(nodes.Literal(token.at, self.number(token)))
        if token.kind in ("text", "bytes"):
            self.next()
            value = token.value if token.kind == "text" else token.value.encode("latin-1")
            return self.postfix(self.made(nodes.Literal(token.at, value)))
        if self.sees("["):
            return self.postfix(self.array())
        if self.sees("{"):
            return self.postfix(self.mapping())
        raise self.unexpected()

    def number(self, token: lexer.Token) -> int | float:
        try:
            return numbers.literal(token.value)
        except errors.Fault as fault:
            raise self.fail(fault.message, token) from None

    def call(self, name: lexer.Token, piped: nodes.Node | None) -> nodes.Node:
        given = () if piped is None else (piped,)
        if name.value in grammar.PREDICATES:
            return self.made(nodes.Builtin(name.at, name.value, self.predicated(name, given)))
        arguments = given + self.arguments()
        if name.value in library.BUILTINS:
            try:
                library.BUILTINS[name.value].check(len(arguments))
            except errors.Fault as fault:
                raise self.fail(fault.message, name) from None
            return self.made(nodes.Builtin(name.at, name.value, arguments))
        callee = self.made(nodes.Name(name.at, name.value))
        return self.made(nodes.Call(name.at, callee, arguments))

    def predicated(
        self, name: lexer.Token, given: tuple[nodes.Node, ...]
    ) -> tuple[nodes.Node, ...]:
        self.expect("(")
        found = list(given)
        wanted = grammar.PREDICATES[name.value][len(given) :]
        for index, argument in enumerate(wanted):
            if self.sees(")"):
                if argument.startswith("optional"):
                    break
                raise self.fail(f"expected at least {len(wanted)} arguments")
            if index > 0:
                self.expect(",")
                if self.sees(")") and argument.startswith("optional"):
                    break
            is_predicate = argument.endswith("predicate")
            found.append(self.predicate() if is_predicate else self.expression(0))
        self.accept(",")
        self.expect(")")
        return tuple(found)

    def predicate(self) -> nodes.Node:
        start = self.token
        self.predicates += 1
        if self.sees("{"):
            body = self.block()
        else:
            body = self.expression(0)
            if self.sees(";"):
                raise self.fail("wrap predicate with brackets { and }")
        self.predicates -= 1
        return self.made(nodes.Predicate(start.at, body))

    def arguments(self) -> tuple[nodes.Node, ...]:
        self.expect("(")
        return tuple(self.listed(")"))

    def listed(self, closing: str) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        while not self.sees(closing):
            if found:
                self.expect(",")
                if self.sees(closing):
                    break
            found.append(self.expression(0))
        self.expect(closing)
        return found

    def array(self) -> nodes.Node:
        start = self.expect("[")
        return self.made(nodes.Array(start.at, tuple(self.listed("]"))))

    def mapping(self) -> nodes.Node:
        start = self.expect("{")
        pairs: list[tuple[nodes.Node, nodes.Node]] = []
        while not self.sees("}"):
            if pairs:
                self.expect(",")
                if self.sees("}"):
                    break
            key = self.map_key()
            self.expect(":")
            pairs.append((key, self.expression(0)))
        self.expect("}")
        return self.made(nodes.Map(start.at, tuple(pairs)))

    def map_key(self) -> nodes.Node:
        token = self.token
        if token.kind in ("number", "text", "name"):
            self.next()
            return self.made(nodes.Literal(token.at, token.value))
        if self.sees("("):
            return self.expression(0)
        message = (
            "a map key must be a quoted string, a number, a identifier, or an expression"
            f" enclosed in parentheses (unexpected token {token})"
        )
        raise self.fail(message)

    def postfix(self, node: nodes.Node) -> nodes.Node:
        while self.sees(".", "?.", "["):
            token = self.next()
            optional = token.value == "?."
            if optional and self.sees("["):
                token = self.next()
            if token.value == "[":
                node = self.index(node, token, optional=optional)
            else:
                node = self.property(node, optional=optional)
        return node

    def property(self, node: nodes.Node, *, optional: bool) -> nodes.Node:
        token = self.next()
        if token.kind != "name" and token.value not in _METHOD_LIKE:
            raise self.fail("expected name", token)
        chained = isinstance(node, nodes.Chain)
        base = node.base if isinstance(node, nodes.Chain) else node
        key = self.made(nodes.Literal(token.at, token.value))
        made: nodes.Node = self.made(nodes.Member(token.at, base, key, optional))
        if self.sees("("):
            made = self.made(nodes.Call(token.at, made, self.arguments()))
        return self.made(nodes.Chain(token.at, made)) if chained or optional else made

    def index(self, node: nodes.Node, token: lexer.Token, *, optional: bool) -> nodes.Node:
        start = None if self.sees(":") else self.expression(0)
        if self.accept(":"):
            stop = None if self.sees("]") else self.expression(0)
            self.expect("]")
            return self.made(nodes.Slice(token.at, node, start, stop))
        self.expect("]")
        if start is None:
            raise self.unexpected(token)
        made = self.made(nodes.Member(token.at, node, start, optional))
        return self.made(nodes.Chain(token.at, made)) if optional else made
