"""What the API server says when it says no, in our own errors.

One table from status codes to what the loop should do next: 409 is a race or a conflict of field
managers, 401, 403, 404 and 422 are for a person, everything else may be better in a moment. A full
quota answers 403 as a missing permission does, but frees itself. No message holds a token: the
client library keeps the request out of its errors, and what remains passes `redact`.
"""

import json
from dataclasses import dataclass
from typing import Any

from gitwf import errors

RETRY_AFTER = 2.0


@dataclass(frozen=True)
class FieldConflict:
    """A field that another manager owns, as the API server names both."""

    field: str
    manager: str

    def __str__(self) -> str:
        return f"{self.field} ({self.manager})"


class Conflicts(errors.Stalled):
    """Fields that this apply wants are owned by others, and it did not force them."""

    def __init__(self, what: str, fields: tuple[FieldConflict, ...]) -> None:
        named = ", ".join(map(str, fields))
        super().__init__(
            f"{what} has fields that others own: {named}",
            hint="`adopt: true` in the pipeline's deploy section takes them over",
        )
        self.fields = fields


class Gone(errors.Transient):
    """410: the resource version is too old to go on watching from."""


def translate(status: int, body: str, what: str) -> errors.GitwfError:
    """Turn an answer that is not 2xx into an error; `what` is the object spoken of."""
    said = _said(body)
    message = errors.redact(str(said.get("message") or body.strip() or f"status {status}"))
    if status == 409:  # noqa: PLR2004
        fields = tuple(_conflicts(said))
        return Conflicts(what, fields) if fields else errors.RaceLost(f"{what}: {message}")
    if status == 410:  # noqa: PLR2004
        return Gone(f"{what}: {message}")
    if status == 403 and "exceeded quota" in message:  # noqa: PLR2004
        return errors.Transient(f"{what}: {message}", retry_after=RETRY_AFTER)
    if "failed to create typed patch object" in message:
        # A field that the kind does not have answers 500 on an apply, and will for ever.
        return errors.Stalled(f"{what}: {message}", hint=_FOR_A_PERSON[422])
    if status in _FOR_A_PERSON:
        return errors.Stalled(f"{what}: {message}", hint=_FOR_A_PERSON[status])
    return errors.Transient(f"{what}: {message}", retry_after=RETRY_AFTER)


_FOR_A_PERSON = {
    400: "the API server cannot read this object",
    401: "log in to the cluster again",
    403: "give gitwf's account this permission; manifests/controller has the role it needs",
    404: "create it, or name another in gitwf.yaml",
    405: "the API server cannot do this with such an object",
    415: "the API server is older than this gitwf can work with",
    422: "mend the manifest",
}


def _said(body: str) -> dict[str, Any]:
    """The API server's Status object, or nothing where a proxy answered in its place."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _conflicts(said: dict[str, Any]) -> list[FieldConflict]:
    details = said.get("details") or {}
    return [
        FieldConflict(cause.get("field", "").removeprefix("."), _manager(cause.get("message", "")))
        for cause in details.get("causes") or ()
        if cause.get("reason") == "FieldManagerConflict"
    ]


def _manager(message: str) -> str:
    """The manager in `conflict with "kubectl-edit" using apps/v1`."""
    parts = message.split('"')
    return parts[1] if len(parts) > 1 else message
