"""What a person asks for by command: read, decide, and write with a compare-and-swap.

The decision is a pure function of `gitwf.delivery.verbs`, asked again whenever the race for the
branch is lost, so that a promotion never lands on a branch that it was not decided from.
"""

from collections.abc import Callable

from gitwf.delivery import action, observed, verbs
from gitwf.delivery import facts as ledger_facts
from gitwf.errors import RaceLost, Rejected, Stalled
from gitwf.service import edge, observe, targets
from gitwf.values import CommitId, Instant

_TRIES = 10

Publishing = Callable[[observed.ModelView, observed.Observed], action.Publish]
Noting = Callable[[observed.ModelView, observed.Observed, Instant], verbs.Note]


class Asking:
    """Carries out one wish of a person."""

    def __init__(self, around: edge.Edge) -> None:
        self._edge = around
        self._observer = observe.Observer(around, targets.Targets(around))

    def _seen(self, model: str) -> tuple[observed.ModelView, observed.Observed]:
        passed = self._observer.observe({})
        seen = passed.observed
        if seen.lost_stamps:
            why, hint = ledger_facts.lost(seen.lost_stamps)
            raise Stalled(why, hint=hint)
        view = seen.models.get(model)
        if view is None:
            if passed.at.problems:
                raise Rejected(passed.at.problems)
            known = ", ".join(seen.models) or "there is none"
            raise Stalled(f"there is no pipeline {model} at HEAD", hint=f"pipelines: {known}")
        return view, seen

    def publish(self, model: str, decide: Publishing) -> tuple[CommitId, str]:
        """Put one commit on the branch; its id and what it did in words."""
        for _ in range(_TRIES):
            wanted = decide(*self._seen(model))
            try:
                commit = self._edge.repo.publish(wanted.expected, wanted.edits, wanted.message)
            except RaceLost:
                continue
            return commit, wanted.reason
        raise Stalled("the branch keeps moving", hint="try again")

    def note(self, model: str, decide: Noting) -> str:
        """Add one wish to the ledger; what was asked in words."""
        note = decide(*self._seen(model), self._edge.clock.now())
        self._edge.ledger.append(note.decide, note.message)
        return note.reason

    def nonce(self) -> str:
        """A fresh id for a wish."""
        return self._edge.nonce()
