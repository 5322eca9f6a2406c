"""The laws, checked against what was done and not against what the decisions say of themselves.

`moment` holds in every state, `history` for the branch that survived, `rest` where one clean
process has come to rest. Whose commit is whose is known here because the world wrote it down.
"""

import itertools
from collections import Counter

import protocol_steps as steps
import protocol_world as world
from protocol_world import MODEL, State, Universe

from gitwf.delivery import facts, release, serving


def moment(universe: Universe, state: State) -> None:
    """Nothing is trained too often, no number belongs to two keys, nothing served goes back."""
    known = universe.ledgers[state.ledger]
    for key, count in Counter(state.starts).items():
        allowed = 1 + state.interruptions + len(known.ended(MODEL, key))
        assert count <= allowed, f"{key[:8]} was started {count} times"
    if state.ledger not in universe.sound:
        numbers(known)
        universe.sound.add(state.ledger)
    assert not state.went_back, "an older release was applied over a newer one"


def numbers(known: facts.Facts) -> None:
    """Every key has one number and every number one key."""
    versions = known.versions(MODEL)
    assert len(set(versions.values())) == len(versions), "two numbers for one key"
    for key in known.keys(MODEL):
        first, *others = {claim.version for claim in known.claims(MODEL, key)}
        assert not others, "two numbers for one key"
        assert versions[first] == key, "one number for two keys"


def history(universe: Universe, head: str, environment: str = "prod") -> None:
    """Automation promoted nothing twice, nothing barred, nothing older than what it had promoted,
    and took no person's commit for its own."""
    commits = list(universe.history(head))[::-1]
    path, promoted = release.path(MODEL, environment), set()
    wanted_until = -1
    kinds = {one.commit: one.kind for one in universe.trail(head, environment).changes}
    for before, after in itertools.pairwise(commits):
        old, new = named(before, path), named(after, path)
        if old == new:
            continue
        person = after.id in universe.people
        assert person == (kinds[after.id] == "person"), f"whose commit is {after.id[:8]}?"
        if person or new is None:
            continue
        rejected = before.read(release.rejected_path(MODEL))
        if rejected:
            numbers = release.load_rejections(rejected, release.rejected_path(MODEL)).numbers()
            assert new not in numbers, f"version {new} was rejected"
        assert not withdrawn(universe, commits, after, path, new), f"{new} was withdrawn"
        if kinds[after.id] != "promote":
            continue
        request = universe.request(before.id).commit
        assert (request, new) not in promoted, f"version {new} twice for one request"
        promoted.add((request, new))
        source = before.read(path)
        since = last_wanted(universe, before, code_of(after, path))
        assert since >= wanted_until, f"version {new}, of an older request, overwrote a newer one's"
        wanted_until = since
        held = source is not None and world.release_of(source, path).spec.hold.all
        assert not held, "promoted although a person holds"


def code_of(commit: world.Commit, path: str) -> str:
    """The code that the named version was made of, as its evidence says."""
    return world.release_of(commit.read(path), path).evidence.parameters["code"]


def last_wanted(universe: Universe, head: world.Commit, code: str) -> int:
    """The depth from the root at which the branch up to `head` had `code` last; -1: never."""
    found = (one for one in universe.history(head.id) if one.read(world.CODE) == code.encode())
    return max((one.depth for one in found), default=-1)


def named(commit: world.Commit, path: str) -> int | None:
    """The version that a release file names at a commit."""
    source = commit.read(path)
    return world.release_of(source, path).spec.version if source is not None else None


def withdrawn(universe, commits, until, path, version) -> bool:
    """Whether a person was the last to leave `version` for an earlier one before `until`."""
    last = False
    for before, after in itertools.pairwise(commits):
        if after.id == until.id:
            break
        old, new = named(before, path), named(after, path)
        if old == version and new != version:
            last = after.id in universe.people and (new is None or new < version)
    return last


def rest(universe: Universe, state: State, environment: str = "prod") -> None:
    """HEAD is trained; what it names is served; HEAD's version is named or barred for a reason."""
    known = universe.ledgers[state.ledger]
    key = universe.parts(universe.commits[state.head]).key()
    result = known.result(MODEL, key)
    assert result is not None, "HEAD was never trained"
    path = release.path(MODEL, environment)
    commit = universe.commits[state.head]
    version = named(commit, path)
    if version != result.version:
        why = barred(universe, state, environment, result.version)
        assert why, f"version {result.version} is at rest unreleased"
    if version is None:
        return
    last = universe.trail(state.head, environment).last
    target = state.targets[universe.environments.index(environment)]
    served = known.result_of(MODEL, version)
    assert (target.release, target.version) == (last.commit, version), "HEAD is not served"
    assert target.digest == served.digest, "other bytes are served than were recorded"
    if target.outcome is not serving.RolloutState.COMPLETE:
        assert last.kind == "rollback", f"version {version} is down and nobody goes back"


def barred(universe: Universe, state: State, environment: str, version: int) -> bool:
    """Whether there is a reason in plain sight that `version` is not named."""
    path = release.path(MODEL, environment)
    commits = list(universe.history(state.head))
    depth = universe.request(state.head).depth
    source = commits[0].read(path)
    hold = world.release_of(source, path).spec.hold if source is not None else release.Hold()
    rejected = commits[0].read(release.rejected_path(MODEL))
    known = universe.ledgers[state.ledger]
    request = universe.request(state.head).commit
    return (
        hold.all
        or version in hold.versions
        or (source is None and any(named(one, path) is not None for one in commits))
        or any(named(one, path) == version for one in commits[: depth + 1])
        or any(
            (one.request, one.version) == (request, version)
            for one in known.releases(MODEL, environment)
        )
        or universe.letter_of(state.ledger, version) in universe.bad
        or (
            rejected is not None
            and version in release.load_rejections(rejected, release.rejected_path(MODEL)).numbers()
        )
        or withdrawn(universe, [*commits[::-1], commits[0]], commits[0], path, version)
        or any(not verdict.passed for verdict in known.verdicts(MODEL, environment, version))
    )


class Explorer:
    """Visits every state within bounds, and lets a clean process finish from each."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.ends: dict[object, State] = {}
        self.checked: set[str] = set()
        self.rested: set[object] = set()
        self.complete = True

    def explore(self, start: State, *, most: int = 1_000_000) -> int:
        """Breadth first from `start`; the number of states visited. AssertionError: the way."""
        came_from: dict[State, tuple[State, str] | None] = {start: None}
        level = [start]
        while level:
            ahead: list[State] = []
            for state in level:
                try:
                    self.check(state)
                except AssertionError as error:
                    way = " | ".join(path_to(came_from, state))
                    raise AssertionError(f"{error}\n  after {way}") from error
                for step, after in steps.successors(self.universe, state):
                    if after not in came_from:
                        if len(came_from) >= most:
                            self.complete = False
                            continue
                        came_from[after] = (state, step)
                        ahead.append(after)
            level = ahead
        return len(came_from)

    def check(self, state: State) -> None:
        """Every law, now and after one clean process has run to its end."""
        moment(self.universe, state)
        if state.head not in self.checked:
            for environment in self.universe.environments:
                history(self.universe, state.head, environment)
            self.checked.add(state.head)
        end = self.end(state)
        if (end.head, end.ledger, end.targets) in self.rested:
            return
        self.rested.add((end.head, end.ledger, end.targets))
        for environment in self.universe.environments:
            if self.universe.pipeline.deploy(environment).promote == "auto":
                rest(self.universe, end, environment)

    def end(self, state: State) -> State:
        """The world at rest; ways that met before are not walked again."""
        walked = []
        here = steps.alone(state)
        while True:
            key = (here.head, here.ledger, here.targets, here.procs)
            if key in self.ends:
                end = self.ends[key]
                break
            walked.append(key)
            assert len(walked) < 80, "it does not come to rest"
            after = steps.one_pass(self.universe, here)
            if after == here:
                end = here
                break
            here = after
        if end.head not in self.checked:
            for environment in self.universe.environments:
                history(self.universe, end.head, environment)
            self.checked.add(end.head)
        assert not end.went_back or state.went_back, "a clean process went back"
        for key in walked:
            self.ends[key] = end
        return end


def path_to(came_from, state) -> list[str]:
    """The steps that led to `state`."""
    way = []
    while came_from[state] is not None:
        state, step = came_from[state]
        way.append(step)
    return way[::-1]
