"""What Argo made of a workflow, the real engine makes of it too, or refuses in the same words.

The pure machine is held against the same recordings in tests/parity; here real processes run.
"""

import pytest

from tests.parity import comparing

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", comparing.cases(), ids=lambda case: case.name)
def test_the_engine_makes_of_it_what_argo_made(walled, case):
    verdict = comparing.try_out(case, walled.engine)

    assert verdict.differences == []
    assert verdict.nodes == (0 if verdict.refused else len(case.nodes))
