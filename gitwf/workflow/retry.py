"""Whether a failed node is tried again, when, and what is said about it.

One pure decision, taken after each attempt, in Argo's order: the time limit, the wait, the policy,
the number of attempts, the expression (Argo: workflow/controller/operator.go, processNodeRetries).
`limit` does not count the first attempt. Without `limit` there is no wait, as on Argo.
"""

import re
from dataclasses import dataclass

from gitwf.values import Instant
from gitwf.workflow import deciding, durations, failure, record
from gitwf.workflow.document import retry as strategies

# Argo: util/errors/errors.go, isTransientErr's patterns that a step's message can show.
_TRANSIENT = re.compile(
    r"(?i)connection refused|connection reset|i/o timeout|TLS handshake timeout|too many requests"
    r"|exceeded quota|the server is currently unable|etcdserver: request timed out"
)

_POLICIES = frozenset({"Always", "OnFailure", "OnError", "OnTransientError"})


@dataclass(frozen=True)
class Attempt:
    """The last attempt, as the decision and `lastRetry` see it."""

    phase: record.Phase
    message: str
    exit_code: str | None
    started: Instant
    finished: Instant

    def scope(self, retries: int, no_code: str = "0") -> dict[str, str | None]:
        """Give the names that are about this attempt; `no_code` where it gave no exit code.

        Argo says "0" to the next attempt and "-1" to the expression.
        """
        return {
            "retries": str(retries),
            "lastRetry.exitCode": self.exit_code if self.exit_code is not None else no_code,
            "lastRetry.status": str(self.phase),
            "lastRetry.duration": str(int(self.finished.since(self.started))),
            "lastRetry.message": self.message,
        }


FIRST: dict[str, str | None] = {
    "retries": "0",
    "lastRetry.exitCode": "0",
    "lastRetry.status": "",
    "lastRetry.duration": "0",
    "lastRetry.message": "",
}


@dataclass(frozen=True)
class Again:
    """Start the next attempt now."""


@dataclass(frozen=True)
class Later:
    """Decide again at `at`; until then the node says `message`."""

    at: Instant
    message: str


@dataclass(frozen=True)
class Over:
    """No more attempts. The node ends as the last attempt did, with this message."""

    message: str


Decision = Again | Later | Over


def decide(
    strategy: strategies.RetryStrategy,
    attempts: int,
    last: Attempt,
    first_started: Instant,
    now: Instant,
    env: dict[str, object],
) -> Decision:
    """Decide after `attempts` attempts, of which `last` failed. `env` is the expression's.

    Raises NodeFailure where the strategy itself is wrong.
    """
    limit = _whole(strategy.limit) if strategy.limit is not None else None
    ended = _out_of_time(strategy, attempts, last, first_started, now)
    if ended is not None:
        return ended
    wait = _wait(strategy, attempts)
    due = last.finished.after(wait)
    # Argo: without a limit the condition for waiting is never true.
    if wait and limit is not None and attempts <= limit and now < due:
        return Later(due, f"Backoff for {durations.humane(wait)}")
    if not _covered(strategy, last):
        return Over(last.message)
    if limit is not None and attempts > limit:
        return Over("No more retries left")
    if strategy.expression and not deciding.holds(strategy.expression, env):
        return Over("retryStrategy.expression evaluated to false")
    return Again()


def last_moment(strategy: strategies.RetryStrategy, first_started: Instant) -> Instant | None:
    """Give the moment when all attempts must be over, if there is one. Raises NodeFailure."""
    backoff = strategy.backoff
    if backoff is None or not backoff.max_duration:
        return None
    return first_started.after(durations.seconds(backoff.max_duration))


def _out_of_time(
    strategy: strategies.RetryStrategy,
    attempts: int,
    last: Attempt,
    first_started: Instant,
    now: Instant,
) -> Over | None:
    end = last_moment(strategy, first_started)
    if end is None:
        return None
    if now > end:
        return Over("Max duration limit exceeded")
    if last.finished.after(_wait(strategy, attempts)) > end:
        return Over("Backoff would exceed max duration limit")
    return None


def _wait(strategy: strategies.RetryStrategy, attempts: int) -> float:
    """Give the seconds between the end of attempt number `attempts` and the next."""
    backoff = strategy.backoff
    if backoff is None:
        return 0.0
    if not backoff.duration:
        raise failure.NodeFailure("no base duration specified for retryStrategy")
    wait = durations.seconds(backoff.duration)
    factor = _whole(backoff.factor) if backoff.factor is not None else 0
    if factor > 0:
        wait *= float(factor ** (attempts - 1))
    return min(wait, durations.seconds(backoff.cap)) if backoff.cap else wait


def takes_errors(strategy: strategies.RetryStrategy) -> bool:
    """Whether an attempt that could not be carried out counts as one that ended in Error.

    Otherwise whoever called the template hears of it (Argo: executeTemplate).
    """
    return _policy(strategy) in {"Always", "OnError", "OnTransientError"}


def _policy(strategy: strategies.RetryStrategy) -> str:
    return strategy.retry_policy or ("Always" if strategy.expression else "OnFailure")


def _covered(strategy: strategies.RetryStrategy, last: Attempt) -> bool:
    policy = _policy(strategy)
    if policy not in _POLICIES:
        raise failure.NodeFailure(f"{policy} is not a valid RetryPolicy")
    if policy == "OnTransientError":
        return bool(_TRANSIENT.search(last.message))
    if last.phase is record.Phase.ERROR:
        return policy in {"Always", "OnError"}
    return policy in {"Always", "OnFailure"}


def _whole(number: int | str) -> int:
    try:
        return int(number)
    except ValueError:
        raise failure.no_int(number) from None
