"""Long random schedules, far beyond what can be explored in full: every mishap, many people.

Three processes, twelve random things that people do, kills, suspicions, lost answers and stale
reads, in any order. The laws of the moment hold all along, and one clean process brings the world
to rest from wherever the walk ends.
"""

import random

import protocol_laws as laws
import protocol_steps as steps
import pytest
from protocol_steps import begin
from protocol_world import Universe

EVENTS = (
    *[("push", letter) for letter in "ABCDAB"],
    ("revert-release",),
    ("revert-release",),
    ("hold",),
    ("unhold",),
    ("unhold",),
    ("hand", "1"),
    ("hand", "2"),
    ("reject", "1"),
    ("reject", "3"),
    ("force", "1"),
    ("force", "2"),
)


CHANGE = 0.15
MISHAPS = ("is killed", "suspects", "unaware", "an old head", "an old ledger")


def kind(step):
    """Who makes a step: a process, people, or bad luck."""
    if step.endswith(MISHAPS):
        return "mishap"
    return step[:2] if step[:2] in {"p0", "p1", "p2"} else "people"


def walk(seed):
    """One walk; AssertionError with the way when a law breaks."""
    chance = random.Random(seed)
    universe = Universe(
        bad=chance.choice(["", "B", "BD"]),
        gates=chance.choice([[], ["metrics.mape < 0.5"]]),
        metrics={letter: {"mape": 0.1 * place} for place, letter in enumerate("ABCD", start=2)},
        most=chance.choice([1, 3]),
    )
    events = tuple(chance.choices(EVENTS, k=12))
    state = begin(universe, procs=3, events=events, crashes=2, suspicions=1, lost=1, stale=2)
    explorer = laws.Explorer(universe)
    way = []
    actor = "p0"
    for _ in range(chance.randint(50, 400)):
        # One actor mostly goes on, so that the others stand still with what they have read.
        if chance.random() < CHANGE:
            actor = chance.choice(["p0", "p1", "p2", "people", "mishap"])
        ahead = [one for one in steps.successors(universe, state) if kind(one[0]) == actor]
        if not ahead:
            actor = chance.choice(["p0", "p1", "p2"])
            continue
        step, state = chance.choice(ahead)
        if actor in {"people", "mishap"}:
            actor = chance.choice(["p0", "p1", "p2"])
        way.append(step)
        try:
            laws.moment(universe, state)
        except AssertionError as error:
            raise AssertionError(f"{error}\n  seed {seed} after {' | '.join(way)}") from error
    try:
        explorer.check(state)
    except AssertionError as error:
        raise AssertionError(f"{error}\n  seed {seed} after {' | '.join(way)}") from error


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 25, 50, 75])
def test_the_laws_hold_through_long_random_schedules(first):
    for seed in range(first, first + 25):
        walk(seed)
