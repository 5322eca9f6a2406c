"""The port `Target` in memory: a viewer that comes up, fails or hangs as a test says.

It keeps the contract of the real ones (`tests/contracts/test_target.py` runs on all). `outcome`
decides how the rollout of a `Desired` stands each time that somebody asks; `shown` is what people
would see meanwhile: the last one that came up.
"""

from collections.abc import Callable

from gitwf import ports
from gitwf.errors import RaceLost

Outcome = Callable[[ports.Desired], ports.Rollout]


def comes_up(_: ports.Desired) -> ports.Rollout:
    """The outcome of a rollout that is complete at once."""
    return ports.Rollout(ports.RolloutState.COMPLETE)


class MemoryTarget:
    """An environment without processes. `applied` lists every rollout that was begun."""

    def __init__(self, outcome: Outcome = comes_up) -> None:
        self.outcome = outcome
        self.applied: list[ports.Desired] = []
        self.shown: ports.Desired | None = None

    def observe(self) -> ports.Serving | None:
        """What was applied last, and whether it is what people see."""
        if not self.applied:
            return None
        last = self.applied[-1]
        self._settle(last)
        return ports.Serving(
            revision=self._revision,
            release=last.release,
            model=last.tag,
            digest=last.digest,
            viewer=last.viewer_id,
            ready=self.shown is not None and _content(self.shown) == _content(last),
        )

    def apply(self, desired: ports.Desired) -> None:
        """Begin the rollout."""
        if desired.based_on != self._revision:
            raise RaceLost(f"{desired.environment} has changed since it was read")
        self.applied.append(desired)

    def progress(self, desired: ports.Desired) -> ports.Rollout:
        """How the rollout of exactly this release stands."""
        last = self.applied[-1] if self.applied else None
        if last is None or _identity(last) != _identity(desired):
            reason = "a newer rollout took its place"
            return ports.Rollout(ports.RolloutState.SUPERSEDED, reason)
        return self._settle(last)

    @property
    def _revision(self) -> str:
        return str(len(self.applied)) if self.applied else ""

    def _settle(self, last: ports.Desired) -> ports.Rollout:
        rollout = self.outcome(last)
        if rollout.state is ports.RolloutState.COMPLETE:
            self.shown = last
        return rollout


def _content(desired: ports.Desired) -> tuple[object, ...]:
    env = tuple(sorted(desired.env.items()))
    return (desired.tag, desired.uri, desired.digest, desired.viewer_id, env)


def _identity(desired: ports.Desired) -> tuple[object, ...]:
    return (desired.release, *_content(desired))
