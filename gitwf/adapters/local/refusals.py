"""What a machine cannot run, said before anything runs, each at its place in the file.

The language itself is checked elsewhere (`gitwf.workflow.document.validate`); here is what depends
on this machine: kinds of pods and volumes that need a cluster, commands that only an image knows,
secrets that the policy does not grant, and, where nothing hides the machine's files from the steps,
paths that steps would fight over or cannot write.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitwf import ports
from gitwf.adapters.local import bare_paths, box, engines, ground, members, orders, volumes
from gitwf.errors import Diagnostic
from gitwf.workflow.document import containers, resolved, template

_PODS = frozenset({"container", "script", "containerSet"})
_ELSEWHERE = frozenset({"steps", "dag", "suspend", "http"})
_NO_BARE_SECRETS = "set engine.isolation to none to accept that steps can read each other's files"


def check(
    order: ports.Order, settings: ground.Settings, isolation: str, *, explicit: bool
) -> list[Diagnostic]:
    """Say everything about the order that cannot run on this machine, in file order."""
    found: list[Diagnostic] = []
    workflow = orders.begun_at(order)
    for one in templates(workflow):
        found += _pod(one, order, settings)
        found += _image(one) if isolation in engines.CHOICES else _command(one, settings)
        if isolation == "none":
            found += _bare(one, settings, explicit=explicit)
    if isolation == "none":
        for key, problem in bare_paths.shared(workflow):
            found.append(_said(workflow, key, problem, _HINT_SHARED))
    return sorted(set(found))


_HINT_SHARED = "run as root or where user namespaces are allowed, so that each step has its own"


@dataclass(frozen=True)
class Placed:
    """A template with a pod, its key, and what is not its own but counts for it."""

    workflow: resolved.Resolved
    key: resolved.TemplateKey
    made: template.Template

    def said(self, message: str, hint: str = "") -> Diagnostic:
        """Say something about this template at its place."""
        return _said(self.workflow, self.key, message, hint)

    @property
    def containers(self) -> list[containers.Container]:
        """The containers of its pod, each with all that it mounts; none without a pod."""
        made = self.made
        several = made.container_set.containers if made.container_set is not None else ()
        listed = [*several, *(one for one in (made.container, made.script) if one is not None)]
        return [
            one.model_copy(update={"volume_mounts": tuple(members.mounts(made, one))})
            for one in listed
        ]

    @property
    def grant(self) -> str:
        """What the policy calls it."""
        return f"{self.workflow.file_of(self.key)}#{self.made.name}"


def _said(
    workflow: resolved.Resolved, key: resolved.TemplateKey, message: str, hint: str
) -> Diagnostic:
    origin = workflow.origins.get(key)
    message = f"template {key.name!r}: {message}"
    if origin is None:
        return Diagnostic(workflow.name or "workflow", 0, 0, message, hint)
    return origin.diagnostic(message, hint)


def templates(workflow: resolved.Resolved) -> Iterator[Placed]:
    """Every template that a run may come to, inline ones under the key of their caller."""
    for key in sorted(workflow.reachable):
        for made in _with_inline(workflow.templates[key]):
            yield Placed(workflow, key, made)


def _with_inline(made: template.Template) -> Iterator[template.Template]:
    yield made
    for call in made.calls():
        if call.inline is not None:
            yield from _with_inline(call.inline)


def _pod(one: Placed, order: ports.Order, settings: ground.Settings) -> Iterator[Diagnostic]:
    made = one.made
    if made.type not in _PODS | _ELSEWHERE and made.type:
        yield one.said(f"the local engine runs no {made.type} templates")
    for name in ("init_containers", "sidecars", "daemon"):
        if getattr(made, name):
            yield one.said(
                f"the local engine has no {name.replace('_', ' ')}", "use the Argo engine"
            )
    for container in one.containers:
        yield from _volumes(one, container)
        yield from _config_maps(one, container)
    for secret in sorted(secrets_of(one, settings) - one.workflow.secrets.keys()):
        yield from _secret(one, secret, order, settings)


def _default(one: Placed, of: containers.Container) -> containers.Container:
    """What templateDefaults gives a template's container."""
    defaults = one.workflow.spec.template_defaults
    if defaults is None:
        return containers.Container()
    found = defaults.script if isinstance(of, containers.Script) else defaults.container
    return found or containers.Container()


def _image(one: Placed) -> Iterator[Diagnostic]:
    for container in one.containers:
        if not (container.image or _default(one, container).image):
            yield one.said("it names no image to run in", "give it `image`")


def _command(one: Placed, settings: ground.Settings) -> Iterator[Diagnostic]:
    for container in one.containers:
        known = container.command or _default(one, container).command
        if not known and container.image not in settings.entrypoints:
            message = f"the command of the image {container.image!r} is not known on this machine"
            yield one.said(message, "write it down as `command`")


def declared_volumes(one: Placed) -> Mapping[str, containers.Volume]:
    """The volumes that a template may mount, by name."""
    return {volume.name: volume for volume in (*one.workflow.spec.volumes, *one.made.volumes)}


def _volumes(one: Placed, container: containers.Container) -> Iterator[Diagnostic]:
    known = declared_volumes(one)
    claims = set(ground.claim_names(one.workflow.spec.volume_claim_templates))
    for mount in container.volume_mounts:
        volume = known.get(mount.name)
        if "{{" in mount.name:
            # The policy grants secrets by what is mounted, which must be known by then.
            yield one.said(
                f"the volume {mount.name!r} has no name before the run",
                "write its name without tags",
            )
        elif volume is None and mount.name not in claims:
            yield one.said(f"volume {mount.name!r} is not declared")
        elif volume is not None and (kind := volumes.source_of(volume)) not in volumes.SOURCES:
            yield one.said(
                f"the local engine has no volumes of the kind {kind or 'none'!r}",
                "use emptyDir, a volumeClaimTemplate, persistentVolumeClaim, configMap or secret",
            )


def _config_maps(one: Placed, container: containers.Container) -> Iterator[Diagnostic]:
    """Say which ConfigMaps, and keys of them, are not there; Argo's pod would wait for them."""
    for name, keys in _asked_of_config_maps(one, container):
        found = one.workflow.config_maps.get(name)
        if found is None and "{{" not in name:
            yield one.said(f"there is no ConfigMap {name!r}", "write it beside the workflow")
        for key in keys:
            if found is not None and key not in found and "{{" not in key:
                yield one.said(f"the ConfigMap {name!r} has no key {key!r}", "add it")


def _asked_of_config_maps(
    one: Placed, container: containers.Container
) -> Iterator[tuple[str, list[str]]]:
    """Give each ConfigMap that a container cannot do without, and the keys."""
    for each in container.env:
        ref = each.value_from.config_map_key_ref if each.value_from is not None else None
        if ref is not None and not ref.optional:
            yield ref.name, [ref.key]
    for source in container.env_from:
        if source.config_map_ref is not None and not source.config_map_ref.optional:
            yield source.config_map_ref.name, []
    known = declared_volumes(one)
    for mount in container.volume_mounts:
        volume = known.get(mount.name)
        asked = volume.config_map if volume is not None else None
        if asked is not None and not asked.get("optional"):
            yield str(asked.get("name", "")), [item["key"] for item in asked.get("items") or ()]


def secrets_of(one: Placed, settings: ground.Settings) -> frozenset[str]:
    """The names of the secrets that a template asks for, of optional ones those that are here."""
    asked = one.made.http.secrets if one.made.http is not None else ()
    return _of_containers(one, settings) | {ref.name for ref in asked}


def _of_containers(one: Placed, settings: ground.Settings) -> frozenset[str]:
    return frozenset(
        name
        for container in one.containers
        for name, optional in _secrets(one, container)
        if not optional or _is_here(name, settings)
    )


def _is_here(secret: str, settings: ground.Settings) -> bool:
    return settings.secrets is not None and (settings.secrets / secret).is_dir()


def _secrets(one: Placed, container: containers.Container) -> Iterator[tuple[str, bool]]:
    """Give the name of each secret that a container asks for, and whether it may be missing."""
    refs = [each.value_from.secret_key_ref for each in container.env if each.value_from is not None]
    whole = [each.secret_ref for each in container.env_from]
    yield from ((ref.name, bool(ref.optional)) for ref in (*refs, *whole) if ref is not None)
    known = declared_volumes(one)
    for mount in container.volume_mounts:
        volume = known.get(mount.name)
        if volume is not None and volume.secret is not None:
            asked = volume.secret
            yield str(asked.get("secretName", "")), bool(asked.get("optional"))


def _secret(
    one: Placed, secret: str, order: ports.Order, settings: ground.Settings
) -> Iterator[Diagnostic]:
    if secret not in order.granted.get(one.grant, frozenset()):
        line = f'policy: {{secrets: {{"{one.grant}": [{secret}]}}}}'
        yield one.said(f"the policy does not grant it the secret {secret!r}", f"add {line}")
    elif settings.secrets is None:
        yield one.said(f"there is no folder with the secret {secret!r}", "set GITWF_SECRETS_DIR")
    elif not _is_here(secret, settings):
        yield one.said(
            f"the secret {secret!r} is not on this machine",
            f"make a folder {secret} with a file for each key in GITWF_SECRETS_DIR",
        )


def _bare(one: Placed, settings: ground.Settings, *, explicit: bool) -> Iterator[Diagnostic]:
    if not explicit and _of_containers(one, settings) - one.workflow.secrets.keys():
        yield one.said("a secret needs isolation, and this machine has none", _NO_BARE_SECRETS)
    for path in members.outputs_of(one.made):
        if "{{" not in path and os.path.lexists(path) and not _in_volume(one, path):
            yield one.said(f"{path} exists on this machine, where nothing hides it", "remove it")
    paths = set(bare_paths.declared(one.made))
    works_in = {container.working_dir for container in one.containers} - {""}
    paths |= {path for path in works_in if not Path(path).is_dir()}
    for path in sorted(paths):
        if (blocked := _unwritable(path)) is not None:
            message = f"{path} cannot be made: {blocked} is not writable here"
            yield one.said(message, "use paths below /tmp, or a machine with isolation")


def _in_volume(one: Placed, path: str) -> bool:
    return any(
        box.is_below(path, mount.mount_path)
        for container in one.containers
        for mount in container.volume_mounts
    )


def _unwritable(path: str) -> Path | None:
    """The nearest folder that exists above a path, if this user cannot write there."""
    if "{{" in path:
        return None
    folder = Path(path).parent
    while not folder.exists():
        folder = folder.parent
    return None if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else folder
