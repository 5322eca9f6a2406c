"""No text makes `when` raise anything but its own error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitwf.workflow import when

PIECES = [
    "1",
    "2.5",
    ".5",
    "0x1F",
    "foo",
    "bar",
    "'a'",
    '"b',
    'c"',
    "'2024-01-01'",
    "'12:00PM'",
    "true",
    "false",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "=~",
    "!~",
    "in",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "~",
    "?",
    ":",
    "??",
    "(",
    ")",
    ",",
    "[x",
    "v1.2",
    "a.B",
    "''",
    "\\",
    ".",
    "[",
    "]",
    "'('",
    "'[a'",
    "nil",
]


def outcome(text):
    """Evaluate, letting nothing through but the language's own error."""
    try:
        return when.evaluate(text)
    except when.WhenError as error:
        return error.message


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_true_false_or_an_error(text):
    outcome(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=10), st.sampled_from(["", " "]))
def test_any_soup_of_tokens_is_true_false_or_an_error(pieces, glue):
    outcome(glue.join(pieces))


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 1e300, allow_nan=False))
def test_a_number_equals_itself(number):
    assert when.evaluate(f"{number:f} == {number:f}") is True


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5_000 + "true" + ")" * 5_000,
        "!(" * 5_000 + "true" + ")" * 5_000,
        "-(" * 200 + "1" + ")" * 200,
        "(" * 5_000,
        "a" * 200_000,
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' =~ '^(a+)+$b'",
        "1, " * 5_000 + "1",
        "(1," * 40 + "1" + ")" * 40,
    ],
)
def test_a_hostile_text_is_an_error_not_a_crash(text):
    outcome(text)


def test_a_long_chain_is_not_deep():
    assert when.evaluate("true" + " && true" * 5_000) is True


def test_a_trailing_backslash_is_an_error():
    with pytest.raises(when.WhenError, match="backslash"):
        when.evaluate("a == b\\")
