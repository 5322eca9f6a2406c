"""What holds for every run, whatever the workflow and however its pods end."""

import json

import hypothesis
import pytest
from hypothesis import strategies as st

from gitwf.adapters.local import journal
from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.machine import composite, messages, states

pytestmark = pytest.mark.slow

OK = {"name": "ok", "container": {"image": "x", "command": ["true"]}}
FLAKY = {
    "name": "flaky",
    "retryStrategy": {"limit": 1, "retryPolicy": "Always"},
    "container": {"image": "x", "command": ["true"]},
}
SLOW_RETRY = {
    "name": "later",
    "retryStrategy": {"limit": "2", "backoff": {"duration": "2", "factor": 2}},
    "script": {"image": "x", "command": ["sh"], "source": "echo {{retries}}"},
}
WAIT = {"name": "wait", "suspend": {"duration": "1"}}
EMIT = {
    "name": "emit",
    "inputs": {"parameters": [{"name": "v", "value": "d"}]},
    "container": {"image": "x", "command": ["echo", "{{inputs.parameters.v}}"]},
    "outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/p", "default": "none"}}]},
}
NEEDY = {
    "name": "needy",
    "inputs": {"parameters": [{"name": "v"}]},
    "container": {"image": "x", "command": ["echo", "{{=inputs.parameters.v + nobody}}"]},
}
KNOWN = {
    "name": "known",
    "memoize": {"key": "k", "cache": {"configMap": {"name": "c"}}},
    "container": {"image": "x", "command": ["true"]},
}
ALONE = {
    "name": "alone",
    "retryStrategy": {"limit": 1, "expression": "lastRetry.exitCode == '-1'"},
    "synchronization": {"mutexes": [{"name": "m"}]},
    "container": {"image": "x", "command": ["true"]},
}
LEAVES = ["ok", "flaky", "later", "wait", "emit", "needy", "known", "alone"]
HOOKED = ["true", "false", "workflow.name == 'w'", "nobody", "1 + 1"]
OUTPUTS = [
    {"parameters": [{"name": "o", "valueFrom": {"expression": "'x'"}}]},
    {"parameters": [{"name": "o", "valueFrom": {"expression": "nil"}}]},
    {"parameters": [{"name": "o", "valueFrom": {"expression": "nobody", "default": "d"}}]},
]
WHENS = ["", "", "", "1 == 1", "1 == 2", "{{workflow.parameters.a}} == 1", "a-b == c", "1 + 1"]


@st.composite
def calls(draw, name, templates):
    call = {"name": name, "template": draw(st.sampled_from(templates))}
    if condition := draw(st.sampled_from(WHENS)):
        call["when"] = condition
    loop = draw(st.integers(0, 5))
    if loop == 0:
        items = draw(st.lists(st.sampled_from(["x", 1, True, {"k": "v"}]), max_size=3))
        call["withItems"] = items
    elif loop == 1:
        call["withParam"] = draw(st.sampled_from(['["a","b"]', "[]", "no", "{}"]))
    elif loop == 2:
        call["withSequence"] = {"count": str(draw(st.integers(0, 3)))}
    if draw(st.integers(0, 4)) == 0:
        call["hooks"] = {"exit": {"template": draw(st.sampled_from(LEAVES))}}
        if draw(st.booleans()):
            call["hooks"]["exit"]["expression"] = draw(st.sampled_from(HOOKED))
    if draw(st.integers(0, 4)) == 0:
        named = {
            "template": draw(st.sampled_from(LEAVES)),
            "expression": draw(st.sampled_from(HOOKED)),
        }
        call.setdefault("hooks", {})["named"] = named
    if call["template"] == "emit" and draw(st.booleans()):
        value = draw(st.sampled_from(["{{item}}", "{{x}}", "{{workflow.name}}"]))
        call["arguments"] = {"parameters": [{"name": "v", "value": value}]}
    return call


@st.composite
def bodies(draw, templates):
    extra = {}
    if draw(st.integers(0, 3)) == 0:
        extra["parallelism"] = draw(st.integers(1, 2))
    if draw(st.integers(0, 4)) == 0:
        extra["failFast"] = True
    if draw(st.integers(0, 4)) == 0:
        extra["outputs"] = draw(st.sampled_from(OUTPUTS))
    names = [f"t{i}" for i in range(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        tasks = []
        for index, name in enumerate(names):
            task = draw(calls(name, templates))
            before = draw(st.sets(st.sampled_from(names[:index]))) if index else set()
            if before:
                ends = ["", ".Succeeded", ".Failed", ".Skipped", ".Omitted", ".AnySucceeded"]
                suffix = st.sampled_from(ends)
                joined = draw(st.sampled_from([" && ", " || "]))
                task["depends"] = joined.join(one + draw(suffix) for one in sorted(before))
            tasks.append(task)
        return {"dag": {"tasks": tasks}, **extra}
    groups, rest = [], list(names)
    while rest:
        size = draw(st.integers(1, len(rest)))
        group, rest = rest[:size], rest[size:]
        groups.append([draw(calls(name, templates)) for name in group])
        for step in groups[-1]:
            if draw(st.integers(0, 3)) == 0:
                step["continueOn"] = {"failed": draw(st.booleans()), "error": draw(st.booleans())}
    return {"steps": groups, **extra}


@st.composite
def specs(draw):
    inner = {"name": "inner", **draw(bodies(LEAVES))}
    main = {"name": "main", **draw(bodies([*LEAVES, "inner", "inner"]))}
    if draw(st.integers(0, 5)) == 0:
        main["retryStrategy"] = {"limit": 1}
    spec = {
        "arguments": {"parameters": [{"name": "a", "value": "1"}]},
        "templates": [main, inner, OK, FLAKY, SLOW_RETRY, WAIT, EMIT, NEEDY, KNOWN, ALONE],
    }
    if draw(st.integers(0, 2)) == 0:
        spec["onExit"] = draw(st.sampled_from(["ok", "inner", "needy"]))
    if draw(st.integers(0, 3)) == 0:
        spec["parallelism"] = draw(st.integers(1, 2))
    if draw(st.integers(0, 5)) == 0:
        spec["activeDeadlineSeconds"] = draw(st.integers(1, 4))
    return spec


PHASES = [record.Phase.SUCCEEDED, record.Phase.SUCCEEDED, record.Phase.FAILED, record.Phase.ERROR]


class World:
    """Answers a run's commands in an order, and with ends, that Hypothesis draws."""

    def __init__(self, whole, draw):
        self.whole = whole
        self.draw = draw
        self.run = machine.begin(whole, "w", {}, START)
        self.now = START
        self.pods = {}
        self.wishes = []
        self.questions = []
        self.started = set()
        self.history = []
        self.seen = {}

    def take(self, commands):
        for command in commands:
            match command:
                case messages.StartPod():
                    assert command.name not in self.started, "a node ran twice"
                    self.started.add(command.name)
                    self.pods[command.node] = "new"
                case messages.StopPod(node, message):
                    assert node in self.pods, "a pod that does not run was stopped"
                    self.pods[node] = message
                case messages.LookUp(node):
                    self.questions.append(node)
                case messages.WakeAt(at):
                    self.wishes.append(at)
                case messages.Finish():
                    assert not self.pods, "the run ended before its pods"
        self.watch()

    def watch(self):
        for node in self.run.record().nodes.values():
            before = self.seen.get(node.name)
            if before is not None:
                states.check(before, node.phase)
            self.seen[node.name] = node.phase

    def next_event(self):
        if self.questions:
            node = self.questions.pop(0)
            return messages.LookedUp(node, self.now.after(0.1), self.draw(st.booleans()))
        due = [at for at in self.wishes if at > self.now]
        if not self.pods or (due and self.draw(st.integers(0, 4)) == 0):
            assert due, "nothing is running and nothing will wake the run"
            return messages.Tick(min(due))
        node = self.draw(st.sampled_from(sorted(self.pods)))
        state = self.pods[node]
        at = self.now.after(0.3)
        if state == "new" and self.draw(st.booleans()):
            self.pods[node] = "running"
            return messages.PodStarted(node, at)
        del self.pods[node]
        if state not in {"new", "running"}:
            return messages.PodEnded(node, at, record.Phase.FAILED, state)
        phase = self.draw(st.sampled_from(PHASES))
        code = "0" if phase.completed else None
        outputs = record.Outputs({"p": "1"}, exit_code=code)
        if self.draw(st.booleans()):
            outputs = record.Outputs(exit_code=code, unset=("p",))
        return messages.PodEnded(node, at, phase, "", outputs)

    def play(self):
        commands = self.run.start()
        self.history.append((None, commands, self.run.record()))
        self.take(commands)
        while not self.run.over:
            event = self.next_event()
            self.now = event.at
            commands = self.run.advance(event)
            self.history.append((event, commands, self.run.record()))
            self.take(commands)
        return self.run.record()


START = Instant.parse("2026-01-01T00:00:00Z")
SETTINGS = hypothesis.settings(
    max_examples=60,
    suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture,
        hypothesis.HealthCheck.too_slow,
    ],
)


@SETTINGS
@hypothesis.given(spec=specs(), data=st.data())
def test_a_run_ends_with_every_node_ended_and_connected(resolve_spec, spec, data):
    whole_and_connected(World(resolve_spec(spec), data.draw).play())


def whole_and_connected(final):
    """Every node of a run that is over has ended, and is come to from the entry or the handler.

    As on Argo, a Retry node stays as it is where its template fails fast before its next attempt,
    and so does a loop before its next turn; a group of steps that comes after one which ends
    nowhere has no parent. A template that a broken hook ends in Error says that of the hook.
    """
    assert final.over
    assert len({node.id for node in final.nodes.values()}) == len(final.nodes)
    by_id = {node.id: node for node in final.nodes.values()}
    left = [node for node in final.nodes.values() if not node.phase.fulfilled]
    assert {node.type for node in left} <= {record.NodeType.RETRY, record.NodeType.TASK_GROUP}
    around = [by_id[node.boundary] for node in left]
    failed = [node for node in around if node.phase is not record.Phase.ERROR]
    assert {node.message for node in failed} <= {composite.FAIL_FAST}
    children = {child for node in final.nodes.values() for child in node.children}
    groups = [node for node in final.nodes.values() if node.type is record.NodeType.STEP_GROUP]
    loose = [group for group in groups if group.id not in children]
    assert not any(group.display_name == "[0]" for group in loose)
    reached, ahead = set(), [final.nodes["w"].id, *(group.id for group in loose)]
    if "w.onExit" in final.nodes:
        ahead.append(final.nodes["w.onExit"].id)
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead.extend(by_id[one].children)
    assert [by_id[one].name for one in by_id if one not in reached] == []


@SETTINGS
@hypothesis.given(spec=specs(), data=st.data())
def test_a_run_that_failed_ends_well_formed_when_it_is_tried_again(resolve_spec, spec, data):
    whole = resolve_spec(spec)
    world = World(whole, data.draw)
    final = world.play()
    for _ in range(2):
        if not final.phase.failed_or_error:
            return
        event = messages.Retry(world.now.after(1.0))
        world = World(whole, data.draw)
        world.now = event.at
        world.run = machine.try_again(machine.begin(whole, "w", {}, START), final, event)
        before, final = final, world.play()
        whole_and_connected(final)
        kept = {name for name, node in before.nodes.items() if final.nodes.get(name) == node}
        assert not kept & world.started


def told(event):
    """An event as the history of a run gives it back."""
    return journal.decode(json.loads(json.dumps(journal.encode(event))))


@SETTINGS
@hypothesis.given(spec=specs(), data=st.data())
def test_a_run_that_is_resumed_after_any_event_is_the_same_run_at_every_event(
    resolve_spec, spec, data
):
    whole = resolve_spec(spec)
    world = World(whole, data.draw)
    world.play()
    (_, begun, _), *history = world.history
    for cut in range(len(history) + 1):
        resumed = machine.begin(whole, "w", {}, START)
        assert resumed.start() == begun
        for event, _, _ in history[:cut]:
            resumed.advance(told(event))
        assert resumed.record() == world.history[cut][2]
        for event, commands, snapshot in history[cut:]:
            assert resumed.advance(event) == commands
            assert resumed.record() == snapshot
