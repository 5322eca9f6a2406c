"""Random workflows come out of gitwf's machine as out of Argo's controller code.

The README of `played` says how its recordings were made. No pod runs on either side: the words of
a step say how it ends, and the hash of its node's name how long it takes.
"""

import pytest

from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages, nodes
from tests.parity import comparing, replaying

PLAYED = comparing.HERE / "played"
CASES = comparing.cases(PLAYED / "cases", PLAYED / "recordings")


NEVER_RAN = 64


def seconds(name):
    return 1 + nodes.fnv32(name) % 99991 / 100000


def words(text):
    """Read `x=EXIT CODE;r=RESULT;o.NAME=OUTPUT;a.NAME=ARTIFACT;d=SECONDS`."""
    parts = (part.partition("=") for part in text.split(";"))
    return {name: value for name, equals, value in parts if equals}


def code_of(said):
    code = said.get("x", "0")
    return int(code) if code.lstrip("-").isdecimal() else 99


def containers(template):
    """Give what each container says, and with which exit code it ends."""
    if template.script is not None:
        said = {"main": words(template.script.source)}
    elif template.container_set is not None:
        said = {one.name: words(one.args[-1]) for one in template.container_set.containers}
    else:
        said = {"main": words(template.container.args[-1])}
    codes = {name: code_of(one) for name, one in said.items()}
    if template.container_set is not None:
        for one in template.container_set.containers:
            if any(codes[before] for before in one.dependencies):
                codes[one.name] = NEVER_RAN
    return said, codes


def outputs_of(command, said, code):
    declared = command.template.outputs
    parameters = {}
    for one in declared.parameters:
        default = one.value_from.default if one.value_from is not None else None
        if (value := said.get(f"o.{one.name}", default)) is not None:
            parameters[one.name] = value
    artifacts = {
        one.name: record.ArtifactLocation(one.name, node=command.node)
        for one in declared.artifacts
        if f"a.{one.name}" in said or not one.optional
    }
    result = said.get("r", "") if command.wants_result else None
    return record.Outputs(parameters, artifacts, result, exit_code=str(code))


class Play(replaying.Replay):
    """An engine whose pods end as their words say, and that answers whatever waits for a person."""

    def __init__(self, run, nodes):
        super().__init__(run, nodes)
        self.asked = set()

    def carry_out(self, commands, now):
        for command in commands:
            if isinstance(command, messages.LookUp):
                kept = self.kept.get((command.cache, command.key))
                answer = (kept is not None, kept or record.Outputs())
                self.push(messages.LookedUp(command.node, now, *answer))
            else:
                super().carry_out([command], now)
        for node, one in self.run.suspended.items():
            if node not in self.asked and not one.timed:
                self.asked.add(node)
                self.answer(node, one, now)

    def answer(self, node, one, now):
        """Supply what has no default; names of an even length have the rest supplied too."""
        name = one.node.name
        given = {
            output.name: f"given-{output.name}"
            for output in one.declared
            if output.value_from.default is None or len(name) % 2 == 0
        }
        self.push(messages.Resume(now.after(seconds(name)), node, given))

    def start_pod(self, command, now):
        assert command.name not in self.started, "a pod was started twice"
        self.started[command.name] = command
        said, codes = containers(command.template)
        main = said.get("main", {})
        length = seconds(command.name) + max(float(main.get("d", "1")) - 1, 0)
        ended = now.after(length)
        self.push(messages.PodStarted(command.node, now.after(0.000001)))
        for name in command.containers:
            told = messages.ContainerEnded(command.node, name, ended, codes[name])
            self.push(told)
        outputs = outputs_of(command, main, codes["main"])
        bad = next(((name, code) for name, code in codes.items() if code), None)
        phase = record.Phase.FAILED if bad else record.Phase.SUCCEEDED
        message = "{}: Error (exit code {})".format(*bad) if bad else ""
        self.push(messages.PodEnded(command.node, ended, phase, message, outputs))


def case_name(case):
    return case.path.stem


def test_there_are_many():
    assert len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_the_machine_makes_what_argos_code_made(case):
    start = Instant.parse(case.recording.get("start", replaying.START.rfc3339()))
    play = Play(replaying.begin(case, start), case.nodes)
    got = play.play(start)
    assert play.finished is not None
    assert list(comparing.differences(case, got)) == []
