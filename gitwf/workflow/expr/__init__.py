"""Expr, the language of `{{=…}}`, `depends`, hook and retry conditions and gates.

It is expr-lang 1.17 with the functions Argo adds. The one idea: an expression is a pure function of
its environment. `parse` reads a text once; `Program.evaluate` gives its value as often as wanted.
Values are plain Python (None, bool, int, float, str, list, dict) that count and print as Go's do. A
bad text or a bad operation raises `ExprSyntaxError` or `ExprRuntimeError` with its place; nothing
else ever comes out, and an evaluation stops after a bounded number of steps and bytes. No clock, no
chance, no disk: the time is the `now` of the environment, and only UTC and fixed offsets are zones.
Differences from expr-lang are few: what a function's arguments are is seen when it is called, and
what `#` stands for when it is reached, so that a wrong type of theirs in a branch that is not taken
stays unseen; the keys of maps come in sorted order; the last digit of a power with a fraction in
the exponent may differ. The language is loaded with the first expression: most files hold none.
Read next: `lexer`, `parser`, `checker`, `evaluator`.
"""

import importlib
from typing import TYPE_CHECKING

from gitwf.workflow.expr.errors import (
    ExprError,
    ExprRuntimeError,
    ExprSyntaxError,
    ExprTypeError,
)

if TYPE_CHECKING:
    from gitwf.workflow.expr.program import Program, parse, to_plain, to_text
    from gitwf.workflow.expr.values import NilSlice

__all__ = [
    "ExprError",
    "ExprRuntimeError",
    "ExprSyntaxError",
    "ExprTypeError",
    "NilSlice",
    "Program",
    "parse",
    "to_plain",
    "to_text",
]


def __getattr__(name: str) -> object:
    """Load what is named here and was not yet."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "values" if name == "NilSlice" else "program"
    found: object = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found
