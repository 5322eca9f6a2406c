"""How a template is tried again after it failed or ended in error.

Numbers may be text, because a tag like `{{inputs.parameters.limit}}` may stand for one until the
template is substituted (Argo: workflow_types.go, RetryStrategy). Durations are Go's ("2m", "30s");
a bare number means seconds. What a policy does is `gitwf.workflow.retry`'s.
"""

from gitwf.workflow.document import base


class Backoff(base.Model):
    """The wait before attempt n: duration times factor to the n-1, never above `cap`."""

    duration: str = ""
    factor: base.IntOrString | None = None
    max_duration: str = ""
    cap: str = ""


class RetryStrategy(base.Model):
    """When to try again: at most `limit` times after the first attempt, without it for ever."""

    limit: base.IntOrString | None = None
    retry_policy: str = ""
    backoff: Backoff | None = None
    affinity: base.Opaque | None = None
    expression: str = ""
