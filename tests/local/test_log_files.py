"""Each step writes to a file of its own; one that stayed empty serves another step."""

import os

import pytest

from gitwf.adapters.local import log_files


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "ready").mkdir()
    made = log_files.LogFiles(tmp_path, tmp_path / "ready")
    yield made
    made.end()


def step(logs, path, written=b""):
    file = logs.open(str(path))
    os.write(file, written)
    logs.close(file)
    return file


def test_what_a_step_wrote_stays_under_its_name(logs, tmp_path):
    step(logs, tmp_path / "a", b"one\n")
    step(logs, tmp_path / "b", b"two\n")
    logs.tidy()

    assert (tmp_path / "a").read_bytes() == b"one\n"
    assert (tmp_path / "b").read_bytes() == b"two\n"


def test_what_was_under_the_name_before_is_gone(tmp_path):
    (tmp_path / "ready").mkdir()
    (tmp_path / "a").write_text("of an earlier try\n")
    (tmp_path / "b").write_text("of an earlier try\n")
    logs = log_files.LogFiles(tmp_path, tmp_path / "ready")

    step(logs, tmp_path / "a", b"new\n")
    step(logs, tmp_path / "b")

    assert (tmp_path / "a").read_bytes() == b"new\n"
    assert not (tmp_path / "b").exists()

    step(logs, tmp_path / "a")

    logs.end()
    assert not (tmp_path / "a").exists()


def test_what_a_step_that_still_runs_wrote_is_read_once_it_is_shown(logs, tmp_path):
    file = logs.open(str(tmp_path / "a"))
    os.write(file, b"one\n")
    assert not (tmp_path / "a").exists()

    logs.show(file)
    assert (tmp_path / "a").read_bytes() == b"one\n"

    os.write(file, b"two\n")
    logs.close(file)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"


def test_a_file_that_was_shown_serves_no_other_step(logs, tmp_path):
    file = logs.open(str(tmp_path / "a"))
    logs.show(file)
    logs.close(file)

    step(logs, tmp_path / "b", b"two\n")

    assert (tmp_path / "a").read_bytes() == b""


def test_a_file_that_stayed_empty_is_used_again_and_leaves_no_name(logs, tmp_path):
    file = step(logs, tmp_path / "a")
    assert not (tmp_path / "a").exists()

    assert step(logs, tmp_path / "b", b"two\n") == file

    assert (tmp_path / "b").read_bytes() == b"two\n"
    assert not list((tmp_path / "ready").iterdir())


def test_what_nobody_reads_is_never_shown(logs, tmp_path):
    file = logs.open("")
    os.write(file, b"one\n")
    logs.show(file)

    logs.close(file)

    assert list(tmp_path.iterdir()) == [tmp_path / "ready"]
    assert not list((tmp_path / "ready").iterdir())


def test_nothing_is_left_lying_ready(logs, tmp_path):
    step(logs, tmp_path / "a")

    logs.end()

    assert not list((tmp_path / "ready").iterdir())
