"""What a person may do by command, as commits and entries that a person could make by hand.

A verb is a pure function of what was read: it gives a `Publish` (one commit on the branch) or a
`Note` (one entry in the ledger), or raises Stalled with what to do instead. A person's choice of a
version beats rejection and withdrawal and is tried once; going back to an earlier version withdraws
the later one. See docs/protocol.md, rule 12.
"""

from dataclasses import dataclass, field

from gitwf.delivery import (
    action,
    entry,
    messages,
    occasion,
    promotion,
    release,
    rollout,
    writing,
)
from gitwf.delivery import observed as seen
from gitwf.errors import Stalled
from gitwf.values import Instant


@dataclass(frozen=True)
class Note:
    """One wish for the ledger. `reason` says in words what was asked for."""

    reason: str
    entry: entry.Entry
    message: str
    decide: action.Decide = field(compare=False, repr=False)


def promote(
    view: seen.ModelView,
    environment: str,
    version: int,
    observed: seen.Observed,
    who: str,
    reason: str = "",
) -> action.Publish:
    """Name `version` in an environment. Stalled: no such version or environment, held, named."""
    where = _environment(view, environment)
    if where.release is not None and where.release.spec.hold.all:
        raise Stalled(
            f"{view.name} in {environment} is held",
            hint=f"gitwf unhold {view.name} --in {environment}",
        )
    return _name(view, where, version, observed, who, reason)


def rollback(
    view: seen.ModelView,
    environment: str,
    observed: seen.Observed,
    who: str,
    version: int | None = None,
    reason: str = "",
) -> action.Publish:
    """Go back to `version`, or to the last good one before what is named. Stalled: none is."""
    where = _environment(view, environment)
    if where.version is None:
        raise Stalled(f"{view.name} names no version in {environment}, so none to go back from")
    if version is None:
        good = rollout.last_good(view, where, where.version, observed)
        if good is None:
            raise Stalled(
                f"{view.name} in {environment} has no earlier version that rolled out well",
                hint=f"gitwf promote {view.name}@VERSION --in {environment} names any version",
            )
        version = good.version
    return _name(view, where, version, observed, who, reason)


def _name(
    view: seen.ModelView,
    where: seen.EnvironmentView,
    version: int,
    observed: seen.Observed,
    who: str,
    reason: str,
) -> action.Publish:
    result = observed.facts.result_of(view.name, version)
    if result is None or result.digest is None:
        known = [str(one) for one in observed.facts.versions(view.name)]
        hint = f"the versions are {', '.join(known[:5])}" if known else "none was trained yet"
        raise Stalled(f"{view.name} has no version {version} with a model", hint=hint)
    if where.version == version:
        raise Stalled(f"{where.name} names version {version} already")
    request = view.request().commit
    naming = writing.Naming(
        view.name,
        where.name,
        result,
        "person",
        who,
        request,
        observed.head,
        observed.facts.commit,
    )
    before = "none" if where.version is None else where.version
    said = f"{where.name}: version {before} -> {version}, as {who} asked"
    made = promotion.commit(view, where, naming, said, body=reason)
    return _published(made)


def hold(
    view: seen.ModelView, environment: str, observed: seen.Observed, who: str, reason: str
) -> action.Publish:
    """Bar every promotion until `unhold`. Stalled: it is held already."""
    where = _environment(view, environment)
    if where.release is not None and where.release.spec.hold.all:
        raise Stalled(f"{view.name} in {environment} is held already")
    return _held(view, where, observed, who, reason, held=True)


def unhold(
    view: seen.ModelView, environment: str, observed: seen.Observed, who: str
) -> action.Publish:
    """Let automation promote again. Stalled: nobody holds it."""
    where = _environment(view, environment)
    if where.release is None or not where.release.spec.hold.all:
        raise Stalled(f"{view.name} in {environment} is not held")
    return _held(view, where, observed, who, "", held=False)


def _held(
    view: seen.ModelView,
    where: seen.EnvironmentView,
    observed: seen.Observed,
    who: str,
    reason: str,
    *,
    held: bool,
) -> action.Publish:
    path = release.path(view.name, where.name)
    source = writing.holding(where.source, view.name, where.name, held=held, reason=reason)
    subject = f"{'Hold' if held else 'Let go of'} {view.name} in {where.name}"
    message = messages.message(subject, reason, {"Requested-by": who})
    return action.Publish(
        view.name,
        where.name,
        subject,
        "person",
        where.version,
        observed.head,
        {path: source},
        message,
    )


def reject(
    view: seen.ModelView, version: int, observed: seen.Observed, who: str, reason: str
) -> action.Publish:
    """Bar automation from ever choosing `version`. Stalled: no such version, rejected already."""
    if observed.facts.key_of(view.name, version) is None:
        raise Stalled(f"{view.name} has no version {version}")
    if version in view.rejected:
        raise Stalled(f"version {version} of {view.name} is rejected already")
    row = release.RejectedVersion(version=version, reason=reason, by=who)
    source = writing.rejecting(view.rejected_source, view.name, (row,))
    subject = f"Reject {view.name}@{version}"
    return action.Publish(
        view.name,
        "",
        subject,
        "person",
        version,
        observed.head,
        {release.rejected_path(view.name): source},
        messages.message(subject, reason, {"Requested-by": who}),
    )


def retrain(view: seen.ModelView, wish: str, who: str, why: str, now: Instant) -> Note:
    """Ask for another run of HEAD's inputs; `wish` is a fresh id. Stalled: no reason is given."""
    if not why.strip():
        raise Stalled("a retrain needs a reason", hint="--reason TEXT")
    if view.problems:
        raise Stalled(f"the documents of {view.name} are wrong", hint="gitwf lint")
    asked = entry.Retrain(view.name, wish, view.request().commit, who, why, now)
    reason = f"{who} asked to retrain {view.name}: {why}"
    return Note(reason, asked, f"Ask to retrain {view.name}", promotion.once(asked))


def retry(view: seen.ModelView, observed: seen.Observed, who: str, why: str, now: Instant) -> Note:
    """Allow one more attempt of HEAD's key. Stalled: its last attempt did not fail."""
    facts = observed.facts
    wish = occasion.wanted(view, facts)
    latest = facts.latest_claim(view.name, wish.key)
    if facts.result(view.name, wish.key) is not None:
        raise Stalled(
            f"HEAD's run of {view.name} succeeded",
            hint=f"gitwf retrain {view.name} --reason TEXT trains it anew",
        )
    if latest is None or facts.end_of(latest) is None:
        raise Stalled(f"HEAD's run of {view.name} has not failed", hint="gitwf reconcile")
    asked = entry.Retry(view.name, wish.key, latest.attempt, who, why, now)
    reason = f"{who} allows another attempt of {view.name}@{latest.version}"
    return Note(reason, asked, f"Retry {view.name}@{latest.version}", promotion.once(asked))


def _environment(view: seen.ModelView, name: str) -> seen.EnvironmentView:
    found = view.environment(name)
    if found is None or found.deploy is None:
        known = ", ".join(one.name for one in view.environments if one.deploy is not None)
        raise Stalled(
            f"{view.name} is not deployed to {name}", hint=f"it is deployed to {known or 'nothing'}"
        )
    return found


def _published(made: action.Action) -> action.Publish:
    if isinstance(made, action.Publish):
        return made
    raise Stalled(made.reason)
