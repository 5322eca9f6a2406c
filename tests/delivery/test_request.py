"""Since when HEAD wants what it wants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.delivery import observed, request
from gitwf.values import CommitId, Instant

NOW = Instant.of_seconds(0)


def commits(bases):
    """Newest first; commit ids say how old they are."""
    for age, base in enumerate(bases):
        yield observed.Request(CommitId(f"{age:040x}"), age, NOW.after(-age)), base


@pytest.mark.parametrize(
    ("bases", "depth"), [("A", 0), ("AAA", 2), ("AAB", 1), ("ABA", 0), ("AABAA", 1)]
)
def test_it_is_the_oldest_commit_of_the_unbroken_stretch(bases, depth):
    found = request.find(commits(bases))

    assert found.depth == depth
    assert found.commit == CommitId(f"{depth:040x}")
    assert found.time == NOW.after(-depth)


def test_no_more_history_is_read_than_the_stretch_needs():
    def endless():
        yield from commits("AAB")
        raise AssertionError("read too far")

    assert request.find(endless()).depth == 1


def test_a_history_without_a_commit_is_a_mistake():
    with pytest.raises(ValueError, match="needs a commit"):
        request.find([])


@given(st.text("AB", min_size=1, max_size=8), st.integers(0, 3))
def test_more_commits_of_the_same_key_keep_the_request(bases, more):
    before = request.find(commits(bases))
    after = request.find(commits(bases[0] * more + bases))

    assert after.depth == before.depth + more
