"""Which `{{tags}}` can be resolved: Argo's answer before a workflow runs.

Only tags that begin like one of Argo's own variables are looked at; any other stays literal text
at run time and is fine. Expressions (`{{=…}}`) are never checked (Argo: resolveAllVariables,
util/template/validate.go).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gitwf.workflow.document import resolved
from gitwf.workflow.document.rules import report

_CHECKED = ("item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks.")
_LATE = (
    "outputs.",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
    "node.name",
)


@dataclass
class Names:
    """The variables in sight: by name, and by beginning where any ending will do.

    What is in sight below is in sight here too, also when it comes there later.
    """

    exact: set[str] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    below: "Names | None" = None

    def layer(self) -> "Names":
        """Give the same names, to be added to apart."""
        return Names(below=self)

    def update(self, other: "Names") -> None:
        """Add what the topmost layer of `other` has in sight."""
        self.exact |= other.exact
        self.loose |= other.loose

    def resolves(self, tag: str) -> bool:
        """Whether `tag` may stand in a workflow where these names are in sight."""
        name = tag.strip()
        if not name.startswith(_CHECKED) or name.startswith(_LATE):
            return True
        layer: Names | None = self
        while layer is not None:
            if name in layer.exact or any(name.startswith(start) for start in layer.loose):
                return True
            layer = layer.below
        return False


def strings(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Walk every text in a document's part, keys too, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            if "{{" in name:
                yield (*path, name), name
            yield from strings(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from strings(part, (*path, index))


def in_text(text: str) -> Iterator[str]:
    """Find the tags of a text as Argo's splitter does: `{{` up to the next `}}`.

    A tag inside a tag is resolved first, so it is the one that counts.
    """
    start = text.find("{{")
    while start >= 0 and (end := text.find("}}", start)) >= 0:
        tag = text[start + 2 : end].rpartition("{{")[2]
        if tag.strip() and not tag.startswith("="):
            yield tag
        start = text.find("{{", end + 2)


def unresolved(
    value: Any, names: Names, skip: Iterable[str] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find the tags that nothing in sight resolves, each with its path; not below `skip` fields."""
    left_out = frozenset(skip)
    for path, text in strings(value):
        if path and path[0] in left_out:
            continue
        for tag in in_text(text):
            if not names.resolves(tag):
                yield path, tag


def check(
    found: report.Report,
    prefix: str,
    value: Any,
    origin: resolved.Origin,
    names: Names,
    *,
    skip: Iterable[str] = (),
) -> None:
    """Report every tag in `value` that nothing in sight resolves."""
    for path, tag in unresolved(value, names, skip):
        refuse(found, prefix, origin.at(*path), tag)


def refuse(
    found: report.Report, prefix: str, where: resolved.Origin, tag: str, hint: str = ""
) -> None:
    """Report one tag that cannot be resolved."""
    written = f"{{{{{tag}}}}}"
    found.error(where, f"{prefix} failed to resolve {written}", hint, within=written)
