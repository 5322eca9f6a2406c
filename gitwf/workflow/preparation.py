"""A template made ready for one node: inputs bound, every tag replaced that can be.

Argo's order, which decides what a value that itself holds a tag becomes: first names of the
workflow and of the node, then inputs and paths, and for a pod once more, because Argo fills the pod
it makes (Argo: workflow/common/util.go, ProcessArgs and SubstituteParams). A template is written as
JSON once (`Source`) and read back for every node.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pydantic

from gitwf.workflow import failure, quoting, record, scope, substitution
from gitwf.workflow.document import parameters, template

_RESULT = re.compile(
    r"""(?:(?:steps|tasks)\.([-\w]+)|\[\\?['"]([-\w]+)\\?['"]\])\.outputs\.result"""
)
# A text speaks of steps, but for the key of its own JSON, and perhaps says of which.
_OF_STEPS = re.compile(r"""steps(?!":\[)(?:\.([-\w]+)|\[\\?['"]([-\w]+)\\?['"]\])?""")
_ALL_INPUTS = re.compile(r"\{\{\s*inputs\.parameters\s*\}\}")

# Stands in an argument for an output that is absent, because its producer did not run.
ABSENT = "\ue000absent\ue000"
_ABSENT = ": argument references an absent optional (skipped/omitted node output with no default)"

_CALLING = frozenset({"steps", "dag"})
_ONE_CONTAINER = frozenset({"container", "script"})
_NONE = parameters.Inputs()

ConfigMaps = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a caller hands over: text by name, artifacts by name.

    A parameter whose value is None is present without a value, which erases the default.
    """

    parameters: Mapping[str, str | None] = field(default_factory=dict)
    artifacts: Mapping[str, record.ArtifactLocation | None] = field(default_factory=dict)


class Source:
    """A template as text, without the values of its inputs; made once for all its nodes."""

    def __init__(self, original: template.Template) -> None:
        self.template = original
        self.kind = original.type
        self.inputs = original.inputs.parameters
        body = original.model_copy(
            update={"inputs": parameters.Inputs(artifacts=original.inputs.artifacts)}
        )
        self.text = body.to_json()
        self.tagged = "{{" in self.text
        self.paths = _paths(original)
        self.changing = self.kind in _CALLING and substitution.changes(self.text)
        self._last: tuple[str, template.Template] | None = None
        self._known = self._outside()

    def _outside(self) -> template.Template | None:
        """Give the template whose every part but its one container holds no tag, or None."""
        if self.kind not in _ONE_CONTAINER or not self.tagged:
            return None
        rest = self.template.model_copy(update={"container": None, "script": None, "inputs": _NONE})
        artifacts = parameters.Inputs(artifacts=self.template.inputs.artifacts)
        if "{{" in rest.to_json() or "{{" in artifacts.to_json():
            return None
        return template.Template.from_json(self.text)

    def around(self, text: str) -> template.Template:
        """Give the template of a filled text, of which only what is around its container counts.

        Text in the place of text leaves JSON and its types whole, so that it need not be read.
        Raises NodeFailure where the result is no template.
        """
        if self._known is None or "{{" in text or "\\u" in text or not text.isascii():
            return self.read(text)
        return self._known

    def read(self, text: str) -> template.Template:
        """Read a filled text. Raises NodeFailure where the result is no template."""
        if self._last is not None and self._last[0] == text:
            return self._last[1]
        try:
            made = template.Template.from_json(text)
        except pydantic.ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            message = f"{place}: {first['msg']}" if place else quoting.INVALID_JSON
            raise failure.NodeFailure(message) from problem
        self._last = (text, made)
        return made


@dataclass(frozen=True, slots=True)
class Written:
    """A pod's template as text: a few hundred bytes while it waits, read when somebody looks."""

    text: str
    source: Source = field(compare=False, repr=False)
    around: template.Template = field(compare=False, repr=False)

    def read(self) -> template.Template:
        """Give the template."""
        return self.source.read(self.text)


@dataclass(slots=True)
class Prepared:
    """One node's template: its text, what is still to fill, and its inputs.

    `calls`: the text of steps or a DAG whose calls read what changes while the workflow runs, with
    those tags left to the calls; "" where there are none.
    """

    source: Source
    text: str
    inputs: dict[str, str]
    visible: scope.Names
    calls: str = ""

    def made(self) -> template.Template:
        """Read the template, of a pod what is around its container. Raises NodeFailure."""
        return self.source.around(self.text)

    def again(self, values: Mapping[str, scope.Value]) -> "Prepared":
        """Fill what `values` adds, as for one attempt of a retried node."""
        if "{{" not in self.text:
            return self
        visible = self.visible.new_child(dict(values))
        text, calls, inputs = self.text, self.calls, self.inputs
        for _ in range(2):
            text = substitution.fill(text, visible)
            calls = substitution.fill(calls, visible, substitution.UNCHANGING)
            inputs = {n: substitution.fill_value(v, visible) for n, v in inputs.items()}
        return Prepared(self.source, text, inputs, self.visible, calls)

    def calling(self) -> template.Template:
        """Read the template of steps or a DAG, each call with the tags that it fills itself.

        Raises NodeFailure.
        """
        made = self.made()
        if not self.calls:
            return made
        later = self.source.read(self.calls)
        return made.model_copy(update={"steps": later.steps, "dag": later.dag})

    def defaults(self) -> dict[str, str]:
        """Give the defaults of the inputs that have one, with their tags filled."""
        names = self.pod_values({})
        given = [(one.name, one.default) for one in self.source.inputs]
        return {n: substitution.fill_value(text, names) for n, text in given if text is not None}

    def pod_values(self, values: Mapping[str, scope.Value]) -> scope.Names:
        """Give what a pod sees beyond its template: the inputs as they came out, and `values`."""
        named: dict[str, scope.Value] = {
            f"inputs.parameters.{name}": value for name, value in self.inputs.items()
        }
        named.update(values)
        return self.visible.new_child(named)

    def fill(self, values: Mapping[str, scope.Value]) -> Written:
        """Fill once more, as Argo does with the pod it makes. Raises NodeFailure."""
        text = substitution.fill(self.text, values) if "{{" in self.text else self.text
        return Written(text, self.source, self.source.around(text))


def prepare(
    source: Source,
    arguments: Arguments,
    visible: scope.Names,
    config_maps: ConfigMaps,
) -> Prepared:
    """Bind inputs and fill tags; `visible` holds the workflow's and the node's own names.

    Raises NodeFailure: an input was not supplied, or a value cannot be put in.
    """
    if not source.inputs and not source.tagged:
        return Prepared(source, source.text, {}, visible)
    bound = _bind(source.inputs, arguments, config_maps, visible)
    first = {name: substitution.fill_value(value, visible) for name, value in bound.items()}
    text = substitution.split(source.text).fill(visible)
    named: dict[str, scope.Value] = {}
    if first or source.paths:
        named = {f"inputs.parameters.{name}": value for name, value in first.items()}
        named.update(source.paths)
    if first and _ALL_INPUTS.search(text):
        named["inputs.parameters"] = listed(
            one.model_copy(update={"value": first[one.name], "value_from": None})
            for one in source.inputs
        )
    second = visible.new_child(named)
    text = substitution.split(text).fill(second)
    calls = ""
    if source.changing:
        calls = substitution.split(source.text).fill(visible, substitution.UNCHANGING)
        calls = substitution.fill(calls, second, substitution.UNCHANGING)
    first = {name: substitution.fill_value(value, second) for name, value in first.items()}
    return Prepared(source, text, first, visible, calls)


def _bind(
    inputs: tuple[parameters.Parameter, ...],
    arguments: Arguments,
    config_maps: ConfigMaps,
    visible: scope.Names,
) -> dict[str, str]:
    bound: dict[str, str] = {}
    for parameter in inputs:
        value = parameter.value if parameter.value is not None else parameter.default
        absent = arguments.parameters.get(parameter.name) == ABSENT
        origin = parameter.value_from
        if parameter.name in arguments.parameters and not absent:
            value = arguments.parameters[parameter.name]
        elif origin is not None and (value is None or origin.config_map_key_ref is not None):
            value = from_source(parameter.name, origin, config_maps, visible)
        if value is None:
            why = _ABSENT if absent else " was not supplied"
            raise failure.NodeFailure(f"inputs.parameters.{parameter.name}{why}")
        bound[parameter.name] = value
    return bound


def from_source(
    name: str,
    source: parameters.ValueFrom,
    config_maps: ConfigMaps,
    visible: Mapping[str, scope.Value],
) -> str | None:
    """Read the value of input `name` from a ConfigMap, or its default; None where it has neither.

    Raises NodeFailure where ConfigMap or key are missing and nothing stands in (Argo: ProcessArgs).
    """
    reference = source.config_map_key_ref
    if reference is None:
        return source.default
    try:
        of = substitution.fill_value(reference.name, visible, substitution.STRICT)
        key = substitution.fill_value(reference.key, visible, substitution.STRICT)
    except failure.NodeFailure as problem:
        raise failure.NodeFailure(f"failed to substitute configMapKeyRef: {problem}") from None
    try:
        return from_config_map(of, key, source.default, config_maps)
    except failure.NodeFailure as problem:
        what = f"unable to retrieve inputs.parameters.{name} from ConfigMap"
        raise failure.NodeFailure(f"{what}: {problem}") from None


def from_config_map(name: str, key: str, default: str | None, config_maps: ConfigMaps) -> str:
    """Read a key of a ConfigMap, or its default. Raises NodeFailure: which of them is missing."""
    found = config_maps.get(name, {}).get(key, default)
    if found is not None:
        return found
    if name in config_maps:
        raise failure.NodeFailure(f"ConfigMap '{name}' does not have the key '{key}'")
    raise failure.NodeFailure(
        f"ConfigMap '{name}' does not exist. Please make sure it has the label "
        "workflows.argoproj.io/configmap-type: Parameter to be detectable by the controller"
    )


def own_location(artifact: parameters.Artifact) -> record.ArtifactLocation | None:
    """Give the place that an artifact names itself, if it names one."""
    if artifact.raw is not None:
        return record.ArtifactLocation(artifact.name, raw=artifact.raw.data)
    if artifact.key:
        optional = artifact.optional
        return record.ArtifactLocation(artifact.name, key=artifact.key, optional=optional)
    return None


def listed(several: Iterable[parameters.Parameter]) -> str:
    """List parameters as Go's JSON, with everything that was said of them."""
    return f"[{','.join(one.to_json() for one in several)}]".translate(quoting.HTML)


def _paths(original: template.Template) -> dict[str, scope.Value]:
    values: dict[str, scope.Value] = {}
    for artifact in original.inputs.artifacts:
        if artifact.path:
            values[f"inputs.artifacts.{artifact.name}.path"] = artifact.path
    for artifact in original.outputs.artifacts:
        if artifact.path:
            values[f"outputs.artifacts.{artifact.name}.path"] = artifact.path
    for parameter in original.outputs.parameters:
        if parameter.value_from is not None and parameter.value_from.path:
            values[f"outputs.parameters.{parameter.name}.path"] = parameter.value_from.path
    return values


def results_read(text: str) -> frozenset[str]:
    """Name the steps or tasks whose standard output a template's JSON reads.

    Only theirs is kept, as on Argo.
    """
    return frozenset(match[1] or match[2] for match in _RESULT.finditer(text))


def steps_read(text: str, names: Collection[str]) -> Collection[str]:
    """Say of which steps, of those of these `names`, a template's JSON may read anything at all.

    Of all of them where it does not say.
    """
    read = {match[1] or match[2] for match in _OF_STEPS.finditer(text)}
    return read if read.issubset(names) else names
