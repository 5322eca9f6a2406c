"""A file that is written beside its place: there whole, or as it was."""

import os

import pytest

from gitwf.adapters import atomic


def test_until_the_block_ends_the_place_holds_what_it_held(tmp_path):
    place = tmp_path / "file.json"
    place.write_text("old")

    with atomic.replacing(place) as file:
        file.write(b"new")
        file.flush()
        assert place.read_text() == "old"

    assert place.read_text() == "new"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_nothing_and_changes_nothing(tmp_path, error):
    place = tmp_path / "file.json"
    place.write_text("old")

    def fail():
        with atomic.replacing(place) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()

    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_two_who_write_at_once_do_not_meet(tmp_path):
    place = tmp_path / "file.json"

    with atomic.replacing(place) as one, atomic.replacing(place) as other:
        one.write(b"one")
        other.write(b"other")

    assert place.read_text() == "one"


def test_what_is_durable_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda file: (steps.append("fsync"), fsync(file)))
    monkeypatch.setattr(
        type(tmp_path), "replace", lambda *paths: (steps.append("replace"), replace(*paths))
    )

    with atomic.replacing(tmp_path / "a", durable=True) as file:
        file.write(b"x")
    with atomic.replacing(tmp_path / "b"):
        pass

    assert steps == ["fsync", "replace", "replace"]


def test_no_other_user_may_read_what_is_private(tmp_path):
    with atomic.replacing(tmp_path / "secret", mode=0o600) as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600

    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
