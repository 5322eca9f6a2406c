"""The plan: a pure function of what a pass has read and of the time.

For each model in order: what HEAD's release files still need (mirror, rollback, promotion, rollout)
comes before what HEAD's code needs (a run), because what people look at comes first. The plan is
read anew after each change, so that it never looks further ahead than what is true now: no step
trusts that the one before it went well. Where nothing is done, a `Report` says why. The rules and
their numbers are in docs/protocol.md.
"""

from collections.abc import Iterator

from gitwf.delivery import action, promotion, rollout, training
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed as seen
from gitwf.values import Instant


def plan(observed: seen.Observed, now: Instant) -> action.Plan:
    """Say what to do next, in order, each with its reason."""
    return action.Plan(tuple(_plan(observed, now)))


def _plan(observed: seen.Observed, now: Instant) -> Iterator[action.Action]:
    if observed.lost_stamps:
        yield _lost(observed)
        return
    for name, view in observed.models.items():
        if name not in observed.settled:
            yield from model(view, observed, now)
    for name in sorted({*observed.facts.models(), *observed.left}):
        if name not in observed.models:
            yield from training.forgotten(name, observed, now)
    yield from _strays(observed)


def model(view: seen.ModelView, observed: seen.Observed, now: Instant) -> Iterator[action.Action]:
    """Say what to do next for one model, in order."""
    if view.problems:
        why = "its documents are wrong, so nothing is done for it"
        yield action.Report(view.name, "", action.State.STALLED, why)
        return
    for environment in view.environments:
        promoted = tuple(promotion.plan(view, environment, observed, now))
        rolled = tuple(rollout.plan(view, environment, observed, now))
        yield from _in_order(promoted, rolled)
    yield from training.plan(view, observed, now)


def _in_order(
    promoted: tuple[action.Action, ...], rolled: tuple[action.Action, ...]
) -> Iterator[action.Action]:
    """Answer a failed rollout first; otherwise promote first, and roll that out only."""
    publishes = (action.Publish, action.Mirror)
    if any(isinstance(one, publishes) for one in rolled):
        yield from rolled
        return
    yield from promoted
    if not any(isinstance(one, action.Publish) for one in promoted):
        yield from rolled


def _strays(observed: seen.Observed) -> Iterator[action.Report]:
    """Name the viewers that run on and that nothing else is said of."""
    for (model, environment), url in sorted(observed.strays.items()):
        view = observed.models.get(model)
        told = view is not None and not view.problems and view.environment(environment) is not None
        if told or environment in observed.left.get(model, ()):
            continue
        why = f"its viewer still runs at {url}, and HEAD no longer deploys it here"
        hint = f"gitwf down {environment} --model {model}"
        yield action.Report(model, environment, action.State.HELD, why, hint)


def _lost(observed: seen.Observed) -> action.Report:
    """Refuse to go on without the ledger that the branch names: numbers would start again."""
    return action.Report("", "", action.State.STALLED, *ledger_facts.lost(observed.lost_stamps))
