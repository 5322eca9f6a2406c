"""Arguments: that each has a value, and that a template gets what it cannot do without.

Argo: validateArguments, and ProcessArgs in workflow/common/util.go. An argument that is present
without a value erases the input's own default, which is why presence and value are told apart.
"""

from collections.abc import Collection

from gitwf.workflow.document import parameters, resolved
from gitwf.workflow.document.rules import names, report

_ONLY = "valueFrom only allows: default, configMapKeyRef and supplied"
# Where artifacts can be, in the order in which Argo looks, and what each place cannot do without.
_LOCATIONS = {
    "artifactory": ("url",),
    "azure": ("blob",),
    "git": (),
    "gcs": ("key",),
    "hdfs": ("path", "addresses"),
    "http": ("url",),
    "oss": ("key",),
    "raw": (),
    "s3": ("key",),
    "plugin": ("key",),
}


def has_location(artifact: parameters.ArtifactLocation) -> bool:
    """Whether the artifact says where its bytes are, or by which key (Argo: HasLocationOrKey)."""
    for name, fields in _LOCATIONS.items():
        place = getattr(artifact, name)
        if place is not None:
            given = place if isinstance(place, dict) else place.plain()
            return not fields or any(map(given.get, fields))
    return False


def check(
    found: report.Report,
    prefix: str,
    given: parameters.Arguments,
    origin: resolved.Origin,
    *,
    valued: bool = True,
    called: bool = True,
) -> None:
    """Check arguments on their own; `prefix` is Argo's path to them and ends with a dot.

    `valued`: each must have a value. `called`: they are those of a step or task.
    """
    for field, several in (("parameters", given.parameters), ("artifacts", given.artifacts)):
        listed = [one.name for one in several]
        names.check(found, f"{prefix}{field}", listed, origin.at(field), parameters=True)
    for index, parameter in enumerate(given.parameters):
        where = origin.at("parameters", index)
        _parameter(found, prefix + parameter.name, parameter, where, valued=valued, called=called)
    for index, artifact in enumerate(given.artifacts):
        where, path = origin.at("artifacts", index), prefix + artifact.name
        if not artifact.from_ and not has_location(artifact):
            found.error(where, f"{path}.from, artifact location, or key is required")
        if artifact.from_ and artifact.from_expression:
            message = f"{path} shouldn't have both `from` and `fromExpression` in Artifact"
            found.error(where, message)


def _parameter(
    found: report.Report,
    path: str,
    one: parameters.Parameter,
    where: resolved.Origin,
    *,
    valued: bool,
    called: bool,
) -> None:
    source = one.value_from
    if source is None and one.value is None and valued:
        found.error(where, f"{path}.value or {path}.valueFrom is required")
        return
    if source is not None and not _is_for_arguments(source):
        found.error(where.at("valueFrom"), f"{path}.{_ONLY}")
    if "enum" not in one.model_fields_set or (called and not one.enum):
        return  # Argo reads templates through JSON that leaves out what is empty.
    if not one.enum:
        found.error(where.at("enum"), f"{path}.enum should contain at least one value")
    elif one.value is None and valued:
        found.error(where, f"{path}.value is required")
    elif one.value is not None and one.value not in one.enum:
        message = f"{path}.value should be present in {path}.enum list"
        found.error(where.at("value"), message, f"one of: {', '.join(one.enum)}")


def _is_for_arguments(source: parameters.ValueFrom) -> bool:
    allowed = source.config_map_key_ref or source.event or source.supplied is not None
    other = source.path or source.json_path or source.parameter or source.expression
    return bool(allowed) and not other


def check_supplied(
    found: report.Report,
    template: str,
    inputs: parameters.Inputs,
    given: parameters.Arguments,
    where: resolved.Origin,
    also: Collection[str] = (),
) -> None:
    """Check that a call gives a template what it needs; `also` are artifacts it has anyway."""
    arguments = {one.name: one for one in given.parameters}
    for wanted in inputs.parameters:
        value = wanted.default if wanted.value is None else wanted.value
        source = wanted.value_from
        argument = arguments.get(wanted.name)
        if argument is not None:
            value = argument.value
            source = argument.value_from if argument.value is None else None
            if value is None and (source is None or not _is_for_arguments(source)):
                continue  # `check` has named the argument itself.
        if value is None and (source is None or source.config_map_key_ref is None):
            message = f"templates.{template} inputs.parameters.{wanted.name} was not supplied"
            hint = f"give the call the argument `{wanted.name}`, or the input a default"
            found.error(where, message, hint)
    artifacts = {one.name for one in given.artifacts} | set(also)
    for artifact in inputs.artifacts:
        if artifact.optional or has_location(artifact) or artifact.name in artifacts:
            continue
        message = f"templates.{template} inputs.artifacts.{artifact.name} was not supplied"
        found.error(where, message)
