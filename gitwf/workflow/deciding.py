"""Expressions that must be true or false: of hooks and of retry strategies.

Argo says of one that is neither what it came to, in Go's way of printing a value where a text was
expected (`%!s(int=2)`), and people search for these words (Argo: util/expr/argoexpr/eval.go).
"""

import functools
from collections.abc import Mapping

from gitwf.workflow import expr, failure


def holds(expression: str, environment: Mapping[str, object]) -> bool:
    """Evaluate `expression`. Raises NodeFailure where it is wrong, or neither true nor false."""
    try:
        program = _parsed(expression)
    except expr.ExprError as problem:
        raise failure.NodeFailure(str(problem)) from problem
    try:
        result = program.evaluate(environment)
    except expr.ExprError as problem:
        # Go finds names that nobody knows and types that do not fit before it evaluates anything.
        early = isinstance(problem, expr.ExprTypeError)
        begin = "" if early else f"unable to evaluate expression '{expression}': "
        raise failure.NodeFailure(f"{begin}{problem}") from problem
    if not isinstance(result, bool):
        raise failure.NodeFailure(f"unable to cast expression result '{_as_text(result)}' to bool")
    return result


@functools.lru_cache(maxsize=256)
def _parsed(expression: str) -> "expr.Program":
    return expr.parse(expression)


def _as_text(value: object) -> str:
    """Print a value as Go's `%s` does."""
    match value:
        case str():
            return value
        case None:
            return "%!s(<nil>)"
        case bool():
            return f"%!s(bool={str(value).lower()})"
        case int():
            return f"%!s(int={value})"
        case float():
            return f"%!s(float64={expr.to_text(value)})"
        case list() | tuple():
            return f"[{' '.join(map(_as_text, value))}]"
        case Mapping():
            parts = sorted((str(key), _as_text(part)) for key, part in value.items())
            return f"map[{' '.join(f'{key}:{part}' for key, part in parts)}]"
        case _:
            return expr.to_text(value)
