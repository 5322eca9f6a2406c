"""Whether a version may be named by an environment's release file, and the commit that names it.

The release commit is the only record of a promotion: it is decided from what was read at exactly
the commit it is put on, and a lost race is planned anew. Automation promotes a version at most once
for each request, so that a code revert serves the old model again and a release revert sticks. See
docs/protocol.md, rules 7, 8 and 13.
"""

import dataclasses
from collections.abc import Iterator

from gitwf.delivery import (
    action,
    document,
    entry,
    gates,
    messages,
    occasion,
    release,
    supersede,
    writing,
)
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed as seen
from gitwf.delivery import pipeline as pipelines
from gitwf.errors import Rejected
from gitwf.values import Instant

AUTOMATION = "gitwf"


def plan(
    view: seen.ModelView, environment: seen.EnvironmentView, observed: seen.Observed, now: Instant
) -> Iterator[action.Action]:
    """Say what to do about what the release file of one environment names."""
    deploy = environment.deploy
    if deploy is None:
        return
    request = view.request()
    if isinstance(deploy.promote, pipelines.After):
        version, waiting = _upstream(view, deploy.promote, observed, now)
        if waiting is not None:
            state = action.State.WAITING if waiting[-1] is not None else action.State.HELD
            yield report(view, environment, state, *waiting)
    else:
        version = occasion.standing(view, observed.facts)
        if version is None:
            late = supersede.overtaken(view, environment, observed.facts, observed.project)
            if late is not None:
                version, request = late.version, late.request
    if version is None or version == environment.version:
        return
    if deploy.promote == "manual":
        hint = f"gitwf promote {view.name}@{version} --in {environment.name}"
        why = f"version {version} waits for a person to promote it"
        yield report(view, environment, action.State.HELD, why, hint)
        return
    yield from _promote(view, environment, version, request, observed, now)


def _promote(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    version: int,
    request: seen.Request,
    observed: seen.Observed,
    now: Instant,
) -> Iterator[action.Action]:
    barred = why_not(view, environment, version, request, observed)
    if barred:
        why = f"version {version} is not promoted: {barred}"
        yield report(view, environment, action.State.HELD, why)
        return
    texts = view.pipeline.spec.model.gates if view.pipeline.spec.model is not None else ()
    facts = observed.facts
    verdict = facts.verdict(view.name, environment.name, version, gates.digest(texts))
    if verdict is None:
        yield from _judge(view, environment, version, observed, now)
    elif verdict.passed:
        yield from _publish(view, environment, version, request, observed)
    else:
        why = f"version {version} is held back by its gates: {verdict.words}"
        yield report(view, environment, action.State.HELD, why)


def why_not(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    version: int,
    request: seen.Request,
    observed: seen.Observed,
) -> str:
    """Say what bars automation from promoting a version for a request, gates apart; "": nothing."""
    hold = environment.release.spec.hold if environment.release is not None else release.Hold()
    if hold.all:
        return "a person holds this environment" + (f" ({hold.reason})" if hold.reason else "")
    if version in hold.versions:
        return "it is on hold"
    if version in view.rejected:
        return "it was rejected"
    trail = environment.trail()
    if environment.release is None and trail.last is not None:
        return "the release file was deleted, and the environment is left as it is"
    facts = observed.facts
    if version in trail.named_since(request.depth) or any(
        one.request == request.commit and one.version == version
        for one in facts.releases(view.name, environment.name)
    ):
        return f"it was named before for the same request ({request.commit.short})"
    if any(
        one.version == version and not one.ok and not one.later
        for one in facts.rollouts(view.name, environment.name)
    ):
        return "its rollout failed before"
    if trail.withdrawn(version):
        return "a person went back from it to an earlier version"
    return ""


def _upstream(
    view: seen.ModelView, promote: pipelines.After, observed: seen.Observed, now: Instant
) -> tuple[int | None, tuple[str, str, Instant | None] | None]:
    """Find the version that an earlier environment has served long enough: (version, why not)."""
    upstream = view.environment(promote.after)
    change = upstream.trail().last if upstream is not None else None
    if upstream is None or change is None or change.version is None:
        return None, None
    if change.kind != "promote":
        return None, (f"{promote.after} serves what {change.who or 'a person'} chose", "", None)
    rollout = observed.facts.rollout(view.name, promote.after, change.commit, change.version)
    if rollout is None or not rollout.ok:
        return None, (f"{promote.after} does not serve version {change.version} yet", "", None)
    due = rollout.finished.after(document.seconds(promote.soak))
    if now < due:
        why = f"version {change.version} soaks in {promote.after} until {due.rfc3339()}"
        return None, (why, "", due)
    return change.version, None


def _judge(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    version: int,
    observed: seen.Observed,
    now: Instant,
) -> Iterator[action.Action]:
    facts = observed.facts
    result = facts.result_of(view.name, version)
    if result is None or view.pipeline.spec.model is None:
        return
    named = environment.version
    current = facts.result_of(view.name, named) if named is not None else None
    verdict = gates.judge(view.pipeline.spec.model.gates, result, environment.name, current, now)
    words = "passes its gates" if verdict.passed else f"fails: {verdict.words}"
    yield action.Judge(
        view.name,
        environment.name,
        f"version {version} {words}",
        verdict,
        f"Judge {view.name}@{version} for {environment.name}",
        once(verdict),
    )


def once(one: entry.Entry) -> action.Decide:
    """Decide an entry that is a fact whoever writes it: nothing when it is there."""

    def decide(facts: ledger_facts.Facts) -> entry.Additions | None:
        return None if one.path in facts.entries else ledger_facts.adding(facts, one)

    return decide


def _publish(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    version: int,
    request: seen.Request,
    observed: seen.Observed,
) -> Iterator[action.Action]:
    result = observed.facts.result_of(view.name, version)
    if result is None or result.digest is None:
        why = f"version {version} kept no model"
        yield report(view, environment, action.State.FAILED, why)
        return
    naming = writing.Naming(
        view.name,
        environment.name,
        result,
        "promote",
        AUTOMATION,
        request.commit,
        observed.head,
        observed.facts.commit,
    )
    before = environment.version
    why = f"{environment.name}: version {'none' if before is None else before} -> {version}"
    if request != view.request():
        why += ", which was let finish while newer commits came"
    yield commit(view, environment, naming, why)


def commit(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    naming: writing.Naming,
    reason: str,
    *,
    subject: str = "",
    body: str = "",
    rejected: tuple[release.RejectedVersion, ...] = (),
) -> action.Action:
    """Make the release commit that `naming` says, with `rejected` in the same commit.

    A Report instead where a person's file cannot be edited in place.
    """
    version = naming.result.version if naming.result is not None else None
    if environment.deploy is not None and not environment.deploy.verified:
        naming = dataclasses.replace(naming, verified=False)
    try:
        edits = {
            release.path(view.name, environment.name): writing.named(environment.source, naming)
        }
        if rejected:
            source = view.rejected_source
            edits[release.rejected_path(view.name)] = writing.rejecting(source, view.name, rejected)
    except Rejected as error:
        return report(view, environment, action.State.STALLED, f"{reason}: {error}")
    message = messages.release(
        subject or f"Release {view.name}@{version} to {environment.name}",
        model=view.name,
        version=version,
        environment=environment.name,
        result=naming.result,
        request=naming.request,
        body=body,
    )
    return action.Publish(
        view.name, environment.name, reason, naming.kind, version, naming.parent, edits, message
    )


def report(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    state: action.State,
    reason: str,
    hint: str = "",
    until: Instant | None = None,
) -> action.Report:
    """Say why nothing is done in an environment."""
    return action.Report(view.name, environment.name, state, reason, hint, until)
