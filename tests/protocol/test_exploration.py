"""Every order of steps within bounds: several reconcilers, people, crashes, stale reads.

Breadth first from a repository with one commit. A process's pass is three steps (read targets;
read head, ledger and rollouts; act), and between any two of them anything else may happen: a step
of another process, the next thing that people do, a kill, a wrong suspicion that an owner is dead,
an answer that is lost, an old head or an old ledger. In every state the laws of the moment hold;
from every state one clean process runs to its end, where the laws of rest hold. The bounds: two or
three processes, the events and mishaps each scenario names, one model, and at most `most` states,
which the small scenarios do not reach: those are explored to the end. Not in it: real clocks, merge
histories, partial writes; schedules and gates have tests of their own.
"""

import protocol_laws as laws
import protocol_steps as steps
import protocol_world as world
import pytest

A_MISHAP_EACH = {
    "two processes": ({}, {}, 651),
    "a kill": ({}, {"crashes": 1}, 5259),
    "a wrong suspicion": ({}, {"suspicions": 1}, 4383),
    "a lost answer": ({}, {"lost": 1}, None),
    "a release revert": ({}, {"events": (("revert-release",),)}, None),
    "a force-push": ({}, {"events": (("force", "1"),)}, None),
}

SEVERAL = {
    "a push": ({}, {"events": (("push", "B"),)}),
    "a push and a kill, alone": ({}, {"procs": 1, "crashes": 1, "events": (("push", "B"),)}),
    "a code revert and a kill": (
        {},
        {"procs": 1, "crashes": 1, "events": (("push", "B"), ("push", "A"))},
    ),
    "a release revert and later code": (
        {},
        {"procs": 1, "events": (("push", "B"), ("revert-release",), ("push", "C"))},
    ),
    "a release revert and a kill": (
        {},
        {"procs": 1, "crashes": 1, "events": (("push", "B"), ("revert-release",))},
    ),
    "a hand edit and a kill": (
        {},
        {"procs": 1, "crashes": 1, "events": (("push", "B"), ("hand", "1"))},
    ),
    "a rejection and a kill": (
        {},
        {"procs": 1, "crashes": 1, "events": (("push", "B"), ("reject", "2"))},
    ),
    "a hold": ({}, {"events": (("push", "B"), ("hold",))}),
    "a bad version": ({"bad": "B"}, {"events": (("push", "B"),)}),
    "only bad versions": ({"bad": "AB"}, {"crashes": 1, "events": (("push", "B"),)}),
    "an old head or ledger": ({}, {"stale": 1, "events": (("push", "B"),)}),
    "a force-push and a kill": (
        {},
        {"crashes": 1, "procs": 1, "events": (("push", "B"), ("force", "1"))},
    ),
    "three processes": ({}, {"procs": 3}),
    "a chain": (
        {
            "environments": ("staging", "prod"),
            "promote": {"prod": {"after": "staging"}},
        },
        {"procs": 1, "crashes": 1, "events": (("push", "B"), ("revert-release", "staging"))},
    ),
}
MOST = 4_000


@pytest.mark.parametrize("name", A_MISHAP_EACH)
def test_the_laws_hold_with_one_mishap_explored_to_the_end(name):
    rules, course, states = A_MISHAP_EACH[name]
    universe = world.Universe(**rules)
    explorer = laws.Explorer(universe)

    visited = explorer.explore(steps.begin(universe, **course))

    assert explorer.complete
    assert states in {None, visited}


def test_exploring_finds_the_way_to_break_a_looser_rule(monkeypatch):
    """F2 again, found by nobody but the search: a claim that nobody ever takes over."""
    monkeypatch.setattr(steps, "gone", lambda *_: {})
    explorer = laws.Explorer(world.Universe())

    with pytest.raises(AssertionError) as caught:
        explorer.explore(steps.begin(explorer.universe, crashes=1))

    assert str(caught.value).splitlines() == [
        "HEAD was never trained",
        "  after p0 reads targets | p0 reads | p0 Claim",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", SEVERAL)
def test_the_laws_hold_through_several_mishaps(name):
    rules, course = SEVERAL[name]
    universe = world.Universe(**rules)
    explorer = laws.Explorer(universe)

    explorer.explore(steps.begin(universe, **course), most=MOST)
