"""What gitwf's own three documents share: envelope, names, durations.

The models are read through `gitwf.text`, which puts a place to every mistake; a validator here
therefore says what is wrong in words a person can act on, and nothing about where. Absent fields
take the defaults that docs name. Read next: `project`, `pipeline`, `release`.
"""

import re
from typing import Annotated, Literal, TypeAlias, TypeVar

import pydantic
import pydantic_core

from gitwf import values
from gitwf.errors import Rejected
from gitwf.text import models, yaml_reader
from gitwf.workflow.document import base

API_VERSION = "gitwf.dev/v1"
Model = TypeVar("Model", bound=pydantic.BaseModel)
NAME = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"

_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_PIECE = re.compile(r"(?P<amount>[0-9]+(?:\.[0-9]+)?)(?P<unit>ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def wrong(message: str) -> pydantic_core.PydanticCustomError:
    """Make the error that a validator raises; `message` begins with a verb, as "must be …"."""
    return pydantic_core.PydanticCustomError("gitwf", message.replace("{", "{{"))


def seconds(duration: str) -> float:
    """Read `90s`, `1h30m`, `2d`. ValueError on anything else."""
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"not a duration: {duration!r}")
    return sum(
        float(piece["amount"]) * _SECONDS[piece["unit"]] for piece in _PIECE.finditer(duration)
    )


def _duration(value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise wrong("must be a duration such as 30s, 10m or 1h")
    return value


def _path(value: str) -> str:
    try:
        values.inside(value)
    except ValueError:
        raise wrong("must be a path inside the repository") from None
    return value


def _name(value: str) -> str:
    if not re.fullmatch(NAME, value) or len(value) > 63:  # noqa: PLR2004  a DNS label's length
        raise wrong("must be a name of lower-case letters, digits and dashes, at most 63 long")
    return value


Name: TypeAlias = Annotated[str, pydantic.AfterValidator(_name)]
Duration: TypeAlias = Annotated[str, pydantic.AfterValidator(_duration)]
Path: TypeAlias = Annotated[str, pydantic.AfterValidator(_path)]
ApiVersion: TypeAlias = Literal["gitwf.dev/v1"]


class Metadata(base.Model):
    """The document's name."""

    name: Name


def read(model: type[Model], source: bytes | str, file: str) -> tuple[yaml_reader.Document, Model]:
    """Read one document of gitwf's, and keep its places. Rejected: all that is wrong with it."""
    found = yaml_reader.read_one(source, file)
    checked, problems = models.check(model, found)
    if checked is None:
        raise Rejected(problems)
    return found, checked


def load(model: type[Model], source: bytes | str, file: str) -> Model:
    """Read one document of gitwf's. Rejected: everything that is wrong with it, with its place."""
    return read(model, source, file)[1]
