"""References into a scope: artifacts that come `from` elsewhere, outputs that name what they take.

A reference, or the expression in its place, sees the scope of its steps or DAG and the global
outputs, none of the workflow's other variables
(Argo: workflow/controller/scope.go, util/template/resolve_var.go).
"""

import dataclasses
import functools
from collections.abc import Mapping

from gitwf.workflow import expr, failure, quoting, record, scope, substitution
from gitwf.workflow.document import parameters

Values = Mapping[str, scope.Value]
_NOTHING_OF_THE_NAME = "Unable to resolve: "
Places = dict[str, record.ArtifactLocation | None]


def linked(
    several: tuple[parameters.Artifact, ...], values: Values, *, forgiving: bool = True
) -> Places:
    """Find the artifacts that arguments name by `from`.

    An optional one may be without what it names, if `forgiving` for whatever reason.

    Raises NodeFailure.
    """
    places: Places = {}
    for artifact in several:
        try:
            location = place(artifact, values)
        except failure.NodeFailure as problem:
            if (artifact.optional and forgiving) or excused(artifact, problem):
                continue
            raise
        places[artifact.name] = location
    return places


def excused(artifact: parameters.Artifact, problem: failure.NodeFailure) -> bool:
    """Whether an optional artifact may be without what it names: not where an expression fails."""
    return bool(artifact.optional) and str(problem).startswith(_NOTHING_OF_THE_NAME)


def place(artifact: parameters.Artifact, values: Values) -> record.ArtifactLocation | None:
    """Find what `from` or `fromExpression` names, with `subPath` below it. Raises NodeFailure."""
    if artifact.from_expression:
        location = _artifact(artifact.from_expression, evaluate(artifact.from_expression, values))
    else:
        location = _artifact(artifact.from_, resolve(artifact.from_, values))
    if location is None or not artifact.sub_path:
        return location
    below = substitution.fill_value(artifact.sub_path, values)
    path = f"{location.sub_path}/{below}".strip("/")
    return dataclasses.replace(location, sub_path=path)


def _artifact(named: str, found: object) -> record.ArtifactLocation | None:
    if isinstance(found, record.ArtifactLocation):
        return None if found.nowhere else found
    if found is None:
        return None
    raise failure.NodeFailure(f"variable {named} is not an artifact")


def tag(reference: str) -> str:
    """Give what stands between the braces of a reference."""
    return reference.removeprefix("{{").removesuffix("}}").strip()


def resolve(reference: str, values: Values) -> object:
    """Look up `{{steps.a.outputs.artifacts.b}}`; None is what is absent.

    Raises NodeFailure where there is nothing of that name (Argo: util/template/resolve_var.go).
    """
    name = tag(reference)
    if name.startswith("="):
        # Argo compiles it over names with dots, of which no expression can speak.
        raise failure.NodeFailure(f"Unable to compile: {quoting.quote(name[1:])}")
    value = values.get(name, scope.MISSING)
    if value is scope.MISSING:
        raise failure.NodeFailure(f"{_NOTHING_OF_THE_NAME}{quoting.quote(name)}")
    return value


def evaluate(expression: str, values: Values) -> object:
    """Evaluate an expression over a scope. Raises NodeFailure."""
    try:
        return _program(expression).evaluate(scope.nested(values))
    except expr.ExprError as problem:
        raise failure.NodeFailure(str(problem)) from problem


@functools.lru_cache(maxsize=1024)
def _program(expression: str) -> "expr.Program":
    return expr.parse(expression)
