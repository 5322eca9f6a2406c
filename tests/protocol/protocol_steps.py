"""The steps of the world: what processes, people and bad luck can do next.

`successors` gives every next state with the name of its step; `settle` lets one clean process run
to its end and returns the last state. A process's pass is three steps (read targets; read head,
ledger and rollouts; act), so that anything may happen between them.
"""

import dataclasses
from collections.abc import Iterator

import protocol_world as world
from protocol_world import MODEL, Budget, Proc, Run, State, Target, Universe

from gitwf.delivery import action, entry, release, serving, writing
from gitwf.values import Digest

RolloutState = serving.RolloutState


def successors(universe: Universe, state: State) -> Iterator[tuple[str, State]]:
    """Every step that is possible in `state`."""
    for index, proc in enumerate(state.procs):
        yield from process(universe, state, index, proc)
    budget = state.budget
    if budget.events:
        name, *arguments = budget.events[0]
        left = state._replace(budget=budget._replace(events=budget.events[1:]))
        yield " ".join(budget.events[0]), person(universe, left, name, *arguments)


def process(universe, state, index, proc) -> Iterator[tuple[str, State]]:
    """Every step of one process, and what may befall it."""
    who, budget = f"p{index}", state.budget
    if proc.targets is None:
        yield f"{who} reads targets", put(state, index, proc._replace(targets=state.targets))
    elif not proc.head:
        yield f"{who} reads", put(state, index, read(state, proc, state.head, state.ledger))
        if budget.stale:
            yield from stale_reads(universe, state, index, proc)
    else:
        yield from acts(universe, state, index, proc)
    for place, run in enumerate(proc.runs):
        if run.state == "running":
            runs = (*proc.runs[:place], run._replace(state="over"), *proc.runs[place + 1 :])
            yield f"{who} ends {run.id}", put(state, index, proc._replace(runs=runs))
    yield from mishaps(universe, state, index, proc)


def stale_reads(universe, state, index, proc) -> Iterator[tuple[str, State]]:
    """A server that answers with the head or the ledger as it was one push before."""
    who, budget = f"p{index}", state.budget
    spent = state._replace(budget=budget._replace(stale=budget.stale - 1))
    if state.before and not proc.reread:
        stale = read(state, proc, state.before, state.ledger)
        yield f"{who} reads an old head", put(spent, index, stale)
    before = universe.ledgers[state.ledger_before].entries.keys()
    # Rule 1: a process refuses a ledger that lacks what it has seen.
    if state.ledger_before != state.ledger and universe.ledgers[proc.saw].entries.keys() <= before:
        stale = read(state, proc, state.head, state.ledger_before)
        yield f"{who} reads an old ledger", put(spent, index, stale)


def mishaps(universe, state, index, proc) -> Iterator[tuple[str, State]]:
    """A kill, and the wrong belief that another process is dead."""
    who, budget = f"p{index}", state.budget
    if budget.crashes and (proc.targets is not None or proc.runs):
        spent = state._replace(budget=budget._replace(crashes=budget.crashes - 1))
        spent = spent._replace(interruptions=state.interruptions + 1)
        yield f"{who} is killed", put(spent, index, Proc(life=proc.life + 1))
    if budget.suspicions:
        for claim in universe.open_claims(state.ledger):
            if claim.owner.pid // 100 != index and claim.nonce not in proc.suspects:
                spent = state._replace(budget=budget._replace(suspicions=budget.suspicions - 1))
                spent = spent._replace(interruptions=state.interruptions + 1)
                suspects = proc.suspects | {claim.nonce}
                yield f"{who} suspects", put(spent, index, proc._replace(suspects=suspects))


# What makes a push and an apply safe; a test that shows why takes one away.
COMPARE_HEAD = True
COMPARE_TARGET = True


def read(state: State, proc: Proc, head: str, ledger: str) -> Proc:
    """Read the branch, the ledger and how rollouts go; the targets were read before."""
    rollouts = tuple(
        progress(seen, now) for seen, now in zip(proc.targets, state.targets, strict=True)
    )
    saw = ledger if state.budget.stale else ""
    return proc._replace(head=head, ledger=ledger, rollouts=rollouts, saw=saw)


def progress(seen: Target, now: Target) -> RolloutState | None:
    """Answer as a target does when it is asked how the release it was seen with goes on."""
    if not seen.release:
        return None
    return now.outcome if now.release == seen.release else RolloutState.SUPERSEDED


def put(state: State, index: int, proc: Proc) -> State:
    return state._replace(procs=(*state.procs[:index], proc, *state.procs[index + 1 :]))


def gone(universe: Universe, state: State, proc: Proc, index: int) -> dict[str, str]:
    """The claims whose owners are dead (their life is over) or believed so."""
    found = dict.fromkeys(proc.suspects, "it seems dead")
    for claim in universe.open_claims(proc.ledger):
        number, life = divmod(claim.owner.pid, 100)
        if number >= len(state.procs) or state.procs[number].life > life:
            found[claim.nonce] = "its process is gone"
    return found


def acts(universe, state, index, proc) -> Iterator[tuple[str, State]]:
    """Carry out the first action of the plan, or find nothing to do."""
    plan = universe.plan(proc, index, gone(universe, state, proc, index))
    fresh = proc._replace(targets=None, head="", ledger="", rollouts=(), reread=False)
    for wanted in plan.pending:
        if isinstance(wanted, action.Watch) and not unsettled(universe, state, wanted):
            continue
        if isinstance(wanted, action.Cancel | action.Run) and not moves(wanted, proc):
            continue
        name = f"p{index} {type(wanted).__name__}"
        done = perform(universe, state, index, fresh, wanted, proc)
        if state.budget.stale and done.ledger != state.ledger:
            done = put(done, index, done.procs[index]._replace(saw=done.ledger))
        yield name, done
        if state.budget.lost and isinstance(wanted, action.Accept):
            # The answer is lost: the entry is there, and the process does not know.
            budget = state.budget._replace(lost=state.budget.lost - 1)
            unaware = put(done, index, fresh)._replace(budget=budget)
            yield f"{name}, unaware", unaware
        return
    yield f"p{index} rests", put(state, index, fresh)


def moves(wanted: action.Cancel | action.Run, proc: Proc) -> bool:
    held = {run.id: run for run in proc.runs}
    if isinstance(wanted, action.Cancel):
        return wanted.run in held and held[wanted.run].state == "running"
    return True


def unsettled(universe: Universe, state: State, wanted: action.Watch) -> bool:
    if wanted.version in universe.slow:
        return False
    target = state.targets[universe.environments.index(wanted.environment)]
    return target.outcome is RolloutState.PROGRESSING and target.release == wanted.release


def perform(universe, state, index, fresh, wanted, proc) -> State:
    """Carry out one action against the world as it is now; a lost race changes nothing."""
    idle = put(state, index, fresh)
    match wanted:
        case action.Run() | action.Cancel() | action.End() | action.Accept():
            return perform_run(universe, state, index, fresh, wanted, proc)
        case action.Publish():
            if state.head != wanted.expected and COMPARE_HEAD:
                return idle
            by = f"{index}.{proc.life}"
            return push(idle, universe.commit(state.head, dict(wanted.edits), by))
        case action.RollOut():
            return roll_out(universe, idle, wanted)
        case action.Watch():
            return watch(universe, idle, wanted)
        case action.Reread():
            # Its targets were read before; the head must now come from the remote.
            return put(state, index, fresh._replace(targets=proc.targets, reread=True))
    return append(universe, idle, wanted.decide)


def perform_run(universe, state, index, fresh, wanted, proc) -> State:
    """Carry out an action that is about a run of this process."""
    others = tuple(one for one in fresh.runs if one.id != wanted.run)
    match wanted:
        case action.Run(claim=claim, run=run):
            universe.claims[run, claim.attempt] = first_of(universe, proc, claim)
            started = fresh._replace(runs=(*others, Run(run, claim.key, claim.attempt)))
            known = len(others) < len(fresh.runs)
            starts = state.starts if known else tuple(sorted((*state.starts, claim.key)))
            return put(state, index, started)._replace(starts=starts)
        case action.Cancel(run=run):
            runs = tuple(
                one._replace(state="cancelled") if one.id == run else one for one in fresh.runs
            )
            return put(state, index, fresh._replace(runs=runs))
    done = fresh._replace(runs=others, finished=fresh.finished | {wanted.run})
    decide = wanted.decide
    if isinstance(wanted, action.Accept):
        claim = wanted.claim
        digest = Digest.of(f"{claim.key} {claim.nonce}".encode())
        decide = wanted.decide(wanted.result(f"store/{digest.hex}", digest))
    return append(universe, put(state, index, done), decide)


def first_of(universe: Universe, proc: Proc, claim: entry.Claim) -> entry.Claim:
    first = universe.ledgers[proc.ledger].claims(MODEL, claim.key)[0]
    return dataclasses.replace(claim, parts=first.parts)


def append(universe: Universe, state: State, decide: action.Decide) -> State:
    ledger = universe.append(state.ledger, decide(universe.ledgers[state.ledger]) or {})
    if ledger == state.ledger:
        return state
    return state._replace(ledger=ledger, ledger_before=state.ledger)


def push(state: State, head: str) -> State:
    return state._replace(head=head, before=state.head)


def roll_out(universe: Universe, state: State, wanted: action.RollOut) -> State:
    place = universe.environments.index(wanted.environment)
    target = state.targets[place]
    revision = str(target.revision) if target.release else ""
    if revision != wanted.based_on and COMPARE_TARGET:
        return state
    new = Target(target.revision + 1, wanted.release, wanted.version, wanted.digest)
    # Going back is right where the branch itself went back and no longer has what is served.
    back = universe.is_before(wanted.release, target.release)
    back &= any(commit.id == target.release for commit in universe.history(state.head))
    targets = (*state.targets[:place], new, *state.targets[place + 1 :])
    return state._replace(targets=targets, went_back=state.went_back or back)


def watch(universe: Universe, state: State, wanted: action.Watch) -> State:
    """The rollout comes to its end."""
    place = universe.environments.index(wanted.environment)
    letter = universe.letter_of(state.ledger, wanted.version)
    outcome = RolloutState.FAILED if letter in universe.bad else RolloutState.COMPLETE
    new = state.targets[place]._replace(outcome=outcome)
    return state._replace(targets=(*state.targets[:place], new, *state.targets[place + 1 :]))


# People


def _push_code(universe: Universe, state: State, letter: str) -> State:
    return push(state, universe.commit(state.head, {world.CODE: letter.encode()}))


def _revert_release(universe: Universe, state: State, environment: str = "prod") -> State:
    """`git revert` of the last release commit; nothing when there is none."""
    path, last = release.path(MODEL, environment), universe.trail(state.head, environment).last
    if last is None:
        return state
    before = universe.commits[universe.commits[last.commit].parent].read(path)
    return push(state, universe.commit(state.head, {path: before}))


def _force(universe: Universe, state: State, steps: str) -> State:
    head = state.head
    for _ in range(int(steps)):
        head = universe.commits[head].parent or head
    return push(state, head)


def edited(universe, state, environment, change) -> State:
    """A person edits a release file by hand; nothing when there is none."""
    path = release.path(MODEL, environment)
    source = universe.commits[state.head].read(path)
    if source is None:
        return state
    old = world.release_of(source, path).model_dump(mode="json", by_alias=True)
    change(old["spec"])
    if old["evidence"] is None:
        del old["evidence"]
    return push(state, universe.commit(state.head, {path: writing.whole(old)}))


def _hold(universe: Universe, state: State) -> State:
    return edited(universe, state, "prod", lambda spec: spec["hold"].update(all=True))


def _unhold(universe: Universe, state: State) -> State:
    return edited(universe, state, "prod", lambda spec: spec["hold"].update(all=False))


def _hand(universe: Universe, state: State, version: str, environment: str = "prod") -> State:
    """A person names a version by hand; nothing while it has no result."""
    result = universe.ledgers[state.ledger].result_of(MODEL, int(version))
    if result is None:
        return state
    named = {"version": result.version, "uri": result.uri, "digest": result.digest}
    return edited(universe, state, environment, lambda spec: spec.update(named))


def _reject(universe: Universe, state: State, version: str) -> State:
    path = release.rejected_path(MODEL)
    row = release.RejectedVersion(version=int(version), reason="it is wrong", by="person")
    old = universe.commits[state.head].read(path)
    edits = {path: writing.rejecting(old, MODEL, (row,))}
    return push(state, universe.commit(state.head, edits))


def person(universe: Universe, state: State, name: str, *arguments: str) -> State:
    """Let a person do something, and remember for the laws whose commit it was."""
    after = PEOPLE[name](universe, state, *arguments)
    if name != "force" and after.head != state.head:
        universe.people.add(after.head)
    return after


PEOPLE = {
    "push": _push_code,
    "revert-release": _revert_release,
    "force": _force,
    "hold": _hold,
    "unhold": _unhold,
    "hand": _hand,
    "reject": _reject,
}


def observe(universe: Universe, state: State, index: int) -> State:
    """Let a process read everything, and stop before it acts."""
    proc = state.procs[index]._replace(targets=state.targets)
    return put(state, index, read(state, proc, state.head, state.ledger))


def act(universe: Universe, state: State, index: int) -> State:
    """Let a process that has read everything do what it planned."""
    return next(acts(universe, state, index, state.procs[index]))[1]


def until(universe: Universe, state: State, wanted: type, index: int = 0) -> State:
    """Let a process work until its plan's next action is of the kind `wanted`; do not do it."""
    for _ in range(40):
        seen = observe(universe, ended(state, index), index)
        proc = seen.procs[index]
        pending = universe.plan(proc, index, gone(universe, seen, proc, index)).pending
        if pending and isinstance(pending[0], wanted):
            return ended(state, index)
        state = one_pass(universe, state, index)
    raise AssertionError("the plan never came to it")


def kill(state: State, index: int) -> State:
    """End a process; another life takes its place."""
    life = state.procs[index].life + 1
    return put(state, index, Proc(life=life))._replace(interruptions=state.interruptions + 1)


def begin(
    universe: Universe,
    code: str = "A",
    *,
    procs: int = 2,
    events: tuple[tuple[str, ...], ...] = (),
    **budget: int,
) -> State:
    """A repository whose first commit has `code`, with `procs` idle processes."""
    head = universe.commit("", {world.CODE: code.encode()})
    universe.people.add(head)
    return State(
        head,
        "",
        tuple(Target() for _ in universe.environments),
        tuple(Proc() for _ in range(procs)),
        Budget(events=events, **budget),
        ledger_before="",
    )


def alone(state: State) -> State:
    """The same world with everybody dead and one new process."""
    return state._replace(procs=(Proc(life=99),), budget=Budget(), before="", ledger_before="")


def settle(universe: Universe, state: State, *, steps: int = 80) -> State:
    """Let one clean process run to its end, everybody else being dead. The world it leaves."""
    return run(universe, alone(state), steps=steps)


def one_pass(universe: Universe, state: State, index: int = 0) -> State:
    """A whole pass of one process with nothing in between; runs in hand come to their end."""
    proc = ended(state, index).procs[index]
    proc = read(state, proc._replace(targets=state.targets), state.head, state.ledger)
    ((_, after),) = acts(universe, state._replace(budget=Budget()), index, proc)
    return after._replace(budget=state.budget)


def ended(state: State, index: int) -> State:
    """Let the runs that a process has in hand succeed."""
    proc = state.procs[index]
    runs = tuple(r._replace(state="over") if r.state == "running" else r for r in proc.runs)
    return put(state, index, proc._replace(runs=runs))


def run(universe: Universe, state: State, index: int = 0, *, until=None, steps: int = 80) -> State:
    """Let one process of `state` work alone, until it rests or until the world is as wanted."""
    for _ in range(steps):
        if until is not None and until(state):
            return state
        after = one_pass(universe, state, index)
        if after == state:
            return state
        state = after
    raise AssertionError("it does not come to rest")


def without_ending(universe, state, index, passes):
    """Let a process work while the runs in its hand go on."""
    for _ in range(passes):
        state = act(universe, observe(universe, state, index), index)
    return state


def let_finish(universe):
    """B's run is let finish by p0, the one before it having been cancelled, and C is pushed."""
    state = without_ending(universe, begin(universe), 0, 2)
    state = without_ending(universe, person(universe, state, "push", "B"), 0, 4)
    (running,) = state.procs[0].runs
    assert (running.state, len(state.starts)) == ("running", 2)
    return person(universe, state, "push", "C")
