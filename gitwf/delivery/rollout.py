"""From the release file at HEAD to what the target serves, and back when that fails.

What an environment serves is a function of HEAD: release file, viewer and manifests. The target's
revision was read before the branch, so that an older release is never applied over a newer one. A
failed rollout is answered by one commit: the last good version, a hold on the failed one and its
rejection. A failed rollback is never rolled back; it is for a person. See docs/protocol.md, rules
10 to 12.
"""

from collections.abc import Iterator
from typing import Any

from gitwf.delivery import action, drift, entry, promotion, release, serving, writing
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed as seen
from gitwf.delivery import trail as trails
from gitwf.values import Digest, Instant


def plan(
    view: seen.ModelView, environment: seen.EnvironmentView, observed: seen.Observed, now: Instant
) -> Iterator[action.Action]:
    """Say what to do so that the target serves what HEAD names; promotions come before this."""
    if environment.deploy is None:
        why = "the pipeline no longer deploys here; what is served is left as it is"
        hint = f"gitwf down {environment.name} --model {view.name}, then delete its release file"
        yield promotion.report(view, environment, action.State.HELD, why, hint)
        return
    if environment.release is None:
        if environment.serving is not None and environment.serving.release is not None:
            why = "the release file was deleted; what is served is left as it is"
            yield promotion.report(view, environment, action.State.HELD, why)
        return
    change = environment.trail().last
    if change is None:
        return
    if observed.facts.released(view.name, environment.name, change.commit) is None:
        yield _mirror(view, environment, observed, now)
        return
    if change.version is None:
        why = "the release file names no version"
        yield promotion.report(view, environment, action.State.HELD, why)
        return
    failed = observed.facts.rollout(view.name, environment.name, change.commit, change.version)
    if failed is not None and not failed.ok:
        yield from _failed(view, environment, change, failed, observed)
    elif wrong := disagreement(view, change, observed):
        yield promotion.report(view, environment, action.State.STALLED, *wrong)
    elif environment.unreachable:
        yield promotion.report(view, environment, action.State.FAILED, environment.unreachable)
    else:
        yield from _towards(view, environment, change, observed, now)


def disagreement(
    view: seen.ModelView, change: trails.Change, observed: seen.Observed
) -> tuple[str, str] | None:
    """Say how a release disagrees with the ledger: (what is wrong, what to try), or None."""
    hint = f"gitwf promote {view.name}@VERSION --in ENVIRONMENT writes all three fields"
    result = observed.facts.result_of(view.name, change.version or 0)
    if result is None:
        return f"the release file names version {change.version}, which has no result", hint
    if result.digest != change.digest or result.uri != change.uri:
        return f"the release file's uri and digest are not those of version {change.version}", hint
    return None


def _mirror(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    observed: seen.Observed,
    now: Instant,
) -> action.Action:
    """Copy every release commit that the ledger lacks; usually that is the last one."""
    request = view.request()
    missing = tuple(
        entry.Released(
            view.name,
            environment.name,
            change.commit,
            change.request or (request.commit if change.depth <= request.depth else ""),
            change.version,
            change.kind,
            change.who,
            now,
        )
        for change in environment.trail().changes
        if observed.facts.released(view.name, environment.name, change.commit) is None
    )
    last = missing[-1]

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        lacking = [one for one in missing if one.path not in facts.entries]
        return ledger_facts.adding(facts, *lacking) if lacking else None

    return action.Mirror(
        view.name,
        environment.name,
        f"write down the release of {_numbered(last.version)} ({last.kind})",
        missing,
        f"Note {_numbered(last.version)} of {view.name} in {environment.name}",
        decide,
    )


def _towards(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    change: trails.Change,
    observed: seen.Observed,
    now: Instant,
) -> Iterator[action.Action]:
    """Apply the release, watch it, write down how it ended."""
    facts, served = observed.facts, environment.serving
    version, viewer = change.version or 0, environment.viewer
    first = facts.rollout(view.name, environment.name, change.commit, version)
    later = first is not None and first.viewer != viewer
    ended = (
        facts.rollout(view.name, environment.name, change.commit, version, viewer)
        if later
        else first
    )
    if ended is not None and not ended.ok:
        why = f"the viewer at HEAD did not roll out: {ended.reason}"
        hint = "push a viewer that gets ready"
        yield promotion.report(view, environment, action.State.FAILED, why, hint)
        return
    lost = drift.lost(environment, ended)
    if applied(environment, change) and not lost:
        yield from _under_way(view, environment, change, ended, now, later=later)
        return
    unknown = served is not None and served.release is not None and not environment.known
    if unknown and not observed.reread:
        why = "the target serves a release that the branch does not have"
        yield action.Reread(view.name, environment.name, why)
        return
    again = action.RollOut(
        reason=_why(environment, change),
        based_on=served.revision if served is not None else "",
        **_what(view, environment, change),
    )
    if served is not None and (lost or drift.strays(environment, change)):
        yield from drift.plan(view, environment, served, again, facts, now)
    else:
        yield again


def applied(environment: seen.EnvironmentView, change: trails.Change) -> bool:
    """Whether the target was given exactly this release, model and viewer."""
    served = environment.serving
    return (
        served is not None
        and served.release == change.commit
        and not served.at
        and not drift.strays(environment, change)
        and served.viewer in {None, environment.viewer}
    )


def _under_way(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    change: trails.Change,
    ended: entry.RolledOut | None,
    now: Instant,
    *,
    later: bool,
) -> Iterator[action.Action]:
    """Say what to do about a release that was applied: watch it, or write down its end."""
    served, rollout = environment.serving, environment.rollout
    if ended is not None and served is not None and served.ready:
        why = f"serves version {change.version}"
        yield promotion.report(view, environment, action.State.SYNCED, why)
    elif rollout is None or rollout.state is serving.RolloutState.PROGRESSING:
        yield action.Watch(
            reason=f"wait until version {change.version} is ready",
            based_on=served.revision if served is not None else "",
            **_what(view, environment, change),
        )
    elif rollout.state is serving.RolloutState.SUPERSEDED:
        why = "another release was applied over this one"
        yield promotion.report(view, environment, action.State.WAITING, why)
    elif rollout.state is serving.RolloutState.COMPLETE and ended is not None:
        why = f"serves version {change.version}"
        yield promotion.report(view, environment, action.State.SYNCED, why)
    elif ended is not None or rollout.transient:
        why = f"version {change.version} is not served: {rollout.reason}"
        yield promotion.report(view, environment, action.State.FAILED, why)
    else:
        yield _record(view, environment, change, rollout, now, later=later)


def _record(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    change: trails.Change,
    rollout: serving.Rollout,
    now: Instant,
    *,
    later: bool,
) -> action.Action:
    ok = rollout.state is serving.RolloutState.COMPLETE
    fact = entry.RolledOut(
        view.name,
        environment.name,
        change.commit,
        change.version or 0,
        ok,
        rollout.reason,
        environment.viewer,
        environment.applied or now,
        now,
        later,
    )
    words = "is served" if ok else "did not get ready"
    return action.RecordRollout(
        view.name,
        environment.name,
        f"version {change.version} {words}",
        fact,
        f"Note that {view.name}@{change.version} {'is served' if ok else 'failed'} "
        f"in {environment.name}",
        promotion.once(fact),
    )


def _failed(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    change: trails.Change,
    failed: entry.RolledOut,
    observed: seen.Observed,
) -> Iterator[action.Action]:
    """Answer a failed rollout of HEAD's release: go back once, then leave it to a person."""
    if change.kind == "rollback":
        why = f"the rollback to version {change.version} failed as well: {failed.reason}"
        hint = f"gitwf promote {view.name}@VERSION --in {environment.name}, or push a change"
        yield promotion.report(view, environment, action.State.STALLED, why, hint)
        return
    version = failed.version
    good = last_good(view, environment, version, observed)
    naming = writing.Naming(
        view.name,
        environment.name,
        good,
        "rollback",
        promotion.AUTOMATION,
        change.request,
        observed.head,
        observed.facts.commit,
        (version,),
    )
    reason = f"its rollout failed: {failed.reason}"
    rejected = release.RejectedVersion(version=version, reason=reason, by=promotion.AUTOMATION)
    back = _numbered(good.version if good is not None else None)
    yield promotion.commit(
        view,
        environment,
        naming,
        f"{environment.name}: back to {back}, because version {version} did not get ready",
        subject=f"Roll {view.name} in {environment.name} back to {back}",
        body=f"Version {version} failed to roll out: {failed.reason}",
        rejected=(rejected,),
    )


def last_good(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    failed: int,
    observed: seen.Observed,
) -> entry.Result | None:
    """Find the last version whose rollout was ok and that nobody rejected or went back from."""
    trail = environment.trail()
    for change in reversed(trail.changes):
        version = change.version
        if version is None or version == failed or version in view.rejected:
            continue
        rollout = observed.facts.rollout(view.name, environment.name, change.commit, version)
        if rollout is not None and rollout.ok and not trail.withdrawn(version):
            return observed.facts.result_of(view.name, version)
    return None


def _why(environment: seen.EnvironmentView, change: trails.Change) -> str:
    served = environment.serving
    if served is None or served.release is None:
        return f"serve version {change.version}: nothing is served yet"
    if served.at:
        return (
            f"serve version {change.version} at the port that is set now, no longer at {served.at}"
        )
    if served.release != change.commit:
        return f"serve version {change.version}: HEAD's release is {change.commit.short}"
    return f"serve version {change.version} with the viewer at HEAD"


def _numbered(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"


def _what(
    view: seen.ModelView, environment: seen.EnvironmentView, change: trails.Change
) -> dict[str, Any]:
    return {
        "model": view.name,
        "environment": environment.name,
        "release": change.commit,
        "version": change.version,
        "uri": change.uri,
        "digest": Digest(change.digest or ""),
        "viewer": environment.viewer,
    }
