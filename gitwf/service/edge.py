"""Everything outside that a reconciler works with, handed over as one value.

`gitwf.wiring` fills it with adapters, tests fill it with in-memory ports. Chance arrives here too:
a nonce is asked for, never made up by whoever needs one.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from gitwf import ports
from gitwf.delivery import entry, pipeline, project
from gitwf.service import signals

Place: TypeAlias = tuple[str, str]
"""A model and an environment of it."""


class WakeableClock(ports.Clock, Protocol):
    """A clock whose wait another thread can end."""

    def wake(self) -> None:
        """End the current wait, or the next one before it begins."""
        ...


@dataclass(frozen=True)
class Edge:
    """The ports, and who we are.

    `target(model, deploy, settings)`: where an environment of a model is served. `store`: the
    project's. `known_dead(owner)`: whether a claim's owner surely no longer runs, which only a
    process of the same host can know. `render(template, values)`: sandboxed jinja2. `state`: folder
    for what may be deleted at any moment. `lease`: seconds. `strays(named)`: the viewers of this
    machine other than those of `named`, by model and environment -> address. `kept`: where what was
    read of documents is left for the next process.
    """

    repo: ports.Repo
    ledger: ports.Ledger
    engine: Callable[[project.Project], ports.Engine]
    store: Callable[[project.Project], ports.Store]
    target: Callable[[str, pipeline.Deploy, project.Project], ports.Target]
    clock: WakeableClock
    me: entry.Owner
    nonce: Callable[[], str]
    known_dead: Callable[[entry.Owner], bool]
    render: Callable[[str, Mapping[str, Any]], str]
    state: Path
    lease: float = 60.0
    strays: Callable[[Collection[Place]], Mapping[Place, str]] = lambda _: {}
    listener: signals.Listener = signals.unheard
    kept: ports.Kept | None = None
