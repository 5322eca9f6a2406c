"""Random workflows come out of gitwf's machine as out of Argo's controller code.

The README of `played` says how its recordings were made. No pod runs on either side: the words of
a step say how it ends, and the hash of its node's name how long it takes.
"""

import pytest

from gitwf.workflow import record
from gitwf.workflow.machine import messages, nodes
from tests.parity import comparing, replaying

PLAYED = comparing.HERE / "played"
CASES = comparing.cases(PLAYED / "cases", PLAYED / "recordings")


def seconds(name):
    return 1 + nodes.fnv32(name) % 99991 / 100000


def told(command):
    """Read the last argument, `x=EXIT CODE;r=RESULT;o.NAME=OUTPUT`, as the end of a pod."""
    parts = (part.partition("=") for part in command.template.container.args[-1].split(";"))
    said = {name: value for name, equals, value in parts if equals}
    code = int(said["x"]) if said["x"].lstrip("-").isdecimal() else 99
    declared = [parameter.name for parameter in command.template.outputs.parameters]
    outputs = record.Outputs(
        parameters={name: said[f"o.{name}"] for name in declared},
        result=said.get("r", "") if command.wants_result else None,
        exit_code=str(code),
    )
    if code:
        return record.Phase.FAILED, f"main: Error (exit code {code})", outputs
    return record.Phase.SUCCEEDED, "", outputs


class Play(replaying.Replay):
    """An engine whose pods end as their words say."""

    def start_pod(self, command, now):
        assert command.name not in self.started, "a pod was started twice"
        self.started[command.name] = command
        self.push(messages.PodStarted(command.node, now.after(0.000001)))
        ended = now.after(seconds(command.name))
        self.push(messages.PodEnded(command.node, ended, *told(command)))


def case_name(case):
    return case.path.stem


def test_there_are_many():
    assert len(CASES) > 70


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_machine_makes_what_argos_code_made(case):
    play = Play(replaying.begin(case), case.nodes)
    got = play.play()
    assert play.finished is not None
    assert list(comparing.differences(case, got)) == []
