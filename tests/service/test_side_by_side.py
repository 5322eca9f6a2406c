"""Several models in one pass: they train side by side, and one's trouble is not the others'."""

import pytest

from gitwf.errors import Diagnostic, Rejected, Stalled, Transient, of_the_machine
from gitwf.service import reconcile
from gitwf.workflow import record
from tests.e2e import conftest as toys

GOOD, BAD = (record.Phase.SUCCEEDED, ""), (record.Phase.FAILED, "no luck")
NO_PORT = Stalled("the port is taken", hint="choose another one")
NO_ANSWER = Transient("the cluster does not answer")
NO_SPACE = OSError(28, "No space left on device", "/var/model.json")
NO_MANIFEST = Rejected([Diagnostic("manifests/viewer/pod.yaml", 3, 1, "no such value")])


def second_model():
    """The toy once more, as a pipeline of its own called `other`."""
    return {
        path.replace("/toy/", "/other/"): text.replace("{name: toy}", "{name: other}").encode()
        for path, text in toys.FILES.items()
        if "/toy/" in path
    }


def test_two_models_train_side_by_side(world):
    world.commit(second_model())
    world.engine.hanging = True
    together = []

    def look():
        together.append(len(world.engine.orders))
        if together[-1] == 2 or len(together) > 20:
            world.engine.let_end()

    world.clock.on_wait = look

    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC

    assert together[-1] == 2
    assert (world.served(), world.served(model="other")) == ("toy-v1", "other-v1")


def test_one_models_failure_is_not_the_others(world):
    world.commit(second_model())
    world.engine.play = lambda order: BAD if order.id.startswith("other-") else GOOD

    outcome = world.reconcile()

    assert outcome.failures == ["other: no luck"]
    assert (world.served(), world.served(model="other")) == ("toy-v1", None)


@pytest.mark.parametrize(
    ("error", "verdict", "told"),
    [
        (NO_PORT, "failed", "toy in production: the port is taken (choose another one)"),
        (NO_ANSWER, "failed", "toy in production: the cluster does not answer"),
        (NO_SPACE, "failed", f"toy in production: {of_the_machine(NO_SPACE)}"),
        (NO_MANIFEST, "rejected", "manifests/viewer/pod.yaml:3:1: no such value"),
    ],
)
def test_what_one_model_needs_a_person_for_keeps_no_other_waiting(world, error, verdict, told):
    world.commit(second_model())
    target = world.target()

    def apply(_):
        raise error

    target.apply, applied = apply, target.apply
    outcome = world.reconcile()

    assert outcome.verdict == verdict
    assert [*outcome.failures, *map(str, outcome.diagnostics)] == [told]
    assert told.removeprefix("toy in production: ") in world.said
    assert (world.served(), world.served(model="other")) == (None, "other-v1")

    target.apply = applied
    assert world.reconcile().verdict is reconcile.Verdict.IN_SYNC
    assert world.served() == "toy-v1"


def test_a_viewer_that_cannot_be_started_keeps_no_training_waiting(world):
    target = world.target()

    def apply(_):
        raise NO_PORT

    target.apply = apply
    world.reconcile()
    world.push(0.19)

    assert world.reconcile().failures == [f"toy in production: {NO_PORT}"]
    assert len([one for one in world.entries("runs/toy") if one.endswith("result.json")]) == 2


def test_a_target_that_does_not_let_itself_be_asked_keeps_no_other_waiting(world):
    world.commit(second_model())

    def observe():
        raise Stalled("this user may not read the namespace")

    world.target().observe = observe
    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.FAILED
    assert [str(one) for one in outcome.reports if one.model == "toy"] == [
        "toy in production: failed: this user may not read the namespace"
    ]
    assert world.served(model="other") == "other-v1"


def test_one_models_wrong_documents_are_not_the_others(world):
    world.commit(second_model())
    world.reconcile()
    world.commit({"pipelines/other/workflow.yaml": b"kind: [\n"})
    world.push(0.19)

    outcome = world.reconcile()

    assert outcome.verdict is reconcile.Verdict.REJECTED
    assert (world.served(), world.served(model="other")) == ("toy-v2", "other-v1")
