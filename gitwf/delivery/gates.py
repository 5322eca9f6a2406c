"""Gates: expressions that a version must pass before automation promotes it.

A gate sees `metrics` of the version, `current` (nil, or `version` and `metrics` of what the
environment's release file names) and `parameters`. The verdict is written down once for each
version, environment and gate text, with the numbers, and never computed again because `current`
changed: a gate relative to `current` must not refuse the code revert that brings an old model
back. A gate that cannot be evaluated did not pass. Editing a gate trains nothing; it asks anew.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gitwf import values
from gitwf.delivery import entry
from gitwf.values import Instant
from gitwf.workflow import expr, record


def digest(gates: Sequence[str]) -> str:
    """Digest the text of all gates: the last part of a verdict's path."""
    return hashlib.sha256(values.canonical(list(gates)).encode()).hexdigest()[:16]


def judge(
    gates: Sequence[str],
    result: entry.Result,
    environment: str,
    current: entry.Result | None,
    now: Instant,
) -> entry.Verdict:
    """Ask every gate about a version's result; `current` is that of the version named now."""
    rows = tuple((gate, *_ask(gate, result.metrics, current, result.parameters)) for gate in gates)
    return entry.Verdict(
        result.model,
        environment,
        result.version,
        digest(gates),
        all(passed for _, passed, _ in rows),
        rows,
        result.metrics,
        current.version if current is not None else None,
        now,
    )


def _ask(
    gate: str,
    metrics: Mapping[str, Any],
    current: entry.Result | None,
    parameters: Mapping[str, str],
) -> tuple[bool, str]:
    """Give whether a gate passed, and words with the numbers it read."""
    environment: dict[str, object] = {
        "metrics": dict(metrics),
        "current": None
        if current is None
        else {"version": current.version, "metrics": dict(current.metrics)},
        "parameters": dict(parameters),
    }
    try:
        program = expr.parse(gate)
        answer = program.evaluate(environment)
    except expr.ExprError as error:
        return False, f"`{gate}` cannot be evaluated: {error}"
    numbers = ", ".join(
        f"{'.'.join(path)} = {_shown(environment, path)}" for path in sorted(program.paths)
    )
    if not isinstance(answer, bool):
        return False, f"`{gate}` gives {_brief(answer)}, not true or false"
    return answer, f"`{gate}` is {'true' if answer else 'false'}" + (
        f" ({numbers})" if numbers else ""
    )


def _shown(environment: object, path: Sequence[str]) -> str:
    found = environment
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return _brief(found)


def _brief(value: object) -> str:
    if value is None:
        return "nil"
    if isinstance(value, Mapping) and "version" in value:
        return f"version {value['version']}"
    text = str(value) if isinstance(value, str) else values.canonical(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004  a line stays readable


def problems(gates: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Say which gates are no expressions, or read names that no gate has: (index, message)."""
    found = []
    for number, gate in enumerate(gates):
        try:
            program = expr.parse(gate)
        except expr.ExprError as error:
            found.append((number, f"is not an expression: {error}"))
            continue
        unknown = sorted(program.identifiers - {"metrics", "current", "parameters"})
        found.extend(
            (number, f"reads `{name}`; a gate has metrics, current and parameters")
            for name in unknown
        )
    return tuple(found)


def metrics(done: record.RunRecord, name: str) -> tuple[Mapping[str, Any], str]:
    """Read the metrics of a finished run: (metrics, problem); no name, no metrics."""
    if not name:
        return {}, ""
    text = done.outputs.parameters.get(name)
    if text is None:
        return {}, f"the workflow has no global output parameter `{name}` for its metrics"
    try:
        found = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return {}, f"the output parameter `{name}` is not JSON, and metrics must be"
    if not isinstance(found, dict):
        return {}, f"the output parameter `{name}` must hold a JSON object of metrics"
    if any(isinstance(value, float) and not math.isfinite(value) for value in found.values()):
        return {}, f"the output parameter `{name}` holds a number that is not finite"
    return found, ""


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")
