"""What a program tells about itself, and how it meets its environment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gitwf.workflow import expr


@pytest.mark.parametrize(
    ("source", "identifiers", "paths"),
    [
        ("1 + 1", set(), set()),
        ("metrics.mape < 0.25", {"metrics"}, {("metrics", "mape")}),
        ("steps['a-b'].outputs.result", {"steps"}, {("steps", "a-b", "outputs", "result")}),
        ("a?.b?.c ?? d", {"a", "d"}, {("a", "b", "c"), ("d",)}),
        ("a.b[0].c", {"a"}, {("a", "b")}),
        ("a[key].c", {"a", "key"}, {("a",), ("key",)}),
        ("let x = a.b; x.c + y", {"a", "y"}, {("a", "b"), ("y",)}),
        ("filter(list, .name == other.name)", {"list", "other"}, {("list",), ("other", "name")}),
        ("asInt(a) + len(b) + f(c)", {"a", "b", "c", "f"}, {("a",), ("b",), ("c",), ("f",)}),
        ("sprig.upper(jsonpath(a, '$'))", {"a"}, {("a",)}),
        ("a.upper().b", {"a"}, {("a", "upper")}),
        ("$env['x']", set(), set()),
    ],
)
def test_a_program_names_what_it_reads(source, identifiers, paths):
    program = expr.parse(source)
    assert program.identifiers == identifiers
    assert program.paths == paths


def test_every_name_must_be_in_the_environment_even_where_it_is_not_reached():
    with pytest.raises(expr.ExprRuntimeError, match="unknown name missing"):
        expr.parse("true || missing").evaluate({})


def test_one_program_gives_each_environment_its_own_value():
    program = expr.parse("current == nil || metrics.mape <= current.metrics.mape * 1.1")
    better = {"metrics": {"mape": 0.1}}
    worse = {"metrics": {"mape": 0.2}}
    assert program.evaluate({"current": None, **worse}) is True
    assert program.evaluate({"current": better, **better}) is True
    assert program.evaluate({"current": better, **worse}) is False


def test_an_evaluation_leaves_the_environment_as_it_was():
    environment = {"list": [3, 1, 2], "map": {"a": {"b": 1}}}
    source = "[sort(list), reverse(list), sprig.set(map, 'z', 1), sprig.merge(map, {c: 2})]"
    expr.parse(source).evaluate(environment)
    assert environment == {"list": [3, 1, 2], "map": {"a": {"b": 1}}}


def test_a_variable_cannot_take_the_name_of_the_environment():
    with pytest.raises(expr.ExprRuntimeError, match="cannot redeclare a"):
        expr.parse("let a = 1; a").evaluate({"a": 2})


def test_now_is_the_time_that_the_environment_brings():
    noon = datetime(2026, 11, 23, 12, 30, tzinfo=timezone(timedelta(hours=9)))
    program = expr.parse("[now().Hour(), now().UTC().Hour(), now().Unix()]")
    assert program.evaluate({"now": noon}) == [12, 3, int(noon.timestamp())]
    assert (
        expr.to_text(expr.parse("now()").evaluate({"now": noon})) == '"2026-11-23T12:30:00+09:00"'
    )


def test_without_a_time_in_the_environment_now_is_an_error():
    with pytest.raises(expr.ExprRuntimeError, match="the environment brings no time"):
        expr.parse("now()").evaluate({})


def test_the_difference_of_two_instants_is_a_duration():
    environment = {
        "now": datetime(2026, 1, 2, tzinfo=UTC),
        "start": datetime(2026, 1, 1, tzinfo=UTC),
    }
    assert expr.parse("(now() - start).Hours()").evaluate(environment) == 24.0


def test_a_number_too_large_for_64_bits_becomes_a_float():
    assert expr.parse("n").evaluate({"n": 2**70}) == float(2**70)
    with pytest.raises(expr.ExprRuntimeError, match="does not fit"):
        expr.parse("n").evaluate({"n": 10**400})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain <text>", "plain <text>"),
        (42, "42"),
        (2.0, "2"),
        (2.5, "2.5"),
        (1e21, "1e+21"),
        (True, "true"),
        (None, "null"),
        ([1, "a", [2.0]], '[1,"a",[2]]'),
        ({"b": 1, "a": {"z": None}}, '{"a":{"z":null},"b":1}'),
        (["<&>", 'a"\n\t\\'], '["\\u003c\\u0026\\u003e","a\\"\\n\\t\\\\"]'),
    ],
)
def test_a_result_is_inserted_as_argo_inserts_it(value, expected):
    assert expr.to_text(value) == expected


def test_the_examples_a_real_controller_ran_print_the_same_text():
    environment = {
        "workflow": {
            "parameters": {
                "n": "7",
                "ratio": "2.5",
                "doc": '{"items":[{"k":"a","v":1},{"k":"b","v":2}]}',
                "csv": "x,y,z",
            }
        }
    }
    sources = {
        "asInt(workflow.parameters.n) * 6": "42",
        "asFloat(workflow.parameters.ratio) + 0.25": "2.75",
        "jsonpath(workflow.parameters.doc, '$.items[1].k')": "b",
        "toJson(map([1, 2, 3], {# * 10}))": "[10,20,30]",
        "sprig.upper('shout')": "SHOUT",
        "asInt(workflow.parameters.n) > 5 ? 'big' : 'small'": "big",
        "len(sprig.splitList(',', workflow.parameters.csv))": "3",
        "filter(1..6, {# % 2 == 0})": "[2,4,6]",
        "workflow.parameters['csv'] + '!'": "x,y,z!",
        "asInt(workflow.parameters.n) == 7": "true",
    }
    printed = {source: expr.to_text(expr.parse(source).evaluate(environment)) for source in sources}
    assert printed == sources
