"""A target that a step of the workflow rolls out: `template` of a pipeline's deploy section.

gitwf puts its fence on the Deployment first, so that no older release comes after a newer one, then
has the engine run the template under a name made of the release commit, then only watches. A second
pass attaches to that run. Where a good rollout was undone by somebody, the template is run again,
under the next name; never otherwise. Whether it did what it is for is seen in MODEL.
"""

import dataclasses
from collections.abc import Callable

from gitwf import ports
from gitwf.values import CommitId
from gitwf.workflow import record

Ordering = Callable[[ports.Desired, str], ports.Order]
_RUNS = 1000
"""More healings of one release than anybody would wait for."""
_LINES = 5
_TRIES = 3
"""How often a run is begun that the engine, not the step, gave up."""


class SteppedTarget:
    """A target whose rollout is a run; see `gitwf.ports.Target`.

    `order(desired, run)`: what the engine is to run, under this id.
    """

    def __init__(
        self, watched: ports.Target, engine: ports.Engine, template: str, order: Ordering
    ) -> None:
        self._watched = watched
        self._engine = engine
        self._template = template
        self._order = order

    def observe(self) -> ports.Serving | None:
        """What is served; not ready while the template runs."""
        found = self._watched.observe()
        if found is None or found.release is None:
            return found
        _, last = self._last(found.release)
        ready = found.ready and (last is None or last.over)
        return dataclasses.replace(found, digest=None, ready=ready)

    def apply(self, desired: ports.Desired) -> None:
        """Put the fence up, then run the template. RaceLost: the target has moved on."""
        self._watched.apply(desired)
        run, last = self._last(desired.release)
        if last is not None and last.over:
            run = _next(run)
        self._engine.start(self._order(desired, run))

    def progress(self, desired: ports.Desired) -> ports.Rollout:
        """How the run goes, and after it the Deployment; another MODEL there is told as drift."""
        stands = self._watched.progress(desired)
        if stands.state is ports.RolloutState.SUPERSEDED:
            return stands
        served = self._watched.observe()
        named = served.model if served is not None else None
        run, last = self._last(desired.release)
        if last is None and named != desired.tag:
            self._engine.start(self._order(desired, run))
            return self._waits()
        if last is not None and not last.over:
            self._engine.start(self._order(desired, run))
            return self._waits()
        if last is not None and last.fault and _number(run) < _TRIES:
            self._engine.start(self._order(desired, _next(run)))
            return self._waits()
        if last is not None and last.phase is not record.Phase.SUCCEEDED:
            reason = f"the template {self._template} failed: {_why(last)}{self._said(run)}"
            return ports.Rollout(ports.RolloutState.FAILED, reason, transient=last.fault)
        if named == desired.tag:
            return stands
        told = f"the template {self._template} has run, and MODEL is {named or 'not set'}"
        drift = (ports.Drift("MODEL", "", named or "nothing"),)
        return ports.Rollout(ports.RolloutState.FAILED, told, drift=drift)

    def _waits(self) -> ports.Rollout:
        return ports.Rollout(ports.RolloutState.PROGRESSING, f"{self._template} is running")

    def _said(self, run: str) -> str:
        """What the step wrote last."""
        told = [line.text.strip() for line in self._engine.logs(run) if line.text.strip()]
        return f"; it wrote: {' | '.join(told[-_LINES:])}" if told else ""

    def _last(self, release: CommitId) -> tuple[str, record.RunRecord | None]:
        """The newest run for a release and its record; the first one's id where there is none."""
        run, found = f"rollout-{release[:16]}-1", None
        for _ in range(_RUNS):
            shown = self._engine.observe(run if found is None else _next(run))
            if shown is None:
                break
            run = run if found is None else _next(run)
            found = shown
        return run, found


def _number(run: str) -> int:
    return int(run.rpartition("-")[2])


def _next(run: str) -> str:
    return f"{run.rpartition('-')[0]}-{_number(run) + 1}"


def _why(shown: record.RunRecord) -> str:
    """Why a run failed: in the words of the step that did."""
    nodes = [one for one in shown.nodes.values() if one.type is record.NodeType.POD and one.message]
    return nodes[-1].message if nodes else shown.message or str(shown.phase)
