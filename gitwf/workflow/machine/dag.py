"""A DAG: tasks that start as soon as the tasks they depend on allow it.

A task is looked at once, when the last of its ancestors has settled; so a dag costs its edges. It
sees the outputs of its ancestors only. Nothing stops other branches when one fails: Argo's
`dag.failFast` only decides which failure is reported (Argo: workflow/controller/dag.go).
"""

import functools
import re
from collections.abc import Callable

from gitwf.workflow import depends, failure, loops, record, scope
from gitwf.workflow.document import template
from gitwf.workflow.machine import (
    branches,
    calls,
    children,
    composite,
    graph,
    hooks,
    nodes,
    outbound,
    pods,
    steps,
)

_OMITTED = "omitted: depends condition not met"
_EMPTY = "Skipped, empty params"
# What ends by an event of its own, not while the DAG is looked at.
_OUTSIDE = frozenset({record.NodeType.POD, record.NodeType.HTTP})
_HOOKED_LATER = frozenset({record.NodeType.TASK_GROUP, record.NodeType.SKIPPED})
_MENTIONED = re.compile(r"""tasks(?:\.|\[\\?['"])([-\w]+)""")
_COMPUTED = re.compile(r"""tasks\[(?!\\?['"])""")


class Dag(composite.Composite):
    """The run of a dag template."""

    kind = "tasks"

    def start(self) -> None:
        """Start every task within reach of the targets that waits for none."""
        dag = self.made.dag or template.Dag()
        self._dag = dag
        self._graph = graph.Graph(dag)
        self._waits = {name: len(self._graph.before[name]) for name in self.order}
        self._left = len(self._waits)
        self._settled: dict[str, nodes.Node] = {}
        self._children: dict[str, children.Child] = {}
        self._members: dict[str, list[children.Child]] = {}
        self._open: dict[str, int] = {}
        self._group_of: dict[str, children.Child] = {}
        self._known: dict[str, dict[str, scope.Value]] = {}
        for name, count in self._waits.items():
            if not count:
                self._look_later(name)
        if not self._waits:
            self._finish()

    # One task.

    @property
    def order(self) -> dict[str, int]:
        """The tasks, numbered as Argo comes to them."""
        return self._graph.order

    def _look_later(self, name: str) -> None:
        self.run.later(lambda: self._look(self._graph.tasks[name]))

    def _look(self, task: template.Task) -> None:
        if self.node.phase.fulfilled or self.given_up:
            return
        hooked = calls.hooks_of(task, {}, self.run.arguments)
        child = children.Child(self, task, f"{self.node.name}.{task.name}", hooked)
        self._children[task.name] = child
        try:
            seen = self._scope(task)
        except failure.NodeFailure as problem:
            if self._allowed(task, child):
                child.skip(record.Phase.ERROR, str(problem))
            if self._graph.is_target(task.name):
                # Argo looks at what a target sees, an omitted one too, and ends the DAG by it.
                self.run.undo(self.node, str(problem))
            return
        if self._allowed(task, child):
            self._carry_out(task, child, seen)

    def _allowed(self, task: template.Task, child: children.Child) -> bool:
        """Whether what it depends on lets a task start; where not, it is over."""
        try:
            if depends.allows(task, self._graph.tasks, self._results(task)):
                return True
        except failure.NodeFailure as problem:
            child.skip(record.Phase.ERROR, str(problem))
        else:
            child.skip(record.Phase.OMITTED, _OMITTED)
        return False

    def _carry_out(
        self, task: template.Task, child: children.Child, seen: dict[str, scope.Value]
    ) -> None:
        """Start a task that sees this, or skip it."""
        try:
            values = scope.Names(self.own_names(), seen, self.run.variables)
            ready = calls.ready(
                task, values, lambda: self.local().new_child(seen), tagged=self.tagged
            )
            turns = calls.turns(ready, task.name, values, task.hooks)
        except failure.NodeFailure as problem:
            child.skip(record.Phase.ERROR, str(problem))
            return
        if len(turns) == 1 and turns[0].name == task.name:
            child.submit(turns[0])
        elif not turns:
            child.skip(record.Phase.SKIPPED, _EMPTY)
        else:
            self._spread(child, task, turns)

    def _spread(self, child: children.Child, task: template.Task, turns: list[calls.Turn]) -> None:
        group = nodes.Node(self.run.name, child.node_name, record.NodeType.TASK_GROUP, child)
        group.within(self.node)
        group.template, group.template_ref = calls.shown(task)
        self.run.add(group)
        # The exit hook runs after every turn, and once more after all of them.
        last = {n: h for n, h in child.hooked.items() if n == hooks.EXIT}
        members = [
            children.Child(self, task, f"{self.node.name}.{turn.name}", last) for turn in turns
        ]
        self._members[task.name] = members
        self._open[task.name] = len(members)
        for member, turn in zip(members, turns, strict=True):
            self._group_of[member.node_name] = child
            member.submit(turn)
        # Its hooks start after its turns.
        self.run.begin_node(group)

    def adopt(self, child: children.Child, node: nodes.Node) -> None:
        """Connect a new node to what comes before it."""
        group = self._group_of.get(child.node_name)
        if group is not None:
            self.run.link(self.run.nodes[group.node_name], node)
            return
        before = [self._settled[name] for name in self._graph.before[child.call.name]]
        ends = [end for one in before for end in outbound.of(one)]
        # Argo never ends where a task comes after none but such as end nowhere.
        for end in ends or before or [self.node]:
            self.run.link(end, node)

    def settled(self, child: children.Child) -> None:
        """Let the tasks go on that waited for this one; end when none is left."""
        name = child.call.name
        if child.node_name in self._group_of:
            self._open[name] -= 1
            if not self._open[name]:
                self._end_group(name, self._group_of[child.node_name])
            return
        if child.node is None or self.node.phase.fulfilled:
            return
        if name not in self._settled:
            self._go_on(name, child.node)
        self._left -= 1
        if not self._left:
            self._finish()

    def _go_on(self, name: str, node: nodes.Node) -> None:
        self._settled[name] = node
        for after in self._graph.after[name]:
            self._waits[after] -= 1
            if not self._waits[after]:
                self._look_later(after)

    def exits_at_once(self, child: children.Child) -> bool:
        """Whether it is a target, at which Argo looks for itself."""
        return self._graph.is_target(child.call.name)

    def passes_by(self, child: children.Child) -> bool:
        """Go on from a task before its hooks where Argo does.

        What ends while Argo looks at it, as a loop does and a pod that was carried out does not,
        lets the tasks after it go on in the same look; its hooks start in the next one, if a target
        still waits for it then. The exit hook of what was carried out, but of a loop, starts at
        once.
        """
        node, name = child.node, child.call.name
        if child.node_name in self._group_of:
            if child.undecided:
                self.run.at_last(lambda: self._follow_undecided(child))
            return child.undecided
        if node is None or self._graph.is_target(name):
            return False
        at_once = hooks.EXIT in child.hooked and node.type not in _HOOKED_LATER
        if not node.undone and (node.type in _OUTSIDE or (at_once and node.phase.completed)):
            return False
        self._go_on(name, node)
        self.run.at_last(lambda: self._follow(child))
        return True

    def _follow(self, child: children.Child) -> None:
        if self._comes_to(child.call.name):
            child.follow()
        else:
            self.settled(child)

    def _follow_undecided(self, turn: children.Child) -> None:
        """Start a turn's exit hook if another one is left, for which Argo looks at it again."""
        if any(one.node is None for one in self._members[turn.call.name]):
            turn.follow()
        else:
            self.settled(turn)

    def forgets(self, problem: str, *, on_exit: bool) -> bool:
        """Always: Argo ends the task by a named hook, and nothing by one on exit."""
        del problem, on_exit
        return True

    def stuck(self, child: children.Child) -> bool:
        """Whether Argo does not look at a task any more."""
        return not self._comes_to(child.call.name)

    def _comes_to(self, name: str) -> bool:
        return self._graph.comes_to(name, self._is_over)

    def _is_over(self, name: str) -> bool:
        node = self.run.nodes.get(f"{self.node.name}.{name}")
        return node is not None and node.phase.fulfilled

    def _end_group(self, name: str, child: children.Child) -> None:
        phase = record.Phase.SUCCEEDED
        for member in self._members[name]:
            if member.node is not None and member.node.phase.failed_or_error:
                phase = member.node.phase
        self.run.end(self.run.nodes[child.node_name], phase)

    def _results(self, task: template.Task) -> dict[str, depends.Result]:
        return {
            name: branches.result(self._settled[name], is_loop=name in self._members)
            for name in self._graph.before[task.name]
        }

    # The end.

    def _finish(self) -> None:
        # Argo takes the workflow's own hooks for children of the entry node.
        if self.node.name == self.run.name and self.run.hold_back(self._finish):
            return
        for name in self._graph.targets:
            child = self._children.get(name)
            if child is not None and (fault := child.hook_fault or child.exit_fault):
                self.run.undo(self.node, fault)
                return
        ends = [self._settled[name] for name in self._graph.targets if name in self._settled]
        self.node.outbound = tuple(last for end in ends for last in outbound.of(end))
        phase = self._phase()
        if phase is not record.Phase.SUCCEEDED:
            self.run.end(self.node, phase)
            return
        try:
            written = self.made.outputs.to_json()
            self.scope.update(self._mentioned(written, self._settled.__contains__))
            self._publish_tasks()
            self.succeed()
        except failure.NodeFailure as problem:
            self.run.undo(self.node, str(problem))
        if self.node.undone:
            # Argo says where it comes out once it has the outputs.
            self.node.outbound = ()

    def _phase(self) -> record.Phase:
        ends = [self.run.nodes[f"{self.node.name}.{name}"] for name in self._graph.targets]
        phases = branches.phases(self.node, ends)
        phase = record.Phase.SUCCEEDED
        for name in self._graph.targets:
            branch = phases[f"{self.node.name}.{name}"]
            if branch.failed_or_error and not steps.continues(self._graph.tasks[name], branch):
                phase = branch
                if self._dag.fail_fast is not False:
                    break
        return phase

    def undone(self, node: nodes.Node) -> None:
        """Say whose task could not be carried out."""
        node.message = f"task '{node.name}' errored: {node.message}"
        self.run.touch(node)

    def _publish_tasks(self) -> None:
        """Make what the tasks gave global once more, in the order of the document."""
        for name in self._graph.tasks:
            if name in self._settled:
                pods.publish(self.run, self._settled[name])

    def publish(self) -> None:
        """Leave the DAG's own outputs to a DAG around it, as Argo does."""
        self.share()

    def abort(self, message: str) -> None:
        """Fail the template; a loop in it, whose other turns will not start, is left as it is."""
        self.run.end(self.node, record.Phase.FAILED, message)

    # What tasks see.

    def seen_by_outputs(self) -> scope.Names:
        """Give the scope alone: other than steps, a DAG's outputs see no global ones."""
        return scope.Names(self.scope, {scope.NOW: self.run.now})

    def name_of(self, child: children.Child) -> str:
        """Name a task as its own hooks do."""
        return f"tasks.{child.call.name}"

    def seen_by_hooks(self, child: children.Child) -> scope.Names:
        """Give what a task's hooks see: its ancestors and its own status."""
        ancestors = self._scope(self._graph.tasks[child.call.name])
        return scope.Names(self.status_of(child), ancestors, self.run.variables)

    def _scope(self, task: template.Task) -> dict[str, scope.Value]:
        is_ancestor = functools.partial(self._graph.is_ancestor, task.name)
        return {**self.scope, **self._mentioned(task.to_json(), is_ancestor)}

    def _mentioned(self, text: str, allowed: Callable[[str], bool]) -> dict[str, scope.Value]:
        """Give the values of the tasks that a text speaks of; the others need not be gathered."""
        names = set(_MENTIONED.findall(text))
        if _COMPUTED.search(text):
            names = set(self._settled)
        # What a loop printed must make a list for whoever comes after it, though another reads it.
        names |= self.results_read & self._members.keys()
        values: dict[str, scope.Value] = {}
        for name in sorted(names):
            if name in self._settled and allowed(name):
                values.update(self._task_values(name))
        if names and not values and (other := next(filter(allowed, self._settled), None)):
            # An expression that speaks of a task which is not there is told so, where others are.
            values[f"tasks.{other}.id"] = self._settled[other].id
        return values

    def _task_values(self, name: str) -> dict[str, scope.Value]:
        if name not in self._known:
            self._known[name] = self._node_values(name, self._settled[name])
        return self._known[name]

    def _node_values(self, name: str, node: nodes.Node) -> dict[str, scope.Value]:
        prefix = f"tasks.{name}"
        producer = self.run.templates.original(
            self.invocation.target.scope, self._graph.tasks[name]
        )
        values = steps.node_values(prefix, node, producer)
        if node.type is record.NodeType.TASK_GROUP and node.phase.fulfilled:
            members = [m.node for m in self._members[name] if m.node is not None]
            good = [m.outputs for m in members if m.phase is record.Phase.SUCCEEDED]
            values.update(loops.aggregate(prefix, good))
        return values
