"""Memoized templates: a node whose outputs an earlier one has left under the same key.

The machine asks (`LookUp`) and is told (`LookedUp`), because what earlier runs left is not its own
to know. A hit ends the node at once with the outputs that were kept; after a miss it runs as any
other, and what it gives when it ends well is kept (Argo: executeTemplate,
workflow/controller/cache).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitwf.workflow import durations, failure, record
from gitwf.workflow.document import template
from gitwf.workflow.machine import invocations, messages, nodes, pods

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")


@dataclass(frozen=True)
class Memo:
    """A substituted `memoize`: where to look, and how many seconds an entry stays good."""

    cache: str
    key: str
    max_age: float | None


def of(made: template.Template) -> Memo | None:
    """Give what a template remembers by, or None. Raises NodeFailure on a key that is none."""
    wanted = made.memoize
    if wanted is None:
        return None
    if not _KEY.fullmatch(wanted.key):
        raise failure.NodeFailure(f"invalid cache key: {wanted.key}")
    cache = str(((wanted.cache or {}).get("configMap") or {}).get("name", ""))
    try:
        max_age = durations.written(wanted.max_age) if wanted.max_age else None
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"invalid maxAge: {problem}") from None
    return Memo(cache, wanted.key, max_age)


def missed(made: template.Template) -> record.Memoized | None:
    """Give what an attempt shows of its template's memo; what it gives is kept under it."""
    memo = of(made)
    return record.Memoized(memo.cache, memo.key, hit=False) if memo is not None else None


class Asking:
    """A node that waits to be told whether its outputs are known."""

    def __init__(
        self,
        run: "run.Run",
        invocation: invocations.Invocation,
        node: nodes.Node,
        made: template.Template,
        begin: Callable[[], None],
    ) -> None:
        self._run = run
        self._invocation = invocation
        self._node = node
        self._made = made
        self._begin = begin

    def ask(self, memo: Memo) -> None:
        """Ask; the node is of the type that it has whatever the answer is."""
        self._memo = memo
        self._node.memoized = record.Memoized(memo.cache, memo.key, hit=False)
        self._run.asking[self._node.id] = self
        self._run.command(messages.LookUp(self._node.id, memo.cache, memo.key, memo.max_age))

    def told(self, event: messages.LookedUp) -> None:
        """End with what was found, or begin."""
        run, node = self._run, self._node
        stopped = run.stopping(on_exit=self._invocation.on_exit)
        if stopped:
            run.end(node, record.Phase.FAILED, stopped)
        elif event.found:
            node.memoized = record.Memoized(self._memo.cache, self._memo.key, hit=True)
            node.outputs = event.outputs
            # Argo makes nothing global of a hit; a DAG around it will.
            pods.share(run, node, self._made.outputs)
            run.end(node, record.Phase.SUCCEEDED)
        else:
            self._begin()
