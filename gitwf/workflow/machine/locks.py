"""Mutexes and semaphores: who may hold what, within one run.

A lock is a semaphore with one place, or as many as a ConfigMap says. A template takes all its locks
before it has a node and gives them back when the node has ended, retries included; work that finds
one taken waits in line at that lock (Argo: workflow/sync). Locks of the whole workflow are between
runs: the machine only names them (`Run.held`), whoever drives it takes them before it begins.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitwf.workflow import failure, preparation, scope, substitution
from gitwf.workflow.document import flow
from gitwf.workflow.machine import invocations, limits, nodes

if TYPE_CHECKING:
    from gitwf.workflow.machine import run


@dataclass(frozen=True)
class Lock:
    """One lock by Argo's name (`<namespace>/Mutex/<name>`) and how many may hold it."""

    name: str
    limit: int


def named(
    synchronization: flow.Synchronization, namespace: str, config_maps: preparation.ConfigMaps
) -> tuple[Lock, ...]:
    """Give each lock once. Raises NodeFailure where a semaphore has no size."""
    found: dict[str, Lock] = {}
    for mutex in synchronization.mutexes:
        name = f"{mutex.namespace or namespace}/Mutex/{mutex.name}"
        found[name] = Lock(name, 1)
    for semaphore in synchronization.semaphores:
        ref = semaphore.config_map_key_ref
        if ref is None:
            raise failure.NodeFailure("a semaphore needs a configMapKeyRef")
        name = f"{semaphore.namespace or namespace}/ConfigMap/{ref.name}/{ref.key}"
        size = config_maps.get(ref.name, {}).get(ref.key, "")
        if not size.isdecimal() or not int(size):
            raise failure.NodeFailure(f"failed to initialize semaphore {name} with limit")
        found[name] = Lock(name, int(size))
    return tuple(found.values())


def of_workflow(
    synchronization: flow.Synchronization | None,
    variables: Mapping[str, scope.Value],
    config_maps: preparation.ConfigMaps,
) -> tuple[Lock, ...]:
    """Give the locks of a whole workflow. Raises NodeFailure."""
    if synchronization is None:
        return ()
    text = substitution.fill(synchronization.to_json(), variables)
    filled = flow.Synchronization.from_json(text)
    return named(filled, str(variables["workflow.namespace"]), config_maps)


class Locks:
    """The locks of one run's templates."""

    def __init__(self, run: "run.Run") -> None:
        self._run = run
        self._semaphores: dict[str, limits.Semaphore] = {}

    def take(
        self,
        invocation: invocations.Invocation,
        wanted: tuple[Lock, ...],
        again: Callable[[], None],
    ) -> nodes.Owner | None:
        """Take every lock and give the owner that returns them; None: `again` waits in line.

        What is stopped anyway takes none.
        """
        if self._run.stopping(on_exit=invocation.on_exit):
            return invocation.owner
        semaphores = [
            self._semaphores.setdefault(one.name, limits.Semaphore(one.limit)) for one in wanted
        ]
        for semaphore in semaphores:
            if semaphore.full:
                semaphore.wait((), again)
                return None
        for semaphore in semaphores:
            semaphore.active += 1
        return Holder(self._run, invocation.owner, semaphores)

    def stir(self) -> None:
        """Have all that waits look again, because the run is ending."""
        for semaphore in self._semaphores.values():
            for again in semaphore.leave():
                self._run.later(again)


class Holder:
    """The owner of a node that holds locks."""

    def __init__(
        self, run: "run.Run", owner: nodes.Owner, semaphores: list[limits.Semaphore]
    ) -> None:
        self._run = run
        self._owner = owner
        self._semaphores = semaphores

    def made_node(self, node: nodes.Node) -> None:
        """Pass on."""
        self._owner.made_node(node)

    def running(self, node: nodes.Node) -> None:
        """Pass on."""
        self._owner.running(node)

    def ended(self, node: nodes.Node) -> None:
        """Pass on; the locks are back."""
        self._owner.ended(node)

    def give_back(self) -> None:
        """Give the locks back, once."""
        semaphores, self._semaphores = self._semaphores, []
        for semaphore in semaphores:
            semaphore.active -= 1
            self._run.later(functools.partial(_admit, semaphore))


def _admit(semaphore: limits.Semaphore) -> None:
    while (work := semaphore.next()) is not None:
        work()
