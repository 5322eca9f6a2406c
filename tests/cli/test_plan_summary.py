"""The last line of a plan: it never calls a failure in order."""

import pytest

from gitwf.cli.render import plans
from gitwf.delivery import action

STATE = action.State


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ([], "nothing to do: every environment is what Git says"),
        ([STATE.SYNCED], "nothing to do: every environment is what Git says"),
        ([STATE.SYNCED, STATE.HELD], "nothing to do: the rest is held back"),
        ([STATE.HELD, STATE.WAITING], "nothing to do but wait"),
        (
            [STATE.SYNCED, STATE.FAILED],
            "nothing to do until a person mends what failed or stalled",
        ),
        (
            [STATE.WAITING, STATE.STALLED],
            "nothing to do until a person mends what failed or stalled",
        ),
    ],
)
def test_it_says_why_nothing_is_pending(states, line):
    reports = tuple(action.Report("toy", "production", state, "so it is") for state in states)

    assert plans.summary(action.Plan(reports)) == line


def test_it_never_calls_documents_that_are_wrong_in_order():
    plan = action.Plan(())

    assert plans.summary(plan, wrong=True) == "nothing to do until a person mends the documents"
    pending = action.Plan((action.Reread("toy", "production", "to be sure"),))
    assert plans.summary(pending, wrong=True) == "1 change pending"


@pytest.mark.parametrize(("count", "line"), [(1, "1 change pending"), (2, "2 changes pending")])
def test_it_counts_what_is_pending(count, line):
    report = action.Report("toy", "", STATE.FAILED, "so it is")
    pending = action.Reread("toy", "production", "to be sure")

    assert plans.summary(action.Plan((report, *[pending] * count))) == line
