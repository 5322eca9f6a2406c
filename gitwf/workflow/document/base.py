"""What every model of a document shares: strictness, spelling, scalars as Go reads them.

The models say in Python what Argo's Go types say (Argo: pkg/apis/workflow/v1alpha1), no more: a
field that is absent has Go's zero value, so that `to_json` leaves out what Argo's `omitempty`
leaves out and gives canonical Argo JSON back. Attributes are snake_case, documents camelCase; a
Python keyword takes a trailing underscore (`from_`). Models never check what needs a second field:
that is `validate`'s. They read JSON, not Python values, so that "a list" means a JSON list.
"""

import decimal
import math
from typing import Annotated, Any, Self, TypeAlias

import pydantic
import pydantic_core
from pydantic import alias_generators

_SPELLED = {"from_": "from"}


def _camel(name: str) -> str:
    return _SPELLED.get(name) or alias_generators.to_camel(name)


class Model(pydantic.BaseModel):
    """A frozen part of a document. Equal when every field is."""

    model_config = pydantic.ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=_camel,
        populate_by_name=True,
        allow_inf_nan=False,
        # A command builds the checks of those documents that it reads, and no others. What stands
        # for an absent field is made by `model_construct`, which needs none.
        defer_build=True,
    )

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read Argo's JSON. Raises pydantic's ValidationError; people's text goes by `load`."""
        return cls.model_validate_json(text)

    def to_json(self) -> str:
        """Render Argo's JSON: camelCase, zero values left out, fields in Argo's order."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)

    def plain(self) -> dict[str, Any]:
        """Give the same as `to_json` as Python values."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def renamed(alias: str) -> Any:
    """Give an optional field the alias that Argo spells in its own way (`podGC`)."""
    return pydantic.Field(default=None, alias=alias)


def any_string(value: object) -> str:
    """Turn a YAML scalar into text as Argo does: numbers pass through a float64.

    Argo: anystring.go. 3.10 gives "3.1", true "true", 9007199254740993 "9007199254740992".
    Raises a pydantic error on lists and mappings, which Argo silently reads as "".
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _format_float(value)
    raise pydantic_core.PydanticCustomError("any_string", "must be text, a number or true/false")


def _format_float(number: float) -> str:
    """Format as Go's strconv.FormatFloat(number, 'f', -1, 64): shortest digits, no exponent."""
    try:
        number = float(number)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise pydantic_core.PydanticCustomError("any_string", "is a number too large for Argo")
    return format(decimal.Decimal(repr(number)), "f").removesuffix(".0")


def _int_or_string(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise pydantic_core.PydanticCustomError("int_or_string", "must be a whole number or text")
    return value


AnyString: TypeAlias = Annotated[
    str,
    pydantic.BeforeValidator(any_string),
    pydantic.WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
IntOrString: TypeAlias = Annotated[int | str, pydantic.BeforeValidator(_int_or_string)]

# What gitwf carries, or refuses by name, without looking inside.
Opaque: TypeAlias = dict[str, Any]
OpaqueList: TypeAlias = tuple[Any, ...]
