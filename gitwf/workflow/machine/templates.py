"""The templates of one run by scope and name, each written as text once.

A call finds its template in the scope of the template that it stands in; a reference leads to
another scope, an inline template stays where it is. templateDefaults are under every template.
"""

from dataclasses import dataclass

from gitwf.workflow import failure, preparation, template_defaults
from gitwf.workflow.document import flow, resolved, template


@dataclass(frozen=True)
class Target:
    """A template that was found: its text, the scope of its own calls, and how people name it."""

    source: preparation.Source
    scope: str
    name: str
    ref: str = ""
    origin: str = ""

    @property
    def shown_name(self) -> str:
        """The template's name as a node shows it; a reference shows itself instead."""
        return "" if self.ref else self.name


class Templates:
    """Finds templates for calls, and keeps their texts."""

    def __init__(self, workflow: resolved.Resolved) -> None:
        self._workflow = workflow
        self._targets: dict[object, Target] = {}

    def find(self, scope: str, call: template.Call | flow.Hook) -> Target:
        """Find what `call` names. Raises NodeFailure where there is nothing."""
        inline = call.inline if isinstance(call, template.Call) else None
        if inline is not None:
            return Target(self._source(inline), scope, inline.name, origin=self._inline(scope))
        key: object = (scope, call.template, call.template_ref)
        target = self._targets.get(key)
        if target is None:
            target = self._targets[key] = self._find(scope, call)
        return target

    def original(self, scope: str, call: template.Call) -> template.Template | None:
        """Give the template that `call` names as it is written, or None."""
        try:
            return self.find(scope, call).source.template
        except failure.NodeFailure:
            return None

    def _find(self, scope: str, call: template.Call | flow.Hook) -> Target:
        found = self._workflow.lookup(scope, call)
        ref = call.template_ref
        if found is None:
            raise failure.NodeFailure(self._workflow.missing(call))
        key, original = found
        file = self._workflow.file_of(key)
        return Target(
            self._source(original),
            key.scope,
            key.name,
            f"{ref.name}/{ref.template}" if ref is not None else "",
            f"{file}#{key.name}" if file else "",
        )

    def _source(self, original: template.Template) -> preparation.Source:
        defaults = self._workflow.spec.template_defaults
        return preparation.Source(template_defaults.merge(original, defaults))

    def _inline(self, scope: str) -> str:
        """Name an inline template's place by the file of its scope; it has no name of its own."""
        for key in self._workflow.origins:
            if key.scope == scope:
                return f"{self._workflow.file_of(key)}#"
        return ""
