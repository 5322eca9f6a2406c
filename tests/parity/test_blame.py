"""Which step each failed run of the recordings failed for, told by the names that people gave."""

import re

import pytest

from gitwf.cli.render import runs
from gitwf.workflow import blame, record
from gitwf.workflow.machine import nodes
from tests.parity import comparing

_FAILED = {
    case.path.stem: case
    for case in comparing.cases()
    if case.nodes and case.recording["phase"] in {"Failed", "Error"}
}


def recorded(case):
    """The record that Argo kept of a case."""
    run = next(iter(case.nodes))
    made = {}
    for name, node in case.nodes.items():
        made[name] = record.NodeRecord(
            nodes.node_id(run, name),
            name,
            node["displayName"],
            record.NodeType(node["type"]),
            record.Phase(node["phase"]),
            node.get("message") or "",
            boundary=nodes.node_id(run, node["boundaryName"]) if node.get("boundaryName") else "",
            children=tuple(nodes.node_id(run, child) for child in node.get("children") or []),
            outputs=record.Outputs(exit_code=(node.get("outputs") or {}).get("exitCode")),
            hooked=bool((node.get("nodeFlag") or {}).get("hooked")),
            retried=bool((node.get("nodeFlag") or {}).get("retried")),
        )
    return record.RunRecord(run, record.Phase.FAILED, case.recording["message"] or "", nodes=made)


@pytest.mark.parametrize("case", _FAILED.values(), ids=_FAILED)
def test_no_summary_names_a_node_by_its_id(case):
    said = blame.summary(recorded(case))

    assert not re.search(r"child '|-\d{6,}|\n", said)


@pytest.mark.parametrize("case", _FAILED.values(), ids=_FAILED)
def test_what_is_shown_of_a_run_names_no_node_by_its_id(case):
    run = recorded(case)

    lines = [*runs.Lines().changes(run), *(row.message for row in runs.tree(run))]

    assert lines
    assert not [line for line in lines if "child '" in line]


@pytest.mark.parametrize(
    ("name", "told", "node"),
    [
        (
            "steps-fail-sibling",
            "step boom failed: main: Error (exit code 3)",
            "steps-fail-sibling[1].boom",
        ),
        (
            "loop-partial-fail",
            "step each(1:4) failed: main: Error (exit code 4)",
            "loop-partial-fail[0].each(1:4)",
        ),
        (
            "retry-limit-exhaust",
            "step retry-limit-exhaust failed after 3 tries: main: Error (exit code 7)",
            "retry-limit-exhaust(2)",
        ),
        (
            "retry-steps-template",
            "step b failed: main: Error (exit code 1)",
            "retry-steps-template(1)[1].b",
        ),
        (
            "dag-dependencies-fail",
            "step left failed: main: Error (exit code 1)",
            "dag-dependencies-fail.left",
        ),
        (
            "exit-handler-fails",
            "step exit-handler-fails.onExit failed: main: Error (exit code 8)",
            "exit-handler-fails.onExit",
        ),
    ],
)
def test_the_step_that_failed_is_told_by_name_message_and_exit_code(name, told, node):
    found = blame.find(recorded(_FAILED[name]))

    assert (str(found), found.node) == (told, node)


@pytest.mark.parametrize("name", ["loop-param-notjson", "when-not-boolean"])
def test_where_no_step_began_the_run_s_own_message_is_told(name):
    run = recorded(_FAILED[name])

    assert blame.find(run) is None
    assert blame.summary(run) == run.message
