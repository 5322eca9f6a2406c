"""gitwf writes a release file whole once; afterwards it changes only what it decides."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.delivery import entry, release, trail, writing
from gitwf.errors import Rejected
from gitwf.values import CommitId, Digest, Instant, RunKey

NOW = Instant.parse("2026-11-23T12:00:00Z")
PARENT, LEDGER = CommitId("c" * 40), CommitId("d" * 40)
PATH = "models/m/prod.yaml"
BY_HAND = b"""\
# Ask Ann before you touch this.
kind: Release          # the order is ours
apiVersion: gitwf.dev/v1
spec:
  digest: sha256:%s
  uri: "store/1"
  version: 1           # the first good one

  hold:
    versions: [7]      # 7 draws no curves
metadata: {environment: prod, model: m}
""" % (b"1" * 64)


def result(version):
    return entry.Result(
        "m", RunKey("a" * 64), 1, version, CommitId("b" * 40), "f", "local", NOW, NOW,
        digest=Digest.of(str(version).encode()), uri=f"store/{version}", metrics={"mape": 0.1},
        parameters={"window": "90"}, inputs={"data": "x"},
    )  # fmt: skip


def naming(version, **changes):
    made = writing.Naming(
        "m", "prod", result(version) if version else None, "promote", "gitwf", "e" * 40, PARENT,
        LEDGER,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def test_a_new_file_tells_the_whole_story():
    found = release.load(writing.named(None, naming(2)), PATH)

    assert found.spec.version == 2
    assert found.spec.digest == Digest.of(b"2")
    assert found.evidence.run["key"] == "a" * 64
    assert found.evidence.metrics == {"mape": 0.1}
    assert found.evidence.parameters == {"window": "90"}
    assert found.evidence.ledger == LEDGER
    assert found.evidence.parent == PARENT


def test_comments_and_order_stay_when_another_version_is_named():
    after = writing.named(BY_HAND, naming(2)).decode().splitlines()

    kept = [line for line in BY_HAND.decode().splitlines() if "digest" not in line]
    kept = [
        line.replace('"store/1"', '"store/2"').replace("version: 1 ", "version: 2 ")
        for line in kept
    ]
    assert [line for line in kept if line not in after] == []
    assert release.load("\n".join(after).encode(), PATH).spec.hold.versions == (7,)


def test_a_hold_is_added_to_those_there():
    after = writing.named(BY_HAND, naming(1, holds=(9,)))

    assert release.load(after, PATH).spec.hold.versions == (7, 9)
    assert b"# 7 draws no curves" in after


def test_nothing_can_be_named():
    found = release.load(writing.named(BY_HAND, naming(None)), PATH)

    assert (found.spec.version, found.spec.uri, found.spec.digest) == (None, None, None)


def test_a_persons_hold_comes_and_goes():
    held = writing.holding(BY_HAND, "m", "prod", held=True, reason="fair week")
    let_go = writing.holding(held, "m", "prod", held=False)

    assert release.load(held, PATH).spec.hold == release.Hold(
        all=True, reason="fair week", versions=(7,)
    )
    assert not release.load(let_go, PATH).spec.hold.all
    assert b"# Ask Ann" in let_go


def test_an_environment_can_be_held_before_anything_is_released():
    found = release.load(writing.holding(None, "m", "prod", held=True), PATH)

    assert found.spec.hold.all
    assert found.spec.version is None


def test_rejections_are_added_once_and_comments_stay():
    two = release.RejectedVersion(version=2, reason="no curves", by="ann")
    first = writing.rejecting(None, "m", (two,)) + b"# never forget\n"
    again = writing.rejecting(first, "m", (two,))
    more = writing.rejecting(first, "m", (release.RejectedVersion(version=3),))

    assert again == first
    assert release.load_rejections(more, "models/m/rejected.yaml").numbers() == {2, 3}
    assert b"# never forget" in more


def test_a_file_that_cannot_be_edited_in_place_is_left_to_a_person():
    anchored = BY_HAND.replace(b"spec:\n", b"spec: &s\n") + b"evidence: *s\n"

    with pytest.raises(Rejected):
        writing.named(anchored, naming(2))


# Whose commit was it?


def state(depth, source):
    found = release.load(source, PATH) if source is not None else None
    return trail.State(CommitId(f"{depth:040x}"), depth, found, "ann", NOW)


def read(*sources):
    """The trail of the file's contents, oldest first."""
    newest_first = enumerate(reversed(sources))
    return trail.read(state(depth, source) for depth, source in newest_first)


ONE = writing.named(None, naming(1, parent=CommitId("1" * 40)))
TWO = writing.named(ONE, naming(2, parent=CommitId("2" * 40)))
THREE = writing.named(TWO, naming(3, parent=CommitId("4" * 40)))
BACK = writing.named(TWO, naming(1, parent=CommitId("3" * 40), kind="rollback"))


def test_gitwfs_own_commits_are_told_by_their_evidence():
    found = read(None, ONE, ONE, TWO, BACK)

    assert [(one.version, one.kind) for one in found.changes] == [
        (1, "promote"),
        (2, "promote"),
        (1, "rollback"),
    ]
    assert [one.depth for one in found.changes] == [3, 1, 0]
    assert {one.request for one in found.changes} == {"e" * 40}


def test_a_revert_brings_old_evidence_back_and_is_a_persons():
    found = read(None, ONE, TWO, ONE)

    assert [one.kind for one in found.changes] == ["promote", "promote", "person"]
    assert found.last.who == "ann"
    assert found.withdrawn(2)
    assert not found.withdrawn(1)


def test_a_rollback_of_gitwfs_withdraws_nothing():
    assert not read(None, ONE, TWO, BACK).withdrawn(2)


def test_a_person_who_names_a_version_again_takes_the_withdrawal_back():
    assert not read(None, ONE, TWO, ONE, TWO, THREE).withdrawn(2)


def test_a_hand_edit_that_leaves_the_evidence_is_a_persons():
    edited = ONE.replace(b"version: 1\n", b"version: 5\n")

    assert read(None, ONE, edited).last.kind == "person"


def test_a_copy_of_another_environments_file_is_a_persons():
    staging = dataclasses.replace(naming(2, parent=CommitId("5" * 40)), environment="staging")
    copied = writing.named(None, staging).replace(
        b"  environment: staging\nspec", b"  environment: prod\nspec"
    )

    assert read(None, ONE, copied).last.kind == "person"


def test_a_deleted_file_names_nothing():
    found = read(ONE, None)

    assert (found.last.version, found.last.kind) == (None, "person")


def test_an_edit_that_names_nothing_else_is_no_release():
    held = writing.holding(ONE, "m", "prod", held=True)

    assert len(read(None, ONE, held).changes) == 1


def test_what_was_named_since_counts_what_stood_at_the_request():
    found = read(None, ONE, ONE, TWO)

    assert found.named_since(1) == {1, 2}
    assert found.named_since(0) == {2}
    assert found.highest() == 2


@given(st.lists(st.sampled_from([None, ONE, TWO, BACK]), min_size=1, max_size=6))
def test_leaving_out_what_did_not_change_changes_nothing(sources):
    states = [state(depth, source) for depth, source in enumerate(reversed(sources))]
    # The oldest state of each stretch is enough.
    fewer = [
        one
        for one, older in zip(states, [*states[1:], None], strict=True)
        if older is None or older.release != one.release
    ]

    assert trail.read(fewer) == trail.read(states)
