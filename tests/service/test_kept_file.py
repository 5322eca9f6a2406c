"""A file that is kept says what was written last, or nothing."""

import pytest

from gitwf.adapters import kept


def test_what_was_written_is_read_by_the_next(tmp_path):
    path = tmp_path / "state" / "documents"
    kept.KeptFile(path).write(b"one")
    kept.KeptFile(path).write(b"two\nlines\n")

    assert kept.KeptFile(path).read() == b"two\nlines\n"
    assert [one.name for one in path.parent.iterdir()] == ["documents"]


def test_nothing_is_read_where_nothing_was_written(tmp_path):
    assert kept.KeptFile(tmp_path / "documents").read() is None


@pytest.mark.parametrize("damage", [b"", b"one", b"\n"])
def test_a_file_of_other_content_is_as_good_as_none(tmp_path, damage):
    path = tmp_path / "documents"
    path.write_bytes(damage)

    assert kept.KeptFile(path).read() is None


def test_no_byte_of_a_file_can_change_unseen(tmp_path):
    path = tmp_path / "documents"
    kept.KeptFile(path).write(b"some content")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])

        assert kept.KeptFile(path).read() is None

        path.write_bytes(whole[:place])

        assert kept.KeptFile(path).read() is None


def test_what_another_gitwf_wrote_is_as_good_as_none(tmp_path, monkeypatch):
    path = tmp_path / "documents"
    kept.KeptFile(path).write(b"one")
    monkeypatch.setattr(kept, "_this_gitwf", lambda: "another")

    assert kept.KeptFile(path).read() is None


def test_what_cannot_be_written_is_let_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "documents").mkdir()
    for path in (tmp_path / "file" / "documents", tmp_path / "documents"):
        kept.KeptFile(path).write(b"one")

        assert kept.KeptFile(path).read() is None

    assert sorted(one.name for one in tmp_path.iterdir()) == ["documents", "file"]
