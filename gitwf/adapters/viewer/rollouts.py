"""Which viewer serves: one current, perhaps one on its way, some that drain.

Everything runs on one event loop, so a switch is one assignment between two requests: a request
that begins before it ends on the old viewer, one that begins after it goes to the new. A rollout
that fails leaves the current viewer alone; a newer one ends an unfinished one. A current viewer
that dies is started again, and requests wait for it. Nothing here decides what should be served.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

from gitwf.adapters.viewer import running
from gitwf.adapters.viewer.settings import FrontSettings

_LOG = logging.getLogger(__name__)
_REVIVE_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 60.0


class Stale(Exception):
    """The revision is not the one that the request was based on."""


class Rollouts:
    """The state of one environment; `seen` is what `/-/gitwf` answers of it.

    `told` gets a line, for people, of each thing that happens.
    """

    def __init__(
        self, settings: FrontSettings, told: Callable[[str], object] = lambda _: None
    ) -> None:
        self._settings = settings
        self._told = told
        self._nonce = secrets.token_hex(4)
        self._count = 0
        self._applied: running.Spec | None = None
        self._state, self._reason = "", ""
        self._current: running.Viewer | None = None
        self._draining: list[running.Viewer] = []
        self._able = asyncio.Event()
        self._rolling: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def revision(self) -> str:
        """Differs after each apply and between fronts; empty while nothing was applied."""
        return f"{self._nonce}-{self._count}" if self._count else ""

    def seen(self) -> dict[str, Any]:
        """Say what was applied last, how that went, and what serves."""
        current, applied = self._current, self._applied
        return {
            "revision": self.revision,
            "applied": applied and {
                "id": applied.id, "release": applied.release, "model": applied.model,
                "digest": applied.digest, "viewer": applied.viewer,
                "ready": current is not None and current.spec.content == applied.content,
            },
            "rollout": {"state": self._state, "reason": self._reason},
            "serving": current and {
                "release": current.spec.release, "model": current.spec.model,
                "digest": current.spec.digest, "viewer": current.spec.viewer,
                "with": current.kind, "pid": current.pid,
            },
            "draining": len(self._draining),
        }  # fmt: skip

    def apply(self, based_on: str, spec: running.Spec) -> str:
        """Begin a rollout and return the new revision. Raises Stale when `based_on` is old."""
        if based_on != self.revision:
            raise Stale
        same = self._applied is not None and self._applied.id == spec.id
        if same and self._state == "progressing":
            running.Viewer(spec).discard()
            return self.revision
        self._count += 1
        self._applied, self._state, self._reason = spec, "progressing", ""
        if self._rolling is not None:
            self._rolling.cancel()
        self._rolling = self._in_background(self._roll(spec))
        return self.revision

    async def serving(self, seconds: float) -> running.Viewer | None:
        """The viewer for a request that begins now; waits for one that is being restarted."""
        if self._current is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._able.wait()
        return self._current

    def draining(self) -> list[running.Viewer]:
        """Viewers that only finish what is open on them, the latest first."""
        return self._draining[::-1]

    async def close(self) -> None:
        """Stop every viewer."""
        for task in (tasks := tuple(self._background)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        viewers = [*self._draining, *filter(None, [self._current])]
        self._serve(None)
        await asyncio.gather(*(self._end(viewer) for viewer in viewers))

    async def _roll(self, spec: running.Spec) -> None:
        """Bring one release up and switch to it; the outcome stands in `_state`."""
        current = self._current
        viewer = running.Viewer(spec)
        if spec.refused:
            self._fail(spec, spec.refused)
            viewer.discard()
        elif current is not None and current.spec.content == spec.content:
            self._state = "complete"
            viewer.discard()
        else:
            await self._start(viewer)

    def _fail(self, spec: running.Spec, reason: str) -> None:
        self._state, self._reason = "failed", reason
        self._told(f"{spec.model} is not served: {reason}")

    async def _start(self, viewer: running.Viewer) -> None:
        self._told(f"starting the viewer of {viewer.spec.model}")
        try:
            await viewer.start(self._settings.ready_seconds)
        except running.NotReady as why:
            viewer.discard()
            self._fail(viewer.spec, str(why))
        except asyncio.CancelledError:
            viewer.discard()
            raise
        except Exception as error:  # noqa: BLE001  whatever happens, a rollout ends
            _LOG.warning("a viewer could not be started", exc_info=True)
            viewer.discard()
            self._fail(viewer.spec, f"the viewer could not be started: {error}")
        else:
            self._switch(viewer)
            self._state = "complete"

    def _switch(self, viewer: running.Viewer) -> None:
        """Let `viewer` serve from now on. Nothing can come between: there is no await in it."""
        old = self._current
        self._serve(viewer)
        self._told(f"serving {viewer.spec.model}")
        if self._watching is not None:
            self._watching.cancel()
        self._watching = self._in_background(self._watch(viewer))
        if old is not None:
            self._draining.append(old)
            self._in_background(self._retire(old))

    async def _retire(self, viewer: running.Viewer) -> None:
        await viewer.drain(self._settings.drain_seconds)
        await self._end(viewer)
        self._draining.remove(viewer)

    async def _watch(self, viewer: running.Viewer) -> None:
        """Start the current viewer again whenever it ends by itself."""
        failures = 0
        while True:
            since = time.monotonic()
            code = await viewer.ended()
            if time.monotonic() - since > _STEADY_SECONDS:
                failures = 0
            _LOG.warning("the viewer of %s ended with exit code %s", viewer.spec.model, code)
            self._told(
                f"the viewer of {viewer.spec.model} ended (exit code {code}); starting it again"
            )
            self._serve(None)
            again = running.Viewer(viewer.spec)
            try:
                while self._current is None:
                    await asyncio.sleep(_REVIVE_SECONDS[min(failures, len(_REVIVE_SECONDS) - 1)])
                    failures += 1
                    with contextlib.suppress(running.NotReady):
                        await again.start(self._settings.ready_seconds)
                        self._serve(viewer := again)
            except asyncio.CancelledError:
                viewer.discard()
                raise

    def _serve(self, viewer: running.Viewer | None) -> None:
        self._current = viewer
        if viewer is None:
            self._able.clear()
        else:
            self._able.set()

    async def _end(self, viewer: running.Viewer) -> None:
        await viewer.stop()
        viewer.discard()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
