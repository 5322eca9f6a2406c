"""The images of a run: looked up once, and fetched where a step's pull policy asks for it.

How an image is fetched is the step's own business, because a step that is stopped has to end that
too. Two steps of one image fetch it one after the other, so that the second one finds it here.
"""

import contextlib
import threading
from collections.abc import Callable

from gitwf.adapters.local import box, engines, environment

_POLICIES = frozenset({"", "Always", "IfNotPresent", "Never"})

Fetch = Callable[[str], None]
"""Fetches an image by its name. Raises Refused."""


class Images:
    """The images of one run, each looked up once, and fetched by one step at a time."""

    def __init__(self, engine: engines.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, engines.Image] = {}

    def get(self, wanted: box.Image, fetch: Fetch) -> engines.Image:
        """Have an image here. Raises Unavailable with the engine's words where that fails.

        Without a policy an image that is here is taken as it is, whatever its tag.
        """
        if wanted.pull not in _POLICIES:
            raise environment.Unavailable(f"there is no imagePullPolicy {wanted.pull!r}")
        with self._lock:
            lock = self._locks.setdefault(wanted.name, threading.Lock())
        with lock:
            if wanted.pull != "Always" and wanted.name not in self._known:
                with contextlib.suppress(engines.Refused):
                    self._known[wanted.name] = self._engine.image(wanted.name)
            if wanted.pull == "Always" or wanted.name not in self._known:
                self._pull(wanted, fetch)
            return self._known[wanted.name]

    def _pull(self, wanted: box.Image, fetch: Fetch) -> None:
        if wanted.pull == "Never":
            message = f'Container image "{wanted.name}" is not present with pull policy of Never'
            raise environment.Unavailable(f"ErrImageNeverPull: {message}")
        try:
            fetch(wanted.name)
            self._known[wanted.name] = self._engine.image(wanted.name)
        except engines.Refused as error:
            hint = f"check the name, and that `{self._engine.name} pull {wanted.name}` works here"
            message = f"ErrImagePull: {wanted.name}: {error}"
            raise environment.Unavailable(message, hint=hint) from error
