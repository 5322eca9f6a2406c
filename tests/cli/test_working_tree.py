"""A folder read as a tree: ids as Git gives them, nothing outside it, nothing of Git's own."""

import subprocess

import pytest

from gitwf.adapters import folder
from tests.cli import conftest

FILES = {"a.txt": "one\n", "b/c.txt": "two\n", "b/d/e.txt": "three\n", ".git/config": "no\n"}
WHICH = folder.NO_COMMIT


@pytest.fixture
def tree(tmp_path):
    conftest.write(tmp_path, FILES)
    return folder.FolderTree(tmp_path)


def test_files_come_in_path_order_and_without_gits_own(tree):
    assert [path for path, _ in tree.files(WHICH)] == ["a.txt", "b/c.txt", "b/d/e.txt"]
    assert [path for path, _ in tree.files(WHICH, "b")] == ["b/c.txt", "b/d/e.txt"]
    assert [path for path, _ in tree.files(WHICH, "a.txt")] == ["a.txt"]
    assert list(tree.files(WHICH, "nothing")) == []


def test_ids_are_gits(tree, tmp_path):
    command = ["git", "hash-object", str(tmp_path / "b/c.txt")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert tree.object_id(WHICH, "b/c.txt") == said
    assert dict(tree.files(WHICH))["b/c.txt"] == said


def test_a_folders_id_changes_with_what_is_in_it(tree, tmp_path):
    before = tree.object_id(WHICH, "b")
    assert tree.object_id(WHICH, "b") == before

    conftest.write(tmp_path, {"b/d/e.txt": "four\n"})

    assert tree.object_id(WHICH, "b") != before
    assert tree.object_id(WHICH, "nothing") is None


def test_no_link_is_followed(tree, tmp_path):
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    conftest.write(outside, {"secret.txt": "x\n"})
    (tmp_path / "link.txt").symlink_to(outside / "secret.txt")
    (tmp_path / "folder").symlink_to(outside)

    assert tree.read(WHICH, "link.txt") is None
    assert tree.read(WHICH, "folder/secret.txt") is None
    assert [path for path, _ in tree.files(WHICH)] == ["a.txt", "b/c.txt", "b/d/e.txt"]
    assert list(tree.files(WHICH, "folder")) == []


def test_a_path_that_leads_out_is_refused(tree):
    with pytest.raises(ValueError, match="leads out of the repository"):
        tree.read(WHICH, "../x")


def test_what_is_ignored_is_left_out(tmp_path):
    conftest.write(tmp_path, FILES)
    tree = folder.FolderTree(tmp_path, lambda path: path in {"b/d/", "a.txt"})

    assert [path for path, _ in tree.files(WHICH)] == ["b/c.txt"]
