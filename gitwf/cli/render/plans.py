"""How a plan looks: what would be done for which model, and why.

A table for people, a list of objects for programs, Markdown for a pull request's summary; all three
say the same.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitwf import ports
from gitwf.cli.render import tables
from gitwf.delivery import action, status

if TYPE_CHECKING:
    import rich.console

_STYLES: Mapping[str, str] = {
    "synced": "green",
    "waiting": "cyan",
    "held": "yellow",
    "failed": "red",
    "stalled": "red",
}


def verb(one: action.Action) -> str:
    """What an action does, in one or two words: `roll out`, `claim`; a report's is its state."""
    if isinstance(one, action.Report):
        return str(one.state)
    name = type(one).__name__
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def rows(plan: action.Plan) -> list[dict[str, Any]]:
    """One object for each action, in order."""
    return [
        {
            "model": one.model,
            "environment": getattr(one, "environment", ""),
            "action": verb(one),
            "pending": not isinstance(one, action.Report),
            "reason": one.reason,
            "hint": getattr(one, "hint", ""),
        }
        for one in plan.actions
    ]


def engine(console: "rich.console.Console", one: ports.Engine) -> None:
    """Print where steps run, a line for each thing that is so there."""
    first, *others = one.describe().split("; ")
    tables.line(console, f"engine {one.name}: ", first)
    for other in others:
        tables.line(console, "  ", other)


def engine_json(one: ports.Engine) -> dict[str, Any]:
    """Where steps run, as JSON."""
    return {"name": one.name, "described": one.describe().split("; ")}


def show(console: "rich.console.Console", plan: action.Plan, *, wrong: bool = False) -> None:
    """Print the plan as a table, with a last line that sums it up.

    `wrong`: whether there are documents that nothing could be planned for.
    """
    listed: Sequence[Mapping[str, Any]] = rows(plan)
    if listed:
        tables.table(
            console,
            ["MODEL", "ENVIRONMENT", "ACTION", "WHY"],
            [
                [
                    row["model"] or "-",
                    row["environment"] or "-",
                    (row["action"], _STYLES.get(row["action"], "bold")),
                    row["reason"] + (f" (try: {row['hint']})" if row["hint"] else ""),
                ]
                for row in listed
            ],
        )
    console.print(summary(plan, wrong=wrong))


def summary(plan: action.Plan, *, wrong: bool = False) -> str:
    """The last line: how much is pending, or why nothing is."""
    pending = len(plan.pending)
    if pending:
        return f"{pending} {'change' if pending == 1 else 'changes'} pending"
    if wrong:
        return "nothing to do until a person mends the documents"
    states = {one.state for one in plan.actions if isinstance(one, action.Report)}
    if states & {action.State.FAILED, action.State.STALLED}:
        return "nothing to do until a person mends what failed or stalled"
    if action.State.WAITING in states:
        return "nothing to do but wait"
    if action.State.HELD in states:
        return "nothing to do: the rest is held back"
    return "nothing to do: every environment is what Git says"


def markdown(plan: action.Plan, *, wrong: bool = False) -> str:
    """The plan as Markdown for a job's summary."""
    lines = ["### gitwf plan", "", "| model | environment | action | why |", "|---|---|---|---|"]
    for row in rows(plan):
        why = row["reason"].replace("|", "\\|")
        lines.append(
            f"| {row['model'] or '-'} | {row['environment'] or '-'} | {row['action']} | {why} |"
        )
    return "\n".join([*lines, "", summary(plan, wrong=wrong)])


def _served(row: status.Row) -> tables.Cell:
    if not row.deployed:
        return (f"a viewer at {row.url}", "yellow") if row.url else "-"
    if row.served is None:
        return ("nothing", "red")
    where = f" at {row.url}" if row.url else ""
    return (
        (row.served + where, "green") if row.ready else (f"{row.served}{where}, not ready", "red")
    )


def statuses(
    console: "rich.console.Console", rows: Sequence[status.Row], *, wrong: bool = False
) -> None:
    """Print where each environment stands as a table. `wrong`: as in `show`."""
    listed: list[list[tables.Cell]] = [
        [
            row.model,
            row.environment,
            str(row.named) if row.named is not None else "none" if row.deployed else "-",
            _served(row),
            (row.state, _STYLES.get(row.state, "bold")),
            row.next
            + (f" (held: {row.held})" if row.held and row.held not in row.next else "")
            + (f" (try: {row.hint})" if row.hint else ""),
        ]
        for row in rows
    ]
    if not listed:
        console.print("no document can be read" if wrong else "no model is deployed anywhere")
        return
    tables.table(console, ["MODEL", "ENVIRONMENT", "NAMED", "SERVED", "STATE", "WHY"], listed)
