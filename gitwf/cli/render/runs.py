"""How a run looks: a live tree on a terminal, one line a change in a pipe.

Both are made from `RunRecord` snapshots alone. Step groups are not drawn, their steps are; where
many siblings look alike, the ones that went well are counted instead of listed, so that a fan-out
of a thousand still fits a screen.
"""

import collections
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click
import rich.console
import rich.live
import rich.text
import rich.tree

from gitwf.cli.render import terminal
from gitwf.values import Instant
from gitwf.workflow import blame, record

MARKS: Mapping[record.Phase, tuple[str, str]] = {
    record.Phase.PENDING: ("◷", "dim"),
    record.Phase.RUNNING: ("●", "cyan"),
    record.Phase.SUCCEEDED: ("✔", "green"),
    record.Phase.SKIPPED: ("○", "dim"),
    record.Phase.OMITTED: ("○", "dim"),
    record.Phase.FAILED: ("✖", "red"),
    record.Phase.ERROR: ("⚠", "red"),
}
CROWD = 12
_ENDLESS = 10_000
_GROUPS = frozenset({record.NodeType.STEP_GROUP, record.NodeType.TASK_GROUP})


@dataclass(frozen=True)
class Row:
    """One line of the tree. `count` > 1: that many nodes alike stand behind it."""

    name: str
    phase: record.Phase
    seconds: float | None
    message: str
    rows: tuple["Row", ...] = ()
    count: int = 1


def _seconds(node: record.NodeRecord, now: Instant | None) -> float | None:
    if node.started is None:
        return None
    end = node.finished or now
    return max(0.0, end.since(node.started)) if end else None


def _gather(rows: list[Row]) -> tuple[Row, ...]:
    """Count the plain successes of a crowd instead of listing them."""
    if len(rows) <= CROWD:
        return tuple(rows)
    quiet = {record.Phase.SUCCEEDED, record.Phase.SKIPPED, record.Phase.PENDING}
    shown = [row for row in rows if row.phase not in quiet or row.rows][:CROWD]
    told = {id(row) for row in shown}
    hidden = collections.Counter(row.phase for row in rows if id(row) not in told)
    return (
        *shown,
        *(Row(f"{count} more", phase, None, "", count=count) for phase, count in hidden.items()),
    )


def tree(run: record.RunRecord, now: Instant | None = None) -> tuple[Row, ...]:
    """The rows of a run: the entry node, then exit handlers; `now` lets running ones count up."""
    inside: dict[str, list[record.NodeRecord]] = {}
    for node in run.nodes.values():
        inside.setdefault(node.boundary, []).append(node)

    def row(node: record.NodeRecord) -> Row:
        below = [row(child) for child in inside.get(node.id, ()) if child.type not in _GROUPS]
        seconds = _seconds(node, now)
        message = blame.readable(node, run)
        return Row(node.display_name, node.phase, seconds, message, _gather(below))

    return tuple(row(node) for node in inside.get("", ()))


def duration(seconds: float | None) -> str:
    """A span as people say it: 0.4 s, 12 s, 3 min 20 s."""
    if seconds is None:
        return ""
    if seconds < 10:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def drawn(run: record.RunRecord, now: Instant | None = None) -> rich.tree.Tree:
    """The run as a rich tree."""

    def label(row: Row) -> rich.text.Text:
        mark, style = MARKS[row.phase]
        text = rich.text.Text.assemble((f"{mark} ", style), terminal.harmless(row.name))
        if row.seconds is not None:
            text.append(f"  {duration(row.seconds)}", "dim")
        if row.message and row.phase is not record.Phase.SUCCEEDED:
            text.append(f"  {terminal.harmless(row.message)}", style)
        return text

    def grow(branch: rich.tree.Tree, rows: tuple[Row, ...]) -> None:
        for row in rows:
            grow(branch.add(label(row)), row.rows)

    roots = tree(run, now)
    top = rich.tree.Tree(label(roots[0]) if roots else rich.text.Text(run.name))
    if roots:
        grow(top, roots[0].rows)
        grow(top, roots[1:])
    return top


def outputs(console: rich.console.Console, run: record.RunRecord) -> None:
    """Print the outputs of a run; a pipe gets every value as it is."""
    for name, value in run.outputs.parameters.items():
        if console.is_terminal:
            value = "\n".join(map(terminal.harmless, value.split("\n")))  # noqa: PLW2901
        click.echo(f"{name}: {value}", file=console.file, color=True)


def show(console: rich.console.Console, tree: rich.tree.Tree) -> None:
    """Print a tree; a pipe gets every line whole, however wide."""
    if console.is_terminal:
        console.print(tree, soft_wrap=False)  # What is too long goes on below where it began.
        return
    written = io.StringIO()
    rich.console.Console(file=written, width=_ENDLESS, soft_wrap=True).print(tree, highlight=False)
    for line in written.getvalue().splitlines():
        console.out(line.rstrip(), highlight=False)


class Lines:
    """Plain lines for a pipe: one for each node that began or ended since the last snapshot."""

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._ended: set[str] = set()

    def changes(self, run: record.RunRecord) -> Iterator[str]:
        """The lines that this snapshot adds, in the order in which things happened.

        However many changes fall into one snapshot, a run gives the same lines.
        """
        nodes = [node for node in run.nodes.values() if node.type not in _GROUPS]
        kept = [node for node in nodes if _before(node, run) and node.name not in self._ended]
        self._ended.update(node.name for node in kept)
        self._begun.update(node.name for node in kept)
        if kept:
            yield f"{'Kept':<9}  {len(kept)} that went well before"
        ended = [one for one in nodes if one.phase.fulfilled and one.name not in self._ended]
        begun = [
            node
            for node in nodes
            if (node.phase is record.Phase.RUNNING or _took_time(node))
            and node.name not in self._begun
        ]
        self._ended.update(node.name for node in ended)
        self._begun.update(node.name for node in begun)
        # What ends at an instant ends before what begins then, and parents after their children;
        # what a parent that begins then leaves out comes after it.
        by_id = {node.id: node for node in run.nodes.values()}
        lines = [
            (node.finished, 2 * _left_out(node, by_id), _ended(node, run))
            for node in reversed(ended)
        ]
        lines += [(node.started, 1, f"{record.Phase.RUNNING:<9}  {node.name}") for node in begun]
        for *_, line in sorted(lines, key=lambda one: (_seconds_of(one[0]), one[1])):
            yield terminal.harmless(line)


def _left_out(node: record.NodeRecord, by_id: Mapping[str, record.NodeRecord]) -> bool:
    """Whether a node was over at the instant at which what it is part of began."""
    parent = by_id.get(node.boundary)
    return parent is not None and parent.started == node.finished != parent.finished


def _seconds_of(instant: Instant | None) -> float:
    return instant.seconds if instant else math.inf


def _before(node: record.NodeRecord, run: record.RunRecord) -> bool:
    """Whether a node was over before this try of the run began."""
    end, began = node.finished, run.started
    return end is not None and began is not None and end.seconds < began.seconds


def _took_time(node: record.NodeRecord) -> bool:
    return node.phase.completed and bool(_seconds(node, None))


def _ended(node: record.NodeRecord, run: record.RunRecord) -> str:
    seconds = duration(_seconds(node, None)) if node.phase.completed else ""
    message = blame.readable(node, run)
    return "  ".join(filter(None, [f"{node.phase:<9}", node.name, seconds, message]))
