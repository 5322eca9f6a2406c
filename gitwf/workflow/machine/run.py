"""The hub of a run: its nodes, and its clock as events tell it.

`advance` takes one event, changes the node that it is about, and works off the agenda. Nothing ever
walks over all nodes, so that a run of n nodes costs n steps. The parts (steps, dag, pods, retries,
hooks) call the methods below, those of `agenda`, and each other through `nodes.Owner`; only this
module changes a phase.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from gitwf.values import Instant
from gitwf.workflow import record as records
from gitwf.workflow import scope, substitution
from gitwf.workflow.document import containers, parameters, resolved, template
from gitwf.workflow.machine import (
    again,
    agenda,
    composite,
    invocations,
    launch,
    limits,
    locks,
    memos,
    messages,
    nodes,
    pods,
    retries,
    suspends,
    templates,
    variables,
)

_OfPod = TypeVar(
    "_OfPod",
    messages.PodStarted,
    messages.PodEnded,
    messages.ContainerStarted | messages.ContainerEnded,
)


class Run(agenda.Agenda):
    """One run. Make it with `machine.begin`."""

    def __init__(
        self,
        workflow: resolved.Resolved,
        name: str,
        at: Instant,
        arguments: parameters.Arguments,
        variables: dict[str, scope.Value],
    ) -> None:
        super().__init__()
        self.workflow = workflow
        self.spec = workflow.spec
        self.name = name
        self.began = at
        self.now = at
        self.arguments = arguments
        self.variables = {**variables, scope.NOW: at}
        self._volumes = template.Template(volumes=self.spec.volumes).to_json()
        self.templates = templates.Templates(workflow)
        self.parallelism = limits.Semaphore(workflow.spec.parallelism)
        self.nodes: dict[str, nodes.Node] = {}
        self._ids: dict[str, int] = {}
        self.outputs = records.Outputs()
        self.phase = records.Phase.PENDING
        self.over = False
        self.message = ""
        self.finished: Instant | None = None
        self.composites: dict[str, composite.Composite] = {}
        self.pods: dict[str, pods.Pod] = {}
        self.backing_off: dict[retries.Retrying, None] = {}
        self.suspended: dict[str, suspends.Suspension] = {}
        self.asking: dict[str, memos.Asking] = {}
        self.shared: dict[str, parameters.Outputs] = {}
        self.locks = locks.Locks(self)
        self.held: tuple[locks.Lock, ...] = ()
        self.kept = again.NOTHING
        self.shutdown: messages.Shutdown | None = None
        self.out_of_time = False
        self.root: Callable[[], None] = lambda: None
        # Has work done after the workflow's own hooks, if one is under way.
        self.hold_back: Callable[[agenda.Work], bool] = lambda _: False
        self._records: dict[str, records.NodeRecord] = {}
        self._changed: dict[str, nodes.Node] = {}

    def start(self) -> list[messages.Command]:
        """Begin. Call once, before any event."""
        self.phase = records.Phase.RUNNING
        strategy = self.spec.shutdown
        if strategy and self.kept is again.NOTHING:
            message = f"workflow shutdown with strategy: {strategy}"
            self.shutdown = messages.Shutdown(
                self.now, message, terminate=strategy == "Terminate", strategy=strategy
            )
        self.later(self.root)
        return self._settle()

    def advance(  # noqa: C901 - a table of the events, each in a line or two
        self, event: messages.Event
    ) -> list[messages.Command]:
        """Take one event and say what to do next.

        An event about a node that has ended, or after the end of the run, changes nothing. Events
        come in the order of their times; one that is older counts as now.
        """
        if self.over:
            return []
        self._move_on(event.at)
        if isinstance(event, messages.PodEnded) and event.node in self.pods:
            self.pods[event.node].gone = True
        self._ring(self.now)
        match event:
            case messages.PodStarted():
                self._pod(event, pods.Pod.started)
            case messages.PodEnded():
                self._pod(event, pods.Pod.ended)
            case messages.ContainerStarted() | messages.ContainerEnded():
                self._pod(event, pods.Pod.told)
            case messages.LookedUp():
                self._looked_up(event)
            case messages.Shutdown():
                self._shut(event)
            case messages.Resume():
                for one in self._waiting(event.node):
                    one.resume(event.parameters, event.message)
            case messages.GiveUp():
                for one in self._waiting(event.node):
                    one.stop(event.message)
            case messages.Tick() | messages.Retry():
                pass
        return self._settle()

    def record(self) -> records.RunRecord:
        """Give the run as it stands; nodes that have not changed are not made again."""
        if self._changed:
            for name, node in self._changed.items():
                self._records[name] = node.snapshot()
            self._changed.clear()
        return records.RunRecord(
            name=self.name,
            phase=self.phase,
            message=self.message,
            started=self.began,
            finished=self.finished,
            parameters={p.name: p.value or "" for p in self.arguments.parameters},
            nodes=MappingProxyType(dict(self._records)),
            outputs=self.outputs,
        )

    # What the parts of the machine call.

    def submit(self, invocation: invocations.Invocation) -> None:
        """Start an invocation, or let it wait for room."""
        launch.submit(self, invocation)

    def line_up(self, invocation: invocations.Invocation, work: Callable[[], None]) -> None:
        """Let `work` wait for room among the pods, of which Argo comes to one after the other."""
        self.parallelism.wait(invocation.place(), work)
        self.in_line(self._admit)

    def refuse(self, invocation: invocations.Invocation, message: str) -> None:
        """Record that an invocation cannot be started."""
        launch.refuse(self, invocation, message)

    def perform(
        self,
        invocation: invocations.Invocation,
        bound: invocations.Bound,
        name: str,
        owner: nodes.Owner,
    ) -> None:
        """Make the node of a template that is ready, and begin its work."""
        launch.perform(self, invocation, bound, name, owner)

    def stopping(self, *, on_exit: bool) -> str:
        """Say why no more work may start, or ""; exit handlers outlive more than the rest."""
        if self.shutdown is not None and (self.shutdown.terminate or not on_exit):
            return self.shutdown.message
        return launch.PAST_DEADLINE if self.out_of_time and not on_exit else ""

    def no_more_retries(self) -> str:
        """Say in Argo's words that somebody stops the run or its time is over, or "" where not."""
        if self.shutdown is not None:
            return self.shutdown.told
        limit = self.spec.active_deadline_seconds
        if limit is None:
            return ""
        end = self.began.after(float(limit)).datetime()
        return f"retry exceeded workflow deadline {end:%Y-%m-%d %H:%M:%S} +0000 UTC"

    def stop_work(self, message: str, *, handlers: bool) -> None:
        """Stop every pod and give up every wait; those of exit handlers too with `handlers`."""
        for pod in [*self.pods.values()]:
            if handlers or not pod.on_exit:
                pod.stop(message)
        for waiting in [*self.suspended.values()]:
            if handlers or not waiting.on_exit:
                waiting.stop(message)
        for retrying in [*self.backing_off]:
            if handlers or not retrying.on_exit:
                retrying.stop()
        self.locks.stir()

    def expire(self) -> None:
        """Note that the workflow's own time is over; exit handlers still run."""
        self.out_of_time = True
        self.stop_work(launch.PAST_DEADLINE, handlers=False)

    def volumes(self, values: Mapping[str, scope.Value]) -> tuple[containers.Volume, ...]:
        """Give the workflow's volumes with the tags in them replaced. Raises NodeFailure."""
        if "{{" not in self._volumes:
            return self.spec.volumes
        text = substitution.fill(self._volumes, values)
        return template.Template.from_json(text).volumes

    def visible(self, names: dict[str, scope.Value]) -> scope.Names:
        """Give the workflow's variables with `names` before them."""
        return scope.Names(names, self.variables)

    def add(self, node: nodes.Node) -> None:
        """Let a node come to be."""
        if node.name in self.nodes:
            raise ValueError(f"the node {node.name} exists")
        self._tell_apart(node)
        node.started = self.now
        self.nodes[node.name] = node
        self._changed[node.name] = node
        self._count(node, 1)
        node.owner.made_node(node)

    def _tell_apart(self, node: nodes.Node) -> None:
        # Ids hold 32 bits of the name: of 10,000 nodes, two share one in a run out of a hundred.
        # Argo mixes such nodes up; here the later one's id gets a number.
        shared = self._ids.get(node.id, 0)
        self._ids[node.id] = shared + 1
        if shared:
            node.twin = f"-{shared + 1}"
            node.id += node.twin

    def adopt(self, node: nodes.Node) -> None:
        """Let a node come to be that was over before this run began; nobody waits for it."""
        self._tell_apart(node)
        self.nodes[node.name] = node
        self._changed[node.name] = node

    def touch(self, node: nodes.Node) -> None:
        """Say that a node has changed."""
        self._changed[node.name] = node

    def link(self, parent: nodes.Node, child: nodes.Node) -> None:
        """Make `child` a child of `parent`, once."""
        if child.name not in parent.children:
            parent.children[child.name] = child
            self._changed[parent.name] = parent

    def begin_node(self, node: nodes.Node) -> None:
        """Let a node run."""
        node.move(records.Phase.RUNNING)
        self._changed[node.name] = node
        node.owner.running(node)

    def end(self, node: nodes.Node, phase: records.Phase, message: str = "") -> None:
        """End a node and tell its owner."""
        if node.phase.fulfilled:
            return
        if node.spoiled:
            phase, message = records.Phase.ERROR, node.spoiled
            node.outputs, node.outbound = records.Outputs(), ()
        node.move(phase)
        node.message = message
        node.finished = self.now
        self.kept.restore_times(node)
        self._changed[node.name] = node
        memo = node.memoized if node.type is not records.NodeType.RETRY else None
        if memo is not None and not memo.hit and phase is records.Phase.SUCCEEDED:
            # Before anything that this end sets free can ask for it; an attempt speaks for its
            # Retry.
            self.command(messages.Remember(memo.cache, memo.key, node.outputs))
        if isinstance(node.owner, locks.Holder):
            # Before anything else is let in: what waits for a place first may want them.
            node.owner.give_back()
        self._count(node, -1)
        self.later(functools.partial(node.owner.ended, node))

    def undo(self, node: nodes.Node, message: str) -> None:
        """End a node in Error whose template could not be carried out, for whoever called it.

        Argo: operator.go, what executeTemplate gives back as an error.
        """
        node.undone = True
        self.end(node, records.Phase.ERROR, message)

    def publish(self, outputs: records.Outputs, names: Mapping[str, str], kind: str) -> None:
        """Make outputs global: `names` gives the global name of each local one of `kind`."""
        found = outputs.parameters if kind == "parameters" else outputs.artifacts
        for local, shared in names.items():
            value = found.get(local)
            if value is None:
                continue
            self.variables[f"workflow.outputs.{kind}.{shared}"] = value
            parameters, artifacts = dict(self.outputs.parameters), dict(self.outputs.artifacts)
            if isinstance(value, records.ArtifactLocation):
                artifacts[shared] = value
            else:
                parameters[shared] = value
            self.outputs = records.Outputs(parameters, artifacts)

    def conclude(self, phase: records.Phase, message: str) -> None:
        """End the run."""
        self.phase = phase
        self.over = True
        self.message = message
        self.finished = self.now
        self.command(messages.Finish(phase))

    # How an event is worked off.

    def _move_on(self, at: Instant) -> None:
        if at.microseconds > self.now.microseconds:
            self.now = at
        self.variables[scope.NOW] = self.now
        self.variables["workflow.duration"] = f"{self.now.since(self.began):f}"
        if not self.variables["workflow.status"]:
            variables.look_again(self.variables)

    def _count(self, node: nodes.Node, change: int) -> None:
        if node.type is records.NodeType.POD:
            self.parallelism.active += change
            if change < 0 and self.parallelism.line:
                self.in_line(self._admit)
        inside = self.composites.get(node.boundary.name) if node.boundary is not None else None
        if inside is not None:
            inside.count(node, change)

    def _admit(self) -> None:
        """Let the first in line go on, then whatever it brings about, then the next."""
        if (work := self.parallelism.next()) is not None:
            work()
            self.in_line(self._admit)

    def _pod(self, event: _OfPod, tell: Callable[[pods.Pod, _OfPod], None]) -> None:
        pod = self.pods.get(event.node)
        if pod is not None:
            self.later(functools.partial(tell, pod, event))

    def _looked_up(self, event: messages.LookedUp) -> None:
        asking = self.asking.pop(event.node, None)
        if asking is not None:
            self.later(lambda: asking.told(event))

    def _shut(self, event: messages.Shutdown) -> None:
        if self.shutdown is None or event.terminate:
            self.shutdown = event
            self.stop_work(event.message, handlers=event.terminate)

    def _waiting(self, node: str) -> list[suspends.Suspension]:
        """Give the suspended node of this id, if it is one, or all that waits."""
        if not node:
            return [*self.suspended.values()]
        return [self.suspended[node]] if node in self.suspended else []
