"""Where rules put what they find, and how a message gets the path that Argo puts before it.

Argo prepends the caller's path at every level a mistake travels up, so that the text depends on the
way by which the walk came to a template: `within` keeps that way.
"""

import contextlib
from collections.abc import Iterator

from gitwf.errors import Diagnostic
from gitwf.text import yaml_reader
from gitwf.workflow.document import resolved


class Report:
    """The mistakes found so far, each once."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}
        self._way: list[str] = []

    @contextlib.contextmanager
    def within(self, *prefix: str) -> Iterator[None]:
        """Put `prefix` before every error that is reported inside."""
        self._way += prefix
        try:
            yield
        finally:
            del self._way[len(self._way) - len(prefix) :]

    def error(
        self,
        origin: resolved.Origin,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        within: str = "",
    ) -> None:
        """Report what Argo refuses, in Argo's words."""
        text = " ".join([*self._way, message])
        self._found.setdefault(origin.diagnostic(text, hint, key=key, within=within))

    def warning(
        self, origin: resolved.Origin, message: str, hint: str = "", *, within: str = ""
    ) -> None:
        """Report what Argo accepts and the author hardly wants."""
        self._found.setdefault(origin.diagnostic(message, hint, within=within, severity="warning"))

    def doubts(self, document: yaml_reader.Document) -> None:
        """Report the words of a document that Argo reads as YAML 1.2 does not."""
        self._found.update(dict.fromkeys(document.doubts))

    @property
    def found(self) -> list[Diagnostic]:
        """Everything, in the order of the walk."""
        return list(self._found)
