"""What Argo made of a workflow, the real engine makes of it too, or refuses in the same words.

The pure machine is held against the same recordings in tests/parity; here real processes run.
"""

import ast
import os

import pytest

from tests.parity import comparing

pytestmark = pytest.mark.slow


# What the way of running a step can change. Where somebody names the engine, everything is run.
GROUPS = {"artifacts", "containerset", "env", "nodes", "outputs", "raw-artifacts", "scripts"}
CONTAINED = [
    case
    for case in comparing.cases()
    if case.path.parent.name in GROUPS or "GITWF_TEST_CONTAINERS" in os.environ
]


@pytest.mark.parametrize("case", comparing.every(), ids=lambda case: case.name)
def test_the_engine_makes_of_it_what_argo_made(walled, case):
    verdict = comparing.try_out(case, walled.engine)

    assert verdict.differences == []
    assert verdict.nodes == (0 if verdict.refused else len(case.nodes))


@pytest.mark.parametrize("case", CONTAINED, ids=lambda case: case.name)
def test_containers_make_of_it_what_argo_made(contained, case):
    verdict = comparing.try_out(case, contained.engine)

    assert [one for one in verdict.differences if differs(one)] == []
    assert verdict.nodes == (0 if verdict.refused else len(case.nodes))


def differs(said):
    """Whether it is more than what docs/decisions/0005 says of logs.

    A program is not told its path, and streams keep their order each for itself.
    """
    mine, _, theirs = said.partition(": log is ")[2].partition(", Argo's ")
    if not theirs:
        return True
    left, right = (ast.literal_eval(one.replace("/usr/bin/sh: ", "sh: ")) for one in (mine, theirs))
    return sorted(left) != sorted(right)
