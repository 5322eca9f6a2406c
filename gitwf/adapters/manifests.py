"""Jinja2, sandboxed: extra environment values and manifests of the repository.

A template is text that somebody may change by a commit, so it runs where it can reach nothing but
the values it is given, and a name that is not there is an error instead of an empty word.
"""

from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox

from gitwf import errors

_SANDBOX = jinja2.sandbox.ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
)


def render(template: str, known: Mapping[str, Any]) -> str:
    """Render one template. Stalled: it is no template, or asks for what is not there."""
    try:
        return _SANDBOX.from_string(template).render(known)
    except jinja2.TemplateError as error:
        raise errors.Stalled(
            f"cannot render {template!r}: {error}",
            hint="a template may use " + " and ".join(sorted(known)),
        ) from error
