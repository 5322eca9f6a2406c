"""The fields of a Deployment that a release sets: nothing else of it is gitwf's.

The viewer's container gets MODEL and its companions; an init container puts the checked model in
place before it starts; an annotation names the release commit, which is how a target says what it
was told last. Pure: in goes what is desired, out come the fields, to be applied alone on a
Deployment that others own or laid over one that the repository's manifests describe.
"""

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from gitwf import ports
from gitwf.adapters.kubernetes.connection import MANAGER, Manifest

RELEASE = "gitwf.dev/release"
VIEWER = "gitwf.dev/viewer"
APPLIED = "gitwf.dev/applied"
APPLIED_BEFORE = "gitwf.dev/applied-before"
MODEL_LABEL, ENVIRONMENT_LABEL = "gitwf.dev/model", "gitwf.dev/environment"
MANAGED_BY = "app.kubernetes.io/managed-by"

FETCH = "gitwf-fetch"
VOLUME = "gitwf-model"
FOLDER = "/gitwf/model"

# What makes two items of a list the same one, as the API server merges them.
_KEYS = ("name", "mountPath", "containerPort", "port")


def labels(model: str, environment: str) -> dict[str, str]:
    """The labels of every object that gitwf applied for one environment of one model."""
    return {MANAGED_BY: MANAGER, MODEL_LABEL: model, ENVIRONMENT_LABEL: environment}


def model_file(desired: ports.Desired) -> str:
    """Where the model is in the viewer's container."""
    return posixpath.join(FOLDER, posixpath.basename(desired.uri))


def environment(desired: ports.Desired) -> list[dict[str, str]]:
    """The variables of the viewer's container, by name; gitwf's own win over the pipeline's."""
    own = {
        "MODEL": desired.tag,
        "MODEL_FILE": model_file(desired),
        "MODEL_URI": desired.uri,
        "MODEL_DIGEST": str(desired.digest),
    }
    given = {**desired.env, **own}
    return [{"name": name, "value": value} for name, value in sorted(given.items())]


def of_release(
    desired: ports.Desired, name: str, container: str, *, image: str, secret: str
) -> dict[str, Any]:
    """Describe what a release sets of the Deployment `name`.

    `image`: where the init container finds gitwf, "" when the Deployment says it itself;
    `secret`: the Secret that holds the store's credentials as variables, "" for none.
    """
    fetch: dict[str, Any] = {
        "name": FETCH,
        "command": ["gitwf", "fetch", desired.uri],
        "args": ["--digest", str(desired.digest), "--to", model_file(desired)],
        "volumeMounts": [{"name": VOLUME, "mountPath": FOLDER}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if image:
        fetch["image"] = image
    if secret:
        fetch["envFrom"] = [{"secretRef": {"name": secret}}]
    viewer = {
        "name": container,
        "env": environment(desired),
        "volumeMounts": [{"name": VOLUME, "mountPath": FOLDER, "readOnly": True}],
    }
    pod = {
        "initContainers": [fetch],
        "containers": [viewer],
        "volumes": [{"name": VOLUME, "emptyDir": {}}],
    }
    return _deployment(desired, name, pod)


def of_model_alone(desired: ports.Desired, name: str, container: str) -> dict[str, Any]:
    """Describe the least that tells a viewer its model: MODEL, for `verify: none`."""
    pod = {"containers": [{"name": container, "env": [{"name": "MODEL", "value": desired.tag}]}]}
    return _deployment(desired, name, pod)


def of_fence(desired: ports.Desired, name: str) -> dict[str, Any]:
    """Describe what keeps an older release away from a Deployment that a step rolls out."""
    told = {RELEASE: str(desired.release), VIEWER: desired.viewer_id}
    meta = {"name": name, "annotations": told}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta}


def _deployment(desired: ports.Desired, name: str, pod: dict[str, Any]) -> dict[str, Any]:
    told = {RELEASE: str(desired.release), VIEWER: desired.viewer_id}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": told},
        # A viewer that changed is another pod, though its model is the same.
        "spec": {
            "template": {"metadata": {"annotations": {VIEWER: desired.viewer_id}}, "spec": pod}
        },
    }


def overlay(below: Any, above: Any) -> Any:
    """Lay one manifest over another: mappings by key, lists of named items by name."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        merged = dict(below)
        for key, value in above.items():
            merged[key] = overlay(below[key], value) if key in below else value
        return merged
    if isinstance(below, list) and isinstance(above, list) and (key := _key(below, above)):
        replaced = {item[key]: item for item in above}
        kept = [overlay(item, replaced.pop(item[key], item)) for item in below]
        return [*kept, *replaced.values()]
    return above


def _key(*lists: Sequence[Any]) -> str | None:
    items = [item for one in lists for item in one]
    return next(
        (
            key
            for key in _KEYS
            if items and all(isinstance(item, Mapping) and key in item for item in items)
        ),
        None,
    )


def container_of(deployment: Manifest, name: str) -> Mapping[str, Any] | None:
    """The container of that name in a Deployment's pods."""
    spec = deployment.get("spec", {}).get("template", {}).get("spec", {})
    return next((one for one in spec.get("containers") or () if one["name"] == name), None)


def variable(container: Mapping[str, Any], name: str) -> str | None:
    """The value of an environment variable that is written out in a container."""
    named = (one for one in container.get("env") or () if one["name"] == name)
    return next((one.get("value") for one in named), None)


def upgraded(managed: Sequence[Manifest]) -> list[Manifest] | None:
    """Turn what this manager created into what it applied; None where there is nothing to turn.

    A created object's fields belong to an `Update` entry. Left so, an apply that drops a field
    would not remove it (Kubernetes: client-go/util/csaupgrade).
    """
    created = [one for one in managed if _created(one)]
    if not created:
        return None
    rest = [one for one in managed if not _created(one)]
    if any(one.get("manager") == MANAGER and one.get("operation") == "Apply" for one in rest):
        return rest
    return [*rest, {**created[0], "operation": "Apply"}]


def _created(entry: Manifest) -> bool:
    return (
        entry.get("manager") == MANAGER
        and entry.get("operation") == "Update"
        and not entry.get("subresource")
    )
