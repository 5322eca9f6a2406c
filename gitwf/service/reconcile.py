"""Reconcile: observe, plan, do one thing, observe again, until nothing is left to do.

At most one action that writes is done between two observations, so that every decision is made from
what was read after the decision before it. Starting and cancelling runs writes nothing to Git and
is done for all models at once: models train side by side. While runs or rollouts are under way the
pass waits for them, moves its heartbeats, and looks around now and then. An action that a person
must mend, such as a viewer whose port is taken, is put aside until the next reconcile, and keeps
nothing else waiting.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from gitwf import errors
from gitwf.delivery import action, plan
from gitwf.service import act, edge, observe, signals, targets
from gitwf.values import CommitId

LOOK = 5.0
"""Seconds between two looks at the world while runs are under way."""
_AT_ONCE = action.Run | action.Cancel
_SAID_LATER = action.Watch | action.Publish
_TRIES, _LONGEST_PAUSE = 5, 8.0
"""How often in a row the world may fail us, and the longest pause, in seconds, in between."""


class Verdict(enum.StrEnum):
    """How a reconcile ended, for exit codes and for GitHub's output."""

    IN_SYNC = "in-sync"
    PENDING = "pending"
    FAILED = "failed"
    REJECTED = "rejected"


@dataclass
class Outcome:
    """What a reconcile did and found: what went wrong on the way, and what is left to say.

    `read`: what is wrong or doubtful in the documents, `refused`: what an action found wrong there.
    `aside`: the models, with an environment or "", whose action failed and is not tried again.
    `stopped`: it was asked to stop before it was through.
    """

    failures: list[str] = field(default_factory=list)
    reports: tuple[action.Report, ...] = ()
    read: tuple[errors.Diagnostic, ...] = ()
    refused: set[errors.Diagnostic] = field(default_factory=set)
    aside: set[edge.Place] = field(default_factory=set)
    stopped: bool = False

    @property
    def diagnostics(self) -> tuple[errors.Diagnostic, ...]:
        """Everything that is wrong or doubtful in the documents, in file order."""
        return tuple(sorted({*self.read, *self.refused}))

    @property
    def verdict(self) -> Verdict:
        """The one word for it, the worst first."""
        if any(problem.is_error for problem in self.diagnostics):
            return Verdict.REJECTED
        states = {report.state for report in self.reports}
        if self.failures or states & {action.State.FAILED, action.State.STALLED}:
            return Verdict.FAILED
        pending = self.stopped or action.State.WAITING in states
        return Verdict.PENDING if pending else Verdict.IN_SYNC


class Reconciler:
    """One reconciler: its caches, its runs in hand. `stopping` is asked before each look.

    `base`: the commit whose policy and gates rule, where the head is only proposed.
    """

    def __init__(
        self,
        around: edge.Edge,
        *,
        stopping: Callable[[], bool] = lambda: False,
        base: CommitId | None = None,
    ) -> None:
        self._edge = around
        known = targets.Targets(around)
        self._observer = observe.Observer(around, known, base)
        self._actor = act.Actor(around, known)
        self._stopping = stopping
        self._heart = around.clock.monotonic()
        self._beating: set[str] = set()
        self._lost_races = 0
        self._faults = 0
        # As it was when the world was last looked at: a run that has ended since is yet to be seen.
        self._under_way = False

    def look(self) -> tuple[observe.Pass, action.Plan]:
        """Observe and plan, and do nothing."""
        reread, self._actor.rereads = self._actor.rereads, False
        held = self._actor.executions.held()
        self._under_way = any(one.record is None or not one.record.over for one in held.values())
        seen = self._observer.observe(
            held,
            self._actor.finished,
            self._actor.applied,
            reread=reread,
        )
        planned = plan.plan(seen.observed, self._edge.clock.now())
        self._observer.settle(seen.observed, planned)
        return seen, planned

    def run(self, *, wait: bool = True) -> Outcome:
        """Reconcile until nothing is left to do, or until asked to stop.

        `wait`: also for what another reconciler is doing. A race that is lost is planned anew;
        what cannot be reached is tried again with growing pauses, then raised; an action that fails
        is put aside. Whatever is left undone, a later pass finds and does.
        """
        outcome = Outcome()
        patience = 0
        while not self._stopping():
            if self._attempt(outcome):
                patience = 0
            elif self._under_way:
                self._edge.clock.wait(min(LOOK, self._edge.lease / 3))
            elif wait and self._waits_for_others(outcome):
                patience += 1
                self._edge.clock.wait(min(0.25 * patience, LOOK))
            else:
                return outcome
        outcome.stopped = True
        return outcome

    def _attempt(self, outcome: Outcome) -> bool:
        """Observe, plan, do one thing; whether the world is to be looked at again at once."""
        try:
            self._beat()
            seen, planned = self.look()
            outcome.reports = tuple(
                one for one in planned.actions if isinstance(one, action.Report)
            )
            outcome.read = tuple(seen.diagnostics())
            acted = self._step(seen, planned, outcome)
        except errors.RaceLost:
            self._edge.clock.wait(min(0.05 * 2 ** min(self._lost_races, 5), 1.0))
            self._lost_races += 1
            return True
        except errors.Transient as error:
            self._faults += 1
            if self._faults >= _TRIES:
                self._faults = 0
                raise
            pause = min(error.retry_after * 2 ** (self._faults - 1), _LONGEST_PAUSE)
            self._say(f"trying again in {pause:.0f} s: {error}", "warning")
            self._edge.clock.wait(pause)
            return True
        self._faults = 0
        return acted

    def _step(self, seen: observe.Pass, planned: action.Plan, outcome: Outcome) -> bool:
        """Start and cancel what is asked for, then do the first action that writes, if any."""
        pending = [one for one in planned.pending if _of(one) not in outcome.aside]
        at_once = [one for one in pending if isinstance(one, _AT_ONCE)]
        writes = [one for one in pending if not isinstance(one, _AT_ONCE)]
        # Waiting for a rollout comes last, so that it keeps no other model waiting.
        writes.sort(key=lambda one: isinstance(one, action.Watch))
        for one in (*at_once, *writes[:1]):
            try:
                self._perform(one, seen, outcome)
            except errors.Transient as error:
                if isinstance(error, errors.RaceLost) or self._faults + 1 < _TRIES:
                    raise
                self._put_aside(one, error, outcome)
            except errors.GitwfError as error:
                self._put_aside(one, error, outcome)
            except OSError as error:
                self._put_aside(one, errors.of_the_machine(error), outcome)
        return bool(pending)

    def _put_aside(self, one: action.Action, error: errors.GitwfError, outcome: Outcome) -> None:
        outcome.aside.add(_of(one))
        self._say(str(error), "error", one.model)
        if isinstance(error, errors.Rejected):
            outcome.refused.update(error.diagnostics)
        else:
            outcome.failures.append(f"{' in '.join(filter(None, _of(one)))}: {error}")

    def _perform(self, one: action.Action, seen: observe.Pass, outcome: Outcome) -> None:
        if not isinstance(one, _SAID_LATER):
            self._say(one.reason, model=one.model)
        self._actor.perform(one, seen)
        self._lost_races = 0
        if isinstance(one, action.End) and one.ended.outcome == "failed":
            outcome.failures.append(f"{one.model}: {one.ended.reason}")
        if isinstance(one, action.RecordRollout) and not one.rollout.ok:
            outcome.failures.append(f"{one.model} in {one.environment}: {one.rollout.reason}")

    def _waits_for_others(self, outcome: Outcome) -> bool:
        """Whether something another reconciler does, or a short pause, is all that is missing."""
        now = self._edge.clock.now()
        return any(
            report.state is action.State.WAITING
            and (report.until is None or report.until.since(now) < self._edge.lease)
            for report in outcome.reports
        )

    def _beat(self) -> None:
        """Move the heartbeat of each claim in hand, a few times a lease; end those let go."""
        held = {one.claim.nonce for one in self._actor.executions.held().values()}
        for nonce in sorted(self._beating - held):
            self._edge.ledger.end_beat(nonce)
            self._beating.remove(nonce)
        now = self._edge.clock.monotonic()
        if now - self._heart < self._edge.lease / 3:
            return
        self._heart = now
        for nonce in sorted(held):
            self._beating.add(nonce)
            self._edge.ledger.beat(nonce)

    def hand_over(self) -> None:
        """Let go of the runs in hand: the next gitwf of this host goes on where they stopped."""
        self._actor.executions.close()

    def _say(self, text: str, level: str = "info", model: str = "") -> None:
        self._edge.listener(signals.Said(self._edge.clock.now(), text, level, model))


def _of(one: action.Action) -> edge.Place:
    """The model that an action is for, and the environment, or "" for none."""
    return one.model, getattr(one, "environment", "")
