"""A pod that runs, and the processes in it: what `pods` knows of each.

A pod is over when all of its members are; what it was asked for, its folders and its ends stay
until then. Standard output that somebody reads goes through here into the log, and its end is kept.
"""

import os
import selectors
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters.local import box, members, outcome
from gitwf.workflow.document import template
from gitwf.workflow.machine import messages


@dataclass(eq=False)
class Pod:
    """A pod under way. `ask_at`, `kill_at`: when what runs is asked to end, and killed."""

    start: messages.StartPod
    made: template.Template
    works: dict[str, Path]
    boxes: dict[str, box.Box]
    progress: members.Progress
    running: dict[str, "Member"] = field(default_factory=dict)
    result: bytes = b""
    stopped: str = ""
    ask_at: float = float("inf")
    kill_at: float = float("inf")

    def end_by(self, due: float) -> None:
        """Ask what runs to end, and have it killed when it is `due`."""
        self.ask_at, self.kill_at = float("inf"), due
        for one in self.running.values():
            one.asked = True
            one.process.stop(kill=False)

    def kill(self) -> None:
        """Kill what runs."""
        self.kill_at = float("inf")
        for one in self.running.values():
            one.process.stop(kill=True)


@dataclass(eq=False)
class Member:
    """One process of a pod."""

    pod: Pod
    name: str
    process: box.Running
    log: int
    stdout: int | None = None
    result: bytearray = field(default_factory=bytearray)
    asked: bool = False

    @property
    def key(self) -> str:
        """The id of its node: a container's of a set, or the pod's."""
        return self.pod.start.containers.get(self.name, self.pod.start.node)

    def read_stdout(self, selector: selectors.BaseSelector) -> None:
        """Move what there is into the log and keep the end of it."""
        while self.stdout is not None:
            try:
                chunk = os.read(self.stdout, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                self.close_stdout(selector)
                return
            os.write(self.log, chunk)
            self.result += chunk
            # One more byte than is kept, for the newline that is dropped at the end.
            del self.result[: -outcome.RESULT_LIMIT - 1]

    def close_stdout(self, selector: selectors.BaseSelector) -> None:
        """Look at standard output no more."""
        if self.stdout is not None:
            selector.unregister(self.stdout)
            os.close(self.stdout)
            self.stdout = None
