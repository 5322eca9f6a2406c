"""What is built once: by its content, whole or not at all."""

import os
import time

import pytest

from tests.cluster import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def write(text):
    return lambda place: (place / "file").write_text(text)


def test_what_is_there_is_not_made_again():
    first = cache.made_once("thing", cache.key("recipe"), write("first"))
    second = cache.made_once("thing", cache.key("recipe"), write("second"))

    assert first == second
    assert (second / "file").read_text() == "first"


def test_another_content_is_another_entry():
    cache.made_once("thing", cache.key("recipe"), write("first"))
    other = cache.made_once("thing", cache.key("better recipe"), write("second"))

    assert (other / "file").read_text() == "second"


def test_what_failed_halfway_is_made_from_the_start():
    def fail(place):
        (place / "half").touch()
        raise KeyError

    with pytest.raises(KeyError):
        cache.made_once("thing", cache.key("recipe"), fail)
    made = cache.made_once("thing", cache.key("recipe"), write("whole"))

    assert [path.name for path in made.iterdir()] == ["file"]


def test_what_nobody_used_for_a_month_goes_and_the_rest_stays():
    old = cache.made_once("thing", cache.key("old"), write("old"))
    other = cache.made_once("other-thing", cache.key("old"), write("of another name"))
    recent = cache.made_once("thing", cache.key("recent"), write("recent"))
    long_ago = time.time() - cache.UNUSED_AFTER - 60
    for place in (old, other):
        os.utime(place, (long_ago, long_ago))

    cache.made_once("thing", cache.key("new"), write("new"))

    assert (old.exists(), other.exists(), recent.exists()) == (False, True, True)


def test_a_key_tells_where_one_part_ends(tmp_path):
    (tmp_path / "a").write_text("same")
    (tmp_path / "b").write_text("same")

    keys = {
        cache.key("ab", "c"),
        cache.key("a", "bc"),
        cache.key("abc"),
        cache.key(tmp_path / "a"),
        cache.key(tmp_path / "b"),
    }

    assert len(keys) == 5
