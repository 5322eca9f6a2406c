"""Check a document against a pydantic model, and say in plain words what is wrong where.

pydantic knows what is wrong and by which path; the document knows the place of the path. Between
them stands a table that turns pydantic's kinds of errors into sentences for people who never heard
of pydantic. An unknown field gets a hint when a known one is near. gitwf's own documents and Argo's
go through here alike.
"""

import dataclasses
import difflib
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import pydantic
import pydantic_core

from gitwf.errors import Diagnostic
from gitwf.text import nodes, yaml_reader

Model = TypeVar("Model", bound=pydantic.BaseModel)
READ_BY = f"pydantic {pydantic.VERSION}, PyYAML {nodes.READ_BY}"
"""The libraries by which a document is what it is."""


def check(
    model: type[Model],
    document: yaml_reader.Document,
    *,
    value: Any = None,
    hints: Mapping[str, str] | None = None,
) -> tuple[Model | None, list[Diagnostic]]:
    """Build `model` from a document, or say everything that is wrong with it.

    `value` stands in for the document's value where the caller prepared it; its paths must be the
    document's. `hints` maps the name of an unknown field to what to try, where the nearest known
    name would mislead.
    """
    prepared = document.value if value is None else value
    if not isinstance(prepared, dict):
        return None, [document.diagnostic((), "the document must be a mapping of fields")]
    try:
        return model.model_validate_json(json.dumps(prepared, ensure_ascii=False)), []
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_context=True, include_input=True)
    except UnicodeEncodeError:
        return None, [document.diagnostic((), "the document holds half a character (a surrogate)")]
    problems = {
        _diagnostic(model, document, prepared, one, hints or {})
        for one in _without_noise(prepared, found)
    }
    return None, sorted(problems)


def suggest(name: str, known: Iterable[str]) -> str:
    """Give a hint that names the known word nearest to `name`, or ""."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"did you mean `{near[0]}`?" if near else ""


def _diagnostic(
    model: type[pydantic.BaseModel],
    document: yaml_reader.Document,
    value: Any,
    error: pydantic_core.ErrorDetails,
    hints: Mapping[str, str],
) -> Diagnostic:
    path = _path(value, error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        name = str(error["loc"][-1])
        hint = hints.get(name) or suggest(name, fields(_model_at(model, path[:-1])))
        return document.diagnostic(path, f"unknown field `{name}`", hint, key=True)
    if kind == "missing":
        name = str(error["loc"][-1])
        parent = _path(value, error["loc"][:-1])
        return document.diagnostic(parent, f"{_field(parent)}`{name}` is required")
    subject = f"`{path[-1]}` " if path and isinstance(path[-1], str) else ""
    if path and isinstance(path[-1], int):
        subject = f"item {path[-1] + 1} of `{_nearest_name(path)}` "
    found = document.diagnostic(path, subject + _words(error))
    # A word that is no text, and does not look it, is why the field is wrong.
    doubts = {(one.line, one.column): one.message for one in document.doubts}
    return dataclasses.replace(found, hint=doubts.get((found.line, found.column), ""))


def _without_noise(
    value: Any, found: Sequence[pydantic_core.ErrorDetails]
) -> Iterator[pydantic_core.ErrorDetails]:
    """Leave out what a union's other branches say: a mapping that has a wrong field is no text.

    Of several branches that all refuse the type, the first speaks for all, in one sentence.
    """
    paths = [_path(value, one["loc"]) for one in found]
    alternatives: dict[tuple[str | int, ...], list[pydantic_core.ErrorDetails]] = {}
    for one, path in zip(found, paths, strict=True):
        if one["type"] not in _TYPE_ERRORS or len(path) == len(one["loc"]):
            yield one
        elif not any(len(other) > len(path) and other[: len(path)] == path for other in paths):
            alternatives.setdefault(path, []).append(one)
    for path, several in alternatives.items():
        words = dict.fromkeys(
            _words(one).removeprefix("must be ").removesuffix("; quote it") for one in several
        )
        merged = several[0].copy()
        merged["loc"], merged["type"] = path, "several"
        merged["msg"] = "must be " + " or ".join(words)
        yield merged


def _path(value: Any, loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Keep the steps of `loc` that lead through the document: pydantic adds a union's branches."""
    path: list[str | int] = []
    for step in loc:
        inside = isinstance(value, dict) and step in value
        inside |= isinstance(value, list) and isinstance(step, int) and step < len(value)
        if inside:
            value = value[step]
            path.append(step)
    return tuple(path)


def _words(error: pydantic_core.ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context)
    if kind in {"value_error", "assertion_error"}:
        return str(context.get("error", error["msg"]))
    message = error["msg"]
    return message[:1].lower() + message[1:]


_SENTENCES = {
    "string_type": "must be text; quote it",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a mapping of fields",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "none_required": "must be absent",
}


_TYPE_ERRORS = frozenset(
    {kind for kind in _SENTENCES if kind.endswith("_type")} | {"literal_error", "enum"}
)


def _field(path: Sequence[str | int]) -> str:
    return f"`{_nearest_name(path)}`: " if path else ""


def _nearest_name(path: Sequence[str | int]) -> str | int:
    return next((step for step in reversed(path) if isinstance(step, str)), "list")


def fields(model: type[pydantic.BaseModel] | None) -> list[str]:
    """Name the fields of a model as documents spell them."""
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(
    model: type[pydantic.BaseModel], path: Sequence[str | int]
) -> type[pydantic.BaseModel] | None:
    """Follow `path` through the annotations to the model that stands there."""
    annotation: Any = model
    for step in path:
        found = _model_in(annotation)
        if isinstance(step, int) or found is None:
            annotation = _element(annotation)
            continue
        field = next(
            (
                field
                for name, field in found.model_fields.items()
                if step in {name, field.alias or name}
            ),
            None,
        )
        if field is None:
            return None
        annotation = field.annotation
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for argument in _branches(annotation):
        if isinstance(argument, type) and issubclass(argument, pydantic.BaseModel):
            return argument
    return None


def _element(annotation: Any) -> Any:
    """Give what a list holds, or what a mapping holds by name."""
    for branch in _branches(annotation) or [annotation]:
        arguments = typing.get_args(branch)
        if arguments and typing.get_origin(branch) is not None:
            return arguments[0] if typing.get_origin(branch) is not dict else arguments[-1]
    return None


def _branches(annotation: Any) -> Sequence[Any]:
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        return typing.get_args(annotation)
    return ()
