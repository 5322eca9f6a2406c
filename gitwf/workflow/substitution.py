"""Tags: `{{name}}` and `{{=expression}}` inside the JSON text of a template, replaced as Argo does.

Argo works on text, not on trees: it writes a template as JSON, replaces every tag between `{{` and
the next `}}`, and reads the JSON back. The odd corners follow from that and are kept: a tag may
name a field, an unclosed `{{` swallows text up to the next `}}`, a tag inside a tag is resolved
first and the outer one only by the next pass (Argo: util/template/simple_template.go).
A text is split into its tags once and filled many times. What a missing name means differs by
place, which is what `Strictness` says.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitwf.workflow import expr, failure, quoting, scope

# What a later pass may know. An expression that reads one of them waits for that pass.
_LATE = frozenset(
    {
        ("item",),
        ("retries",),
        ("lastRetry", "exitCode"),
        ("lastRetry", "status"),
        ("lastRetry", "duration"),
        ("lastRetry", "message"),
        ("workflow", "status"),
        ("workflow", "failures"),
    }
)


@dataclass(frozen=True)
class Strictness:
    """Which unresolved tags are errors: those that start with one of `prefixes`, or `all`.

    The others stay as they are. Artifacts of steps and tasks are never errors here: they are
    resolved later, and may be optional. What reads a name that starts with one of `later` stays,
    known or not.
    """

    prefixes: tuple[str, ...] = ()
    all: bool = False
    later: tuple[str, ...] = ()

    def defers(self, name: str) -> bool:
        """Whether `name` is left to a later pass."""
        return bool(self.later) and name.startswith(self.later)

    def requires(self, name: str) -> bool:
        """Whether `name` must be known."""
        return self.all or f"{name}.".startswith(self.prefixes)

    def forbids(self, tag: str) -> bool:
        """Whether `tag` must not stay."""
        name = tag.strip()
        return self.all or (self.requires(name) and ".outputs.artifacts." not in name)


LENIENT = Strictness()
STEPS_AND_TASKS = Strictness(("steps.", "tasks."))
STRICT = Strictness(all=True)
# What changes while a workflow runs: Argo fills steps and DAGs anew each time it looks at them, so
# that a step sees what is known when it starts.
CHANGING = (
    "workflow.status",
    "workflow.duration",
    "workflow.labels",
    "workflow.annotations",
    "workflow.outputs",
)
_CLOCK = "now("
UNCHANGING = Strictness(later=CHANGING)


class Text:
    """A text split into literals and tags. Equal texts are split once (`split`)."""

    __slots__ = ("literals", "tags", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.literals: list[str] = []
        self.tags: list[str] = []
        position = 0
        while (start := text.find("{{", position)) >= 0:
            end = text.find("}}", start + 2)
            if end < 0:
                break
            self.literals.append(text[position:start])
            self.tags.append(text[start + 2 : end])
            position = end + 2
        self.literals.append(text[position:])

    def fill(self, values: Mapping[str, scope.Value], strictness: Strictness = LENIENT) -> str:
        """Replace the tags that `values` resolves.

        Raises NodeFailure: a tag that must be resolved is not, or a value cannot be in JSON.
        """
        if not self.tags:
            return self.text
        parts: list[str] = []
        for literal, tag in zip(self.literals, self.tags, strict=False):
            parts.append(literal)
            if tag.startswith("="):
                parts.append(_expression(tag, values, strictness))
            else:
                parts.append(_simple(tag, values, strictness))
        parts.append(self.literals[-1])
        return "".join(parts)


@functools.lru_cache(maxsize=512)
def split(text: str) -> Text:
    """Split a text that comes again and again, such as a template's."""
    return Text(text)


def fill(text: str, values: Mapping[str, scope.Value], strictness: Strictness = LENIENT) -> str:
    """Replace tags in a text that comes once. Raises as `Text.fill`."""
    return Text(text).fill(values, strictness) if "{{" in text else text


def fill_value(
    value: str, values: Mapping[str, scope.Value], strictness: Strictness = LENIENT
) -> str:
    """Replace tags in a plain value, as if it stood in a template's JSON."""
    if "{{" not in value:
        return value
    if quoting.is_plain(value):
        filled = split(value).fill(values, strictness)
        return str(json.loads(f'"{filled}"')) if "\\" in filled or '"' in filled else filled
    written = json.dumps(value, ensure_ascii=False)
    return str(json.loads(Text(written).fill(values, strictness)))


def _simple(tag: str, values: Mapping[str, scope.Value], strictness: Strictness) -> str:
    value = values.get(tag.strip(), scope.MISSING)
    if strictness.defers(tag.strip()):
        return "{{" + tag + "}}"
    if isinstance(value, str):
        return quoting.for_json(value)
    if value is None:
        raise failure.NodeFailure(
            f"unable to substitute {{{{{tag}}}}}: output is an absent optional "
            "(skipped/omitted node with no default)"
        )
    inner = tag.rfind("{{")
    if inner > 0:
        nested = values.get(tag[inner + 2 :], scope.MISSING)
        if isinstance(nested, str):
            return "{{" + tag[:inner] + quoting.for_json(nested)
        if nested is None:
            raise failure.NodeFailure(
                f"unable to substitute nested tag {{{{{tag}}}}}: "
                f"{quoting.quote(tag[inner + 2 :])} is an absent optional"
            )
    if strictness.forbids(tag):
        raise failure.Unresolved(f"failed to resolve {{{{{tag}}}}}")
    return "{{" + tag + "}}"


def _expression(tag: str, values: Mapping[str, scope.Value], strictness: Strictness) -> str:
    """Give the text of an expression's value, or the tag itself where it has none yet.

    An expression that reads a name nobody knows stays if it comes to nothing; one whose names are
    all known must come to something where steps and tasks are made ready
    (Argo: util/template/expression_template.go).
    """
    program = _program(tag)
    if strictness.later and (_CLOCK in tag or any(map(strictness.defers, _names(program)))):
        return "{{" + tag + "}}"
    env = scope.nested(values)
    missing = [path for path in program.required if not _known(path, env)]
    for path in missing:
        name = ".".join(path)
        if strictness.requires(name):
            raise failure.Unresolved(f"failed to evaluate expression: {name} is missing")
    lenient = bool(missing) or not (strictness.all or strictness.prefixes)
    if lenient and not _LATE.isdisjoint(missing):
        return "{{" + tag + "}}"
    try:
        return _shown(tag, program.evaluate(env))
    except (expr.ExprError, failure.NodeFailure) as problem:
        if lenient:
            return "{{" + tag + "}}"
        if isinstance(problem, failure.NodeFailure):
            raise
        raise failure.NodeFailure(f"failed to evaluate expression: {problem}") from problem


def _shown(tag: str, result: object) -> str:
    """Write the value of an expression into a JSON text. Raises NodeFailure: it has no text."""
    if result is None:
        raise failure.NodeFailure(f"failed to evaluate expression {quoting.quote(tag[1:])}")
    if isinstance(result, str):
        return json.dumps(result, ensure_ascii=False)[1:-1]
    try:
        return quoting.for_json(expr.to_text(result))
    except expr.ExprError as problem:
        message = f"failed to marshal evaluated expression: {problem.message}"
        raise failure.NodeFailure(message) from problem


def _names(program: "expr.Program") -> Iterator[str]:
    return (".".join(path) for path in program.paths)


def changes(text: str) -> bool:
    """Whether a text may read what changes while a workflow runs."""
    return any(name in text for name in (*CHANGING, _CLOCK))


def _program(tag: str) -> "expr.Program":
    try:
        return expr.parse(json.loads(f'"{tag[1:]}"'))
    except json.JSONDecodeError as problem:
        raise failure.NodeFailure(f"failed to unmarshall JSON expression: {problem}") from None
    except expr.ExprError as problem:
        raise failure.NodeFailure(f"failed to evaluate expression: {problem}") from problem


def _known(path: tuple[str, ...], env: Mapping[str, object]) -> bool:
    place: object = env
    for key in path:
        if not isinstance(place, Mapping) or key not in place:
            return False
        place = place[key]
    return True
