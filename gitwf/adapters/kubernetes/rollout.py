"""How far a Deployment has come, and what keeps it: in words, from what the cluster shows.

The rules are those of `kubectl rollout status` (Kubernetes: kubectl/pkg/polymorphichelpers,
rollout_status.go). Kubernetes itself says only that a deadline has passed; why stands in the pods
of the newest ReplicaSet. Some reasons are for ever, as a model whose bytes are not those recorded:
then nobody waits for the deadline. Others say nothing of the release, as a full quota or nodes
that have no room: they reject nothing. Pure: dicts in, words out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf.adapters.kubernetes import fields
from gitwf.adapters.kubernetes.connection import MANAGER
from gitwf.delivery.serving import Rollout, RolloutState

Manifest = Mapping[str, Any]

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CRASH = {"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "StartError"}


@dataclass(frozen=True)
class Trouble:
    """What keeps a pod from being ready.

    `final`: time will not mend it; `transient`: it says nothing about the release. `container`: the
    one whose last lines tell more, "" for none.
    """

    reason: str
    final: bool = False
    transient: bool = False
    pod: str = ""
    container: str = ""
    restarted: bool = False


def stands(deployment: Manifest) -> Rollout:
    """Say how a Deployment's rollout stands, by its own status alone."""
    spec, status = deployment["spec"], deployment.get("status") or {}
    wanted = spec.get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    available = status.get("availableReplicas", 0)
    if deployment["metadata"].get("generation", 0) > status.get("observedGeneration", 0):
        return _waits("the cluster has not looked at the change yet")
    progressing = condition(deployment, "Progressing")
    if progressing and _timed_out(progressing, deployment):
        return Rollout(RolloutState.FAILED, "it was not ready within its deadline")
    if updated < wanted:
        return _waits(f"{updated} of {wanted} pods have the new model")
    if (old := status.get("replicas", 0) - updated) > 0:
        return _waits(f"{old} old pods are still to end")
    if available < updated:
        return _waits(f"{available} of {updated} new pods are ready")
    return Rollout(RolloutState.COMPLETE)


def _timed_out(progressing: Manifest, deployment: Manifest) -> bool:
    """Whether this release's deadline has passed.

    Till the first pod of a new release stirs, the condition still tells of the one before it.
    """
    if progressing.get("reason") != "ProgressDeadlineExceeded":
        return False
    applied = (
        entry.get("time", "")
        for entry in deployment["metadata"].get("managedFields") or ()
        if entry.get("manager") == MANAGER and entry.get("operation") == "Apply"
    )
    return bool(progressing.get("lastUpdateTime", "~") > max(applied, default=""))


def _waits(reason: str) -> Rollout:
    return Rollout(RolloutState.PROGRESSING, reason)


def condition(thing: Manifest, kind: str) -> Manifest | None:
    """A condition of an object's status, by its type."""
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), None)


def newest(deployment: Manifest, sets: Iterable[Manifest]) -> Manifest | None:
    """The ReplicaSet of a Deployment's present pod template."""
    key = "deployment.kubernetes.io/revision"
    wanted = (deployment["metadata"].get("annotations") or {}).get(key)
    own = deployment["metadata"].get("uid")
    for one in sets:
        meta = one["metadata"]
        owned = any(owner["uid"] == own for owner in meta.get("ownerReferences") or ())
        if owned and (meta.get("annotations") or {}).get(key) == wanted:
            return one
    return None


def trouble(deployment: Manifest, pods: Sequence[Manifest]) -> Trouble | None:
    """The worst that is wrong with a rollout: what is final first, then what the pods say."""
    found = [one for pod in pods if (one := of_pod(pod))]
    failure = condition(deployment, "ReplicaFailure")
    if failure and failure.get("status") == "True":
        message = str(failure.get("message", failure.get("reason", "")))
        quota = "exceeded quota" in message
        found.append(Trouble(f"pods cannot be made: {message}", transient=quota))
    found.sort(key=lambda one: (not one.final, one.transient))
    return found[0] if found else None


def of_pod(pod: Manifest) -> Trouble | None:
    """What keeps one pod from being ready; None for one that is, or that only needs time."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return None
    scheduled = condition(pod, "PodScheduled")
    if scheduled and scheduled.get("reason") == "Unschedulable":
        why = f"no node can take it: {scheduled.get('message', '')}"
        return Trouble(why, transient=True, pod=name)
    for one in status.get("initContainerStatuses") or ():
        if found := _of_container(name, one, first=True):
            return found
    for one in status.get("containerStatuses") or ():
        if found := _of_container(name, one, first=False):
            return found
    return None


def _of_container(pod: str, status: Manifest, *, first: bool) -> Trouble | None:
    name, state = status["name"], status.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE:
        why = f"the image {status.get('image', '')} cannot be pulled: {message or reason}"
        return Trouble(why, pod=pod, container=name)
    if reason == "CreateContainerConfigError":
        return Trouble(f"container {name} cannot be set up: {message}", pod=pod, container=name)
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated")
    if ended and ended.get("exitCode"):
        return _of_end(pod, name, ended, restarted=bool(status.get("restartCount")))
    if reason in _CRASH:
        return Trouble(f"container {name} cannot start: {message}", pod=pod, container=name)
    if not first and "running" in state and not status.get("ready"):
        return Trouble(f"container {name} runs but is not ready", pod=pod, container=name)
    return None


def _of_end(pod: str, name: str, ended: Manifest, *, restarted: bool) -> Trouble:
    code, said = ended["exitCode"], str(ended.get("message", "")).strip()
    if name == fields.FETCH:
        wrong_bytes = "not the recorded" in said
        last = said.splitlines()[-1] if said else f"exit code {code}"
        return Trouble(
            f"the model cannot be put in place: {last}", final=wrong_bytes, pod=pod, container=name
        )
    why = "was killed: out of memory" if ended.get("reason") == "OOMKilled" else "crashed"
    return Trouble(
        f"container {name} {why} (exit code {code})",
        pod=pod,
        container=name,
        restarted=restarted,
    )
