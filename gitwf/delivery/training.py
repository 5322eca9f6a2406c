"""What to do next about a model's run: claim, take over, start, wait, accept, give up.

A function of the key that HEAD wants, of the claims in the ledger and of the runs this process has
in hand. It says why: which part of the key differs from the version made before. A key that failed
waits for a new key or a person; one that met a transient fault is tried again after a while. A run
that nobody wants any more is ended before a new one begins.
"""

from collections.abc import Iterator, Mapping

from gitwf.delivery import action, claiming, document, entry, gates, keys, occasion, supersede
from gitwf.delivery import facts as ledger_facts
from gitwf.delivery import observed as seen
from gitwf.values import Instant
from gitwf.workflow import blame, record


def plan(view: seen.ModelView, observed: seen.Observed, now: Instant) -> Iterator[action.Action]:
    """Say what to do about the runs of one model, in order."""
    facts = observed.facts
    wish = occasion.wanted(view, facts)
    busy = False
    for claim in facts.open_claims(view.name):
        if claim.owner == observed.me and claim.key != wish.key:
            busy = True
            yield _unwanted(claim, view, observed, now)
    yield from orphans(view.name, observed)
    if busy:
        return
    yield from _towards(wish, view, observed, now)


def orphans(model: str, observed: seen.Observed) -> Iterator[action.Action]:
    """Cancel runs of this process whose claim somebody else took over."""
    for run, held in observed.runs.items():
        if held.claim.model != model or claiming.holds(observed.facts, held.claim):
            continue
        if held.cancelled or (held.record is not None and held.record.over):
            continue
        latest = observed.facts.latest_claim(model, held.claim.key)
        if latest is None or latest.nonce == held.claim.nonce:
            continue
        yield action.Cancel(model, f"{latest.owner} took the run over", held.claim, run)


def forgotten(model: str, observed: seen.Observed, now: Instant) -> Iterator[action.Action]:
    """Give up the runs of a pipeline that is no longer at HEAD, and name what it left."""
    for environment in observed.left.get(model, ()):
        why = "its pipeline is no longer there; what is served is left as it is"
        hint = f"gitwf down {environment} --model {model}, then delete its release file"
        yield action.Report(model, environment, action.State.HELD, why, hint)
    for claim in observed.facts.open_claims(model):
        if claim.owner == observed.me:
            yield _let_go(claim, observed, now, "its pipeline is no longer there")


def _unwanted(
    claim: entry.Claim, view: seen.ModelView, observed: seen.Observed, now: Instant
) -> action.Action:
    held = observed.runs.get(_run_id(claim, observed))
    shown = held.record if held is not None else None
    # What is finished is kept: its key may be wanted again.
    if shown is not None and (
        shown.over or supersede.goes_on(claim, observed.facts, view.pipeline, observed.project)
    ):
        return _own(claim, observed, now, view)
    return _let_go(claim, observed, now, "a newer commit wants another run")


def _let_go(claim: entry.Claim, observed: seen.Observed, now: Instant, why: str) -> action.Action:
    run = _run_id(claim, observed)
    held = observed.runs.get(run)
    if held is not None and (held.record is None or not held.record.over):
        if held.cancelled:
            return _wait(claim.model, f"version {claim.version} is being cancelled: {why}")
        return action.Cancel(claim.model, why, claim, run)
    return _end(claim, run, "superseded", why, now)


def _towards(
    wish: occasion.Wish, view: seen.ModelView, observed: seen.Observed, now: Instant
) -> Iterator[action.Action]:
    """Bring the run that HEAD wants to a result."""
    facts = observed.facts
    if facts.has_result(view.name, wish.key):
        return
    latest = facts.latest_claim(view.name, wish.key)
    if latest is None:
        yield _claim(wish, view, observed, now)
        return
    ended = facts.end_of(latest)
    if ended is not None:
        yield _again(latest, ended, view, observed, now)
    elif latest.owner == observed.me:
        yield _own(latest, observed, now, view)
    elif latest.nonce in observed.gone:
        why = observed.gone[latest.nonce]
        yield _reclaim(latest, f"take version {latest.version} over: {why}", observed, now)
    else:
        yield _wait(view.name, f"version {latest.version} runs: {latest.owner} holds the claim")


def _own(
    claim: entry.Claim, observed: seen.Observed, now: Instant, view: seen.ModelView
) -> action.Action:
    """Say what to do about an open claim of this process."""
    run = _run_id(claim, observed)
    if run in observed.finished:
        return _wait(claim.model, "the ledger that was read lacks what this process wrote")
    held = observed.runs.get(run)
    if held is None or held.claim.nonce != claim.nonce:
        reason = f"run version {claim.version}"
        return action.Run(claim.model, reason, claim, run, view.pipeline, view.file)
    if held.record is None or not held.record.over:
        return _wait(claim.model, f"version {claim.version} is running")
    if held.record.phase is not record.Phase.SUCCEEDED:
        if held.cancelled:
            why = held.record.message or "it was cancelled"
            return _end(claim, run, "superseded", why, now)
        found = blame.find(held.record)
        node = found.node if found is not None else ""
        outcome = claiming.outcome(held.record)
        return _end(claim, run, outcome, blame.summary(held.record), now, node)
    return _accept(held, run, held.record, observed)


def _claim(
    wish: occasion.Wish, view: seen.ModelView, observed: seen.Observed, now: Instant
) -> action.Action:
    at_least = view.named()
    version = claiming.next_version(observed.facts, view.name, at_least)
    changed = changes(view, observed.facts)
    draft = entry.Claim(
        view.name,
        wish.key,
        1,
        version,
        view.request().commit,
        observed.nonce,
        observed.me,
        now,
        observed.lease,
        observed.head,
        parts=view.parts.body(wish.occasion),
    )
    why = wish.why or ("; ".join(changed) if changed else "it was never trained")
    return action.Claim(
        view.name,
        f"train version {version}: {why}",
        draft,
        at_least,
        f"Claim {view.name}@{version}",
        claiming.claim(draft, at_least),
        changed,
    )


def changes(view: seen.ModelView, facts: ledger_facts.Facts) -> tuple[str, ...]:
    """Say which parts of the key differ from the newest version made; () when none was."""
    for number in facts.numbers(view.name):
        first = next(iter(facts.claims(view.name, facts.key_of(view.name, number) or "")), None)
        if first is not None and first.parts:
            return keys.explain(keys.KeyParts.read(first.parts), view.parts)
    return ()


def _again(
    latest: entry.Claim,
    ended: entry.Ended,
    view: seen.ModelView,
    observed: seen.Observed,
    now: Instant,
) -> action.Action:
    """Say whether a key whose last attempt gave nothing is tried again, and when."""
    facts, settings = observed.facts, observed.project.spec.retries
    number = latest.version
    allowed = {retry.attempt: retry for retry in facts.retries(view.name, latest.key)}
    if retry := allowed.get(latest.attempt):
        reason = f"try version {number} again: {retry.who} asked for it"
        return _reclaim(latest, reason, observed, now)
    if ended.outcome in {"cancelled", "superseded"}:
        reason = f"try version {number} again: it was {ended.outcome} and is wanted once more"
        return _reclaim(latest, reason, observed, now)
    if ended.outcome == "transient":
        tries = transient_in_a_row(facts, latest, allowed)
        due = ended.at.after(document.seconds(settings.backoff) * 2 ** (tries - 1))
        if tries < settings.limit and now < due:
            why = f"version {number} is tried again at {due.rfc3339()}: {ended.reason}"
            return action.Report(view.name, "", action.State.WAITING, why, until=due)
        if tries < settings.limit:
            reason = f"try version {number} again ({tries + 1} of {settings.limit}): {ended.reason}"
            return _reclaim(latest, reason, observed, now)
    return action.Report(
        view.name,
        "",
        action.State.FAILED,
        f"version {number} failed: {ended.reason}",
        f"`{blame.log_command(_run_id(latest, observed), ended.node)}`; then push a change, or "
        f"`gitwf retry {view.name}`",
    )


def transient_in_a_row(
    facts: ledger_facts.Facts, latest: entry.Claim, allowed: Mapping[int, object]
) -> int:
    """How many attempts up to the latest met a transient fault since a person last had a say."""
    count = 0
    for ended in reversed(facts.ended(latest.model, latest.key)):
        if ended.outcome != "transient" or (ended.attempt in allowed and count):
            break
        count += 1
    return count


def _reclaim(
    latest: entry.Claim,
    reason: str,
    observed: seen.Observed,
    now: Instant,
) -> action.Action:
    draft = entry.Claim(
        latest.model,
        latest.key,
        latest.attempt + 1,
        latest.version,
        latest.request,
        observed.nonce,
        observed.me,
        now,
        observed.lease,
        observed.head,
        reason=reason,
        after=latest.attempt,
    )
    return action.Reclaim(
        latest.model,
        reason,
        draft,
        f"Claim attempt {draft.attempt} of {latest.model}@{latest.version}",
        claiming.reclaim(draft),
    )


def _end(
    claim: entry.Claim,
    run: str,
    outcome: entry.Outcome,
    why: str,
    now: Instant,
    node: str = "",
) -> action.Action:
    ended = entry.Ended(claim.model, claim.key, claim.attempt, outcome, why, now, node)
    return action.End(
        claim.model,
        f"version {claim.version} ended without a result: {why}",
        ended,
        run,
        f"End attempt {claim.attempt} of {claim.model}@{claim.version}: {outcome}",
        claiming.end(claim, ended),
    )


def _accept(
    held: seen.Held, run: str, done: record.RunRecord, observed: seen.Observed
) -> action.Action:
    claim, model = held.claim, held.pipeline.spec.model
    at = done.finished or claim.at
    metrics, problem = gates.metrics(done, model.metrics if model is not None else "")
    if problem:
        return _end(claim, run, "failed", problem, at)
    made_of = observed.facts.claims(claim.model, claim.key)[0].parts
    draft = entry.Result(
        claim.model,
        claim.key,
        claim.attempt,
        claim.version,
        claim.commit,
        held.file,
        observed.project.spec.engine.name,
        done.started or claim.at,
        at,
        metrics=metrics,
        parameters=made_of["parameters"],
        inputs=made_of["inputs"],
        outputs=dict(done.outputs.parameters),
    )
    return action.Accept(
        claim.model,
        f"version {claim.version} is done: keep what it gave",
        claim,
        run,
        model.artifact if model is not None else "",
        draft,
        f"Record the result of {claim.model}@{claim.version}",
        lambda result: claiming.accept(claim, result),
    )


def _wait(model: str, reason: str) -> action.Report:
    return action.Report(model, "", action.State.WAITING, reason)


def _run_id(claim: entry.Claim, observed: seen.Observed) -> str:
    shared = observed.project.spec.engine.name == "argo"
    return claiming.run_id(observed.facts, claim, shared=shared)
