"""The local target: the port `Target` in terms of a front.

`apply` puts the checked model and the viewer's files into a fresh folder, makes sure that a front
is there, and hands it the rollout with the revision it was based on. All state is the front's:
two reconcilers, or one that was killed, see the same. Bytes that are not the recorded ones are a
failed rollout, as an init container's failure is on Kubernetes; a store that cannot be asked is
not, and raises as it came.
"""

import dataclasses
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from gitwf import ports
from gitwf.adapters.viewer import control, running, settings
from gitwf.errors import DigestMismatch, RaceLost, Stalled, Transient
from gitwf.values import CommitId, Digest, canonical

Fetch = Callable[[str, Digest, Path], None]
"""`Store.fetch`: writes the checked bytes of a URI to a file."""


class LocalTarget:
    """One environment served by a front on this machine; `fetch` is the store's."""

    def __init__(self, own: settings.FrontSettings, fetch: Fetch) -> None:
        self._settings = own
        self._fetch = fetch

    def observe(self) -> ports.Serving | None:
        """Ask the front. None when there is none, or it was never told what to serve.

        One that still serves at a port of earlier settings counts, as served at another place.
        """
        state = control.find(self._settings)
        if state and state["applied"]:
            return _serving(state)
        for other in control.others(self._settings):
            if other["applied"]:
                revision = state["revision"] if state else ""
                return dataclasses.replace(_serving(other), revision=revision, at=other["url"])
        return None

    def apply(self, desired: ports.Desired) -> None:
        """Begin the rollout; it goes on in the front when this process ends."""
        state = control.find(self._settings)
        if desired.based_on != (state["revision"] if state else ""):
            raise RaceLost(f"{desired.environment} has changed since it was read")
        state = state or control.start(self._settings)
        folder = self._settings.place(state["port"]) / "rollouts" / secrets.token_hex(8)
        try:
            spec = self._prepare(desired, folder)
            asked = {"based_on": desired.based_on, "spec": spec.dump()}
            status, answer = control.post(self._settings, state, "apply", asked)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise Transient(
                f"the files of {desired.tag} cannot be put in place: {error}"
            ) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if status == 409:  # noqa: PLR2004
            shutil.rmtree(folder, ignore_errors=True)
            raise RaceLost(f"{desired.environment} was changed by another reconciler")
        if status != 200:  # noqa: PLR2004
            raise Stalled(f"the front refused the rollout: {answer.get('error', status)}")

    def progress(self, desired: ports.Desired) -> ports.Rollout:
        """Ask the front how this rollout stands."""
        state = control.find(self._settings)
        if state is None:
            return ports.Rollout(ports.RolloutState.FAILED, "the front is gone", transient=True)
        applied, rollout = state["applied"], state["rollout"]
        if applied is None or applied["id"] != _identity(desired):
            return ports.Rollout(ports.RolloutState.SUPERSEDED, "a newer rollout took its place")
        return ports.Rollout(
            ports.RolloutState(rollout["state"]), rollout["reason"], url=state["url"]
        )

    def _prepare(self, desired: ports.Desired, folder: Path) -> running.Spec:
        """Put the files of one rollout into `folder` and describe it to the front."""
        folder.mkdir(mode=0o700, parents=True)
        model_file = folder / PurePosixPath(desired.uri).name
        refused = ""
        try:
            self._fetch(desired.uri, desired.digest, model_file)
        except DigestMismatch as error:
            refused = str(error)
        if desired.viewer is not None:
            shutil.copytree(desired.viewer, folder / "viewer")
        given = {
            "MODEL": desired.tag,
            "MODEL_FILE": str(model_file),
            "MODEL_URI": desired.uri,
            "MODEL_DIGEST": desired.digest,
        }
        return running.Spec(
            id=_identity(desired),
            content=_content(desired),
            release=desired.release,
            model=desired.tag,
            digest=desired.digest,
            viewer=desired.viewer_id,
            folder=str(folder),
            model_file=str(model_file),
            env={**desired.env, **given},
            refused=refused,
        )


def _serving(state: control.State) -> ports.Serving:
    """What a front serves that was told what to serve."""
    applied = state["applied"]
    return ports.Serving(
        revision=state["revision"],
        release=CommitId(applied["release"]),
        model=applied["model"],
        digest=Digest(applied["digest"]),
        viewer=applied["viewer"],
        ready=applied["ready"],
        url=state["url"],
    )


def _content(desired: ports.Desired) -> str:
    """What a person would see of it: the model, the viewer and its environment."""
    seen = [desired.tag, desired.uri, desired.digest, desired.viewer_id, dict(desired.env)]
    return Digest.of(canonical(seen).encode())


def _identity(desired: ports.Desired) -> str:
    """What tells this rollout from another: the release and everything that it shows."""
    return Digest.of(f"{desired.release}\0{_content(desired)}".encode())
