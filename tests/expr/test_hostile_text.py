"""No text, however hostile, brings anything but a value or an error of the language."""

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitwf.workflow import expr
from gitwf.workflow.expr import budget, errors, library, patterns

PIECES = [
    "m.i",
    "m.s",
    "m.l",
    "m.us",
    "m.zz",
    "a",
    "foo",
    "1",
    "2.5",
    "0x1F",
    "1e3",
    "'x'",
    '"y"',
    "`z`",
    "b'q'",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "^",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "and",
    "or",
    "not",
    "!",
    "in",
    "matches",
    "contains",
    "startsWith",
    "..",
    ".",
    "?.",
    "??",
    "?",
    ":",
    ",",
    ";",
    "|",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#",
    "#acc",
    "#index",
    "let",
    "if",
    "else",
    "true",
    "false",
    "nil",
    "=",
    "map(",
    "filter(",
    "len(",
    "sum(",
    "reduce(",
    "sort(",
    "repeat(",
    "split(",
    "string(",
    "toJSON(",
    "fromJSON(",
    "date(",
    "duration(",
    "sprig.",
    "jsonpath(",
    "groupBy(",
    "replace(",
    "$env",
    "//",
    "/*",
    "\\",
]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab<é", max_size=3), inner),
    max_leaves=6,
)


def outcome(source, environment):
    """Evaluate and print, letting nothing through but the language's own errors."""
    try:
        return expr.to_text(expr.parse(source).evaluate(environment))
    except expr.ExprError as error:
        return str(error)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_a_value_or_an_error(source):
    outcome(source, {})


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from(["", " "]))
def test_any_soup_of_tokens_gives_a_value_or_an_error(pieces, glue):
    environment = {"m": {"i": 3, "s": "a,b", "l": [3, 1, 2], "us": [{"n": 1}]}, "a": None}
    outcome(glue.join(pieces), environment)


NAMES = sorted(library.BUILTINS) + [f"sprig.{name}" for name in sorted(library.sprig.FUNCTIONS)]
ARGUMENTS = st.sampled_from(
    [
        *("", "a,b", "é", "2024-01-02", "1h", "[a-z]*", "(", "2006-01-02", "$.a", "$..*", "[1]"),
        *("%", "UTC", "desc", "1.5", "$[?(@.a > 1)]", "9" * 400, "\ud800", "\x00", '{"a": [1]}'),
        *(
            None,
            True,
            False,
            0,
            1,
            -1,
            3,
            64,
            2**62,
            -(2**63),
            0.5,
            -0.0,
            1e300,
            math.inf,
            math.nan,
        ),
        *([], [1, 2], ["b", "a"], [[1], [None]], [{"a": 1}], {}, {"a": 1}, {"b": {"c": []}}),
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([*NAMES, "jsonpath", "asInt", "asFloat"]), st.lists(ARGUMENTS, max_size=4))
def test_any_function_takes_or_refuses_any_arguments(name, arguments):
    given = {f"v{place}": argument for place, argument in enumerate(arguments)}
    outcome(f"{name}({', '.join(given)})", given)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_a_value_goes_through_an_environment_unchanged(value):
    assert expr.parse("$env['v']").evaluate({"v": value}) == value


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_printed_json_reads_back_as_the_same_value(value):
    printed = expr.to_text([value])
    expected = json.loads(json.dumps([value]), parse_int=float)
    assert json.loads(printed, parse_int=float) == expected


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_float_reads_back_as_the_same_float(number):
    program = expr.parse("float(string(n)) == n && fromJSON(toJSON(n)) == n")
    assert program.evaluate({"n": number}) is True


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1))
def test_a_printed_int_reads_back_as_the_same_int(number):
    assert expr.parse("int(string(n)) == n").evaluate({"n": number}) is True
    assert outcome("n", {"n": number}) == str(number)


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_arithmetic_on_ints_stays_within_64_bits(left, right):
    for operator in ("+", "-", "*"):
        value = expr.parse(f"a {operator} b").evaluate({"a": left, "b": right})
        assert -(2**63) <= value < 2**63
        assert (value - {"+": left + right, "-": left - right, "*": left * right}[operator]) % (
            2**64
        ) == 0


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5_000 + "1" + ")" * 5_000,
        "[" * 5_000,
        "-" * 5_000 + "1",
        "!" * 5_000 + "true",
        "2" + " ** 2" * 5_000,
        "true" + " ? true : true" * 5_000,
        "let a = 1; " * 5_000 + "a",
        "{a: " * 5_000,
        "map([1], " * 5_000,
        "if true { " * 5_000,
        "1" + " | max(1)" * 5_000,
        "fromJSON(repeat('[', 100000))",
        "toJSON(fromJSON(repeat('[', 900) + repeat(']', 900)))",
    ],
)
def test_nesting_without_end_is_an_error_not_a_crash(source):
    outcome(source, {})


@pytest.mark.parametrize("length", [10, 2_000])
@pytest.mark.parametrize(("start", "link"), [("true", " && true"), ("1", " + 1"), ("m", "?.m")])
def test_a_long_chain_is_not_deep(start, link, length):
    environment = {"m": {}}
    environment["m"]["m"] = environment["m"]
    assert expr.parse(start + link * length).evaluate(environment) is not None


@pytest.mark.parametrize(
    "source",
    [
        "map(1..900, map(1..900, map(1..900, #)))",
        "reduce(1..100, #acc + #acc, 'xxxxxxxxxxxxxxxx')",
        "repeat(repeat('x', 1000000), 1000000)",
        "replace(repeat('a', 100000), 'a', repeat('b', 100000))",
        "reduce(1..60, [#acc, #acc], [1]) == reduce(1..60, [#acc, #acc], [1])",
        "toJSON(reduce(1..60, [#acc, #acc], [1]))",
        "string(reduce(1..60, ({a: #acc, b: #acc}), {}))",
        "flatten(reduce(1..60, [#acc, #acc], [1]))",
        "1..9223372036854775807",
        "count(1..5000, # in 1..5000)",
        "repeat('a', 100000) matches '(a?){500}(a*)*$'",
    ],
)
def test_an_expression_that_would_cost_too_much_is_stopped(source):
    started = time.monotonic()
    with pytest.raises(expr.ExprRuntimeError, match=r"budget|steps|too large"):
        expr.parse(source).evaluate({})
    assert time.monotonic() - started < 20


def test_printing_a_result_that_shares_its_parts_is_stopped():
    value = expr.parse("reduce(1..60, [#acc, #acc], [1])").evaluate({})
    with pytest.raises(expr.ExprRuntimeError, match=r"budget|steps"):
        expr.to_text(value)


@settings(max_examples=300, deadline=None)
@given(
    st.text("abAB01 .*+?|()[]^$\\{},-:dwsbpLQE\n", max_size=12),
    st.text("abAB01 .\n", max_size=12),
)
def test_any_pattern_matches_or_is_refused(pattern, text):
    try:
        found = patterns.compiled(pattern).search(text, budget.Budget())
    except errors.Fault:
        return
    assert found is None or 0 <= found[0] <= found[1] <= len(text)


def test_a_value_json_cannot_hold_is_an_error():
    for value in (math.nan, math.inf, object(), {"a": {1, 2}}):
        with pytest.raises(expr.ExprRuntimeError):
            expr.to_text(value)
