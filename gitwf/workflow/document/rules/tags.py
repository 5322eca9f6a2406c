"""Which `{{tags}}` can be resolved: Argo's answer before a workflow runs.

Only tags that begin like one of Argo's own variables are looked at; any other stays literal text
at run time and is fine. Expressions (`{{=…}}`) are never checked (Argo: resolveAllVariables,
util/template/validate.go).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitwf.workflow import quoting
from gitwf.workflow.document import containers, resolved
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
# What Argo puts in before it looks at tags, so that it can be part of another tag's name.
_EARLY = ("workflow.", "inputs.", "pod.", "retries", "lastRetry.")


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
        """Whether `tag` may stand in a workflow where these names are in sight.

        A tag inside a tag is put in first. Where only a running step knows it, it stays, and the
        tag around it has a name that is nobody's.
        """
        name = tag.strip()
        outer, _, inner = name.rpartition("{{")
        if outer and inner.strip().startswith(_EARLY) and self.resolves(inner):
            return True
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
    """Find the tags of a text as Argo's splitter does: `{{` up to the next `}}`."""
    for _, tag in _split(text):
        if tag.strip() and not tag.startswith("="):
            yield tag


def fill(text: str, known: Mapping[str, str]) -> str:
    """Put the values of `known` names into a text, one inside another's name too.

    Argo does so before it looks at any other tag (Argo: ProcessArgs).
    """
    if "{{" not in text:
        return text
    parts, done = [], 0
    for start, tag in _split(text):
        outer, inside, inner = tag.rpartition("{{")
        if (value := known.get(inner.strip())) is not None:
            parts += [text[done:start], f"{{{{{outer}" if inside else "", value]
            done = start + len("{{") + len(tag) + len("}}")
    return "".join([*parts, text[done:]])


def fill_all(value: Any, known: Mapping[str, str]) -> Any:
    """Put the values of `known` names into every text of a document's part."""
    if isinstance(value, str):
        return fill(value, known)
    if isinstance(value, dict):
        return {name: fill_all(part, known) for name, part in value.items()}
    if isinstance(value, list):
        return [fill_all(part, known) for part in value]
    return value


def _split(text: str) -> Iterator[tuple[int, str]]:
    start = text.find("{{")
    while start >= 0 and (end := text.find("}}", start)) >= 0:
        yield start, text[start + 2 : end]
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


def check_closed(found: report.Report, prefix: str, value: Any, origin: resolved.Origin) -> None:
    """Report every tag that is opened and not closed, where it would be one of Argo's own.

    Argo looks for the `}}` in the JSON of the whole part, finds one behind the text, and says all
    that stands between; elsewhere such a text is left as it is.
    """
    for path, text in strings(value):
        begun = _begun(text)
        if not begun:
            continue
        whole = _written(value)
        start = whole.find(begun) + len("{{")
        end = whole.find("}}", start)
        hint = "the tag is not closed: write `}}`"
        if end < 0:
            shown, rest = quoting.quote(whole), quoting.quote(whole[start:])
            message = (
                f'{prefix} Cannot find end tag="}}}}" in the template={shown} starting from {rest}'
            )
        else:
            message = f"{prefix} failed to resolve {{{{{whole[start:end]}}}}}"
        found.error(origin.at(*path), message, hint, within=text[text.rfind("{{") :])


def _begun(text: str) -> str:
    """Give what follows the `{{` that a text does not close, as JSON, where Argo looks at it."""
    last = 0
    for start, tag in _split(text):
        last = start + len("{{") + len(tag) + len("}}")
    start = text.find("{{", last)
    name = text[start + len("{{") :].lstrip() if start >= 0 else ""
    return quoting.dumps(text[start:])[1:] if name.startswith(_CHECKED) else ""


def _written(value: Any) -> str:
    """Write a part of a document as Argo does: fields in Go's order, and `resources` always."""
    if isinstance(value, dict):
        fields = value
        if isinstance(value.get("image"), str):
            order = [name for name in containers.FIELDS if name in value or name == "resources"]
            fields = {name: value.get(name, {}) for name in order} | value
        return "{" + ",".join(f"{quoting.dumps(k)}:{_written(v)}" for k, v in fields.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return quoting.dumps(value)


def check(
    found: report.Report,
    prefix: str,
    value: Any,
    origin: resolved.Origin,
    names: Names,
    *,
    skip: Iterable[str] = (),
) -> None:
    """Report every tag in `value` that nothing in sight resolves, and every one left open."""
    for path, tag in unresolved(value, names, skip):
        refuse(found, prefix, origin.at(*path), tag)
    check_closed(found, prefix, value, origin)


def refuse(
    found: report.Report, prefix: str, where: resolved.Origin, tag: str, hint: str = ""
) -> None:
    """Report one tag that cannot be resolved, as Argo's JSON has it."""
    shown = quoting.dumps(tag)[1:-1]
    message = f"{prefix} failed to resolve {{{{{shown}}}}}"
    found.error(where, message, hint, within=f"{{{{{tag}}}}}")
