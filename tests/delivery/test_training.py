"""What is done about a model's run: when it is tried again, given up, let finish."""

import dataclasses
import json

import protocol_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_world import MODEL, NOW

from gitwf.delivery import (
    action,
    claiming,
    entry,
    facts,
    observed,
    occasion,
    plan,
    supersede,
)
from gitwf.values import CommitId, Digest
from gitwf.workflow import record

ME, OTHER = world.owner(0, 0), entry.Owner("elsewhere", "boot", 7, "start")
HEAD = CommitId("a" * 40)
PARTS = world.keys.KeyParts({}, {"window": "90"}, {"data": "x"})
REQUEST = observed.Request(HEAD, 0, NOW)


def ledger(*found):
    return facts.Facts(HEAD, json.loads(json.dumps(entry.additions(*found))))


def claim(attempt=1, owner=ME, parts=PARTS, version=1, wish=None, **changes):
    made = entry.Claim(
        MODEL, parts.key(wish), attempt, version, HEAD, f"n{version}.{attempt}", owner, NOW, 60,
        HEAD, parts=parts.body(wish) if attempt == 1 else {},
        after=attempt - 1 or None,
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def number(one):
    return entry.Version(MODEL, one.version, one.key)


def ended(one, outcome, at=NOW):
    return entry.Ended(MODEL, one.key, one.attempt, outcome, "why", at)


def result(one):
    return entry.Result(
        MODEL, one.key, one.attempt, one.version, HEAD, "f", "local", NOW, NOW,
        digest=Digest.of(b"x"), uri="store/x",
    )  # fmt: skip


def held(one, phase=record.Phase.RUNNING, *, cancelled=False, fault=False):
    shown = record.RunRecord("r", phase, "it broke", NOW, NOW, fault=fault)
    document = world.document(["prod"], [])
    return {
        claiming.run_id(facts.EMPTY, one, shared=False): observed.Held(
            one, document, "f", shown, cancelled=cancelled
        )
    }


def seen(
    *found, parts=PARTS, runs=None, gone=None, due=None, settings=world.PROJECT, document=None
):
    view = observed.ModelView(
        name=MODEL,
        file="f",
        pipeline=document or world.document([], []),
        parts=parts,
        request=lambda: REQUEST,
        due=lambda: due,
        named=lambda: 0,
    )
    return observed.Observed(
        HEAD, settings, {MODEL: view}, ledger(*found), ME, "fresh", gone=gone or {},
        runs=runs or {},
    )  # fmt: skip


def first(world_seen, now=NOW):
    actions = plan.plan(world_seen, now).actions
    return actions[0] if actions else None


def test_a_new_key_is_claimed_and_the_part_that_differs_is_named():
    old = claim()
    other = world.keys.KeyParts({}, {"window": "60"}, {"data": "x"})

    found = first(seen(old, number(old), result(old), parts=other))

    assert isinstance(found, action.Claim)
    assert found.reason == "train version 2: parameters.window: 90 -> 60"


def test_a_key_with_a_result_is_left():
    one = claim()

    assert first(seen(one, number(one), result(one))) is None


@pytest.mark.parametrize(
    ("outcome", "minutes", "kind", "words"),
    [
        ("failed", 60, action.Report, "version 1 failed: why"),
        ("cancelled", 0, action.Reclaim, "it was cancelled and is wanted once more"),
        ("superseded", 0, action.Reclaim, "it was superseded and is wanted once more"),
        ("transient", 0, action.Report, "version 1 is tried again at 2026-11-23T12:00:10Z: why"),
        ("transient", 1, action.Reclaim, "try version 1 again (2 of 3): why"),
    ],
)
def test_an_attempt_that_ended_is_followed_up(outcome, minutes, kind, words):
    one = claim()

    found = first(seen(one, number(one), ended(one, outcome)), NOW.after(60 * minutes))

    assert isinstance(found, kind)
    assert words in found.reason


def test_a_transient_fault_is_tried_three_times_and_each_wait_doubles():
    one, two, three = claim(), claim(2), claim(3)
    twice = [one, number(one), ended(one, "transient"), two, ended(two, "transient")]

    assert first(seen(*twice)).until == NOW.after(20)
    assert isinstance(first(seen(*twice), NOW.after(20)), action.Reclaim)
    thrice = first(seen(*twice, three, ended(three, "transient")), NOW.after(9999))
    assert thrice.state is action.State.FAILED
    assert thrice.hint.endswith(f"then push a change, or `gitwf retry {MODEL}`")


@pytest.mark.parametrize("outcome", ["failed", "transient"])
def test_a_person_allows_another_attempt(outcome):
    one = claim()
    allowed = entry.Retry(MODEL, one.key, 1, "ann", "the disk is back", NOW)

    found = first(seen(one, number(one), ended(one, outcome), allowed))

    assert isinstance(found, action.Reclaim)
    assert found.reason == "try version 1 again: ann asked for it"
    assert (found.claim.attempt, found.claim.after) == (2, 1)


def test_anothers_claim_is_waited_for_until_its_owner_is_gone():
    one = claim(owner=OTHER)

    waiting = first(seen(one, number(one)))
    taken = first(seen(one, number(one), gone={one.nonce: "it is gone"}))

    assert waiting.state is action.State.WAITING
    assert isinstance(taken, action.Reclaim)
    assert taken.claim.version == 1


def test_a_run_whose_claim_was_taken_over_is_cancelled():
    one, two = claim(), claim(2, owner=OTHER)

    found = first(seen(one, number(one), two, runs=held(one)))

    assert isinstance(found, action.Cancel)
    assert "took the run over" in found.reason


@pytest.mark.parametrize(
    ("phase", "fault", "outcome"),
    [
        (record.Phase.FAILED, False, "failed"),
        (record.Phase.ERROR, False, "failed"),
        (record.Phase.ERROR, True, "transient"),
    ],
)
def test_a_run_that_ended_badly_says_whose_fault_it_was(phase, fault, outcome):
    one = claim()

    found = first(seen(one, number(one), runs=held(one, phase, fault=fault)))

    assert isinstance(found, action.End)
    assert (found.ended.outcome, found.ended.reason) == (outcome, "it broke")


def test_a_run_without_its_metrics_failed():
    one = claim()

    found = first(seen(one, number(one), runs=held(one, record.Phase.SUCCEEDED)))

    assert isinstance(found, action.End)
    assert "`metrics`" in found.ended.reason


NEWER = world.keys.KeyParts({}, {"window": "30"}, {"data": "x"})


def test_a_run_nobody_wants_is_cancelled_then_ended():
    one = claim()
    running = first(seen(one, number(one), parts=NEWER, runs=held(one)))
    stopping = first(seen(one, number(one), parts=NEWER, runs=held(one, cancelled=True)))
    over = held(one, record.Phase.FAILED, cancelled=True)
    stopped = first(seen(one, number(one), parts=NEWER, runs=over))

    assert isinstance(running, action.Cancel)
    assert stopping.state is action.State.WAITING
    assert isinstance(stopped, action.End)
    assert stopped.ended.outcome == "superseded"


def test_a_claim_nobody_wants_is_given_up_before_it_runs():
    one = claim()

    found = first(seen(one, number(one), parts=NEWER))

    assert isinstance(found, action.End)
    assert found.ended.outcome == "superseded"


def test_after_three_cancellations_in_a_row_a_run_is_let_finish():
    past = []
    for count in range(1, 4):
        one = claim(parts=world.keys.KeyParts({}, {"n": str(count)}, {}), version=count)
        past += [one, number(one), ended(one, "superseded")]
    running = claim(version=4)

    found = first(seen(*past, running, number(running), parts=NEWER, runs=held(running)))

    assert found.state is action.State.WAITING
    assert found.reason == "version 4 is running"
    assert supersede.in_a_row(ledger(*past, running, number(running)), MODEL, 4) == 3


def test_finish_lets_every_run_finish():
    one = claim()
    document = world.document([], []).model_copy(
        update={"spec": world.document([], []).spec.model_copy(update={"supersede": "finish"})}
    )

    found = first(seen(one, number(one), parts=NEWER, runs=held(one), document=document))

    assert found.state is action.State.WAITING


def test_the_run_of_a_pipeline_that_is_gone_is_given_up():
    one = claim()
    without = dataclasses.replace(seen(one, number(one)), models={})

    assert isinstance(first(without), action.End)


# Occasions


def test_a_due_instant_makes_another_run_of_the_same_inputs():
    one, due = claim(), NOW.after(60)

    found = first(seen(one, number(one), result(one), due=due))

    assert isinstance(found, action.Claim)
    assert found.claim.key == PARTS.key(due.rfc3339())
    assert found.reason == f"train version 2: its schedule was due at {due.rfc3339()}"


def test_a_run_under_way_ends_before_the_next_occasion_begins():
    due = NOW.after(60)
    one, next_ = claim(owner=OTHER, wish=due.rfc3339()), NOW.after(120)

    found = first(seen(one, number(one), due=next_))

    assert found.state is action.State.WAITING


def test_a_retrain_is_an_occasion_of_its_request_only():
    one = claim()
    mine = entry.Retrain(MODEL, "r1", HEAD, "ann", "new data in the database", NOW)
    old = dataclasses.replace(mine, id="r2", request=CommitId("9" * 40))

    view = seen(one, number(one), result(one), mine, old)

    found = first(view)
    assert found.claim.key == PARTS.key("r1")
    assert "ann asked to retrain it: new data in the database" in found.reason


def test_the_newest_finished_run_of_heads_inputs_stands_for_head():
    due = NOW.after(60)
    one, two = claim(), claim(wish=due.rfc3339(), version=2)
    third = claim(parts=NEWER, version=3)
    both = [one, number(one), result(one), two, number(two)]

    unfinished = seen(*both, third, number(third), result(third), due=due)
    finished = seen(*both, result(two), due=due)

    assert occasion.standing(unfinished.models[MODEL], unfinished.facts) == 1
    assert occasion.standing(finished.models[MODEL], finished.facts) == 2


def test_an_occasion_before_the_request_is_not_of_head():
    early = NOW.after(-60).rfc3339()
    one, two = claim(), claim(wish=early, version=2)
    view = seen(one, number(one), result(one), two, number(two), result(two))

    assert occasion.standing(view.models[MODEL], view.facts) == 1


# Names of runs


def test_a_takeover_on_the_same_host_continues_the_run():
    one, two = claim(), claim(2)
    known = ledger(one, number(one), two)

    assert claiming.run_id(known, two, shared=False) == claiming.run_id(known, one, shared=False)


def test_after_an_end_or_on_another_host_the_run_is_a_new_one():
    one, two, away = claim(), claim(2), claim(2, owner=OTHER)
    over = ledger(one, number(one), ended(one, "transient"), two)
    moved = ledger(one, number(one), away)

    assert claiming.run_id(over, two, shared=False).endswith("-2")
    assert claiming.run_id(moved, away, shared=False).endswith("-2")
    assert claiming.run_id(moved, away, shared=True).endswith("-1")


# Decisions at the tip


def test_a_claim_at_the_tip_takes_the_next_free_number():
    one = claim(parts=NEWER, version=4)
    draft = claim()

    added = claiming.claim(draft, 7)(ledger(one, number(one)))

    assert f"versions/{MODEL}/8.json" in added
    assert claiming.claim(draft, 0)(facts.EMPTY)["format.json"] == {"format": 1}


@given(st.permutations(["claim", "reclaim", "end", "accept"]))
def test_decisions_in_any_order_never_contradict_each_other(order):
    one, other = claim(), claim(nonce="other", owner=OTHER)
    later = claim(2, owner=OTHER)
    decide = {
        "claim": claiming.claim(other, 0),
        "reclaim": claiming.reclaim(later),
        "end": claiming.end(one, ended(one, "failed")),
        "accept": claiming.accept(one, result(one)),
    }
    known = ledger(one, number(one))
    for name in order:
        added = decide[name](known) or {}
        assert not set(added) & set(known.entries)
        known = facts.Facts(HEAD, {**known.entries, **json.loads(json.dumps(added))})

    done = {name.rpartition("/")[2] for name in known.entries}
    assert {"result.json", "ended-1.json"} & done != {"result.json", "ended-1.json"}
    assert not {"result.json", "claim-2.json"} <= done
