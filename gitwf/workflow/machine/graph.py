"""The graph of a DAG template: which task waits for which, and what it is all for.

It is a matter of the document alone: nothing in it changes while the DAG runs.
"""

from collections import deque

from gitwf.workflow import depends
from gitwf.workflow.document import template


class Graph:
    """The tasks of a DAG by name, those that each waits for, and its targets."""

    def __init__(self, dag: template.Dag) -> None:
        self.tasks = {task.name: task for task in dag.tasks}
        self.before = {task.name: depends.ancestors(task) for task in dag.tasks}
        if dag.target:
            self.targets = dag.target.split()
        else:
            waited_for = {name for names in self.before.values() for name in names}
            self.targets = sorted(name for name in self.tasks if name not in waited_for)
        self._wanted = frozenset(self.targets)

    def is_target(self, name: str) -> bool:
        """Whether the DAG is for this task."""
        return name in self._wanted

    def reach(self) -> list[str]:
        """Name the tasks that the targets need, in the order in which Argo comes to each.

        Argo goes from one target to the next, and to what a task waits for before the task.
        """
        found: dict[str, None] = {}
        ahead = [(name, False) for name in reversed(self.targets) if name in self.tasks]
        entered: set[str] = set()
        while ahead:
            name, done = ahead.pop()
            if done:
                found[name] = None
            elif name not in entered:
                entered.add(name)
                ahead.append((name, True))
                ahead.extend((before, False) for before in reversed(self.before[name]))
        return list(found)

    def is_ancestor(self, of: str, name: str) -> bool:
        """Whether a task waits for another, directly or not."""
        ahead, seen = deque(self.before[of]), set[str]()
        while ahead:
            one = ahead.popleft()
            if one == name:
                return True
            if one not in seen:
                seen.add(one)
                ahead.extend(self.before[one])
        return False
