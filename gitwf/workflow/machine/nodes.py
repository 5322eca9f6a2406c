"""A node while its run is under way: mutable, and made into a `record.NodeRecord` on demand.

Names, ids and display names follow Argo to the letter, because people and other tools address nodes
by them (Argo: pkg/apis/workflow/v1alpha1/workflow_types.go NodeID; workflow/util/pod_name.go).
"""

import functools
import re
from collections.abc import Mapping
from typing import Protocol

from gitwf.values import Instant
from gitwf.workflow import failure, record
from gitwf.workflow.document import template
from gitwf.workflow.machine import states

# What Argo says of an entry node that still runs when its run is over.
LEFT = "Workflow operation error"
_DISPLAY_NAME = "workflows.argoproj.io/display-name"
_SHOWN = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]")
_LEADING = re.compile(r"^(\[\d+\])?\.")
_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_NOTHING = record.Outputs()
_POD_NAME_LIMIT, _HASH_LENGTH = 253, 10


@functools.lru_cache(maxsize=256)
def fnv32(text: str) -> int:
    """Hash as Go's hash/fnv New32a. A node's name comes up a few times in a row."""
    code = _OFFSET
    for byte in text.encode():
        code = (code ^ byte) * _PRIME & _MASK
    return code


def node_id(run: str, name: str) -> str:
    """Name a node for good; the root's id is its name."""
    return name if name == run else f"{run}-{fnv32(name)}"


def pod_name(run: str, name: str, template: str) -> str:
    """Name the pod of a node as Argo's second version of pod names does.

    `template`: the name that the node was called by; "" for a group and for an inline template.
    """
    if name == run:
        return run
    prefix = f"{run}-{template}" if template else run
    return f"{prefix[: _POD_NAME_LIMIT - _HASH_LENGTH - 1]}-{fnv32(name)}"


class Owner(Protocol):
    """Whoever asked for a node, and is told what becomes of it."""

    def made_node(self, node: "Node") -> None:
        """Say that the node has come to be."""

    def running(self, node: "Node") -> None:
        """Say that the node's work has begun."""

    def ended(self, node: "Node") -> None:
        """Say that the node is fulfilled: nothing more happens to it."""


class Node:
    """One node. Only `Run` changes phases, so that counters and the record stay true."""

    __slots__ = (
        "boundary", "children", "display_name", "finished", "hooked", "id", "input_artifacts",
        "inputs", "memoized", "message", "name", "outbound", "outputs", "owner", "phase", "recurs",
        "retried", "spoiled", "spoken", "started", "template", "template_ref", "twin", "type",
        "undone",
    )  # fmt: skip

    def __init__(self, run: str, name: str, type_: record.NodeType, owner: Owner) -> None:
        self.id = node_id(run, name)
        self.name = name
        self.display_name = name
        self.type = type_
        self.owner = owner
        self.phase = record.Phase.PENDING
        self.message = ""
        self.template = ""
        self.template_ref = ""
        self.boundary: Node | None = None
        self.started: Instant | None = None
        self.finished: Instant | None = None
        # A mapping for its order and its uniqueness: a node has many parents, each child once.
        self.children: dict[str, Node] = {}
        self.outbound: tuple[Node, ...] = ()
        self.inputs: Mapping[str, str] = {}
        self.input_artifacts: tuple[str, ...] = ()
        self.outputs = _NOTHING
        self.hooked = False
        self.retried = False
        self.memoized: record.Memoized | None = None
        self.twin = ""
        # Its template could not be carried out: the parent says so in words of its own.
        self.undone = False
        # Argo meets the reason at each look, not only at the first, after which the node is over.
        self.recurs = False
        # Why it ends in Error however its work ends, or "". Argo marks it at once and lets the work
        # be.
        self.spoiled = ""
        # What is said of the run in place of `message`.
        self.spoken = ""

    @property
    def last_attempt(self) -> "Node":
        """The node whose outputs count: of one that is tried again its last attempt, no hook."""
        if self.type is record.NodeType.RETRY:
            for child in reversed(self.children.values()):
                if child.retried and child.hooked == self.hooked:
                    return child
        return self

    def within(self, boundary: "Node | None") -> None:
        """Put the node inside `boundary`, which shortens the name people see."""
        self.boundary = boundary
        if boundary is not None:
            rest = self.name.removeprefix(boundary.name)
            self.display_name = _LEADING.sub("", rest)

    def show_as(self, made: template.Template) -> None:
        """Take the name that the template's annotations give, if any. Raises NodeFailure."""
        name = made.annotations.get(_DISPLAY_NAME, "")
        if not name:
            return
        if not _SHOWN.fullmatch(name):
            raise failure.NodeFailure(f"displayName must match the regex ^{_SHOWN.pattern}$")
        self.display_name = name

    def move(self, phase: record.Phase) -> None:
        """Change the phase; ValueError where the table of states has no such step."""
        states.check(self.phase, phase)
        self.phase = phase

    def snapshot(self) -> record.NodeRecord:
        """Give the node as it stands."""
        return record.NodeRecord(
            id=self.id,
            name=self.name,
            display_name=self.display_name,
            type=self.type,
            phase=self.phase,
            message=self.message,
            template=self.template,
            template_ref=self.template_ref,
            boundary=self.boundary.id if self.boundary is not None else "",
            started=self.started,
            finished=self.finished,
            children=tuple(child.id for child in self.children.values()),
            outbound=tuple(end.id for end in self.outbound),
            inputs=self.inputs,
            input_artifacts=self.input_artifacts,
            outputs=self.outputs,
            hooked=self.hooked,
            retried=self.retried,
            memoized=self.memoized,
        )
