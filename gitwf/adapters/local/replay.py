"""The machine of one run, and what of its commands is still open.

Both a driver and a follower feed it the same entries. It remembers which pods were asked for and
have not ended, which of those were started by whom, when the machine wants to be woken: that is all
a new owner needs to go on where the last one stopped.
"""

import heapq
import uuid
from collections.abc import Iterator, Mapping

from gitwf.adapters import host
from gitwf.adapters.local import journal, orders, requests
from gitwf.errors import GitwfError
from gitwf.values import Instant
from gitwf.workflow import machine, record
from gitwf.workflow.machine import locks, messages, suspends


class Replay:
    """A run as its history tells it. Used under its owner's lock."""

    def __init__(self, begun: orders.Begun) -> None:
        self._begun = begun
        self._parameters = dict(begun.order.parameters)
        self._machine = self._made(self._parameters)
        self._open: dict[str, messages.StartPod] = {}
        self._stops: dict[str, messages.StopPod] = {}
        self._asked: dict[str, messages.LookUp] = {}
        self._processes: dict[str, host.Process] = {}
        self._wishes: list[Instant] = []
        self.taken: set[str] = set()
        self._note(self._machine.start())

    def _made(self, parameters: Mapping[str, str]) -> machine.Run:
        order = self._begun.order
        return machine.begin(
            order.workflow,
            order.name,
            parameters,
            self._begun.at,
            # The same run has the same uid in every process that replays it.
            uid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"gitwf:{order.id}")),
            entrypoint=order.entrypoint,
        )

    def tried_again(self, event: messages.Retry) -> machine.Run:
        """Make the run that tries this one again. Stalled or Rejected where that cannot be."""
        made = self._made({**self._parameters, **event.parameters})
        return machine.try_again(made, self._machine.record(), event)

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

    @property
    def suspended(self) -> list[suspends.Waiting]:
        """The suspended nodes, oldest first."""
        waiting = self._machine.suspended.values()
        return [one for one in waiting if isinstance(one, suspends.Waiting)]

    @property
    def begins_suspended(self) -> bool:
        """Whether the run waits to be begun."""
        return "" in self._machine.suspended

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
        if isinstance(event, requests.Wish):
            self.taken.add(event.request)
        if isinstance(event, messages.Retry):
            return self._try_again(event)
        while self._wishes and self._wishes[0] <= event.at:
            heapq.heappop(self._wishes)
        commands = self._machine.advance(event)
        self._note(commands)
        return commands

    def _try_again(self, event: messages.Retry) -> list[messages.Command]:
        """Go on as the next try; a wish for one that came too late or too early is none."""
        try:
            made = self.tried_again(event)
        except GitwfError:
            return []
        self._machine = made
        self._parameters.update(event.parameters)
        for kept in (self._open, self._stops, self._asked, self._processes, self._wishes):
            kept.clear()
        commands = made.start()
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

    def leftovers(self) -> Iterator[host.Process]:
        """The processes that were started and have no recorded end."""
        return iter(self._processes.values())

    def outstanding(self) -> list[messages.Command]:
        """The commands that a new owner has to carry out."""
        return [*self._open.values(), *self._stops.values(), *self._asked.values()]
