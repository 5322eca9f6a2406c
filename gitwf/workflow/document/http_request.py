"""An http template: one request, and when its response counts as success.

Argo: pkg/apis/workflow/v1alpha1/http_types.go. A header may come from a secret, whose value is no
part of the document and never of a message. Without a `successCondition` every status from 200 to
299 is a success. What a response means is `gitwf.workflow.http_response`'s.
"""

import base64
import binascii
from typing import Annotated, TypeAlias

import pydantic
import pydantic_core

from gitwf.workflow.document import base, parameters


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise pydantic_core.PydanticCustomError("base64", "must be base64") from None
    return text


Base64: TypeAlias = Annotated[str, pydantic.AfterValidator(_base64)]


class HeaderSource(base.Model):
    """Where a header's value comes from."""

    secret_key_ref: parameters.KeySelector | None = None


class Header(base.Model):
    """One header of a request; names may stand more than once."""

    name: str
    value: str = ""
    value_from: HeaderSource | None = None


class BodySource(base.Model):
    """A body that is no text, in base64."""

    bytes_: Base64 | None = base.renamed("bytes")


class Http(base.Model):
    """A request. No method means GET; `timeout_seconds` is for all of it, redirects included."""

    method: str = ""
    url: str = ""
    headers: tuple[Header, ...] = ()
    timeout_seconds: int | None = None
    success_condition: str = ""
    body: str = ""
    body_from: BodySource | None = None
    insecure_skip_verify: bool = False

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        if self.body_from is not None:
            return base64.b64decode(self.body_from.bytes_ or "")
        return self.body.encode()

    @property
    def secrets(self) -> tuple[parameters.KeySelector, ...]:
        """The keys of secrets that its headers need."""
        sources = (header.value_from for header in self.headers)
        refs = (source.secret_key_ref for source in sources if source is not None)
        return tuple(ref for ref in refs if ref is not None)
