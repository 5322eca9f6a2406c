"""An engine that plays a run on the pure machine: no pod runs, and the clock is moved by hand."""

import heapq
import itertools
import re

from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.machine import messages

EXIT_CODE = re.compile(r"\(exit code (\d+)\): (.*)")
START = Instant.parse("2026-01-01T00:00:00Z")
KILLED_BY_CLOCK = {
    "timeout",
    "Pod was active on the node longer than the specified deadline",
    "Step exceeded its deadline",
}


def begin(case, start=START):
    resolved = case.read()
    return machine.begin(resolved, resolved.name, {}, start)


class Replay:
    """An engine whose pods end as they are recorded to have ended."""

    def __init__(self, run, nodes):
        self.run = run
        self.nodes = nodes
        self.queue = []
        self.order = itertools.count()
        self.started = {}
        self.kept = {}
        self.finished = None

    def push(self, event):
        heapq.heappush(self.queue, (event.at, next(self.order), event))

    def carry_out(self, commands, now):
        for command in commands:
            match command:
                case messages.StartPod():
                    self.start_pod(command, now)
                case messages.StopPod(node, message):
                    failed = record.Phase.FAILED
                    self.push(messages.PodEnded(node, now.after(0.1), failed, message))
                case messages.LookUp(node, cache, key):
                    kept = self.kept.get((cache, key))
                    answer = (kept is not None, kept or record.Outputs())
                    self.push(messages.LookedUp(node, now.after(0.1), *answer))
                case messages.Remember(cache, key, outputs):
                    self.kept[cache, key] = outputs
                case messages.WakeAt(at):
                    self.push(messages.Tick(at))
                case messages.Finish(phase):
                    assert self.finished is None
                    self.finished = phase

    def start_pod(self, command, now):
        assert command.name not in self.started, "a pod was started twice"
        assert command.name in self.nodes, f"Argo has no node {command.name}"
        self.started[command.name] = command
        node = self.nodes[command.name]
        check_log(command.template, node)
        self.push(messages.PodStarted(command.node, now.after(0.1)))
        for container in command.containers:
            ended = self.nodes[f"{command.name}.{container}"]
            said = EXIT_CODE.search(ended.get("message") or "")
            code, why = (int(said[1]), said[2]) if said else (0, "")
            at = now.after(0.5)
            self.push(messages.ContainerEnded(command.node, container, at, code, why))
        if node.get("message") in KILLED_BY_CLOCK:
            return
        recorded = node.get("outputs") or {}
        outputs = record.Outputs(
            parameters={
                p["name"]: p["value"]
                for p in recorded.get("parameters") or []
                if p["value"] is not None
            },
            artifacts={
                name: record.ArtifactLocation(name, node=command.node)
                for name in recorded.get("artifacts") or []
            },
            result=recorded.get("result") if command.wants_result else None,
            exit_code=recorded.get("exitCode"),
        )
        phase, message = record.Phase(node["phase"]), node.get("message") or ""
        self.push(messages.PodEnded(command.node, now.after(1.0), phase, message, outputs))

    def play(self, start=START):
        self.carry_out(self.run.start(), start)
        while self.queue and not self.run.over:
            at, _, event = heapq.heappop(self.queue)
            self.carry_out(self.run.advance(event), at)
        return self.run.record()


def check_log(template, node):
    """Where the log is nothing but the command's arguments, they show what was substituted."""
    container = template.container
    if container is None or node.get("log") is None or "Error" in node["log"]:
        return
    words = [*container.command, *container.args]
    if words[0] == "echo":
        assert node["log"] == " ".join(words[1:]) + "\n"
    if words[:2] == ["printf", "%s\\n"]:
        assert node["log"] == "".join(f"{word}\n" for word in words[2:])
