"""Steps: groups one after another, the steps of a group side by side.

A group is over when every step of it and every hook of theirs is; the next one starts only if none
failed that `continueOn` does not excuse. Failing stops no sibling (Argo: controller/steps.go).
"""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitwf.workflow import failure, loops, preparation, record, scope
from gitwf.workflow.document import template
from gitwf.workflow.machine import calls, children, composite, invocations, nodes, outbound, pods

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

_EMPTY = "Skipped, empty params"
_HOST = "localhost"


_Turn = tuple[template.Call, calls.Turn | None]


class Steps(composite.Composite):
    """The run of a steps template."""

    kind = "steps"

    def __init__(
        self,
        run: "run.Run",
        invocation: invocations.Invocation,
        bound: invocations.Bound,
        node: nodes.Node,
    ) -> None:
        """Begin. Raises NodeFailure where the calls cannot be read."""
        super().__init__(run, invocation, bound, node)
        names = {step.name for group in self.made.steps for step in group}
        self._read = preparation.steps_read(bound.prepared.text, names)

    @functools.cached_property
    def order(self) -> dict[str, int]:
        """The steps, numbered as they are written."""
        names = (step.name for group in self.made.steps for step in group)
        return {name: number for number, name in enumerate(names)}

    def start(self) -> None:
        """Begin with the first group."""
        self._index = -1
        self._group = self.node
        self._next()

    def _next(self) -> None:
        self._index += 1
        if self._index == len(self.made.steps):
            self._outbound()
            self.succeed()
            return
        previous = self._group if self._index else None
        self._children: list[children.Child] = []
        self._open = 0
        self._said = ""
        self._group = nodes.Node(
            self.run.name, f"{self.node.name}[{self._index}]", record.NodeType.STEP_GROUP, self
        )
        self._group.within(self.node)
        self.run.add(self._group)
        self.run.begin_node(self._group)
        self._connect(previous)
        self._launch()

    def made_node(self, node: nodes.Node) -> None:
        """Nothing: `_connect` knows a group's parents."""

    def running(self, node: nodes.Node) -> None:
        """Nothing: a group has no hooks."""

    def ended(self, node: nodes.Node) -> None:
        """Go on after a group that ended well, or end as it ended."""
        if self.node.phase.fulfilled:
            return
        if node.phase is not record.Phase.SUCCEEDED:
            self._outbound()
            self.run.end(self.node, record.Phase.FAILED, node.message)
            return
        try:
            self._remember(node)
        except failure.NodeFailure as problem:
            self.run.undo(self.node, str(problem))
            return
        self._next()

    def _connect(self, previous: nodes.Node | None) -> None:
        if previous is None:
            self.run.link(self.node, self._group)
        elif not previous.children:
            self.run.link(previous, self._group)
        else:
            for end in self._ends(previous):
                self.run.link(end, self._group)

    def _ends(self, group: nodes.Node) -> list[nodes.Node]:
        return [end for child in group.children.values() for end in outbound.of(child)]

    def _outbound(self) -> None:
        self.node.outbound = tuple(self._ends(self._group))
        self.run.touch(self.node)

    # One group.

    def _launch(self) -> None:
        turns: list[_Turn] = []
        try:
            turns.extend(self._turns())
        except failure.NodeFailure as problem:
            self.run.end(self._group, record.Phase.ERROR, str(problem))
            # What loops over nothing is skipped before anything starts.
            turns = [one for one in turns if one[1] is None]
        for step, turn in turns:
            child = self._child(step, turn)
            self._children.append(child)
            self._open += 1
            if turn is None:
                child.skip(record.Phase.SKIPPED, _EMPTY)
            else:
                child.submit(turn)
            # Argo: a step that cannot be made ready ends the group; later ones do not start.
            made = self.run.nodes.get(child.node_name)
            if made is not None and made.phase is record.Phase.ERROR:
                break
        if not turns:
            self.run.end(self._group, record.Phase.SUCCEEDED)

    def _turns(self) -> Iterator[_Turn]:
        """Give every turn of the group; None is that of a loop over nothing. Raises NodeFailure."""
        values = scope.Names(self.own_names(), self.scope, self.run.variables)
        prepared = []
        for step in self.made.steps[self._index]:
            try:
                prepared.append(
                    (
                        step,
                        calls.ready(step, values, self.local, calls.UNRESOLVED, tagged=self.tagged),
                    )
                )
            except failure.NodeFailure as problem:
                raise failure.NodeFailure(f"failed to resolve references: {problem}") from problem
        for step, one in prepared:
            made = calls.turns(one, step.name, values, step.hooks)
            yield from ((step, turn) for turn in made or (None,))

    def _child(self, step: template.Call, turn: calls.Turn | None) -> children.Child:
        name = turn.name if turn is not None else step.name
        hooked = calls.hooks_of(step, turn.item if turn is not None else {}, self.run.arguments)
        return children.Child(self, step, f"{self._group.name}.{name}", hooked)

    def adopt(self, child: children.Child, node: nodes.Node) -> None:
        """Connect a new node to its group."""
        del child
        self.run.link(self._group, node)

    def settled(self, child: children.Child) -> None:
        """End the group when the last child has settled."""
        del child
        self._open -= 1
        if not self._open and not self._group.phase.fulfilled:
            self._end_group()

    def stuck(self, child: children.Child) -> bool:
        """Whether Argo gives up before it comes to the child's next hook: it looks in order.

        To none where a template could not be carried out, or a turn's condition not be decided.
        """
        if any(one.undecided or (one.node and one.node.undone) for one in self._children):
            return True
        if all(one.hook_fault == "" for one in self._children):
            return False
        upto = self._children.index(child) + 1
        return any(one.hook_fault for one in self._children[:upto])

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Whether something of the group is not over: Argo then sets the group right once more.

        What it said of it stays.
        """
        if on_exit or all(one.over for one in self._children):
            return False
        self._said = problem
        return True

    def _end_group(self) -> None:
        ended = [(child, child.node) for child in self._children if child.node is not None]
        bad = [(child, node) for child, node in ended if node.phase.failed_or_error]
        for child, node in bad:
            if child.undecided:
                self.run.end(self._group, record.Phase.ERROR, node.message)
                return
            if node.undone:
                why = f"step group deemed errored due to child {node.name} error: {node.message}"
                self.run.end(self._group, record.Phase.ERROR, why)
                return
        for child, _ in ended:
            if fault := child.hook_fault or child.exit_fault:
                self._break_off(fault, for_exit=not child.hook_fault)
                return
        for child, node in bad:
            if not continues(child.call, node.phase):
                self.run.end(self._group, record.Phase.FAILED, f"child '{node.id}' failed")
                return
        self.run.end(self._group, record.Phase.SUCCEEDED, self._said)

    def _break_off(self, fault: str, *, for_exit: bool) -> None:
        """End the group in Error for a hook.

        For an exit hook Argo takes the group for the steps. The entry node is set right only if
        Argo looks at it again, after an exit handler: else the run says what the group does
        (Argo: executeSteps, markWorkflowPhase).
        """
        last = calls.exit_hook(self.run.spec, self.run.arguments) is None
        if for_exit and last and self.node.name == self.run.name:
            self.node.spoken = fault
            self.run.end(self.node, record.Phase.ERROR, nodes.LEFT)
        self.run.end(self._group, record.Phase.ERROR, fault)

    def publish(self) -> None:
        """Make the outputs global that have a `globalName`."""
        self.share()
        pods.publish(self.run, self.node)

    def abort(self, message: str) -> None:
        """Fail the group and the template."""
        self.run.end(self._group, record.Phase.FAILED, message)
        self.run.end(self.node, record.Phase.FAILED, message)

    # What later groups and hooks see.

    def name_of(self, child: children.Child) -> str:
        """Name a step as its own hooks do; a turn of a loop by the name of the turn."""
        return f"steps.{child.node_name.removeprefix(f'{self._group.name}.')}"

    def seen_by_hooks(self, child: children.Child) -> scope.Names:
        """Give the scope with the child's own status."""
        return scope.Names(self.status_of(child), self.scope, self.run.variables)

    def _remember(self, group: nodes.Node) -> None:
        looped: dict[str, list[nodes.Node]] = {}
        for child in self._children:
            node, name = child.node, child.call.name
            if node is None:
                continue
            prefix = f"steps.{name}"
            if node.name == f"{group.name}.{name}":
                if name in self._read:
                    self.scope.update(self._of_child(child, node))
            else:
                looped.setdefault(prefix, []).append(node)
        for prefix, members in looped.items():
            good = [m.outputs for m in members if m.phase is record.Phase.SUCCEEDED]
            self.scope.update(loops.aggregate(prefix, good))
            self.scope.update(node_values(prefix, group, None))

    def _of_child(self, child: children.Child, node: nodes.Node) -> dict[str, scope.Value]:
        producer = self.run.templates.original(self.invocation.target.scope, child.call)
        return node_values(f"steps.{child.call.name}", node, producer)


def continues(call: template.Call, phase: record.Phase) -> bool:
    """Whether a call's `continueOn` excuses this end."""
    excuse = call.continue_on
    if excuse is None:
        return False
    return excuse.error if phase is record.Phase.ERROR else excuse.failed


def node_values(
    prefix: str,
    node: nodes.Node,
    producer: template.Template | None,
) -> dict[str, scope.Value]:
    """Name what others may read of a node; of a Retry node, what its last attempt left."""
    node = node.last_attempt
    values: dict[str, scope.Value] = {f"{prefix}.id": node.id, f"{prefix}.status": str(node.phase)}
    if node.started is not None:
        values[f"{prefix}.startedAt"] = node.started.rfc3339()
    if node.finished is not None:
        values[f"{prefix}.finishedAt"] = node.finished.rfc3339()
    if node.type is record.NodeType.POD:
        values[f"{prefix}.hostNodeName"] = _HOST
    if node.phase in {record.Phase.SKIPPED, record.Phase.OMITTED}:
        values.update(scope.of_absent(prefix, producer, artifacts=prefix.startswith("steps.")))
    values.update(scope.of_outputs(prefix, node.outputs))
    return values
