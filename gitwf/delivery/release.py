"""models/<model>/<environment>.yaml: what an environment serves, and the whole story of it.

A release file is written by gitwf or by a person; `spec` is what counts, `evidence` is copied from
the ledger so that one file tells everything. `evidence.parent` is the commit that gitwf's commit
was put on: no two of gitwf's commits share it, so that a person's revert, which brings an old
evidence back, is told from gitwf's own work by content alone (see `gitwf.delivery.trail`); its
`environment` tells a copy of another environment's file from gitwf's work in the same way.
`rejected.yaml` beside it lists versions that automation must not choose. Edits change only the
bytes that change.
"""

from typing import Annotated, Any, Literal, Self

import pydantic

from gitwf.delivery import document
from gitwf.errors import Rejected
from gitwf.text import yaml_reader
from gitwf.values import Digest
from gitwf.workflow.document import base

FOLDER = "models"
REJECTED = "rejected.yaml"


def path(model: str, environment: str) -> str:
    """Where the release file of an environment stands."""
    return f"{FOLDER}/{model}/{environment}.yaml"


def rejected_path(model: str) -> str:
    """Where the list of rejected versions stands."""
    return f"{FOLDER}/{model}/{REJECTED}"


def place(path: str) -> tuple[str, str] | None:
    """The model and the environment whose release file stands at `path`, or None."""
    folder, _, rest = path.partition("/")
    model, _, name = rest.partition("/")
    environment = name.removesuffix(".yaml")
    if folder != FOLDER or name in {REJECTED, environment} or "/" in name:
        return None
    return model, environment


def _digest(value: str) -> str:
    try:
        return Digest(value)
    except ValueError:
        raise document.wrong("must be a digest: sha256:<64 hex digits>") from None


class Hold(base.Model):
    """What automation must not promote: everything (`all`, a person's) or some versions."""

    all: bool = False
    reason: str = ""
    versions: tuple[int, ...] = ()


class ReleaseSpec(base.Model):
    """Which version is served, from where. All three, or none: `version: null`."""

    version: Annotated[int, pydantic.Field(ge=1)] | None
    uri: str | None = None
    digest: Annotated[str, pydantic.AfterValidator(_digest)] | None = None
    hold: Hold = Hold.model_construct()

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Self:
        named = {value is not None for value in (self.version, self.uri, self.digest)}
        if len(named) != 1:
            raise document.wrong("must name version, uri and digest together, or version: null")
        return self


NOTHING = ReleaseSpec.model_construct(version=None)
"""What a missing file names."""


class Evidence(base.Model):
    """What gitwf copied from the ledger when it wrote the file. People need not write any."""

    kind: Literal["promote", "rollback", "person"] = "promote"
    environment: str = ""
    by: str = ""
    request: str = ""
    parent: str = ""
    ledger: str = ""
    run: dict[str, Any] = pydantic.Field(default_factory=dict)
    parameters: dict[str, str] = pydantic.Field(default_factory=dict)
    inputs: dict[str, str] = pydantic.Field(default_factory=dict)
    metrics: dict[str, Any] = pydantic.Field(default_factory=dict)
    verified: bool = True


class ReleaseMetadata(base.Model):
    """Which model, where."""

    model: document.Name
    environment: document.Name


class Release(base.Model):
    """What one environment serves of one model, and the whole record of where that came from."""

    api_version: document.ApiVersion
    kind: Literal["Release"]
    metadata: ReleaseMetadata
    spec: ReleaseSpec
    evidence: Evidence | None = None


class RejectedMetadata(base.Model):
    """Which model."""

    model: document.Name


class RejectedVersion(base.Model):
    """One version that automation must not choose, why, and who said so."""

    version: Annotated[int, pydantic.Field(ge=1)]
    reason: str = ""
    by: str = ""


class RejectedSpec(base.Model):
    """The list."""

    versions: tuple[RejectedVersion, ...] = ()


class Rejections(base.Model):
    """rejected.yaml: the versions of a model that automation must not choose."""

    api_version: document.ApiVersion
    kind: Literal["Rejected"]
    metadata: RejectedMetadata
    spec: RejectedSpec

    def numbers(self) -> frozenset[int]:
        """The rejected versions."""
        return frozenset(row.version for row in self.spec.versions)


def load(source: bytes, file: str) -> Release:
    """Read a release file. Rejected: everything that is wrong with it, with its place."""
    read, found = document.read(Release, source, file)
    expected = path(found.metadata.model, found.metadata.environment)
    if expected != file:
        here = file.startswith(f"{FOLDER}/{found.metadata.model}/")
        raise _misplaced(read, "environment" if here else "model", expected)
    return found


def load_rejections(source: bytes, file: str) -> Rejections:
    """Read rejected.yaml. Rejected: everything that is wrong with it, with its place."""
    read, found = document.read(Rejections, source, file)
    expected = rejected_path(found.metadata.model)
    if expected != file:
        raise _misplaced(read, "model", expected)
    return found


def _misplaced(read: yaml_reader.Document, field: str, expected: str) -> Rejected:
    what = f"its metadata says that it is {expected}"
    return Rejected([read.diagnostic(("metadata", field), what)])
