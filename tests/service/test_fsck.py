"""What `gitwf fsck` finds: nothing in what gitwf wrote, each misfit in the rest."""

import dataclasses

from gitwf.delivery import fsck
from gitwf.service import retrospect
from gitwf.testing import memory_git
from tests.service.conftest import PRODUCTION


def looking(world):
    around = world.edge()
    return retrospect.Retrospect(around.repo, around.ledger, doubting=True)


def misfits(world):
    return [(one.where.split(" ")[0], one.what, one.hint) for one in looking(world).misfits()]


def facts(world, **entries):
    """The facts with other entries in the place of some: a path, `__` for `/`; None takes away."""
    known = looking(world).facts
    changed = {**known.entries, **{path.replace("__", "/"): body for path, body in entries.items()}}
    return dataclasses.replace(
        known, entries={path: body for path, body in changed.items() if body is not None}
    )


def of_the_ledger(known):
    return [(one.where, one.what) for one in fsck.check(known, {})]


def test_what_gitwf_wrote_fits(two, tmp_path):
    assert misfits(two) == []
    assert list(looking(two).unsound(two.store, tmp_path)) == []


def test_a_ledger_that_was_lost_is_named(two):
    lost = two.remote.branches.pop(memory_git.LEDGER)

    (first, *others) = misfits(two)

    assert first[0] == "gitwf/ledger"
    assert "the ledger lacks what release files at HEAD were made from" in first[1]
    assert "push the lost gitwf/ledger back" in first[2]
    assert len(others) == 2
    two.remote.branches[memory_git.LEDGER] = lost
    assert misfits(two) == []


def test_releases_that_a_new_ledger_knows_nothing_of_are_named(two):
    del two.remote.branches[memory_git.LEDGER]
    kept = [line for line in two.file().splitlines(keepends=True) if "  ledger: " not in line]
    two.commit({PRODUCTION: "".join(kept).encode(), "pipelines/toy/mape.txt": b"0.05\n"})
    two.reconcile()

    lost = "the ledger was lost since then"
    assert misfits(two) == [
        (
            "commit",
            f"it names toy@{number} in production, a version that the ledger has no result of",
            lost,
        )
        for number in (1, 2)
    ]


def test_a_number_that_was_given_twice_is_named_with_both_models(two):
    digest = two.facts()["runs/toy/" + looking(two).facts.key_of("toy", 1) + "/result.json"]
    other = facts(
        two,
        **{
            f"runs__toy__{looking(two).facts.key_of('toy', 1)}__result.json": {
                **digest,
                "digest": "sha256:" + "0" * 64,
            }
        },
    )
    trail = looking(two)._places("toy")["production"].trail

    (found,) = fsck.check(other, {("toy", "production"): trail})

    assert "it names toy@1 in production as sha256:" in found.what
    assert "the ledger has it as sha256:000000000000" in found.what
    assert found.hint == "the number was given twice: a ledger was lost"


def test_a_hand_edit_that_lies_is_named_with_who_wrote_it(two):
    two.commit({PRODUCTION: two.file().replace("version: 2", "version: 1").encode()})

    ((_, what, hint),) = misfits(two)

    assert "it names toy@1 in production as sha256:" in what
    assert hint == "Ada <ada@example.org> wrote that"


def test_entries_of_the_ledger_that_belong_to_nothing_are_named(two):
    key = looking(two).facts.key_of("toy", 1)
    claim, result = f"runs__toy__{key}__claim-1.json", f"runs/toy/{key}/result.json"

    assert of_the_ledger(facts(two, versions__toy__7=None)) == []
    assert of_the_ledger(facts(two, **{claim: None})) == [
        ("versions/toy/1.json", f"its key {key.short} was never claimed"),
        (result, "attempt 1 was never claimed"),
    ]
    assert of_the_ledger(facts(two, **{"versions__toy__3.json": {"key": key}})) == [
        ("versions/toy/3.json", "its key has the number 1 already")
    ]
    assert of_the_ledger(
        facts(two, **{"versions__toy__1.json": None, "versions__toy__4.json": {"key": key}})
    ) == [
        ("versions/toy/4.json", f"its key {key.short} was claimed as version 1"),
        (result, "it is of version 1, and that number is not its key's"),
    ]


def test_bytes_that_are_gone_or_others_are_named_by_their_version(two, tmp_path):
    first, second = (looking(two).facts.result_of("toy", number).uri for number in (1, 2))
    two.store.objects[first] = b"others"
    del two.store.objects[second]

    found = list(looking(two).unsound(two.store, tmp_path))

    assert [one.where for one in found] == ["toy@1", "toy@2"]
    assert "not the recorded" in found[0].what
    assert found[1].what == f"{second}: the object is not there"
