"""What Argo made of a workflow, gitwf's machine makes of it too.

`cases` are workflows, `recordings` what a real Argo Workflows controller made of each. The pods are
replayed: each ends as the recorded node of that name ended; everything else, which nodes there are,
in which order, with which inputs and messages, is the machine's.
"""

import pytest

from tests.parity import comparing, replaying

CASES = [case for case in comparing.every() if case.nodes and not case.unfinished]


def differences(case):
    replay = replaying.Replay(replaying.begin(case), case.nodes)
    got = replay.play()
    ended = [] if replay.finished is not None else ["the run did not end"]
    return [*ended, *comparing.differences(case, got)]


def case_name(case):
    return case.path.stem


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_machine_makes_what_argo_made(case):
    assert differences(case) == []
