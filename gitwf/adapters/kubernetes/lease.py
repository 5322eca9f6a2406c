"""One of several leads: leader election by a Lease of the cluster.

It saves work, it guards nothing: two gitwf at once are safe by the ledger's protocol, a lost leader
included. Whoever holds the Lease moves its `renewTime`; whoever waits watches that it moves, by its
own clock, because the clocks of two machines never agree. Every write is a compare-and-swap on the
object's version. Who is asked to stop empties the Lease where it bears their name, so that another
leads at once: they may hold it and not know, where the answer to a write was lost (Kubernetes:
client-go/tools/leaderelection).
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gitwf import ports
from gitwf.adapters.kubernetes.connection import Connection
from gitwf.errors import GitwfError, RaceLost, Transient

API, KIND = "coordination.k8s.io/v1", "Lease"


@dataclass(frozen=True)
class Settings:
    """Which Lease, who we are, and for how many seconds it holds without being renewed."""

    name: str
    identity: str
    seconds: float = 15.0


class Leadership:
    """Takes and keeps one Lease."""

    def __init__(self, settings: Settings, connection: Connection, clock: ports.Clock) -> None:
        self._settings = settings
        self._cluster = connection
        self._clock = clock
        self._seen: tuple[object, float] | None = None

    @contextlib.contextmanager
    def held(self, stopping: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Wait until we lead; gives whether that is over. Empties the Lease at the end.

        What is given turns true when the Lease was lost or could not be renewed in time. When
        asked to stop while waiting, it is true from the start.
        """
        taken = False
        while not stopping() and not (taken := self._attempt()):
            self._clock.wait(self._settings.seconds / 5)
        lost, over = threading.Event(), threading.Event()
        if not taken:
            lost.set()
        renewing = threading.Thread(target=self._keep, args=(lost, over), name="lease", daemon=True)
        renewing.start()
        try:
            yield lost.is_set
        finally:
            over.set()
            renewing.join()
            self._release()

    def _keep(self, lost: threading.Event, over: threading.Event) -> None:
        """Renew until it is over; what cannot be renewed for a whole term is lost."""
        renewed = self._clock.monotonic()
        while not lost.is_set() and not over.wait(self._settings.seconds / 5):
            with contextlib.suppress(GitwfError):
                if self._attempt():
                    renewed = self._clock.monotonic()
            if self._clock.monotonic() - renewed >= self._settings.seconds * 2 / 3:
                lost.set()

    def _attempt(self) -> bool:
        """Take or renew the Lease; whether we hold it now."""
        try:
            live = self._cluster.get(API, KIND, self._settings.name)
            if live is None:
                self._cluster.create(self._manifest())
                return True
            if not self._free(live):
                return False
            version = live["metadata"]["resourceVersion"]
            change = {"metadata": {"resourceVersion": version}, "spec": self._spec(live)}
            self._cluster.merge(API, KIND, self._settings.name, change)
        except (RaceLost, Transient):
            return False
        return True

    def _free(self, live: dict[str, Any]) -> bool:
        """Whether it is ours, nobody's, or has stood still for its whole term under our eyes."""
        spec = live.get("spec") or {}
        holder = spec.get("holderIdentity")
        if holder in {None, "", self._settings.identity}:
            return True
        now = self._clock.monotonic()
        value = (holder, spec.get("renewTime"))
        if self._seen is None or self._seen[0] != value:
            self._seen = (value, now)
        return bool(now - self._seen[1] >= spec.get("leaseDurationSeconds", 0))

    def _spec(self, live: dict[str, Any] | None) -> dict[str, Any]:
        now = self._clock.now().precise()
        before = (live or {}).get("spec") or {}
        ours = before.get("holderIdentity") == self._settings.identity
        changes = before.get("leaseTransitions", 0)
        return {
            "holderIdentity": self._settings.identity,
            "leaseDurationSeconds": max(1, round(self._settings.seconds)),
            "renewTime": now,
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "leaseTransitions": changes if ours or not before else changes + 1,
        }

    def _manifest(self) -> dict[str, Any]:
        return {
            "apiVersion": API,
            "kind": KIND,
            "metadata": {"name": self._settings.name},
            "spec": self._spec(None),
        }

    def _release(self) -> None:
        """Let another lead at once; what cannot be told, the Lease's term tells."""
        with contextlib.suppress(GitwfError):
            live = self._cluster.get(API, KIND, self._settings.name)
            if live is None or live["spec"].get("holderIdentity") != self._settings.identity:
                return
            version = live["metadata"]["resourceVersion"]
            change = {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": None}}
            self._cluster.merge(API, KIND, self._settings.name, change)
