"""The machine of one run, and what of its commands is still open.

Both a driver and a follower feed it the same entries. It remembers which pods were asked for and
have not ended, which of those were started by whom, when the machine wants to be woken: that is all
a new owner needs to go on where the last one stopped.
"""

import heapq
import uuid
from collections.abc import Iterator

from gitwf.adapters import host
from gitwf.adapters.local import journal, orders
from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.machine import locks, messages


class Replay:
    """A run as its history tells it. Used under its owner's lock."""

    def __init__(self, begun: orders.Begun) -> None:
        order = begun.order
        self._machine = machine.begin(
            order.workflow,
            order.name,
            order.parameters,
            begun.at,
            # The same run has the same uid in every process that replays it.
            uid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"gitwf:{order.id}")),
            entrypoint=order.entrypoint,
        )
        self._open: dict[str, messages.StartPod] = {}
        self._stops: dict[str, messages.StopPod] = {}
        self._asked: dict[str, messages.LookUp] = {}
        self._processes: dict[str, host.Process] = {}
        self._wishes: list[Instant] = []
        self.shut_down = False
        self._note(self._machine.start())

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self._machine.over

    @property
    def held(self) -> tuple[locks.Lock, ...]:
        """The locks of the whole workflow, which its driver holds."""
        return self._machine.held

    @property
    def wake_at(self) -> Instant | None:
        """When the machine wants to be woken."""
        return self._wishes[0] if self._wishes else None

    def snapshot(self) -> record.RunRecord:
        """The run as it stands."""
        return self._machine.record()

    def take(self, entry: journal.Entry) -> None:
        """Take in an entry that somebody else acted on."""
        if isinstance(entry, tuple):
            node, process = entry
            self._processes[node] = process
        else:
            self.advance(entry)

    def advance(self, event: messages.Event) -> list[messages.Command]:
        """Take in an event; gives what to do next."""
        if isinstance(event, messages.PodEnded):
            started = self._open.pop(event.node, None)
            self._stops.pop(event.node, None)
            for node in (event.node, *(started.containers.values() if started else ())):
                self._processes.pop(node, None)
        if isinstance(event, messages.LookedUp):
            self._asked.pop(event.node, None)
        if isinstance(event, messages.Shutdown):
            self.shut_down = True
        while self._wishes and self._wishes[0] <= event.at:
            heapq.heappop(self._wishes)
        commands = self._machine.advance(event)
        self._note(commands)
        return commands

    def _note(self, commands: list[messages.Command]) -> None:
        for command in commands:
            match command:
                case messages.StartPod():
                    self._open[command.node] = command
                case messages.StopPod():
                    self._stops[command.node] = command
                case messages.LookUp():
                    self._asked[command.node] = command
                case messages.WakeAt():
                    heapq.heappush(self._wishes, command.at)
                case messages.Remember() | messages.Finish():
                    pass

    def due(self, now: Instant) -> messages.Tick | None:
        """The tick that is due, if one is."""
        return messages.Tick(now) if self._wishes and self._wishes[0] <= now else None

    def leftovers(self) -> Iterator[host.Process]:
        """The processes that were started and have no recorded end."""
        return iter(self._processes.values())

    def outstanding(self) -> list[messages.Command]:
        """The commands that a new owner has to carry out."""
        return [*self._open.values(), *self._stops.values(), *self._asked.values()]
