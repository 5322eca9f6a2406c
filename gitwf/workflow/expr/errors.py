"""What an expression gets wrong, and where.

`ExprError` is a plain value for callers to turn into diagnostics: a message, the offset into the
source counted in characters from 0, and line and column counted from 1. `Fault` is the same thing
before anybody knows the place: operators and library functions raise it, and the evaluator, which
knows the node, gives it one. A `Fault` never leaves the package.
"""


class Fault(Exception):
    """A rule was broken somewhere; whoever knows the place turns this into an `ExprError`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ExprError(Exception):
    """An expression that cannot be read or evaluated.

    `offset` counts characters from 0; `line` and `column` count from 1.
    """

    def __init__(self, message: str, source: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.offset = max(0, min(offset, len(source)))
        before = source[: self.offset]
        self.line = before.count("\n") + 1
        self.column = self.offset - (before.rfind("\n") + 1) + 1

    def __str__(self) -> str:
        place = f"{self.message} ({self.line}:{self.column})"
        text = self.source.split("\n")[self.line - 1].replace("\t", " ")
        if not text:
            return place
        return f"{place}\n | {text}\n | {'.' * (self.column - 1)}^"


class ExprSyntaxError(ExprError):
    """The text is not an expression."""


class ExprRuntimeError(ExprError):
    """The expression is well formed but has no value in this environment."""


class ExprTypeError(ExprRuntimeError):
    """The types or names of the environment speak against it before any of it is evaluated."""
