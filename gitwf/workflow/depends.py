"""When a DAG task may start: `depends` and `dependencies`, and what their names mean.

A bare name means that the task ended well: succeeded, was skipped, or runs as a daemon; its own
`continueOn` adds failed or errored. `dependencies: [a, b]` is `a && b`. The condition is worked out
by the expression language, once every task it names has ended
(Argo: workflow/common/ancestry.go, workflow/controller/dag.go).
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitwf.workflow import expr, failure
from gitwf.workflow.document import template

_WORD = r"[a-zA-Z0-9_][-a-zA-Z0-9_]*"
_NAME = re.compile(rf"({_WORD})(?:\.([a-zA-Z]+))?")
_CONJUNCTION = re.compile(rf"\s*{_WORD}\s*(?:&&\s*{_WORD}\s*)*")
_WORDS = frozenset({"and", "or", "not", "true", "false"})


@dataclass(frozen=True)
class Result:
    """How a task ended, as a condition sees it; the last two are for loops."""

    succeeded: bool = False
    failed: bool = False
    errored: bool = False
    skipped: bool = False
    omitted: bool = False
    daemoned: bool = False
    any_succeeded: bool = False
    all_failed: bool = False

    def env(self) -> dict[str, bool]:
        """Spell the fields as conditions do: `Succeeded`, `AllFailed`."""
        return {
            "Succeeded": self.succeeded,
            "Failed": self.failed,
            "Errored": self.errored,
            "Skipped": self.skipped,
            "Omitted": self.omitted,
            "Daemoned": self.daemoned,
            "AnySucceeded": self.any_succeeded,
            "AllFailed": self.all_failed,
        }


def ancestors(task: template.Task) -> tuple[str, ...]:
    """Name the tasks that `task` waits for, each once, in the order they are written."""
    if not task.depends:
        return tuple(dict.fromkeys(task.dependencies))
    names = (match[1] for match in _NAME.finditer(task.depends) if match[1] not in _WORDS)
    return tuple(dict.fromkeys(names))


def allows(
    task: template.Task, tasks: Mapping[str, template.Task], results: Mapping[str, Result]
) -> bool:
    """Say whether `task` may start, now that its ancestors gave `results`.

    Raises NodeFailure where the condition cannot be worked out.
    """
    if not task.depends or _CONJUNCTION.fullmatch(task.depends):
        # The usual case, worth not parsing: bare names joined by "and".
        return all(_went_well(tasks[name], result) for name, result in results.items())
    return _holds(condition(task.depends, tasks), results)


def _went_well(task: template.Task, result: Result) -> bool:
    excuse = task.continue_on
    if result.succeeded or result.skipped or result.daemoned:
        return True
    return excuse is not None and (
        (excuse.error and result.errored) or (excuse.failed and result.failed)
    )


def condition(text: str, tasks: Mapping[str, template.Task]) -> str:
    """Write out a condition, every bare name expanded."""

    def expanded(match: re.Match[str]) -> str:
        name, result = match[1], match[2]
        if name in _WORDS:
            return match[0]
        if result:
            return f"{_identifier(name)}.{result}"
        return _bare(name, tasks[name])

    return _NAME.sub(expanded, text)


def _bare(name: str, task: template.Task) -> str:
    results = ["Succeeded", "Skipped", "Daemoned"]
    if task.continue_on is not None:
        results.extend(["Errored"] if task.continue_on.error else [])
        results.extend(["Failed"] if task.continue_on.failed else [])
    return "(" + " || ".join(f"{_identifier(name)}.{result}" for result in results) + ")"


def _holds(text: str, results: Mapping[str, Result]) -> bool:
    env = {_identifier(name): result.env() for name, result in results.items()}
    try:
        value = _parsed(text).evaluate(env)
    except expr.ExprError as problem:
        raise failure.NodeFailure(f"unable to evaluate depends logic: {problem}") from problem
    if not isinstance(value, bool):
        raise failure.NodeFailure(f"unable to evaluate depends logic: {text} is no condition")
    return value


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> "expr.Program":
    return expr.parse(text)


def _identifier(name: str) -> str:
    # A task may be named like a number or hold dashes, which no identifier of the language may.
    return "task_" + name.replace("-", "_")
