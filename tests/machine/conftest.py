"""A run that is played to its end by a table of outcomes, on a clock moved by hand."""

import heapq
import itertools
import json

import pytest

from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.document import load, resolve
from gitwf.workflow.machine import messages

START = Instant.parse("2026-01-01T00:00:00Z")
GOOD = (record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0"))
BAD = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))


def resolved(spec, *others, name="w"):
    workflow = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": name},
        "spec": {"entrypoint": "main", **spec},
    }
    files = {"w.yaml": json.dumps(workflow).encode()}
    files |= {f"{i}.yaml": json.dumps(other).encode() for i, other in enumerate(others)}
    loaded = load.load(files)
    source = next(one for one in loaded.sources if one.kind == "Workflow")
    return resolve.resolve(source, loaded)


class Player:
    """Runs a workflow. `outcome(name, attempt-free StartPod)` says how a pod ends, None: never."""

    def __init__(
        self, whole, outcome=lambda _: GOOD, parameters=None, seconds=lambda _: 1.0, kept=()
    ):
        self.run = machine.begin(whole, "w", parameters or {}, START, uid="u")
        self.outcome = outcome
        self.seconds = seconds
        self.queue = []
        self.sequence = itertools.count()
        self.starts = {}
        self.kept = dict(kept)
        self.stops = {}
        self.finishes = []
        self.events = []
        self.now = START
        self.active = 0
        self.most_active = 0

    def push(self, event):
        heapq.heappush(self.queue, (event.at, next(self.sequence), event))

    def carry_out(self, commands):
        for command in commands:
            match command:
                case messages.StartPod():
                    assert command.name not in self.starts, f"{command.name} was started twice"
                    self.starts[command.name] = command
                    self.active += 1
                    self.most_active = max(self.most_active, self.active)
                    self.push(messages.PodStarted(command.node, self.now.after(0.001)))
                    ended = self.outcome(command)
                    if ended is not None:
                        at = self.now.after(self.seconds(command))
                        self.push(messages.PodEnded(command.node, at, *ended))
                case messages.StopPod(node, message):
                    self.stops[node] = message
                    at = self.now.after(0.01)
                    self.push(messages.PodEnded(node, at, record.Phase.FAILED, message))
                case messages.LookUp(node, cache, key):
                    found = self.kept.get((cache, key))
                    told = (found is not None, found or record.Outputs())
                    self.push(messages.LookedUp(node, self.now.after(0.01), *told))
                case messages.Remember(cache, key, outputs):
                    self.kept[cache, key] = outputs
                case messages.WakeAt(at):
                    self.push(messages.Tick(at))
                case messages.Finish(phase):
                    self.finishes.append(phase)

    def start(self):
        self.carry_out(self.run.start())
        return self

    def send(self, event):
        if isinstance(event, messages.PodEnded) and event.node in self.run.pods:
            self.active -= 1
        self.now = max(self.now, event.at)
        self.events.append(event)
        self.carry_out(self.run.advance(event))

    def play(self):
        """Play what is due until nothing is, and give the record."""
        while self.queue and not self.run.over:
            self.send(heapq.heappop(self.queue)[2])
        return self.run.record()


@pytest.fixture
def resolve_spec():
    """Resolve a workflow's spec, with other documents beside it."""
    return resolved


@pytest.fixture
def player():
    """Make a Player of a spec."""

    def make(spec, *others, **options):
        return Player(resolved(spec, *others), **options).start()

    return make


@pytest.fixture
def play(player):
    """Play a spec to its end and give the record."""

    def run(spec, *others, **options):
        return player(spec, *others, **options).play()

    return run
