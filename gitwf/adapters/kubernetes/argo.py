"""The port `Engine` on Argo Workflows: the same file, where one machine is not enough.

A run is a Workflow under a name made of the run's, so that whoever submits it again attaches, and a
gitwf that was killed finds it where it was; the API server keeps all state. The code at the commit
goes up as one tar, the model comes back, both through the artifact repository that Argo itself
uses. A watch is only how news comes sooner: after every break the Workflow is read again.
"""

import gzip
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from gitwf import ports
from gitwf.adapters import clock
from gitwf.adapters.kubernetes import failures, logs, status, submission
from gitwf.adapters.kubernetes.connection import Connection
from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.values import Digest
from gitwf.workflow import record

WATCH_SECONDS = 30.0


class Artifacts(Protocol):
    """The artifact repository of Argo, as far as gitwf uses it."""

    def put(self, file: Path) -> str:
        """Keep a file; the key that Argo finds it by."""
        ...

    def copy(self, key: str, to: Path) -> Digest:
        """Write the object of a key to `to`."""
        ...


@dataclass(frozen=True)
class Settings:
    """How runs are submitted and where a tar is packed. `pause`: seconds between questions."""

    scratch: Path
    terms: submission.Terms = field(default_factory=submission.Terms)
    pause: float = 1.0


class ArgoEngine:
    """Runs workflows on Argo's controller; see `gitwf.ports.Engine`."""

    def __init__(self, settings: Settings, connection: Connection, artifacts: Artifacts) -> None:
        self._settings = settings
        self._cluster = connection
        self._artifacts = artifacts
        self._closed = threading.Event()

    @property
    def name(self) -> str:
        """What evidence says: `argo`."""
        return "argo"

    def describe(self) -> str:
        """Say in words where steps run."""
        return f"Argo Workflows, namespace {self._cluster.namespace}"

    def start(self, order: ports.Order) -> None:
        """Submit the run, or attach to it. Rejected: against the policy; Stalled: a stolen name."""
        if self._found(order.id) is not None:
            return
        now = clock.SystemClock().now()
        manifest = submission.of(order, self._settings.terms, at=now)
        if order.source is not None and submission.wants_source(order):
            key = self._upload(order.source)
            manifest = submission.of(order, self._settings.terms, key, at=now)
        try:
            self._cluster.create(manifest)
        except RaceLost:
            # Somebody submitted the same run a moment ago; that it is the same is checked.
            self._found(order.id)

    def observe(self, run: str) -> record.RunRecord | None:
        """The record as it stands, or None when there is no such Workflow."""
        found = self._found(run)
        return None if found is None else status.run(found)

    def watch(self, run: str) -> Iterator[record.RunRecord]:
        """Snapshots as the run goes on; the last one is over. Stalled when there is no such run.

        A Workflow that somebody deleted is a run that ended by a fault of the engine.
        """
        last = self.observe(run)
        if last is None:
            raise Stalled(f"Argo has no run {run} in namespace {self._cluster.namespace}")
        yield last
        while not last.over and not self._closed.is_set():
            for shown in self._news(run, last):
                if shown != last:
                    last = shown
                    yield last

    def _news(self, run: str, last: record.RunRecord) -> Iterator[record.RunRecord]:
        """One reading of the Workflow and the events after it, till the watch ends or breaks."""
        only = f"metadata.name={submission.name(run)}"
        try:
            found, version = self._cluster.listed(submission.API, "Workflow", fields=only)
            if not found:
                yield _deleted(last)
                return
            yield status.run(found[0])
            if status.run(found[0]).over:
                return
            events = self._cluster.watch(
                submission.API, "Workflow", version, seconds=WATCH_SECONDS, fields=only
            )
            for event in events:
                if event.type == "DELETED":
                    yield _deleted(last)
                    return
                if event.type != "BOOKMARK":
                    shown = status.run(event.object)
                    yield shown
                    if shown.over:
                        return
                if self._closed.is_set():
                    return
        except failures.Gone:
            return
        except Transient:
            self._closed.wait(self._settings.pause)

    def cancel(self, run: str, reason: str) -> None:
        """Ask the run to end; exit handlers still run. Nothing when it is over or gone."""
        found = self._found(run)
        if found is None or status.run(found).over:
            return
        change = {
            "metadata": {"annotations": {"gitwf.dev/cancelled": reason}},
            "spec": {"shutdown": "Stop"},
        }
        self._cluster.merge(submission.API, "Workflow", submission.name(run), change)

    def artifact(self, run: str, name: str, to: Path) -> Digest:
        """Copy a global output artifact, one file, to `to`. Stalled when it is not there."""
        shown = self.observe(run)
        location = None if shown is None else shown.outputs.artifacts.get(name)
        if location is None or not location.key:
            hint = f"give an output artifact `globalName: {name}` and `archive: {{none: {{}}}}`"
            raise Stalled(f"the run {run} has no global artifact {name!r}", hint=hint)
        return self._artifacts.copy(location.key, to)

    def logs(self, run: str, node: str | None = None) -> Iterator[ports.LogLine]:
        """What the main containers of the pods that are still there wrote, in the pods' order."""
        return logs.Reader(self._cluster, submission.name(run), node).lines()

    def follow(self, run: str, node: str | None = None) -> Iterator[ports.LogLine]:
        """The same, and what they write until the run is over."""
        reader = logs.Reader(self._cluster, submission.name(run), node)
        over = False
        while not over:
            shown = self.observe(run)
            over = shown is None or shown.over or self._closed.is_set()
            yield from reader.lines()
            if not over:
                self._closed.wait(self._settings.pause)

    def close(self) -> None:
        """Stop watching; every run goes on, and whoever starts it again attaches."""
        self._closed.set()

    def _found(self, run: str) -> dict[str, Any] | None:
        """The Workflow of a run. Stalled: one of its name is another's."""
        name = submission.name(run)
        found = self._cluster.get(submission.API, "Workflow", name)
        if found is not None and not status.belongs(found, run):
            raise Stalled(
                f"the Workflow {name} in namespace {self._cluster.namespace} is not of this run",
                hint="delete it, or give gitwf a namespace of its own",
            )
        return found

    def _upload(self, source: Path) -> str:
        self._settings.scratch.mkdir(parents=True, exist_ok=True)
        packed = self._settings.scratch / f"{source.name}.tgz"
        packed.write_bytes(pack(source))
        try:
            return self._artifacts.put(packed)
        finally:
            packed.unlink(missing_ok=True)


def _deleted(last: record.RunRecord) -> record.RunRecord:
    return record.RunRecord(
        last.name,
        record.Phase.ERROR,
        "the Workflow was deleted before it ended",
        started=last.started,
        parameters=last.parameters,
        nodes=last.nodes,
        fault=True,
    )


def pack(folder: Path) -> bytes:
    """Pack a folder as a compressed tar that depends on nothing but names, modes and bytes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_bare)
    return gzip.compress(raw.getvalue(), mtime=0)


def _bare(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owned a file, and when it was written."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
