"""What Argo adds to the language: asInt, asFloat, toJson, jsonpath and sprig.

Argo: util/expr/env/env.go. These are values of the environment there, not builtins, so a workflow
variable of the same name would hide them; `sprig` is a map of functions.
"""

from gitwf.workflow.expr import jsonpath, jsontext
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context, conversions


def _jsonpath(given: context.Context, text: object, path: object) -> object:
    document = jsontext.read(args.text(text, "jsonpath"), given.cost)
    return jsonpath.query(args.text(path, "jsonpath"), document, given.cost, given.compute)


FUNCTIONS = context.table(
    ("asInt", conversions.to_int, 1, 1),
    ("asFloat", conversions.to_float, 1, 1),
    ("toJson", conversions.compact_json, 1, 1),
    ("jsonpath", _jsonpath, 2, 2),
)
