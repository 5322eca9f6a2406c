"""What Argo says of a `when` that has no truth value: text and message, to the letter."""

import pytest

from gitwf.workflow import when

ROWS = [
    (
        "'x' in ()",
        "Failed to evaluate 'when' expresion ''x' in ()': Value '<nil>' cannot be used with the comparator 'in', it is not a number",
    ),
    (
        "'x' in ('x')",
        "Failed to evaluate 'when' expresion ''x' in ('x')': Value 'x' cannot be used with the comparator 'in', it is not a number",
    ),
    (
        "1 in 1",
        "Failed to evaluate 'when' expresion '1 in 1': Value '1' cannot be used with the comparator 'in', it is not a number",
    ),
    (
        "true && 1",
        "Failed to evaluate 'when' expresion 'true && 1': Value '1' cannot be used with the logical operator '&&', it is not a bool",
    ),
    (
        "1 && true",
        "Failed to evaluate 'when' expresion '1 && true': Value '1' cannot be used with the logical operator '&&', it is not a bool",
    ),
    (
        "a || b",
        "Failed to evaluate 'when' expresion 'a || b': Value 'a' cannot be used with the logical operator '||', it is not a bool",
    ),
    (
        "0xZZ == 1",
        "Invalid 'when' expression '0xZZ == 1': Unable to parse hex value '' to uint64\n",
    ),
    (
        "0x",
        "Invalid 'when' expression '0x': Cannot transition token types from NUMERIC [0] to VARIABLE [x]",
    ),
    (
        "1e5 == 1",
        "Invalid 'when' expression '1e5 == 1': Cannot transition token types from NUMERIC [1] to VARIABLE [e5]",
    ),
    (
        "1.2.3 == 1.2.3",
        "Invalid 'when' expression '1.2.3 == 1.2.3': Unable to parse numeric value '1.2.3' to float64\n",
    ),
    (
        "1 + true",
        "Failed to evaluate 'when' expresion '1 + true': Value '1' cannot be used with the modifier '+', it is not a number",
    ),
    (
        "'a' - 1",
        "Failed to evaluate 'when' expresion ''a' - 1': Value 'a' cannot be used with the modifier '-', it is not a number",
    ),
    (
        "'a' * 2 == aa",
        "Failed to evaluate 'when' expresion ''a' * 2 == aa': Value 'a' cannot be used with the modifier '*', it is not a number",
    ),
    (
        "foo-bar == foo-bar",
        "Failed to evaluate 'when' expresion 'foo-bar == foo-bar': Value 'foo' cannot be used with the modifier '-', it is not a number",
    ),
    (
        "v1.2 == v1.2",
        "Failed to evaluate 'when' expresion 'v1.2 == v1.2': No parameter 'v1' found.",
    ),
    (
        "foo.Bar == x",
        "Failed to evaluate 'when' expresion 'foo.Bar == x': No parameter 'foo' found.",
    ),
    (
        "foo.bar == x",
        "Invalid 'when' expression 'foo.bar == x': Unable to access unexported field 'bar' in token 'foo.bar'",
    ),
    ("foo. == x", "Invalid 'when' expression 'foo. == x': Hanging accessor on token 'foo.'"),
    (
        "foo.Bar(1) == x",
        "Failed to evaluate 'when' expresion 'foo.Bar(1) == x': No parameter 'foo' found.",
    ),
    ("foo(1) == x", "Invalid 'when' expression 'foo(1) == x': Undefined function foo"),
    (
        "!foo",
        "Failed to parse 'when' expression '!foo': Cannot transition token types from PREFIX [!] to STRING [foo]",
    ),
    (
        "-foo == 1",
        "Failed to parse 'when' expression '-foo == 1': Cannot transition token types from PREFIX [-] to STRING [foo]",
    ),
    (
        "!(foo)",
        "Failed to evaluate 'when' expresion '!(foo)': Value 'foo' cannot be used with the prefix '!'",
    ),
    (
        "-(foo)",
        "Failed to evaluate 'when' expresion '-(foo)': Value 'foo' cannot be used with the prefix '-'",
    ),
    (
        "~true",
        "Failed to evaluate 'when' expresion '~true': Value 'true' cannot be used with the prefix '~'",
    ),
    (
        "1 =~ 'a'",
        "Failed to evaluate 'when' expresion '1 =~ 'a'': Value '1' cannot be used with the comparator '=~', it is not a number",
    ),
    (
        "'a' =~ 1",
        "Failed to evaluate 'when' expresion ''a' =~ 1': Value '1' cannot be used with the comparator '=~', it is not a number",
    ),
    (
        "'a' =~ '['",
        "Invalid 'when' expression ''a' =~ '['': error parsing regexp: missing closing ]: `[`",
    ),
    (
        "'a' =~ ('[' + '')",
        "Failed to evaluate 'when' expresion ''a' =~ ('[' + '')': Unable to compile regexp pattern '[': error parsing regexp: missing closing ]: `[`",
    ),
    ("false ? true", "Expected boolean evaluation for 'false ? true'. Got <nil>"),
    ("true ? 1 : 2", "Expected boolean evaluation for 'true ? 1 : 2'. Got 1"),
    (
        "1 ? true : false",
        "Failed to evaluate 'when' expresion '1 ? true : false': Value '1' cannot be used with the ternary operator '?', it is not a bool",
    ),
    ("nil ?? true", "Expected boolean evaluation for 'nil ?? true'. Got nil"),
    ("'2024-01-01'", "Expected boolean evaluation for ''2024-01-01''. Got 1.7040672e+09"),
    ("[a b", "Invalid 'when' expression '[a b': Unclosed parameter bracket"),
    ("()", "Expected boolean evaluation for '()'. Got <nil>"),
    ("(1 == 1", "Invalid 'when' expression '(1 == 1': Unbalanced parenthesis"),
    ("1 == 1)", "Invalid 'when' expression '1 == 1)': Unbalanced parenthesis"),
    (
        ")(",
        "Invalid 'when' expression ')(': Cannot transition token types from UNKNOWN [<nil>] to CLAUSE_CLOSE [41]",
    ),
    ("true)(", "Invalid 'when' expression 'true)(': Unexpected end of expression"),
    (
        "(!)",
        "Failed to evaluate 'when' expresion '(!)': Value '<nil>' cannot be used with the prefix '!'",
    ),
    ("(1, 2)", "Expected boolean evaluation for '(1, 2)'. Got [1 2]"),
    ("((1, 2), 3)", "Expected boolean evaluation for '((1, 2), 3)'. Got [1 2 3]"),
    ("1, true", "Expected boolean evaluation for '1, true'. Got [1 true]"),
    ("'abc", "Invalid 'when' expression ''abc': Unclosed string literal"),
    ('"abc', "Invalid 'when' expression '\"abc': Unclosed string literal"),
    (
        "\\$x == x",
        "Invalid 'when' expression '\\$x == x': Invalid token: '$' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "1 =",
        "Invalid 'when' expression '1 =': Invalid token: '=' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "1 === 1",
        "Invalid 'when' expression '1 === 1': Invalid token: '===' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "a = b",
        "Invalid 'when' expression 'a = b': Invalid token: '=' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "a & & b",
        "Invalid 'when' expression 'a & & b': Cannot transition token types from MODIFIER [&] to MODIFIER [&]",
    ),
    (
        "a!=-1",
        "Invalid 'when' expression 'a!=-1': Invalid token: '!=-' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "a@b == c",
        "Invalid 'when' expression 'a@b == c': Invalid token: '@' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "$a == b",
        "Invalid 'when' expression '$a == b': Invalid token: '$' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "# == #",
        "Invalid 'when' expression '# == #': Invalid token: '#' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "_a == _a",
        "Invalid 'when' expression '_a == _a': Invalid token: '_' (hint: try wrapping the affected expression in quotes (\"))",
    ),
    (
        "a b",
        "Invalid 'when' expression 'a b': Cannot transition token types from VARIABLE [a] to VARIABLE [b]",
    ),
    (
        "1 2",
        "Invalid 'when' expression '1 2': Cannot transition token types from NUMERIC [1] to NUMERIC [2]",
    ),
    (
        "true false",
        "Invalid 'when' expression 'true false': Cannot transition token types from BOOLEAN [true] to BOOLEAN [false]",
    ),
    (
        "'a' 'b'",
        "Invalid 'when' expression ''a' 'b'': Cannot transition token types from STRING [a] to STRING [b]",
    ),
    (
        "a == b c",
        "Invalid 'when' expression 'a == b c': Cannot transition token types from VARIABLE [b] to VARIABLE [c]",
    ),
    (
        "== x",
        "Invalid 'when' expression '== x': Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]",
    ),
    ("a ==", "Invalid 'when' expression 'a ==': Unexpected end of expression"),
    ("1 +", "Invalid 'when' expression '1 +': Unexpected end of expression"),
    (
        "in",
        "Invalid 'when' expression 'in': Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [in]",
    ),
    ("a in", "Invalid 'when' expression 'a in': Unexpected end of expression"),
    (
        "a in b",
        "Failed to evaluate 'when' expresion 'a in b': Value 'b' cannot be used with the comparator 'in', it is not a number",
    ),
    (
        "1 < 'a'",
        "Failed to evaluate 'when' expresion '1 < 'a'': Value '1' cannot be used with the comparator '<', it is not a number",
    ),
    (
        "'a' < 1",
        "Failed to evaluate 'when' expresion ''a' < 1': Value 'a' cannot be used with the comparator '<', it is not a number",
    ),
    (
        "true < false",
        "Failed to evaluate 'when' expresion 'true < false': Value 'true' cannot be used with the comparator '<', it is not a number",
    ),
    ("1 + 1", "Expected boolean evaluation for '1 + 1'. Got 2"),
    ("foo", "Expected boolean evaluation for 'foo'. Got foo"),
    ("'foo'", "Expected boolean evaluation for ''foo''. Got foo"),
    ("1.50", "Expected boolean evaluation for '1.50'. Got 1.5"),
    ("100000000", "Expected boolean evaluation for '100000000'. Got 1e+08"),
    ("0.00001", "Expected boolean evaluation for '0.00001'. Got 1e-05"),
    ("-0.0", "Expected boolean evaluation for '-0.0'. Got -0"),
    ("   ", "Invalid 'when' expression '   ': Unexpected end of expression"),
    (
        "true ? , 1",
        "Invalid 'when' expression 'true ? , 1': Unable to plan token kind: 'SEPARATOR', value: ','",
    ),
    (
        "1 == 1 ? : 2",
        "Invalid 'when' expression '1 == 1 ? : 2': Cannot transition token types from TERNARY [?] to TERNARY [:]",
    ),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_a_when_that_cannot_be_evaluated_says_what_argo_says(text, expected):
    with pytest.raises(when.WhenError) as caught:
        when.evaluate(text)
    assert caught.value.message == expected


def test_a_real_controller_said_exactly_this():
    said = {
        "1.2.3 == 1.2.3": "Invalid 'when' expression '1.2.3 == 1.2.3': "
        "Unable to parse numeric value '1.2.3' to float64\n",
        "foo-bar == foo-bar": "Failed to evaluate 'when' expresion 'foo-bar == foo-bar': "
        "Value 'foo' cannot be used with the modifier '-', it is not a number",
        " == x": "Invalid 'when' expression ' == x': "
        "Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]",
        "1 + 1": "Expected boolean evaluation for '1 + 1'. Got 2",
    }
    for text, message in said.items():
        with pytest.raises(when.WhenError) as caught:
            when.evaluate(text)
        assert caught.value.message == message
