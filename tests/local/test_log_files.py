"""Each step writes to a file of its own; one that stayed empty serves another step."""

import os

import pytest

from gitwf.adapters.local import log_files


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "ready").mkdir()
    made = log_files.LogFiles(tmp_path / "ready")
    yield made
    made.end()


def step(logs, path, written=b""):
    file = logs.open()
    os.write(file, written)
    logs.name(file, str(path))
    logs.close(str(path), file)
    return file


def test_what_a_step_wrote_stays_under_its_name(logs, tmp_path):
    step(logs, tmp_path / "a", b"one\n")
    step(logs, tmp_path / "b", b"two\n")
    logs.tidy()

    assert (tmp_path / "a").read_bytes() == b"one\n"
    assert (tmp_path / "b").read_bytes() == b"two\n"


def test_what_was_under_the_name_before_is_gone(logs, tmp_path):
    (tmp_path / "a").write_text("of an earlier try\n")

    step(logs, tmp_path / "a", b"new\n")

    assert (tmp_path / "a").read_bytes() == b"new\n"


def test_a_file_that_stayed_empty_is_used_again_and_leaves_no_name(logs, tmp_path):
    step(logs, tmp_path / "a")
    logs.tidy()
    assert not (tmp_path / "a").exists()

    step(logs, tmp_path / "b", b"two\n")

    assert (tmp_path / "b").read_bytes() == b"two\n"
    assert not list((tmp_path / "ready").iterdir())


def test_a_word_added_after_the_end_is_kept(logs, tmp_path):
    step(logs, tmp_path / "a")
    with (tmp_path / "a").open("ab") as file:
        file.write(b"it failed\n")

    logs.tidy()
    step(logs, tmp_path / "b", b"two\n")

    assert (tmp_path / "a").read_bytes() == b"it failed\n"


def test_the_file_of_a_step_that_never_started_is_used_again(logs, tmp_path):
    file = logs.open()
    logs.close(str(tmp_path / "a"), file)
    logs.tidy()

    assert step(logs, tmp_path / "b", b"two\n") == file
    assert not (tmp_path / "a").exists()


def test_nothing_is_left_lying_ready(logs, tmp_path):
    step(logs, tmp_path / "a")

    logs.end()

    assert not list((tmp_path / "ready").iterdir())
