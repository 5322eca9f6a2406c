"""A place among the tokens of an expression: what is here, what must be, how to go on.

Where the lexer met what it cannot read, its tokens end; its error counts only when the parser has
come so far, since a mistake before it goes first. Read next: `parser`.
"""

from gitwf.workflow.expr import errors, lexer


class Cursor:
    """The tokens of one text, and the place of one of them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens, self.broken = lexer.tokens(source)
        self.position = 0

    @property
    def token(self) -> lexer.Token:
        """The token here."""
        return self.tokens[self.position]

    def fail(self, message: str, token: lexer.Token | None = None) -> errors.ExprSyntaxError:
        """Say what is wrong at a token, by default the one here."""
        return errors.ExprSyntaxError(message, self.source, (token or self.token).at)

    def unexpected(self, token: lexer.Token | None = None) -> errors.ExprSyntaxError:
        """Say that a token, by default the one here, does not fit."""
        return self.fail(f"unexpected token {token or self.token}", token)

    def next(self) -> lexer.Token:
        """Give the token here and go on to the one behind it."""
        token = self.token
        if token.kind != "end":
            self.position += 1
        self.reached_by(self.token)
        return token

    def reached_by(self, token: lexer.Token) -> None:
        """Raise the lexer's error when the parser has come to where it stands."""
        if self.broken and token.kind == "end":
            raise self.broken

    def sees(self, *values: str) -> bool:
        """Whether one of these operators or brackets is here."""
        return self.token.kind in ("operator", "bracket") and self.token.value in values

    def accept(self, value: str) -> bool:
        """Go on past this operator or bracket, if it is here."""
        if self.sees(value):
            self.next()
            return True
        return False

    def expect(self, value: str) -> lexer.Token:
        """Give this operator or bracket and go on. Raises ExprSyntaxError."""
        if not self.sees(value):
            raise self.unexpected()
        return self.next()

    def expect_name(self) -> lexer.Token:
        """Give the name that is here and go on. Raises ExprSyntaxError."""
        if self.token.kind != "name":
            raise self.unexpected()
        return self.next()
