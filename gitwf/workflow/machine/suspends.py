"""What waits: a node for a person or until its duration has passed, a run to be begun.

A person may fill in outputs while it waits (`valueFrom: {supplied: {}}`); a value that nobody gave
and that has no default, nor an input of its name that has one, keeps the node waiting.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from gitwf.workflow import durations, record
from gitwf.workflow.document import parameters, template
from gitwf.workflow.machine import nodes, pods

if TYPE_CHECKING:
    from gitwf.workflow.machine import run


class Suspension(Protocol):
    """Anything that a `Resume` lets go on, and a `Shutdown` ends."""

    on_exit: bool

    def resume(self, supplied: Mapping[str, str], message: str = "") -> None:
        """Go on with the values a person supplied, and perhaps why."""

    def stop(self, message: str) -> None:
        """Give up waiting."""


class Held:
    """A whole run that begins suspended (`spec.suspend`)."""

    on_exit = False

    def __init__(self, run: "run.Run", start: Callable[[], None]) -> None:
        self._run = run
        self._start = start
        run.suspended[""] = self

    def resume(self, supplied: Mapping[str, str], message: str = "") -> None:
        """Begin."""
        del supplied, message
        self._run.suspended.pop("", None)
        self._start()

    def stop(self, message: str) -> None:
        """Begin too: what is stopped has nodes that say so."""
        del message
        self.resume({})


class Waiting:
    """One suspended node. `defaults`: of its inputs, for outputs of the same name."""

    def __init__(
        self,
        run: "run.Run",
        node: nodes.Node,
        made: template.Template,
        defaults: Mapping[str, str],
        *,
        on_exit: bool,
    ) -> None:
        self._run = run
        self.on_exit = on_exit
        self.node = node
        self._template = made
        self._defaults = defaults

    @property
    def declared(self) -> tuple[parameters.Parameter, ...]:
        """The outputs that it wants to be supplied with."""
        return tuple(
            parameter
            for parameter in self._template.outputs.parameters
            if parameter.value_from is not None and parameter.value_from.supplied is not None
        )

    @property
    def timed(self) -> bool:
        """Whether it goes on by itself when its time has come."""
        suspend = self._template.suspend
        return suspend is not None and bool(suspend.duration)

    def start(self) -> None:
        """Begin to wait. Raises NodeFailure on a duration that is none."""
        if wanted := tuple(parameter.name for parameter in self.declared):
            self.node.outputs = record.Outputs(unset=wanted)
        suspend = self._template.suspend
        limit = suspend.duration if suspend is not None else ""
        due = self._run.now.after(durations.seconds(limit)) if limit else None
        self._run.suspended[self.node.id] = self
        self._run.begin_node(self.node)
        if due is not None:
            self._run.wake(due, self._elapse)

    def resume(self, supplied: Mapping[str, str], message: str = "") -> None:
        """Go on with the values a person supplied."""
        problem = self._fill(supplied)
        if problem:
            self.node.message = problem
            self._run.touch(self.node)
        else:
            # Argo makes nothing global of a default; a DAG around it will.
            pods.share(self._run, self.node, self._template.outputs)
            pods.publish(self._run, self.node, supplied)
            self._end(record.Phase.SUCCEEDED, message)

    def stop(self, message: str) -> None:
        """Give up waiting."""
        self._end(record.Phase.FAILED, message)

    def _elapse(self) -> None:
        if self.node.phase.fulfilled:
            return
        problem = self._fill({})
        if problem:
            self._run.suspended.pop(self.node.id, None)
            self._run.undo(self.node, problem)
        else:
            pods.share(self._run, self.node, self._template.outputs)
            self._end(record.Phase.SUCCEEDED, "")

    def _fill(self, supplied: Mapping[str, str]) -> str:
        values: dict[str, str] = {}
        for parameter in self.declared:
            value = supplied.get(parameter.name, self.default(parameter))
            if value is None:
                return (
                    f"raw output parameter '{parameter.name}' has not been set "
                    "and does not have a default value"
                )
            values[parameter.name] = value
        if values:
            self.node.outputs = record.Outputs(parameters=values)
        return ""

    def default(self, output: parameters.Parameter) -> str | None:
        """Give what an output is when nobody supplies it: else its namesake input's default."""
        source = output.value_from
        if source is None or source.default is None:
            return self._defaults.get(output.name)
        return source.default

    def _end(self, phase: record.Phase, message: str) -> None:
        self._run.suspended.pop(self.node.id, None)
        self._run.end(self.node, phase, message)
