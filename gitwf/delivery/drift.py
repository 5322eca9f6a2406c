"""When a target no longer is what was rolled out to it, although nobody released anything.

Somebody changed it there. What they changed is written down first, with who and what, so that
nothing that a person did is lost; then the release is applied anew, or only reported, as the
pipeline says. Fields that the release does not set are nobody's business here.
"""

import dataclasses
from collections.abc import Iterator

from gitwf.delivery import action, entry, promotion, serving
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed as seen
from gitwf.delivery import trail as trails
from gitwf.values import Instant


def strays(environment: seen.EnvironmentView, change: trails.Change) -> bool:
    """Whether a target that was told this release is not as it was told.

    A target that cannot tell its bytes is believed.
    """
    served, rollout = environment.serving, environment.rollout
    if served is None or served.release != change.commit:
        return False
    if served.digest not in {None, change.digest}:
        return True
    over = rollout is not None and rollout.state is serving.RolloutState.COMPLETE
    return over and bool(rollout and rollout.drift)


def lost(environment: seen.EnvironmentView, ended: entry.RolledOut | None) -> bool:
    """Whether what a step had rolled out well is undone: only that it went well once tells it."""
    return (
        ended is not None and ended.ok and bool(environment.rollout and environment.rollout.drift)
    )


def plan(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    served: serving.Serving,
    again: action.RollOut,
    facts: ledger_facts.Facts,
    now: Instant,
) -> Iterator[action.Action]:
    """Write the drift down, then do `again` what was rolled out, where the pipeline wants that."""
    policy = environment.deploy.drift if environment.deploy is not None else "off"
    found = environment.rollout.drift if environment.rollout is not None else ()
    words = "; ".join(map(str, found)) or f"the target serves {served.model} with other bytes"
    fact = entry.Drifted(
        view.name,
        environment.name,
        again.release,
        served.revision,
        tuple({"field": one.field, "manager": one.manager, "value": one.value} for one in found),
        policy == "heal",
        now,
    )
    if policy == "off":
        why = f"serves version {again.version}; drift is not looked at here"
        yield action.Report(view.name, environment.name, action.State.SYNCED, why)
    elif found and fact.path not in facts.entries:
        yield action.RecordDrift(
            view.name,
            environment.name,
            f"write down the drift: {words}",
            fact,
            f"Note drift of {view.name} in {environment.name}",
            promotion.once(fact),
        )
    elif policy == "heal":
        yield dataclasses.replace(again, reason=f"serve version {again.version} again: {words}")
    else:
        why = f"the target drifted and is not healed here: {words}"
        hint = "`drift: heal` in the pipeline's deploy section, or undo the change"
        yield action.Report(view.name, environment.name, action.State.HELD, why, hint)
