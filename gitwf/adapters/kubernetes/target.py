"""The port `Target` on Kubernetes: server-side apply of exactly the fields that a release sets.

The Deployment itself says what it was told last, in an annotation. The target's revision changes
with that, and with everything that anybody else asks of the Deployment, but not with its status,
which changes all the time; an apply goes at the resourceVersion at which the revision was checked,
so that one based on an old revision loses at the API server. The Deployment is applied first,
because only it is fenced; what goes with it follows, and drift of any of it is seen on every pass.
Everything is tried dry before anything is changed. What gitwf applied and no longer wants is
deleted by the first release after one that was complete: till then pods of an old release, which
serve while others fail, may use it.
"""

import dataclasses
import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitwf import ports
from gitwf.adapters.kubernetes import drift, fields, rollout
from gitwf.adapters.kubernetes.connection import Connection, Manifest
from gitwf.errors import RaceLost, Stalled, Transient
from gitwf.values import CommitId, Digest, canonical

APPS = "apps/v1"
NEWS_SECONDS = 1.0
LOG_LINES = 5
STATUS_RACES = 20


@dataclass(frozen=True)
class Settings:
    """One environment of one model.

    `deployment`: one that others own, "" where the manifests of the repository are applied.
    `image` and `secret`: the init container's image and its Secret for the store. `verified`: False
    sets MODEL alone. `stepped`: a step of the workflow rolls out, and only the fence is applied.
    """

    model: str
    environment: str
    container: str
    deployment: str = ""
    adopt: bool = False
    verified: bool = True
    stepped: bool = False
    image: str = ""
    secret: str = ""


class KubernetesTarget:
    """One environment served by a Deployment."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._cluster = connection
        self._seen = ""
        self._finished: tuple[str, str] | None = None

    def observe(self) -> ports.Serving | None:
        """Read the Deployment. None: there is none yet."""
        live = self._live()
        if live is None:
            return None
        told = _told(live)
        container = fields.container_of(live, self._settings.container)
        digest = fields.variable(container, "MODEL_DIGEST") if container else None
        release = told.get(fields.RELEASE)
        return ports.Serving(
            revision=_revision(live),
            release=CommitId(release) if release else None,
            model=fields.variable(container, "MODEL") if container else None,
            digest=_digest(digest),
            viewer=told.get(fields.VIEWER),
            ready=rollout.stands(live).state is ports.RolloutState.COMPLETE,
        )

    def apply(self, desired: ports.Desired) -> None:
        """Apply the release's fields on the revision that was read. RaceLost: it has moved on.

        Stalled: an object is refused, or others own fields that were never taken over.
        """
        live = self._live()
        first, *others = self._wanted(desired)
        if live is None and self._settings.deployment:
            raise Stalled(
                f"there is no Deployment {self._settings.deployment} "
                f"in namespace {self._cluster.namespace}",
                hint="create it, or give the pipeline `manifests`",
            )
        before = _inventory(live, fields.APPLIED)
        listed = [_named(one) for one in others]
        oldest = set(_inventory(live, fields.APPLIED_BEFORE)) - {*before, *listed}
        left = [name for name in sorted(oldest) if self._ours(name)]
        first["metadata"]["annotations"] |= {
            fields.APPLIED: " ".join(listed),
            fields.APPLIED_BEFORE: " ".join([*before, *left]),
        }
        force = self._settings.adopt or _taken_over(live)
        self._unchanged(desired, live)
        for one in [first, *others]:
            self._cluster.apply(one, force=force, dry_run=True)
        if live is None:
            self._as_applied(self._cluster.create(first))
        else:
            self._fenced(first, desired, self._as_applied(live), force=force)
        for one in others:
            self._cluster.apply(one, force=force)
        if others and live and rollout.stands(live).state is ports.RolloutState.COMPLETE:
            for name in left:
                self._prune(name)
        self._finished = _identity(desired)

    def progress(self, desired: ports.Desired) -> ports.Rollout:
        """Say how the rollout of this release stands; a complete one with the drift of today.

        A rollout that has not moved since it was asked for last is waited for, a second at most.
        """
        live = self._live()
        if live is None:
            return ports.Rollout(
                ports.RolloutState.FAILED, "the Deployment is gone", transient=True
            )
        told = _told(live)
        if (told.get(fields.RELEASE), told.get(fields.VIEWER)) != _identity(desired):
            return ports.Rollout(ports.RolloutState.SUPERSEDED, "a newer rollout took its place")
        stands = rollout.stands(live)
        if stands.state is ports.RolloutState.COMPLETE:
            return dataclasses.replace(stands, drift=tuple(self._drift(desired)))
        found = self._trouble(live)
        self._finish(desired)
        if stands.state is ports.RolloutState.PROGRESSING and not (found and found.final):
            self._wait_for_news(live)
            reason = f"{stands.reason}; {found.reason}" if found else stands.reason
            return dataclasses.replace(stands, reason=reason)
        return self._failed(stands, found)

    def _finish(self, desired: ports.Desired) -> None:
        """Apply what goes with the Deployment, where who applied that may not have got so far."""
        if self._finished == _identity(desired):
            return
        _, *others = self._wanted(desired)
        for one in others:
            self._cluster.apply(one, force=True)
        self._finished = _identity(desired)

    def _live(self) -> dict[str, Any] | None:
        """The Deployment as it is: by its name where others own it, else by gitwf's labels."""
        if self._settings.deployment:
            return self._cluster.get(APPS, "Deployment", self._settings.deployment)
        own = fields.labels(self._settings.model, self._settings.environment)
        selector = ",".join(f"{name}={value}" for name, value in own.items())
        found, _ = self._cluster.listed(APPS, "Deployment", labels=selector)
        fitting = [one for one in found if fields.container_of(one, self._settings.container)]
        return fitting[0] if fitting else None

    def _wanted(self, desired: ports.Desired) -> list[dict[str, Any]]:
        """Everything to apply, the Deployment first. Stalled: the manifests have none, or two."""
        own = self._settings
        if own.deployment:
            return [self._of_release(desired, own.deployment)]
        fitting = [one for one in desired.manifests if self._is_viewer(one)]
        if len(fitting) != 1:
            raise Stalled(
                f"the manifests of {desired.environment} have {len(fitting)} Deployments "
                f"with a container {own.container}; there must be one"
            )
        marked = {"metadata": {"labels": fields.labels(own.model, own.environment)}}
        release = self._of_release(desired, fitting[0]["metadata"]["name"])
        first = fields.overlay(fields.overlay(fitting[0], marked), release)
        rest = [one for one in desired.manifests if one is not fitting[0]]
        return [first, *(fields.overlay(one, marked) for one in rest)]

    def _of_release(self, desired: ports.Desired, name: str) -> dict[str, Any]:
        own = self._settings
        if own.stepped:
            return fields.of_fence(desired, name)
        if not own.verified:
            return fields.of_model_alone(desired, name, own.container)
        return fields.of_release(desired, name, own.container, image=own.image, secret=own.secret)

    def _is_viewer(self, manifest: Manifest) -> bool:
        return (
            manifest["kind"] == "Deployment"
            and fields.container_of(manifest, self._settings.container) is not None
        )

    def _unchanged(self, desired: ports.Desired, live: Manifest | None) -> None:
        """RaceLost when the target is no longer what the plan was based on."""
        if desired.based_on != (_revision(live) if live else ""):
            raise RaceLost(f"{desired.environment} has changed since it was read")

    def _fenced(
        self, first: dict[str, Any], desired: ports.Desired, live: Manifest | None, *, force: bool
    ) -> None:
        """Apply the Deployment while its revision stays what the plan was based on.

        Its status may change meanwhile; that is no reason to plan anew.
        """
        for _ in range(STATUS_RACES):
            self._unchanged(desired, live)
            version = live["metadata"]["resourceVersion"] if live else ""
            fenced = fields.overlay(first, {"metadata": {"resourceVersion": version}})
            try:
                self._cluster.apply(fenced, force=force)
            except RaceLost:
                live = self._live()
                continue
            return
        raise RaceLost(f"{desired.environment} changes faster than it can be applied")

    def _as_applied(self, live: Manifest | None) -> Manifest | None:
        """Make what this manager created its applied fields, so that it can drop them later.

        Gives the Deployment as it is then; None: it is gone.
        """
        for _ in range(STATUS_RACES):
            managed = live and fields.upgraded(live["metadata"].get("managedFields") or ())
            if live is None or managed is None:
                return live
            version = live["metadata"]["resourceVersion"]
            change = {"metadata": {"resourceVersion": version, "managedFields": managed}}
            try:
                return self._cluster.merge(APPS, "Deployment", live["metadata"]["name"], change)
            except RaceLost:
                live = self._live()
        return live

    def _ours(self, name: str) -> Manifest | None:
        """An object of an inventory, if it is there and gitwf's."""
        own = fields.labels(self._settings.model, self._settings.environment)
        there = self._cluster.get(*name.rsplit("/", 2))
        if there and own.items() <= (there["metadata"].get("labels") or {}).items():
            return there
        return None

    def _prune(self, name: str) -> None:
        """Delete an object that neither this release uses nor the complete one before it."""
        if there := self._ours(name):
            self._cluster.delete(*name.rsplit("/", 2), uid=there["metadata"]["uid"])

    def _drift(self, desired: ports.Desired) -> Iterator[ports.Drift]:
        """What an apply would change now; on the dry, as the server sees it."""
        first, *others = self._wanted(desired)
        for one in [first, *others]:
            kind, name = one["kind"], one["metadata"]["name"]
            live = self._cluster.get(one["apiVersion"], kind, name)
            if one is first and live is not None:
                told = _told(live)
                kept = {fields.APPLIED, fields.APPLIED_BEFORE} & told.keys()
                first["metadata"]["annotations"] |= {name: told[name] for name in kept}
            if live is None:
                yield ports.Drift(f"{kind} {name}", "", "nothing")
                continue
            after = self._cluster.apply(one, force=True, dry_run=True)
            for found in drift.between(live, after):
                yield dataclasses.replace(found, field=f"{kind} {name}: {found.field}")

    def _trouble(self, live: Manifest) -> rollout.Trouble | None:
        """What keeps the pods of the newest ReplicaSet from being ready."""
        selector = live["spec"]["selector"].get("matchLabels") or {}
        labels = ",".join(f"{name}={value}" for name, value in selector.items())
        sets, _ = self._cluster.listed(APPS, "ReplicaSet", labels=labels)
        newest = rollout.newest(live, sets)
        pods: list[dict[str, Any]] = []
        if newest is not None:
            mark = "pod-template-hash"
            labels += f",{mark}={newest['metadata']['labels'][mark]}"
            pods, _ = self._cluster.listed("v1", "Pod", labels=labels)
        return rollout.trouble(live, pods)

    def _failed(self, stands: ports.Rollout, found: rollout.Trouble | None) -> ports.Rollout:
        if found is None:
            return stands
        reason = found.reason
        if found.container:
            reason += _last_words(self._said(found))
        return ports.Rollout(ports.RolloutState.FAILED, reason, transient=found.transient)

    def _said(self, found: rollout.Trouble) -> str:
        """What the container in trouble wrote last, or the one before it.

        A node answers with a sentence of its own for a container that it has taken away.
        """
        for previous in (found.restarted, not found.restarted):
            said = self._cluster.log(found.pod, found.container, previous=previous, lines=LOG_LINES)
            if said and not said.startswith("unable to retrieve container logs"):
                return said
        return ""

    def _wait_for_news(self, live: Manifest) -> None:
        """Return when the Deployment changes; at once where it has since it was asked for last."""
        version, name = live["metadata"]["resourceVersion"], live["metadata"]["name"]
        seen, self._seen = self._seen, version
        if version != seen:
            return
        until = time.monotonic() + NEWS_SECONDS
        try:
            watch = self._cluster.watch(
                APPS, "Deployment", version, seconds=NEWS_SECONDS, fields=f"metadata.name={name}"
            )
            for event in watch:
                if event.type != "BOOKMARK" or time.monotonic() >= until:
                    return
        except Transient:
            # The next question reads the Deployment itself, whatever became of the watch.
            return


def _revision(live: Manifest) -> str:
    """What changes with everything that is asked of a Deployment, and not with its status."""
    meta, told = live["metadata"], _told(live)
    asked = [meta["uid"], meta.get("generation"), told.get(fields.RELEASE), told.get(fields.VIEWER)]
    return hashlib.sha256(canonical(asked).encode()).hexdigest()[:16]


def _told(live: Manifest) -> Mapping[str, str]:
    """What the Deployment was told: its annotations."""
    return live["metadata"].get("annotations") or {}


def _identity(desired: ports.Desired) -> tuple[str, str]:
    return str(desired.release), desired.viewer_id


def _taken_over(live: Manifest | None) -> bool:
    """Whether gitwf has applied a release here before: from then on its fields are its own."""
    return live is None or fields.RELEASE in _told(live)


def _named(manifest: Manifest) -> str:
    return f"{manifest['apiVersion']}/{manifest['kind']}/{manifest['metadata']['name']}"


def _inventory(live: Manifest | None, annotation: str) -> Sequence[str]:
    return _told(live).get(annotation, "").split() if live else ()


def _digest(text: str | None) -> Digest | None:
    """A digest that may have been edited into something else."""
    try:
        return Digest(text) if text else None
    except ValueError:
        return None


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"; it wrote: {' | '.join(lines)}" if lines else ""
