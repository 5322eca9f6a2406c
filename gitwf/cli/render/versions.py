"""How a model's history looks: releases and versions as tables, one version as a page.

The same values go to programs as JSON; nothing is said to people that JSON lacks.
"""

from collections.abc import Mapping
from typing import Any

import rich.console

from gitwf.cli.render import runs, tables
from gitwf.delivery import diff as differences
from gitwf.delivery import history
from gitwf.service import retrospect
from gitwf.values import Instant

_STYLES = {
    history.State.SERVED: "bold green",
    history.State.RELEASED: "cyan",
    history.State.FAILED: "red",
    history.State.REJECTED: "red",
    history.State.GATED: "yellow",
    history.State.HELD: "yellow",
    history.State.WITHDRAWN: "yellow",
}


def number(value: Any) -> str:
    """A metric as people read it: four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _metrics(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={number(value)}" for name, value in values.items())


def _time(at: Instant | None) -> str:
    return at.datetime().strftime("%Y-%m-%d %H:%M") if at is not None else "-"


def history_table(console: rich.console.Console, story: retrospect.Story) -> None:
    """Every version of a model, newest first: what became of it, from what, how good."""
    rows: list[list[tables.Cell]] = []
    for one in story.versions:
        claimed = one.claim
        made = one.result.commit if one.result is not None else claimed.commit if claimed else None
        states = [
            (
                f"{environment}: {state}" if len(one.states) > 1 else str(state),
                _STYLES.get(state, ""),
            )
            for environment, state in one.states.items()
        ]
        state: tables.Cell = ("; ".join(text for text, _ in states), states[0][1]) if states else ""
        if one.result is None:
            state = (f"run {one.run}", "red" if one.run in {"failed", "transient"} else "cyan")
        rows.append(
            [
                str(one.version),
                state,
                _metrics(one.result.metrics) if one.result is not None else "-",
                made.short if made is not None else "-",
                _time(one.result.finished if one.result is not None else None),
            ]
        )
    tables.table(console, ["VERSION", "STATE", "METRICS", "FROM", "TRAINED"], rows)


def release_table(console: rich.console.Console, story: retrospect.Story) -> None:
    """Every release of a model, newest first: which commit named which version, by whom."""
    rows: list[list[tables.Cell]] = [
        [
            _time(row.when),
            row.environment,
            "none" if row.version is None else str(row.version),
            (row.state, _STYLES.get(history.State(row.state), "") if row.version else ""),
            row.kind,
            row.who,
            row.commit.short,
        ]
        for row in story.releases
    ]
    columns = ["RELEASED", "ENVIRONMENT", "VERSION", "STATE", "KIND", "BY", "COMMIT"]
    tables.table(console, columns, rows)


def page(console: rich.console.Console, one: history.VersionRow) -> None:
    """Everything about one version."""
    console.print(f"{one.model} version {one.version}", style="bold", markup=False)
    for name, value in _facts(one):
        tables.line(console, f"  {name:<11}", value)
    for verdict in one.verdicts:
        for gate, passed, words in verdict.gates:
            said = f"{gate}: passed" if passed else f"failed: {words or gate}"
            tables.line(console, "  gate       ", f"{verdict.environment}: {said}")
    for release in one.releases:
        text = f"{release.environment} by {release.who} ({release.kind})"
        console.out(
            f"  released   {_time(release.at)} {text} {release.commit.short}", highlight=False
        )
    for rollout in one.rollouts:
        took = runs.duration(rollout.finished.since(rollout.started))
        said = f"in {took}" if rollout.ok else f"failed: {rollout.reason}"
        console.out(
            f"  rolled out {_time(rollout.finished)} {rollout.environment} {said}", highlight=False
        )


def _facts(one: history.VersionRow) -> list[tuple[str, str]]:
    rows = [("state", "; ".join(f"{name}: {state}" for name, state in one.states.items()) or "-")]
    rows.append(("run", f"{one.run}{f': {one.reason}' if one.reason else ''}, key {one.key.short}"))
    if one.claim is not None:
        rows.append(("request", one.claim.request))
    if one.occasion:
        rows.append(("asked by", one.occasion))
    if one.result is not None:
        rows += [
            ("commit", one.result.commit),
            ("trained", f"{_time(one.result.finished)} by the {one.result.engine} engine"),
            ("metrics", _metrics(one.result.metrics) or "-"),
            ("parameters", _metrics(one.result.parameters) or "-"),
            ("model", one.result.uri or "-"),
            ("digest", one.result.digest or "-"),
            *(("input", f"{path} {tree[:12]}") for path, tree in one.result.inputs.items()),
        ]
    return rows


def difference(console: rich.console.Console, found: differences.Difference) -> None:
    """In what two versions differ."""
    old, new = found.old.version, found.new.version
    console.print(f"{found.model}: version {old} -> {new}", style="bold", markup=False)
    for part in found.parts:
        console.out(f"  {part}", highlight=False)
    if not found.parts:
        console.out("  made of the same", highlight=False)
    for metric in found.metrics:
        change = f" ({metric.change:+.4g})" if metric.change is not None else ""
        line = f"  {metric.name}: {number(metric.old)} -> {number(metric.new)}{change}"
        console.out(line, highlight=False)
    if found.same_model:
        console.out("  the models are the same to the byte", highlight=False)


def as_json(story: retrospect.Story) -> dict[str, Any]:
    """A story as JSON."""
    return {
        "model": story.model,
        "versions": [version_json(one) for one in story.versions],
        "releases": [
            {
                "environment": row.environment,
                "version": row.version,
                "commit": row.commit,
                "kind": row.kind,
                "by": row.who,
                "at": row.when.rfc3339() if row.when else None,
                "state": row.state,
            }
            for row in story.releases
        ],
    }


def version_json(one: history.VersionRow) -> dict[str, Any]:
    """One version as JSON: the ledger's own entries, and what became of it."""
    return {
        "version": one.version,
        "key": one.key,
        "run": one.run,
        "reason": one.reason,
        "occasion": one.occasion,
        "states": {name: str(state) for name, state in one.states.items()},
        "result": one.result.body() if one.result is not None else None,
        "verdicts": [{"environment": v.environment, **v.body()} for v in one.verdicts],
        "releases": [{"environment": r.environment, **r.body()} for r in one.releases],
        "rollouts": [{"environment": r.environment, **r.body()} for r in one.rollouts],
    }
