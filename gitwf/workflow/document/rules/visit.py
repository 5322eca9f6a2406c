"""What a rule is handed: the template in the middle of its check, and the walk that came to it.

The rules of steps and DAGs follow their calls by the walk, which calls those rules in its turn;
what they need of it stands here, so that they know nothing else of it.
"""

from dataclasses import dataclass
from typing import Protocol

from gitwf.workflow.document import flow, parameters, resolved, template
from gitwf.workflow.document.rules import report, tags


@dataclass(frozen=True)
class Here:
    """A template in the middle of its check: its scope, its place, and the names it can see.

    `inputs` are the names of its inputs and of those of the templates that hold it inline: Argo
    puts their values into the whole text, inline templates included. `entered`: the workflow itself
    calls it, with arguments that are known.
    """

    scope: str
    template: template.Template
    origin: resolved.Origin
    names: tags.Names
    inputs: frozenset[str]
    entered: bool


class Walk(Protocol):
    """One validation of one workflow. `everywhere`: the names in sight in every template."""

    found: report.Report
    everywhere: tags.Names

    def call(
        self,
        scope: str,
        call: template.Call,
        where: resolved.Origin,
        given: parameters.Arguments | None = None,
        *,
        outer: frozenset[str] = frozenset(),
    ) -> template.Template | None:
        """Follow a call to its template and check that; None when it leads nowhere."""

    def hook(self, scope: str, hook: flow.Hook, where: resolved.Origin) -> None:
        """Warn of a hook without a template."""
