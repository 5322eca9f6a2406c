"""What goes wrong, in which words and where: source and first line of the message."""

import pytest

from gitwf.workflow import expr

ROWS = [
    ("m.s + 1", "invalid operation: string + int (1:5)"),
    ("m.i + m.n", "invalid operation: int + <nil> (1:5)"),
    ("m.i - m.s", "invalid operation: int - string (1:5)"),
    ("m.l * 2", "invalid operation: []interface {} * int (1:5)"),
    ("m.s / 2", "invalid operation: string / int (1:5)"),
    ("m.f % 2", "invalid operation: float64 % int (1:5)"),
    ("m.i % 0", "runtime error: integer divide by zero (1:5)"),
    ("m.i < m.s", "invalid operation: int < string (1:5)"),
    ("m.n < 1", "invalid operation: <nil> < int (1:5)"),
    ("-m.s", "invalid operation: - string (1:1)"),
    ("m.zz.y", "cannot fetch y from <nil> (1:6)"),
    ("m.o.k.z", "cannot fetch z from int (1:7)"),
    ("m.l[9]", "index out of range: 9 (array length is 3) (1:4)"),
    ("m.l[-9]", "index out of range: -6 (array length is 3) (1:4)"),
    ("m.i[0]", "cannot fetch 0 from int (1:4)"),
    ("m.i.x", "cannot fetch x from int (1:5)"),
    ("m.i in m.i", 'operator "in" not defined on int (1:5)'),
    ("1 in m.s", 'operator "in" not defined on string (1:3)'),
    ("int('x')", "invalid operation: int(x) (1:1)"),
    ("int('1.5')", "invalid operation: int(1.5) (1:1)"),
    ("int(m.l)", "invalid operation: int([]interface {}) (1:1)"),
    ("float('x')", "invalid operation: float(x) (1:1)"),
    ("float(m.n)", "invalid operation: float(<nil>) (1:1)"),
    ("len(m.i)", "invalid argument for len (type int) (1:1)"),
    ("len(m.n)", "invalid argument for len (type <nil>) (1:1)"),
    ("abs(m.s)", "invalid argument for abs (type string) (1:1)"),
    ("ceil(m.s)", "invalid argument for ceil (type string) (1:1)"),
    ("max(m.l, 'a')", "invalid argument for max (type string) (1:1)"),
    ("mean(m.s)", "invalid argument for mean (type string) (1:1)"),
    ("repeat('a', -1)", "invalid argument for repeat (expected positive integer, got -1) (1:1)"),
    ("repeat('a', 2000000)", "memory budget exceeded (1:1)"),
    ("1..2000000", "memory budget exceeded (1:2)"),
    ("sort([1, 'a'])", "invalid operation: string < int (1:1)"),
    ("sort(m.l, 'up')", "invalid order up, expected asc or desc (1:1)"),
    ("sortBy(m.l, #, 'up')", "unknown order, use asc or desc (1:1)"),
    ("reduce(m.e, #acc)", "reduce of empty array with no initial value (1:1)"),
    ("flatten(m.i)", "cannot flatten int (1:1)"),
    ("reverse(m.s)", "cannot reverse string (1:1)"),
    ("concat(m.l, m.i)", "cannot concat int (1:1)"),
    ("keys(m.l)", "cannot get keys from slice (1:1)"),
    ("values(m.i)", "cannot get values from int (1:1)"),
    ("toPairs(m.l)", "cannot transform slice to pairs (1:1)"),
    ("take(m.s, 1)", "cannot take from string (1:1)"),
    ("take(m.l, m.s)", "cannot take string elements (1:1)"),
    ("fromJSON('heads')", "invalid character 'h' looking for beginning of value (1:1)"),
    ("fromJSON('')", "unexpected end of JSON input (1:1)"),
    ("fromJSON('{\"a\": }')", "invalid character '}' looking for beginning of value (1:1)"),
    ("fromJSON('[1, 2')", "unexpected end of JSON input (1:1)"),
    ("fromJSON('[1 2]')", "invalid character '2' after array element (1:1)"),
    ("fromJSON('{\"a\" 1}')", "invalid character '1' after object key (1:1)"),
    ('fromJSON(\'{"a": 1 "b"}\')', "invalid character '\"' after object key:value pair (1:1)"),
    ("fromJSON('1 2')", "invalid character '2' after top-level value (1:1)"),
    ("fromJSON('\"a')", "unexpected end of JSON input (1:1)"),
    ("fromJSON('nul')", "invalid character ' ' in literal null (expecting 'l') (1:1)"),
    (
        "fromJSON('1e999')",
        "json: cannot unmarshal number 1e999 into Go value of type float64 (1:1)",
    ),
    ("fromJSON(\"'a'\")", "invalid character '\\'' looking for beginning of value (1:1)"),
    ("fromBase64('a!')", "illegal base64 data at input byte 1 (1:1)"),
    ("fromBase64('YWJjabc')", "illegal base64 data at input byte 4 (1:1)"),
    ("fromBase64('YW=b')", "illegal base64 data at input byte 2 (1:1)"),
    ("fromBase64('YQ==b')", "illegal base64 data at input byte 4 (1:1)"),
    ("fromBase64('Y$==')", "illegal base64 data at input byte 1 (1:1)"),
    ("duration('1x')", 'time: unknown unit "x" in duration "1x" (1:1)'),
    ("duration('')", 'time: invalid duration "" (1:1)'),
    ("duration('5')", 'time: missing unit in duration "5" (1:1)'),
    ("date('nope')", "invalid date nope (1:1)"),
    ("date('2023-13-01')", "invalid date 2023-13-01 (1:1)"),
    ("date('2023-02-30')", "invalid date 2023-02-30 (1:1)"),
    ("date('x', '2006')", 'parsing time "x" as "2006": cannot parse "x" as "2006" (1:1)'),
    ("m.s matches '('", "error parsing regexp: missing closing ): `(` (1:5)"),
    ("m.s matches '[a'", "error parsing regexp: missing closing ]: `[a` (1:5)"),
    ("m.s matches 'a**'", "error parsing regexp: invalid nested repetition operator: `**` (1:5)"),
    ("m.s matches '*'", "error parsing regexp: missing argument to repetition operator: `*` (1:5)"),
    (
        "m.s matches 'a\\\\'",
        "error parsing regexp: trailing backslash at end of expression: `` (1:5)",
    ),
    ("bitshl(1, -1)", "invalid operation: negative shift count -1 (type int) (1:1)"),
    ("m.i()", "invalid operation: cannot call non-function of type int (1:3)"),
    ("m.zz()", "invalid operation: cannot call nil (1:3)"),
    ("toJSON(groupBy(1..2, #))", "json: unsupported type: map[interface {}]interface {} (1:1)"),
    ("toJSON(1 / 0)", "json: unsupported value: +Inf (1:1)"),
    ("foo", "unknown name foo (1:1)"),
    ("foo.bar", "unknown name foo (1:1)"),
    ("foo(1)", "unknown name foo (1:1)"),
    ("m.l[1:'a']", "invalid operation: int(string) (1:4)"),
    ("not m.i", "interface conversion: interface {} is int, not bool (1:1)"),
    ("m.i && m.yes", "interface conversion: interface {} is int, not bool (1:5)"),
    ("m.s ? 1 : 2", "interface conversion: interface {} is string, not bool (1:11)"),
    ("all([], 1)", "predicate should return boolean (got int) (1:9)"),
    ("filter(m.l, 'a')", "predicate should return boolean (got string) (1:13)"),
    ("m.i == 2 && any(m.l, 1)", "predicate should return boolean (got int) (1:22)"),
    ("find(m.l, # > 1 ? 1 : 2)", "predicate should return boolean (got int) (1:11)"),
    ("count(m.l, len(#))", "predicate should return boolean (got int) (1:12)"),
    ("one(m.l, [1])", "predicate should return boolean (got []interface {}) (1:10)"),
    ("findIndex(m.l, nil)", "predicate should has one input and one output param (1:16)"),
    ("filter(m.l, #)", "interface conversion: interface {} is int, not bool (1:13)"),
    ("all(m.l, # + 1)", "interface conversion: interface {} is int, not bool (1:12)"),
    ("{(m.i): 1}", "interface conversion: interface {} is int, not string (1:1)"),
    ("{(m.gone): 1}", "interface conversion: interface {} is nil, not string (1:1)"),
    ("1 +", "unexpected token EOF (1:3)"),
    ("(1", "unexpected token EOF (1:2)"),
    ("1 2", 'unexpected token Number("2") (1:3)'),
    (")", 'unexpected token Bracket(")") (1:1)'),
    ("[1, 2", "unexpected token EOF (1:5)"),
    ("{a 1}", 'unexpected token Number("1") (1:4)'),
    ("{a: 1", "unexpected token EOF (1:5)"),
    ("a b", 'unexpected token Identifier("b") (1:3)'),
    ("'abc", "literal not terminated (1:5)"),
    ('"abc', "literal not terminated (1:5)"),
    ("`abc", "literal not terminated (1:1)"),
    ("/* abc", "unclosed comment (1:1)"),
    ("'\\q'", "invalid char escape (1:3)"),
    ("'\\x4'", "invalid char escape (1:5)"),
    ("1.2.3", 'unexpected token Number(".3") (1:4)'),
    ("12abc", 'bad number syntax: "12a" (1:3)'),
    ("0x", 'invalid hex literal: "0x": invalid syntax (1:1)'),
    ("0xFFFFFFFFFFFFFFFFF", 'invalid hex literal: "0xFFFFFFFFFFFFFFFFF": value out of range (1:1)'),
    (
        "99999999999999999999",
        'invalid integer literal: "99999999999999999999": value out of range (1:1)',
    ),
    ("1e999", 'invalid float literal: "1e999" (1:1)'),
    ("@", "unrecognized character: U+0040 '@' (1:1)"),
    (
        "a ?? b + c",
        "Operator (+) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses. (1:8)",
    ),
    ("let = 1; 2", 'unexpected token Operator("=") (1:5)'),
    ("let x 1; x", 'unexpected token Number("1") (1:7)'),
    ("let x = 1", "unexpected token EOF (1:9)"),
    ("let x = 1; let x = 2; x", "cannot redeclare variable x (1:16)"),
    ("let len = 1; len", "cannot redeclare builtin len (1:5)"),
    ("#", 'unexpected token Operator("#") (1:1)'),
    (".a", 'unexpected token Operator(".") (1:1)'),
    ("filter(1..3)", "expected at least 2 arguments (1:12)"),
    ("map([1], # ; 1)", "wrap predicate with brackets { and } (1:12)"),
    ("if true { 1 }", "unexpected token EOF (1:13)"),
    ("a.", "expected name (1:2)"),
    ("a.1", 'unexpected token Number(".1") (1:2)'),
    ("a[", "unexpected token EOF (1:2)"),
    ("a[]", 'unexpected token Bracket("]") (1:3)'),
    ("a?.", "expected name (1:3)"),
    ("a ? b", "unexpected token EOF (1:5)"),
    ("len()", "not enough arguments to call len (1:1)"),
    ("len(1, 2)", "too many arguments to call len (1:1)"),
    ("upper()", "not enough arguments to call upper (1:1)"),
    ("upper('a', 'b')", "too many arguments to call upper (1:1)"),
    ("a not b", 'unexpected token Identifier("b") (1:7)'),
    ("not in a", 'unexpected token Operator("in") (1:5)'),
    ("1 ..", "unexpected token EOF (1:4)"),
    ("::", "unexpected token EOF (1:2)"),
    ("::1", 'unexpected token Number("1") (1:3)'),
    ("a |", "unexpected token EOF (1:3)"),
    ("a | 1", 'unexpected token Number("1") (1:5)'),
]


@pytest.mark.parametrize(("source", "expected"), ROWS)
def test_an_error_has_the_words_and_the_place(source, expected, environment):
    with pytest.raises(expr.ExprError) as caught:
        expr.parse(source).evaluate(environment)
    assert str(caught.value).splitlines()[0] == expected


TYPES = [
    ("1 == 'a'", "invalid operation: == (mismatched types int and string) (1:3)"),
    ("true || 1 == 'a'", "invalid operation: == (mismatched types int and string) (1:11)"),
    ("item == 1", "invalid operation: == (mismatched types string and int) (1:6)"),
    ("item + 1", "invalid operation: + (mismatched types string and int) (1:6)"),
    ("item > 1 || m.yes", "invalid operation: > (mismatched types string and int) (1:6)"),
    ("m.yes and item", "invalid operation: and (mismatched types interface {} and string) (1:7)"),
    ("m.us[0] * item", "invalid operation: * (mismatched types unknown and string) (1:9)"),
    ("m.yes and m.s", ""),
    ("map(item, #)", "builtin map takes only array (got string) (1:5)"),
    ("filter(nil, true)", "builtin filter takes only array (got unknown) (1:8)"),
    ("true and item", "invalid operation: and (mismatched types bool and string) (1:6)"),
    ("not item", "invalid operation: not (mismatched type string) (1:1)"),
    ("-item", "invalid operation: - (mismatched type string) (1:1)"),
    ("item ? 1 : 2", "non-bool expression (type string) used as condition (1:1)"),
    ("if item { 1 } else { 2 }", "non-bool expression (type string) used as condition (1:4)"),
    ("item.name", "type string has no field name (1:6)"),
    ("item.name()", "type string has no method name (1:6)"),
    ("item()", "string is not callable (1:1)"),
    ("1 + item(nobody)", "string is not callable (1:5)"),
    ("1 + 'a' == nobody", "invalid operation: + (mismatched types int and string) (1:3)"),
    ("nobody == 1 + 'a'", "unknown name nobody (1:1)"),
    ("sum(['a'])", "invalid operation: string + int (1:1)"),
    ("item[0]", "type string[int] is undefined (1:5)"),
    ("item in item", "invalid operation: in (mismatched types string and string) (1:6)"),
    ("1 in ['a']", "cannot use int as type string in array (1:3)"),
    ("1 in {a: 1}", "cannot use int as type string in map key (1:3)"),
    ("[1, 2]['a']", "array elements can only be selected using an integer (got string) (1:8)"),
    ("[1, 2][0] == 'a'", "invalid operation: == (mismatched types int and string) (1:11)"),
    ("let x = 1; x == 'a'", "invalid operation: == (mismatched types int and string) (1:14)"),
    ("len(item) == '1'", "invalid operation: == (mismatched types int and string) (1:11)"),
    ("1.5..3", "invalid operation: .. (mismatched types float64 and int) (1:4)"),
    ("5 % 2.5", "invalid operation: % (mismatched types int and float64) (1:3)"),
    ("item matches 1", "invalid operation: matches (mismatched types string and int) (1:6)"),
    ("duration('1h') > 1", "invalid operation: > (mismatched types time.Duration and int) (1:16)"),
    ("nil < 1", "invalid operation: < (mismatched types unknown and int) (1:5)"),
    ("toJson(1) == 1", "invalid operation: == (mismatched types string and int) (1:11)"),
    ("m.i == '3'", ""),
    ("m == nil", ""),
    ("1 == 1.0", ""),
    ("asInt(item) == '3'", ""),
    ("m.zz ?? item", ""),
]


@pytest.mark.parametrize(("source", "expected"), TYPES)
def test_types_that_do_not_fit_are_told_before_anything_runs(source, expected, environment):
    told = ""
    try:
        expr.parse(source).evaluate({**environment, "item": "3"})
    except expr.ExprRuntimeError as error:
        told = str(error).splitlines()[0]

    assert told == expected


def test_types_are_looked_at_again_where_the_names_have_others():
    program = expr.parse("n == 1")

    assert program.evaluate({"n": 1}) is True
    with pytest.raises(expr.ExprRuntimeError, match="mismatched types string and int"):
        program.evaluate({"n": "1"})
    assert program.evaluate({"n": 2.5}) is False


def test_an_error_shows_the_line_and_a_caret_under_the_place():
    with pytest.raises(expr.ExprRuntimeError) as caught:
        expr.parse("1 +\n\tnumber + 'a'").evaluate({"number": 2})
    error = caught.value
    assert (error.line, error.column, error.offset) == (2, 9, 12)
    assert (
        str(error)
        == "invalid operation: + (mismatched types int and string) (2:9)\n |  number + 'a'\n | ........^"
    )


def test_a_syntax_error_and_a_runtime_error_are_told_apart():
    with pytest.raises(expr.ExprSyntaxError):
        expr.parse("1 +")
    with pytest.raises(expr.ExprRuntimeError):
        expr.parse("missing").evaluate({})
