"""How a run that was not started looks: the tree of `--dry-run`, for people and for programs.

What is not known before the run is a `?`. A condition stands beside the step it decides about; a
step that it leaves out is dim. Long loops are counted instead of listed.
"""

from collections.abc import Sequence
from typing import Any

import rich.text
import rich.tree

from gitwf.cli.render import terminal
from gitwf.workflow import preview

SHOWN = 6
_ENOUGH = 12


def drawn(planned: Sequence[preview.Planned]) -> rich.tree.Tree:
    """The entry node with all inside it, then the exit handler."""
    top = rich.tree.Tree(_label(planned[0]))
    _grow(top, planned[0].inside)
    _grow(top, planned[1:])
    return top


def _grow(branch: rich.tree.Tree, rows: Sequence[preview.Planned]) -> None:
    for row in _folded(rows):
        if isinstance(row, int):
            branch.add(rich.text.Text(f"… {row} more", "dim"))
        else:
            _grow(branch.add(_label(row)), row.inside)


def _folded(rows: Sequence[preview.Planned]) -> list[preview.Planned | int]:
    """List the turns of a loop as far as there are few, and count the others."""
    loops: dict[tuple[str, int | None], list[preview.Planned]] = {}
    for row in rows:
        loops.setdefault((row.name.partition("(")[0], row.group), []).append(row)
    shown: list[preview.Planned | int] = []
    for turns in loops.values():
        if len(turns) <= _ENOUGH:
            shown.extend(turns)
        else:
            shown += [*turns[:SHOWN], len(turns) - SHOWN]
    return shown


def _label(row: preview.Planned) -> rich.text.Text:
    dim = "dim" if row.runs is False else ""
    text = rich.text.Text.assemble(
        ("○ " if dim else "◷ ", "dim"), (terminal.harmless(row.name), dim or "bold")
    )
    said = " ".join(filter(None, [row.kind, row.template]))
    text.append(f"  {said}", "dim")
    for name, value in row.inputs.items():
        text.append(f"  {name}={preview.UNKNOWN if value is None else _short(value)}", dim)
    if row.loop:
        text.append(f"  for each of {row.loop}", "yellow")
    if row.when:
        text.append(f"  when {row.when}", "dim" if row.runs is not None else "yellow")
    if row.runs is False:
        text.append(": does not run", "dim")
    if row.after:
        text.append(f"  after {', '.join(row.after)}", "dim")
    if row.cut:
        text.append("  … and so on", "yellow")
    return text


def _short(value: str) -> str:
    line = terminal.harmless(" ".join(value.split()))
    return line if len(line) <= 40 else f"{line[:39]}…"  # noqa: PLR2004


def plain(planned: Sequence[preview.Planned]) -> list[dict[str, Any]]:
    """The same for programs: what is unknown is null, what is empty is left out."""
    return [_plain(one) for one in planned]


def _plain(row: preview.Planned) -> dict[str, Any]:
    told = {
        "name": row.name,
        "template": row.template,
        "type": row.kind,
        "runs": row.runs,
        "when": row.when,
        "inputs": dict(row.inputs),
        "loop": row.loop,
        "after": list(row.after),
        "more": row.cut,
        "inside": plain(row.inside),
    }
    return {name: value for name, value in told.items() if name == "runs" or value}
