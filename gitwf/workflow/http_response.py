"""What the response to an http template's request means for its node.

A pure function of request and response (Argo: workflow/executor/agent.go, executeHTTPTemplate). The
condition sees `request` and `response`; values that come from secrets are in neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.workflow import expr, record
from gitwf.workflow.document import http_request

_OK = range(200, 300)


@dataclass(frozen=True)
class Response:
    """What came back. Header names are spelled as Go spells them: `Content-Type`."""

    status: int
    body: str
    headers: Mapping[str, Sequence[str]]


def canonical(name: str) -> str:
    """Spell a header's name as Go does (Go: textproto.CanonicalMIMEHeaderKey)."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def judge(asked: http_request.Http, got: Response) -> tuple[record.Phase, str, record.Outputs]:
    """Give the phase, the message and the outputs of the node."""
    outputs = record.Outputs(result=got.body)
    if not asked.success_condition:
        if got.status in _OK:
            return record.Phase.SUCCEEDED, "", outputs
        message = f"received non-2xx response code: {got.status}"
        return record.Phase.FAILED, message, outputs
    try:
        good = _holds(asked, got)
    except (expr.ExprSyntaxError, expr.ExprTypeError) as problem:
        return record.Phase.FAILED, str(problem), record.Outputs()
    except expr.ExprRuntimeError as problem:
        message = f"unable to evaluate expression '{asked.success_condition}': {problem}"
        return record.Phase.FAILED, message, record.Outputs()
    if good is True:
        return record.Phase.SUCCEEDED, "", outputs
    if good is False:
        message = f"successCondition '{asked.success_condition}' evaluated false"
        return record.Phase.FAILED, message, outputs
    message = f"unable to cast expression result '{_go(good)}' to bool"
    return record.Phase.FAILED, message, record.Outputs()


class _Headers(dict[str, list[str]]):
    """Headers by name. One that is not there has no values, which to Go is nil."""

    def get(self, name: str, default: object = None) -> Any:
        """Give the values of a header."""
        del default
        return super().get(name) or expr.NilSlice()


def _holds(asked: http_request.Http, got: Response) -> object:
    program = expr.parse(asked.success_condition)
    own = {header.name: [header.value] for header in asked.headers if header.value_from is None}
    request: dict[str, object] = {
        "method": asked.method,
        "url": asked.url,
        "body": asked.body,
        "headers": _Headers(own),
    }
    if any("bodyBytes" in path for path in program.paths):
        request["bodyBytes"] = list(asked.content) if asked.body_from else expr.NilSlice()
    response = {
        "statusCode": got.status,
        "body": got.body,
        "headers": _Headers((name, list(values)) for name, values in got.headers.items()),
    }
    return program.evaluate({"request": request, "response": response})


def _go(value: object) -> str:
    """Print a value as Go's %s does, which is meant for text."""
    if value is None:
        return "%!s(<nil>)"
    if isinstance(value, int | float):
        return f"%!s({'int' if isinstance(value, int) else 'float64'}={expr.to_text(value)})"
    return expr.to_text(value)
