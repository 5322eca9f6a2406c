import itertools

import pytest

from gitwf.workflow import depends, failure
from gitwf.workflow.document import flow, template

ENDS = {
    "ok": depends.Result(succeeded=True),
    "bad": depends.Result(failed=True),
    "err": depends.Result(errored=True),
    "skip": depends.Result(skipped=True),
    "omit": depends.Result(omitted=True),
    "some": depends.Result(failed=True, any_succeeded=True),
    "none": depends.Result(failed=True, all_failed=True),
}
TASKS = {name: template.Task(name=name) for name in ENDS}


def allows(task, tasks=TASKS):
    results = {name: ENDS[name] for name in depends.ancestors(task)}
    return depends.allows(task, tasks, results)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ok", True),
        ("skip", True),
        ("bad", False),
        ("err", False),
        ("omit", False),
        ("ok && skip", True),
        ("ok && bad", False),
        ("ok || bad", True),
        ("!bad", True),
        ("(bad || ok) && !err", True),
        ("bad.Failed", True),
        ("err.Errored && omit.Omitted && skip.Skipped", True),
        ("ok.Succeeded && !ok.Failed", True),
        ("some.AnySucceeded", True),
        ("none.AllFailed", True),
        ("some.AllFailed || ok.AnySucceeded", False),
    ],
)
def test_a_condition_is_read_as_argo_reads_it(text, expected):
    assert allows(template.Task(name="t", depends=text)) is expected


def test_the_short_way_and_the_long_way_agree():
    for names in itertools.product(ENDS, repeat=2):
        written = template.Task(name="t", depends=f"({' && '.join(names)})")
        listed = template.Task(name="t", dependencies=names)
        assert allows(written) is allows(listed)


def test_what_a_task_excuses_counts_as_a_good_end():
    excuse = flow.ContinueOn(failed=True)
    tasks = {**TASKS, "bad": template.Task(name="bad", continue_on=excuse)}
    assert allows(template.Task(name="t", dependencies=("bad",)), tasks)
    assert allows(template.Task(name="t", depends="(bad)"), tasks)
    assert not allows(template.Task(name="t", dependencies=("err",)), tasks)


def test_names_with_dashes_and_digits_are_names():
    tasks = {"a-1": template.Task(name="a-1"), "and-b": template.Task(name="and-b")}
    task = template.Task(name="t", depends="a-1 || and-b.Failed")
    results = {"a-1": ENDS["bad"], "and-b": ENDS["bad"]}
    assert depends.ancestors(task) == ("a-1", "and-b")
    assert depends.allows(task, tasks, results)


def test_a_condition_that_makes_no_sense_ends_the_task():
    with pytest.raises(failure.NodeFailure, match="unable to evaluate depends logic"):
        allows(template.Task(name="t", depends="ok.Succeeded &&"))
