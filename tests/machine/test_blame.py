"""The step that a run failed for, where others failed before it and were let pass."""

import pytest

from gitwf.workflow import blame, record

BAD = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))
GOOD = (record.Phase.SUCCEEDED, "", record.Outputs())
LEAF = {"name": "leaf", "container": {"image": "alpine", "command": ["true"]}}
TOLERATED = {"name": "try-it", "template": "leaf", "continueOn": {"failed": True}}


def outcome(command):
    return BAD if command.name.rpartition(".")[2] in {"try-it", "estimate"} else GOOD


@pytest.mark.parametrize(
    ("body", "node"),
    [
        ({"steps": [[TOLERATED], [{"name": "estimate", "template": "leaf"}]]}, "[1].estimate"),
        ({"steps": [[TOLERATED, {"name": "estimate", "template": "leaf"}]]}, "[0].estimate"),
        (
            {
                "dag": {
                    "tasks": [
                        {"name": "try-it", "template": "leaf"},
                        {"name": "estimate", "template": "leaf", "depends": "try-it.Failed"},
                    ]
                }
            },
            ".estimate",
        ),
    ],
)
def test_a_failure_that_was_let_pass_is_not_blamed(play, body, node):
    spec = {"entrypoint": "main", "templates": [{"name": "main", **body}, LEAF]}

    found = blame.find(play(spec, outcome=outcome))

    assert found.step == "estimate"
    assert found.node.endswith(node)


def test_a_run_without_a_node_is_told_by_its_own_message():
    refused = record.RunRecord("r", record.Phase.FAILED, "the order was refused")

    assert blame.summary(refused) == "the order was refused"


def test_the_command_for_a_log_can_be_pasted_into_a_shell():
    assert blame.log_command("toy-1", "toy[0].each(1:4)") == "gitwf logs toy-1 'toy[0].each(1:4)'"
