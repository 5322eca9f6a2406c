"""A line of text on a terminal and in a pipe."""

import io

import pytest
import rich.console

from gitwf import values
from gitwf.cli.render import progress, runs, tables
from gitwf.service import signals
from gitwf.testing import clock
from gitwf.workflow import record

TEXT = "each step has its own view and limits\nand more"


def printed(text, *, terminal):
    file = io.StringIO()
    console = rich.console.Console(
        file=file, width=30, force_terminal=terminal, soft_wrap=True, color_system=None
    )
    tables.line(console, "engine: ", text)
    return file.getvalue()


def test_a_terminal_gets_it_wrapped_between_words_below_where_it_began():
    assert printed(TEXT, terminal=True).splitlines() == [
        "engine: each step has its own",
        "        view and limits",
        "        and more",
    ]


def test_a_pipe_gets_it_whole():
    assert printed(TEXT, terminal=False) == f"engine: {TEXT}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_word_is_left_whole_to_copy(terminal):
    digest = "sha256:" + "a" * 64

    assert digest in printed(digest, terminal=terminal)


def test_what_is_said_while_it_goes_on_is_wrapped_between_words_too():
    file = io.StringIO()
    console = rich.console.Console(
        file=file, width=30, force_terminal=True, soft_wrap=True, color_system=None
    )

    with progress.listening(console) as listener:
        listener(signals.Said(clock.NOON, "its viewer still runs, and nothing names it"))

    assert "its viewer still runs, and \nnothing names it" in file.getvalue()


def test_a_terminal_that_cannot_move_its_cursor_gets_lines_as_they_come():
    file = io.StringIO()
    console = rich.console.Console(
        file=file, force_terminal=True, color_system=None, _environ={"TERM": "dumb"}
    )

    with progress.listening(console) as listener:
        step = record.NodeRecord("toy", "toy", "toy", record.NodeType.POD, record.Phase.RUNNING)
        running = record.RunRecord("toy", record.Phase.RUNNING, nodes={"toy": step})
        listener(signals.RunMoved(clock.NOON, "run-1", "", running))
        shown = file.getvalue()

    assert shown == "12:00:00    Running    toy\n"


def test_a_tree_goes_on_below_where_a_line_is_full_and_is_whole_in_a_pipe():
    root = record.NodeRecord(
        "toy", "toy", "toy", record.NodeType.POD, record.Phase.FAILED, "main: Error (exit code 1)"
    )
    failed = record.RunRecord("toy", record.Phase.FAILED, nodes={"toy": root})

    def shown(*, terminal: bool) -> list[str]:
        file = io.StringIO()
        console = rich.console.Console(
            file=file, width=18, force_terminal=terminal, soft_wrap=True, color_system=None
        )
        runs.show(console, runs.drawn(failed))
        return [line.rstrip() for line in file.getvalue().splitlines()]

    assert shown(terminal=True) == ["✖ toy  main: Error", "(exit code 1)"]
    assert shown(terminal=False) == ["✖ toy  main: Error (exit code 1)"]


def test_what_is_left_out_is_told_after_what_it_is_part_of_has_begun():
    def node(name: str, boundary: str, phase: record.Phase, end: int | None) -> record.NodeRecord:
        finished = None if end is None else values.Instant(end)
        return record.NodeRecord(
            name, name, name, record.NodeType.POD, phase,
            boundary=boundary, started=values.Instant(1), finished=finished,
        )  # fmt: skip

    nodes = {
        "toy": node("toy", "", record.Phase.RUNNING, None),
        "left": node("left", "toy", record.Phase.SKIPPED, 1),
    }
    running = record.RunRecord("toy", record.Phase.RUNNING, nodes=nodes)
    over = {
        "toy": node("toy", "", record.Phase.FAILED, 9),
        "left": node("left", "toy", record.Phase.OMITTED, 9),
    }
    failed = record.RunRecord("toy", record.Phase.FAILED, nodes=over)

    assert list(runs.Lines().changes(running)) == ["Running    toy", "Skipped    left"]
    assert [line.split()[0] for line in runs.Lines().changes(failed)] == [
        "Running",
        "Omitted",
        "Failed",
    ]
