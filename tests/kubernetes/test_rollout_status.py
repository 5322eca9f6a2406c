"""How far a Deployment has come, and in which words a pod says what keeps it."""

import pytest

from gitwf.adapters.kubernetes import rollout
from gitwf.ports import RolloutState


def deployment(conditions=(), *, generation=2, observed=2, replicas=2, **status):
    return {
        "metadata": {"name": "viewer-app", "generation": generation, "uid": "u"},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": observed, "conditions": list(conditions), **status},
    }


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (deployment(observed=1), "the cluster has not looked at the change yet"),
        (deployment(updatedReplicas=1, replicas=2), "1 of 2 pods have the new model"),
        (
            {
                **deployment(),
                "status": {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 3},
            },
            "1 old pods are still to end",
        ),
        (
            {
                **deployment(),
                "status": {
                    "observedGeneration": 2,
                    "updatedReplicas": 2,
                    "replicas": 2,
                    "availableReplicas": 1,
                },
            },
            "1 of 2 new pods are ready",
        ),
    ],
)
def test_a_rollout_says_what_it_waits_for(live, reason):
    stands = rollout.stands(live)

    assert (stands.state, stands.reason) == (RolloutState.PROGRESSING, reason)


def test_a_rollout_is_complete_when_every_pod_is_new_and_available():
    live = deployment()
    live["status"] |= {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}

    assert rollout.stands(live).state is RolloutState.COMPLETE


def test_a_rollout_past_its_deadline_has_failed():
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

    assert rollout.stands(deployment([late])).state is RolloutState.FAILED


def test_a_deadline_of_an_earlier_change_fails_nothing():
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

    assert rollout.stands(deployment([late], observed=1)).state is RolloutState.PROGRESSING


def test_a_deadline_that_passed_before_this_release_fails_nothing():
    late = {
        "type": "Progressing",
        "reason": "ProgressDeadlineExceeded",
        "lastUpdateTime": "2026-01-01T00:00:05Z",
    }
    live = deployment([late])
    applied = {"manager": "gitwf", "operation": "Apply", "time": "2026-01-01T00:00:05Z"}
    live["metadata"]["managedFields"] = [applied]

    assert rollout.stands(live).state is RolloutState.PROGRESSING

    applied["time"] = "2026-01-01T00:00:04Z"

    assert rollout.stands(live).state is RolloutState.FAILED


def pod(*statuses, first=(), conditions=()):
    return {
        "metadata": {"name": "viewer-app-1"},
        "status": {
            "initContainerStatuses": list(first),
            "containerStatuses": list(statuses),
            "conditions": list(conditions),
        },
    }


def waiting(reason, message="", name="viewer", **more):
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}, **more}


WORDS = [
    (
        pod(waiting("ImagePullBackOff", "not found", image="r:9")),
        "the image r:9 cannot be pulled: not found",
    ),
    (
        pod(
            waiting(
                "CrashLoopBackOff",
                lastState={"terminated": {"exitCode": 3}},
                restartCount=2,
            )
        ),
        "container viewer crashed (exit code 3)",
    ),
    (
        pod(
            waiting(
                "CrashLoopBackOff",
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            )
        ),
        "container viewer was killed: out of memory (exit code 137)",
    ),
    (
        pod({"name": "viewer", "state": {"running": {}}, "ready": False}),
        "container viewer runs but is not ready",
    ),
    (
        pod(conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "no cpu"}]),
        "no node can take it: no cpu",
    ),
    (
        pod(waiting("CreateContainerConfigError", 'secret "s" not found')),
        'container viewer cannot be set up: secret "s" not found',
    ),
    (
        pod(
            first=[
                {"name": "gitwf-fetch", "state": {"terminated": {"exitCode": 1, "message": "x\ny"}}}
            ]
        ),
        "the model cannot be put in place: y",
    ),
]


@pytest.mark.parametrize(("broken", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_pod_says_in_words_what_keeps_it(broken, words):
    assert rollout.of_pod(broken).reason == words


@pytest.mark.parametrize(
    "fine",
    [
        pod({"name": "viewer", "state": {"running": {}}, "ready": True}),
        pod(waiting("ContainerCreating")),
        pod(waiting("PodInitializing"), first=[{"name": "gitwf-fetch", "state": {"running": {}}}]),
        {**pod(waiting("ImagePullBackOff")), "metadata": {"name": "p", "deletionTimestamp": "now"}},
    ],
)
def test_a_pod_that_only_needs_time_says_nothing(fine):
    assert rollout.of_pod(fine) is None


def test_bytes_that_are_not_those_recorded_fail_a_rollout_at_once():
    said = "gitwf: s3://m holds sha256:b, not the recorded sha256:a"
    broken = pod(
        first=[{"name": "gitwf-fetch", "state": {"terminated": {"exitCode": 1, "message": said}}}]
    )

    assert rollout.of_pod(broken).final


def test_nodes_without_room_say_nothing_of_the_release():
    unscheduled = {"type": "PodScheduled", "reason": "Unschedulable", "message": "no cpu"}

    assert rollout.of_pod(pod(conditions=[unscheduled])).transient


def test_a_full_quota_says_nothing_of_the_release():
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": 'pods "v" is forbidden: exceeded quota: small',
    }

    found = rollout.trouble(deployment([failure]), [])

    assert found.transient
    assert found.reason.startswith("pods cannot be made: ")


def test_what_is_final_comes_before_what_may_mend_itself():
    slow = pod({"name": "viewer", "state": {"running": {}}, "ready": False})
    said = "holds sha256:b, not the recorded sha256:a"
    wrong = pod(
        first=[{"name": "gitwf-fetch", "state": {"terminated": {"exitCode": 1, "message": said}}}]
    )

    assert rollout.trouble(deployment(), [slow, wrong]).final


def test_the_newest_replica_set_is_that_of_the_present_revision():
    live = deployment()
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}

    def replicas(revision, owner="u"):
        return {
            "metadata": {
                "annotations": {"deployment.kubernetes.io/revision": revision},
                "ownerReferences": [{"uid": owner}],
            }
        }

    newest = replicas("3")

    assert rollout.newest(live, [replicas("2"), replicas("3", "other"), newest]) is newest
    assert rollout.newest(live, [replicas("2")]) is None
