"""The graph of a DAG template: which task waits for which, and what it is all for.

It is a matter of the document alone: nothing in it changes while the DAG runs.
"""

import functools
from collections import deque
from collections.abc import Callable

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

    @functools.cached_property
    def order(self) -> dict[str, int]:
        """The tasks that the targets need, numbered as Argo comes to them.

        Argo goes from one target to the next, and to what a task waits for before the task.
        """
        found: dict[str, int] = {}
        ahead = [(name, False) for name in reversed(self.targets) if name in self.tasks]
        entered: set[str] = set()
        while ahead:
            name, done = ahead.pop()
            if done:
                found[name] = len(found)
            elif name not in entered:
                entered.add(name)
                ahead.append((name, True))
                ahead.extend((before, False) for before in reversed(self.before[name]))
        return found

    @functools.cached_property
    def after(self) -> dict[str, list[str]]:
        """What the targets need and waits for a task itself, by the task."""
        found: dict[str, list[str]] = {name: [] for name in self.order}
        for name in self.order:
            for before in self.before[name]:
                found[before].append(name)
        return found

    def comes_to(self, name: str, is_over: Callable[[str], bool]) -> bool:
        """Whether there is a way from a target to a task through such as are not over.

        Argo looks at every target, and at what a task waits for until the task is over.
        """
        ahead, seen = [name], set[str]()
        while ahead:
            one = ahead.pop()
            if self.is_target(one):
                return True
            if one not in seen:
                seen.add(one)
                ahead.extend(after for after in self.after[one] if not is_over(after))
        return False

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
