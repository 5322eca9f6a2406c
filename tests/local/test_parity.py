"""What Argo made of a workflow, the real engine makes of it too, or refuses in the same words.

The pure machine is held against the same recordings in tests/parity; here real processes run.
"""

import pytest

from tests.parity import comparing

GAPS = {
    "containerset/cset-fail": "containerSet is refused",
    "containerset/cset-sequence": "containerSet is refused",
}
pytestmark = pytest.mark.slow


def marked(case):
    why = GAPS.get(case.name)
    marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
    return pytest.param(case, marks=marks, id=case.name)


@pytest.mark.parametrize("case", [marked(case) for case in comparing.cases()])
def test_the_engine_makes_of_it_what_argo_made(walled, case):
    verdict = comparing.try_out(case, walled.engine)

    assert verdict.differences == []
    assert verdict.nodes == (0 if verdict.refused else len(case.nodes))
