"""Aligned tables: coloured on a terminal, plain columns in a pipe.

One function for both, so that a table never says more to one reader than to another. A cell is
text, or a pair of text and the style that a terminal shows it in.
"""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import rich.console

Cell: TypeAlias = "str | tuple[str, str]"


def table(
    console: "rich.console.Console", columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Print `rows` under `columns`; a pipe gets every cell whole, however wide."""
    if not console.is_terminal:
        _plain(console, columns, rows)
        return
    import rich.box
    import rich.table
    import rich.text

    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(rich.text.Text(*_split(cell)) for cell in row))
    console.print(shown)


def line(console: "rich.console.Console", lead: str, text: str) -> None:
    """Print `text` after `lead`, wrapped between words on a terminal, whole in a pipe.

    What goes on stands below where it began; a word longer than the line stays one to copy.
    """
    if console.is_terminal:
        wide = max(20, console.width - len(lead))
        parts = [
            part
            for one in text.splitlines()
            for part in textwrap.wrap(one, wide, break_long_words=False, break_on_hyphens=False)
        ]
        text = ("\n" + " " * len(lead)).join(parts)
    console.out(lead + text, highlight=False)


def _split(cell: Cell) -> tuple[str, str]:
    return (cell, "") if isinstance(cell, str) else cell


def _plain(
    console: "rich.console.Console", columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    lines = [list(columns), *([_split(cell)[0] for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    aligned = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    # In one go: the library takes longer over a line than the table does.
    console.out("\n".join(aligned), highlight=False)
