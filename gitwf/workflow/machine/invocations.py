"""An invocation: run this template as that node, and tell its owner.

Everything between a call and its node passes as one of these, so that it can wait in line, be tried
again, or be refused, without anybody remembering where it came from.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gitwf.values import Instant
from gitwf.workflow import preparation, record
from gitwf.workflow.document import template
from gitwf.workflow.machine import limits, nodes, references, templates

_CALL = re.compile(r"(?:\[\d+\])?\.([-\w]+)(?:\((\d+))?")


class Boundary(Protocol):
    """The steps or DAG that a node is inside of. `kind` is how its tags begin."""

    kind: str
    node: nodes.Node
    invocation: "Invocation"
    parallelism: limits.Semaphore

    @property
    def order(self) -> Mapping[str, int]:
        """The calls, numbered as Argo comes to them."""

    @property
    def place(self) -> limits.Place:
        """Where Argo comes to it, as of any invocation."""

    def admits(self, place: Callable[[], limits.Place]) -> bool:
        """Whether another child, at this place, may start."""

    def wait(self, place: limits.Place, work: limits.Work) -> None:
        """Let work wait for room."""

    @property
    def gives_up(self) -> bool:
        """Whether nothing is tried again any more."""


class Bound(NamedTuple):
    """The invoked template with its inputs in: as text, as a model, and where artifacts are."""

    prepared: preparation.Prepared
    made: template.Template
    artifacts: references.Places


@dataclass(frozen=True, eq=False, slots=True)
class Invocation:
    """What `launch` needs. `caller` is the name that `{{steps.name}}` stands for, `kind` which.

    `until`: when a pod of it is killed, because its retries have no time left.
    `on_exit`: part of an exit handler, which outlives deadlines and a graceful stop.
    """

    name: str
    target: templates.Target
    arguments: preparation.Arguments
    owner: nodes.Owner
    boundary: Boundary | None = None
    kind: str = "steps"
    caller: str = ""
    hooked: bool = False
    on_exit: bool = False
    wants_result: bool = False
    depth: int = 0
    until: Instant | None = None

    def place(self) -> limits.Place:
        """Give where Argo comes to it on its way through the calls and turns from the entry.

        To hooks it comes after all steps of a group, to those of the workflow at the very end.
        """
        inside = self.boundary
        if inside is None:
            return ((int(self.hooked), 0),)
        call, turn = next(_CALL.finditer(self.name, len(inside.node.name))).groups()
        later = len(inside.order) if self.hooked and inside.kind == "steps" else 0
        return (*inside.place, (inside.order[call] + later, int(turn or 0)))

    def make_node(
        self, run: str, name: str, type_: record.NodeType, owner: nodes.Owner
    ) -> nodes.Node:
        """Make a node of this invocation, not yet part of the run named `run`."""
        node = nodes.Node(run, name, type_, owner)
        node.within(self.boundary.node if self.boundary is not None else None)
        node.template = self.target.shown_name
        node.template_ref = self.target.ref
        node.hooked = self.hooked
        return node
