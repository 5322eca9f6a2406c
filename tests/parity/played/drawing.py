"""What the generator draws with: chance that a seed decides, and texts that read what came before.

An argument, a condition or a loop is only worth playing where it reads something, so most of them
do: a call before it, its template's inputs, the loop's item, the workflow. Some read what is not
there, or compute in ways that are no good, for what Argo says then is as much a part of the
comparison as what runs.
"""

import random
from dataclasses import dataclass


class Chance(random.Random):
    """Chance with words for what is drawn most."""

    def maybe(self, odds):
        return self.random() < odds

    def one_of(self, *options):
        return self.choice(options)


@dataclass(frozen=True)
class Call:
    """A step or a task that others may read."""

    name: str
    template: str
    loops: bool = False
    gives: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """What can be read at a place: calls by their `kind`, inputs, and the tag of a loop's item."""

    kind: str
    prior: tuple[Call, ...] = ()
    inputs: tuple[str, ...] = ()
    item: str = ""

    def of(self, name):
        """Name a call the way expressions do."""
        return f"{self.kind}['{name}']"


def given(template):
    """Name what a call of a template can be read for."""
    made = {"status"}
    if {"container", "script", "containerSet"} & template.keys():
        made |= {"exitCode", "outputs.result"}
    if parameters := template.get("outputs", {}).get("parameters"):
        made |= {"outputs.parameters"}
        made |= {f"outputs.parameters.{one['name']}" for one in parameters}
    return frozenset(made)


GHOST = Call("ghost", "leaf")
READABLE = (
    "outputs.result", "outputs.parameters.out", "outputs.parameters", "status", "status", "exitCode",
)  # fmt: skip
RESULTS = ("outputs.result", "outputs.parameters.out", "outputs.parameters")


def tag(text):
    """Write the tag that stands for what `text` names; with `=` before it an expression's."""
    return "{{" + text + "}}"


def reference(chance, scope, *wanted):
    """Draw the name of something that a call gave; now and then there is no such call or output."""
    calls = scope.prior if scope.prior and not chance.maybe(0.02) else (GHOST,)
    call, ways = chance.choice(calls), wanted or READABLE
    if not chance.maybe(0.05):
        ways = [one for one in ways if one in call.gives] or ways
    return f"{scope.kind}.{call.name}.{chance.choice(ways)}"


def value(chance, scope):
    """Draw the text of an argument."""
    if chance.maybe(0.12):
        return computed(chance, scope)
    ways = [_workflows, _literal, _literal]
    if scope.prior:
        ways += [_calls] * 4 + [_looked_up]
    if scope.inputs:
        ways += [_inputs] * 2
    if scope.item:
        ways += [_items] * 4
    return chance.choice(ways)(chance, scope)


def _calls(chance, scope):
    return tag(reference(chance, scope))


def _looked_up(chance, scope):
    what = chance.one_of(
        "status",
        "outputs.result",
        "outputs.parameters.out",
        "status == 'Succeeded' ? 'y1' : 'n1'",
        "outputs.parameters?.out ?? 'none'",
    )
    return tag(f"={scope.of(chance.choice(scope.prior).name)}.{what}")


def _inputs(chance, scope):
    return tag(f"inputs.parameters.{chance.choice(scope.inputs)}")


def _items(_, scope):
    return scope.item


def _workflows(chance, _):
    return chance.one_of(
        "{{workflow.name}}",
        "{{workflow.name}}",
        "{{workflow.parameters.wp}}",
        "{{workflow.status}}",
        "{{=workflow.parameters.wp + '!'}}",
        *(["{{workflow.outputs.parameters.gone}}"] if chance.maybe(0.4) else []),
    )


def _literal(chance, _):
    return chance.one_of("lit", "7", "0", "x y", "[4,5]", "", '"q"', "{{ workflow.name }}")


def computed(chance, scope):
    """Draw an expression's tag."""
    ways = [
        "workflow.name",
        "asInt('1') + 1",
        "[1,2]",
        "sprig.lower('AB')",
        "workflow.parameters.wp == '9' ? '[1,2]' : '[3]'",
        "toJson(['x','y'])",
    ]
    if scope.prior:
        call = scope.of(chance.choice(scope.prior).name)
        ways += [
            f"{call}.outputs.result == 'm' ? 'yes' : 'no'",
            f"toJson({call}.outputs.parameters)",
            f"asInt({call}.exitCode ?? '7')",
            f"sprig.upper({call}.status)",
            f"jsonpath({call}.outputs.result, '$[0]')",
        ]
    if scope.inputs:
        one = chance.choice(scope.inputs)
        ways += [f"inputs.parameters.{one} + 'x'", f"len(inputs.parameters['{one}'])"]
    if scope.item:
        ways += ["item", "string(item)", "item == '1' ? 'one' : 'other'"]
    return tag(f"={chance.choice(ways)}")


def condition(chance, scope):
    """Draw a `when`: constant, an equation, an expression, or another comparison."""
    left = value(chance, scope)
    equal = chance.one_of("{0} == {1}", "{0} != {1}", '"{0}" == "{1}"', "'{0}' != '{1}'")
    right = chance.one_of(
        "Succeeded", "Failed", "Skipped", "m", "5", "0", "1", "2", "a", "true", left
    )
    compared = chance.one_of(">", "<", ">=", "<=", "=~", "in")
    other = chance.one_of("1", "2", "a", "('a','b')")
    [drawn] = chance.choices(
        (
            chance.one_of(
                "true", "false", "1 == 1", "1 == 2", "'a' == 'b'", "2 > 1 && false",
                "1 < 2 || false", "!(1 == 1)",
            ),
            equal.format(left, right),
            tag("=" + chance.one_of("1 == 1", "'a' in ['a']", "false")),
            f"{left} {compared} {other}",
        ),
        (20, 60, 10, 10),
    )  # fmt: skip
    return drawn


def loop(chance, scope):
    """Draw the fields of a loop and the tag that reads its item."""
    way = chance.choices((_plain_items, _mapped_items, _param, _sequence), (35, 15, 25, 25))[0]
    return way(chance, scope)


def _plain_items(chance, _):
    items = chance.one_of(
        [1, 2, 3], ["a", "b"], [], ["a", "a"], [True, False], [1.5, "z"], [["x", "y"], ["z"]],
        [None] if chance.maybe(0.1) else ["q"],
    )  # fmt: skip
    return {"withItems": items}, "{{item}}"


def _mapped_items(chance, _):
    items = [{"k": "u", "v": chance.one_of(1, "w", True)}, {"k": "t", "v": 2}]
    return {"withItems": items}, chance.one_of("{{item.k}}", "{{item.v}}", "{{item}}")


def _param(chance, scope):
    items = chance.one_of("[1,2]", '["p","q"]', '[{"k":"s"}]', "[]", "nonsense")
    if scope.prior and chance.maybe(0.6):
        items = tag(reference(chance, scope, *RESULTS))
    return {"withParam": items}, chance.one_of("{{item}}", "{{item}}", "{{item.k}}")


def _sequence(chance, _):
    bounds = chance.one_of(
        {"count": 2},
        {"count": "3"},
        {"start": 1, "end": 3},
        {"start": 3, "end": 1},
        {"count": 0},
        {"count": 2, "format": "n%02d"},
        {"start": "2", "count": 2},
    )
    return {"withSequence": bounds}, "{{item}}"
