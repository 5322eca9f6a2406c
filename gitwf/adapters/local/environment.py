"""The variables of a step: its own, and next to nothing of this process's.

A step starts with a search path, an empty home, a private temporary folder and a language; then
come `envFrom` and `env` as Kubernetes applies them, with `$(NAME)` standing for a variable declared
before (kubernetes: third_party/forked/golang/expansion). Secrets are read from a folder of files,
`<name>/<key>`, and only those that the policy grants to the template; those written beside the
workflow are documents of it. Values never reach a message.
"""

import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitwf.adapters.local import folder
from gitwf.errors import GitwfError, Stalled
from gitwf.workflow.document import containers, parameters

_MARK = re.compile(r"metadata\.(?P<kind>labels|annotations)\['(?P<key>[^']+)'\]")
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


class Unavailable(GitwfError):
    """A value that a step asks for is not there; Argo's pod would not start."""


def host_path() -> str:
    """The search path of steps: this process's, without gitwf's own environment."""
    own = {str(Path(sys.prefix, "bin"))} if sys.prefix != sys.base_prefix else set()
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(one for one in entries if one.startswith("/") and one not in own)


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by its value where there is one; `$$` stands for one dollar sign."""
    if "$" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else variables.get(name, match.group())

    return _REFERENCE.sub(value, text)


def references(text: str) -> list[str]:
    """Give the names that `expand` would look up."""
    return [name for name in _REFERENCE.findall(text) if name]


@dataclass(frozen=True)
class Secrets:
    """The secrets of this machine: a folder, or none. `granted` are the names a step may have.

    `written` are documents beside the workflow, which everybody has who has the workflow.
    """

    folder: Path | None = None
    granted: frozenset[str] = frozenset()
    written: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def path(self, name: str) -> Path:
        """The folder of a granted secret. Raises Unavailable."""
        if name not in self.granted:
            raise Unavailable(f"the policy does not grant the secret {name!r} to this template")
        if self.folder is None:
            raise Unavailable(f"the secret {name!r} is not there", hint="set GITWF_SECRETS_DIR")
        return self.folder / folder.checked(name)

    def lacks(self, name: str) -> bool:
        """Whether a secret is nowhere, so that who can do without it needs no grant."""
        if name in self.written or name in self.granted:
            return False
        return self.folder is None or not (self.folder / folder.checked(name)).is_dir()

    def value(self, name: str, key: str) -> str | None:
        """The value of one key, or None where there is no such file."""
        if name in self.written:
            return self.written[name].get(key)
        try:
            return (self.path(name) / folder.checked(key)).read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Stalled(
                f"the secret {name}/{key} cannot be read: {type(error).__name__}"
            ) from None

    def values(self, name: str) -> Mapping[str, str] | None:
        """Every key of a secret, or None where there is none."""
        if name in self.written:
            return self.written[name]
        place = self.path(name)
        if not place.is_dir():
            return None
        keys = sorted(path.name for path in place.iterdir() if path.is_file())
        return {key: self.value(name, key) or "" for key in keys}


@dataclass(frozen=True)
class Sources:
    """Where variables come from: ConfigMaps by name, secrets, and what Argo would say of the pod.

    `marks` gives the pod's `labels` or `annotations`, for which few steps ask.
    """

    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    pod: str = ""
    namespace: str = "default"
    account: str = "default"
    marks: Callable[[str], Mapping[str, str]] = lambda _: {}


def _field(path: str, sources: Sources) -> str:
    """What `fieldRef` names here; a label that is not there is empty. Raises Unavailable."""
    if (marked := _MARK.fullmatch(path)) is not None:
        return sources.marks(marked["kind"]).get(marked["key"], "")
    if path == "metadata.uid":
        import uuid  # noqa: PLC0415 - few steps ask

        return str(uuid.uuid4())
    fields = {
        "metadata.name": sources.pod,
        "metadata.namespace": sources.namespace,
        "spec.nodeName": socket.gethostname(),
        "spec.serviceAccountName": sources.account,
        **dict.fromkeys(("status.podIP", "status.podIPs"), "127.0.0.1"),
        **dict.fromkeys(("status.hostIP", "status.hostIPs"), "127.0.0.1"),
    }
    if path not in fields:
        raise Unavailable(f"the local engine has no pod field {path!r}")
    return fields[path]


def declared(container: containers.Container, sources: Sources) -> dict[str, str]:
    """Work out `envFrom` and `env`. Raises Unavailable for a value that is required and absent."""
    variables: dict[str, str] = {}
    for source in container.env_from:
        for name, value in _whole(source, sources).items():
            variables[source.prefix + name] = value
    for variable in container.env:
        if variable.value_from is None:
            variables[variable.name] = expand(variable.value, variables)
        elif (found := _value(variable.value_from, sources)) is not None:
            variables[variable.name] = found
    return variables


def _whole(source: containers.EnvFrom, sources: Sources) -> Mapping[str, str]:
    lookups: tuple[tuple[str, containers.SourceRef | None, Callable[[str], _Found]], ...] = (
        ("configmap", source.config_map_ref, sources.config_maps.get),
        ("secret", source.secret_ref, sources.secrets.values),
    )
    for kind, ref, lookup in lookups:
        if ref is not None:
            if ref.optional and kind == "secret" and sources.secrets.lacks(ref.name):
                return {}
            found = lookup(ref.name)
            if found is None and not ref.optional:
                raise Unavailable(f'{kind} "{ref.name}" not found')
            return found or {}
    return {}


_Found = Mapping[str, str] | None


def _value(source: containers.EnvSource, sources: Sources) -> str | None:
    if source.field_ref is not None:
        return _field(str(source.field_ref.get("fieldPath", "")), sources)
    if (key := source.config_map_key_ref) is not None:
        content = sources.config_maps.get(key.name)
        return _required("ConfigMap", key, None if content is None else content.get(key.key))
    if (key := source.secret_key_ref) is not None:
        if key.optional and sources.secrets.lacks(key.name):
            return None
        return _required("Secret", key, sources.secrets.value(key.name, key.key))
    raise Unavailable(
        "the local engine knows valueFrom with secretKeyRef, configMapKeyRef, fieldRef"
    )


def _required(kind: str, key: parameters.KeySelector, found: str | None) -> str | None:
    if found is None and not key.optional:
        raise Unavailable(f"couldn't find key {key.key} in {kind} {key.name}")
    return found
