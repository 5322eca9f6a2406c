"""The functions an expression can call, by name.

`BUILTINS` belong to the language: the parser knows them and their number of arguments. `GLOBALS`
are what Argo puts beside the workflow's own variables. Functions that would read a clock, the
environment of the process, the network or chance are not here at all. Each module holds one
subject and a table `FUNCTIONS`; read next: `context`, for what a function is.
"""

from collections.abc import Mapping, Sequence

from gitwf.workflow.expr import errors, grammar, methods, values
from gitwf.workflow.expr.library import (
    argo,
    arithmetic,
    collections,
    context,
    conversions,
    sprig,
    texts,
)

BUILTINS: Mapping[str, context.Function] = {
    **arithmetic.FUNCTIONS,
    **texts.FUNCTIONS,
    **collections.FUNCTIONS,
    **conversions.FUNCTIONS,
    **context.table(*((name, lambda *_: None, 0, None) for name in grammar.PREDICATES)),
}
GLOBALS: Mapping[str, object] = {**argo.FUNCTIONS, "sprig": sprig.FUNCTIONS}


def call(value: object, arguments: Sequence[object], given: context.Context) -> object:
    """Call a value with arguments. Raises Fault when it is no function or takes others."""
    if isinstance(value, context.Function | context.Reflected):
        return value.call(given, *arguments)
    if isinstance(value, methods.Method):
        return value.call(*arguments)
    what = "nil" if value is None else f"non-function of type {values.type_name(value)}"
    raise errors.Fault(f"invalid operation: cannot call {what}")
