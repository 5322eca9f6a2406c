"""The world that played workflows run in, for gitwf's machine; the tests in Go are it for Argo's.

No pod runs on either side. The words of a step say how its pod ends, the hash of its node's name
how long it takes, and what waits for a person is answered as if it were a pod that ends.
"""

import dataclasses

from gitwf import errors
from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.machine import messages, nodes
from tests.parity import comparing, replaying

NEVER_RAN = "64"  # The exit code of a set's container whose dependency failed.
KILLED = "143"
NO_NUMBER = "99"
AT_ONCE = 0.000001  # In seconds.


def seconds(name):
    return 1 + nodes.fnv32(name) % 99991 / 100000


def words(text):
    """Read `x=EXIT CODE;r=RESULT;o.NAME=OUTPUT;a.NAME=ARTIFACT;d=SECONDS`."""
    parts = (part.partition("=") for part in text.split(";"))
    return {name: value for name, equals, value in parts if equals}


def code_of(said):
    code = said.get("x", "0")
    return str(int(code)) if code.lstrip("-").isdecimal() else NO_NUMBER


def longer(said):
    """How many seconds more than usual a step takes."""
    try:
        return max(float(said.get("d", "1")) - 1, 0)
    except ValueError:
        return 0.0


def last_of(arguments):
    return arguments[-1] if arguments else ""


def as_they_say(template):
    """Give what each container says, and with which exit code it ends."""
    if template.script is not None:
        said = {"main": words(template.script.source)}
    elif template.container_set is not None:
        said = {one.name: words(last_of(one.args)) for one in template.container_set.containers}
    else:
        said = {"main": words(last_of(template.container.args))}
    codes = {name: code_of(one) for name, one in said.items()}
    if template.container_set is not None:
        for one in template.container_set.containers:
            if any(codes[before] != "0" for before in one.dependencies):
                codes[one.name] = NEVER_RAN
    return said, codes


def all_well(template):
    """Give the same for a world in which no step fails."""
    said, codes = as_they_say(template)
    return said, dict.fromkeys(codes, "0")


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
    return record.Outputs(parameters, artifacts, result, exit_code=code)


class Play(replaying.Replay):
    """An engine whose pods end as their words say, and that answers whatever waits for a person."""

    def __init__(self, run, pods=as_they_say):
        super().__init__(run, {})
        self.pods = pods
        self.asked = set()
        self.outputs = {}

    def carry_out(self, commands, now):
        for command in commands:
            match command:
                case messages.LookUp(node, cache, key):
                    kept = self.kept.get((cache, key))
                    answer = (kept is not None, kept or record.Outputs())
                    self.push(messages.LookedUp(node, now, *answer))
                case messages.StopPod(node, message, own_end):
                    self.stop_pod(node, message, own_end, now)
                case _:
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
            if one.default(output) is None or len(name) % 2 == 0
        }
        self.push(messages.Resume(now.after(seconds(name)), node, given))

    def stop_pod(self, node, message, own_end, now):
        failed = record.Phase.FAILED
        if own_end:
            said = f"main: Error (exit code {KILLED})"
            outputs = dataclasses.replace(self.outputs[node], exit_code=KILLED)
            self.push(messages.PodEnded(node, now, failed, said, outputs))
        else:
            self.push(messages.PodEnded(node, now.after(AT_ONCE), failed, message))

    def start_pod(self, command, now):
        assert command.name not in self.started, "a pod was started twice"
        self.started[command.name] = command
        said, codes = self.pods(command.template)
        main = said.get("main", {})
        ended = now.after(seconds(command.name) + longer(main))
        self.push(messages.PodStarted(command.node, now.after(AT_ONCE)))
        for name in command.containers:
            told = messages.ContainerEnded(command.node, name, ended, int(codes[name]))
            self.push(told)
        outputs = self.outputs[command.node] = outputs_of(command, main, codes.get("main"))
        bad = next(((name, code) for name, code in codes.items() if code != "0"), None)
        phase = record.Phase.FAILED if bad else record.Phase.SUCCEEDED
        message = "{}: Error (exit code {})".format(*bad) if bad else ""
        self.push(messages.PodEnded(command.node, ended, phase, message, outputs))


def play(whole, start=replaying.START, pods=as_they_say):
    """Run a workflow that was checked to its end. Gives its record. Raises GitwfError."""
    one = Play(machine.begin(whole, whole.name, {}, start), pods)
    got = one.play(start)
    assert one.finished is not None, "the run did not end"
    return got


def compare(case):
    """Play a case and compare it with its recording."""
    verdict = comparing.Verdict(case)
    start = Instant.parse(case.recording.get("start", replaying.START.rfc3339()))
    try:
        whole = case.checked()
        if case.unfinished:
            return verdict
        got = play(whole, start)
    except errors.GitwfError as problem:
        verdict.refused = True
        verdict.differences = list(comparing.refused_otherwise(case, problem))
        return verdict
    if case.refusal:
        verdict.differences = [f"ran, Argo says: {case.refusal}"]
        return verdict
    verdict.nodes = len(set(got.nodes) & set(case.nodes))
    verdict.differences = list(comparing.differences(case, got))
    return verdict
