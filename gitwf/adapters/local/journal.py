"""The history of a run on disk: one JSON line an event, appended, synced before it has effect.

Feeding the events to a fresh machine gives the run as it was; nothing else is kept. Beside events
stand the processes that were started, by which a leftover of a killed gitwf is found. A last line
that was torn by a crash was never acted on, so it is dropped. `append` writes; only `sync` makes
durable, once for several events that are ready together, or `hasten` and `settle`, between which
other work can be done. While a run is driven the file ends in
zeros, room that was made beforehand: to make durable what is written there takes the disk alone and
not the file system, which would write down every folder that changed too. No step's output but its
declared outputs is ever written here.
"""

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from gitwf.adapters import host
from gitwf.adapters.local import folder, syncing
from gitwf.values import Instant
from gitwf.workflow import record
from gitwf.workflow.machine import messages

Entry = messages.Event | tuple[str, host.Process]

_json = json.JSONEncoder(separators=(",", ":")).encode
_ROOM = 1 << 16  # Bytes of zeros that are put behind the last line at a time.


class Reader:
    """Reads the history of one run, from where it came to the last time; writes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_to = 0

    def read(self) -> Iterator[Entry]:
        """Give every whole entry that was not given before."""
        with self._path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                # Blocks reach the disk in any order, so that a torn line may have its end.
                if not line.endswith(b"\n") or b"\0" in line:
                    break
                self._read_to += len(line)
                yield self._entry(line)

    def _entry(self, line: bytes) -> Entry:
        try:
            return decode(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise folder.unreadable(self._path, error) from error


class Journal(Reader):
    """The open history of one run. One writer at a time; the run's lock sees to that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._room_to = 0
        self._syncing = syncing.Syncing(self._file)
        self._written = False

    def own(self) -> None:
        """Cut off a torn last line; called by the one process that is about to write.

        Whoever wrote the others may have ended before they were durable.
        """
        os.ftruncate(self._file, self._read_to)
        self._room_to = self._read_to
        self._written = self._read_to > 0

    def append(self, entry: Entry) -> None:
        """Write an entry, not yet durably."""
        line = _json(encode(entry)).encode() + b"\n"
        end = self._read_to + len(line)
        if end > self._room_to:
            self._room_to = end + _ROOM
            line += bytes(_ROOM)
        _write(self._file, line, self._read_to)
        self._read_to = end
        self._written = True

    def hasten(self) -> None:
        """Begin to make durable what was written until now."""
        if self._written:
            self._written = False
            self._syncing.begin()

    def settle(self) -> None:
        """Wait until what was begun is durable."""
        self._syncing.wait()

    def sync(self) -> None:
        """Make what was written durable."""
        self.hasten()
        self.settle()

    def close(self) -> None:
        """Close the file, without the room that was made in it."""
        try:
            self._syncing.wait()
            if self._room_to > self._read_to:
                os.ftruncate(self._file, self._read_to)
        finally:
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _write(file: int, content: bytes, at: int) -> None:
    while content:
        written = os.pwrite(file, content, at)
        content, at = content[written:], at + written


def encode(entry: Entry) -> dict[str, Any]:
    """Turn an entry into JSON values; what has its default is left out."""
    if isinstance(entry, tuple):
        node, process = entry
        return {"is": "process", "node": node, **vars(process)}
    told: dict[str, Any] = {"is": type(entry).__name__}
    told |= vars(entry)
    for name in _OPTIONAL[type(entry)]:
        if not told[name]:
            del told[name]
    told["at"] = entry.at.microseconds
    if "outputs" in told:
        told["outputs"] = encode_outputs(told["outputs"])
    if "parameters" in told:
        told["parameters"] = dict(told["parameters"])
    return told


def encode_outputs(outputs: record.Outputs) -> dict[str, Any]:
    """Turn outputs into JSON values."""
    told: dict[str, Any] = {}
    if outputs.parameters:
        told["parameters"] = dict(outputs.parameters)
    if outputs.artifacts:
        told["artifacts"] = {name: vars(place) for name, place in outputs.artifacts.items()}
    if outputs.result is not None:
        told["result"] = outputs.result
    if outputs.exit_code is not None:
        told["exit_code"] = outputs.exit_code
    if outputs.unset:
        told["unset"] = list(outputs.unset)
    return told


_EVENTS: dict[str, type[messages.Event]] = {
    event.__name__: event
    for event in (
        messages.PodStarted,
        messages.PodEnded,
        messages.ContainerStarted,
        messages.ContainerEnded,
        messages.LookedUp,
        messages.Tick,
        messages.Shutdown,
        messages.Resume,
        messages.GiveUp,
        messages.Retry,
    )
}
# Fields with a default, which is always empty.
_OPTIONAL: dict[type[messages.Event], tuple[str, ...]] = {
    event: tuple(
        one.name
        for one in dataclasses.fields(event)
        if one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING
    )
    for event in _EVENTS.values()
}


def decode(told: dict[str, Any]) -> Entry:
    """Turn JSON values back into the entry. KeyError or TypeError on anything else."""
    kind = told.pop("is")
    if kind == "process":
        return told.pop("node"), host.Process(**told)
    if not isinstance(told["at"], int):
        raise TypeError(f"{told['at']!r} is no instant")
    told["at"] = Instant(told["at"])
    if "phase" in told:
        told["phase"] = record.Phase(told["phase"])
    if "outputs" in told:
        told["outputs"] = decode_outputs(told["outputs"])
    return _EVENTS[kind](**told)


def decode_outputs(told: dict[str, Any]) -> record.Outputs:
    """Turn JSON values back into outputs. KeyError or TypeError on anything else."""
    locations = told.get("artifacts", {}).items()
    artifacts = {name: record.ArtifactLocation(**at) for name, at in locations}
    unset = tuple(told.get("unset", ()))
    return record.Outputs(**{**told, "artifacts": artifacts, "unset": unset})
