import json

import pytest

from gitwf.workflow import failure, gofmt, loops, quoting, record
from gitwf.workflow.document import flow, template


def expand(**loop):
    return loops.items(template.Step(name="s", **loop))


@pytest.mark.parametrize(
    ("item", "name", "text"),
    [
        ("foo", "foo", "foo"),
        ("(a) b:c", "a b:c", "(a) b:c"),
        (3, "3", "3"),
        (2.5, "2.5", "2.5"),
        (1.0, "1", "1"),
        (True, "true", "true"),
        (None, "[]", "null"),
        ([1, "b c"], "[1 b c]", '[1,"b c"]'),
        ({"b": 1, "a": "x"}, "a:x,b:1", '{"a":"x","b":1}'),
    ],
)
def test_an_item_names_its_node_and_stands_for_its_tag(item, name, text):
    (made,) = expand(with_items=(item,))
    assert loops.node_name("s", 0, made) == f"s(0:{name})"
    assert made.values["item"] == text


def test_the_keys_of_a_map_are_tags_and_text_in_it_stays_escaped():
    (made,) = expand(with_items=({"name": 'Al "Q"', "tags": ["x"]},))
    assert made.values["item.name"] == 'Al \\"Q\\"'
    assert made.values["item.tags"] == '["x"]'


def test_numbers_of_a_parameter_keep_their_spelling():
    made = expand(with_param="[4, 1.0, -2, 1e3]")
    assert [one.values["item"] for one in made] == ["4", "1.0", "-2", "1e3"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("one,two", "invalid character 'o' looking for beginning of value"),
        ("", "unexpected end of JSON input"),
        ("[1,", "unexpected end of JSON input"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1] x", "invalid character 'x' after top-level value"),
        ("[tru]", "invalid character ']' in literal true (expecting 'e')"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ("['a']", "invalid character '\\'' looking for beginning of value"),
        ('{"a":1}', "json: cannot unmarshal object into Go value of type []v1alpha1.Item"),
        ("7", "json: cannot unmarshal number into Go value of type []v1alpha1.Item"),
        ('"a"', "json: cannot unmarshal string into Go value of type []v1alpha1.Item"),
        ("nul", "invalid character ' ' in literal null (expecting 'l')"),
        ("[tru", "invalid character ' ' in literal true (expecting 'e')"),
        ("-", "invalid character ' ' in numeric literal"),
        ("[1.]", "invalid character ']' after decimal point in numeric literal"),
        ("1e+", "invalid character ' ' in exponent of numeric literal"),
        ("01", "invalid character '1' after top-level value"),
        (r'"\u12g4"', r"invalid character 'g' in \u hexadecimal character escape"),
        (r'["\u12', r"invalid character ' ' in \u hexadecimal character escape"),
        (r'"\x"', "invalid character 'x' in string escape code"),
        ('"a\nb"', r"invalid character '\n' in string literal"),
        ('"ab', "unexpected end of JSON input"),
        ("é", "invalid character 'Ã' looking for beginning of value"),
        ("\ufeff[1]", "invalid character 'ï' looking for beginning of value"),
    ],
)
def test_a_parameter_that_is_no_list_is_refused_in_gos_words(text, why):
    call = template.Step(name="s", with_param=text or " ")
    with pytest.raises(failure.NodeFailure) as caught:
        loops.items(call)
    assert str(caught.value).endswith(f": {why}")


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        ({"count": "3"}, ["0", "1", "2"]),
        ({"count": 2, "start": "8"}, ["8", "9"]),
        ({"start": "3", "end": "4"}, ["3", "4"]),
        ({"start": "2", "end": "1"}, ["2", "1"]),
        ({"count": 0}, []),
        ({"count": "2", "format": "id-%03d"}, ["id-000", "id-001"]),
        ({"start": "254", "end": "255", "format": "%02X"}, ["FE", "FF"]),
        ({"count": "1", "format": "plain"}, ["plain%!(EXTRA int=0)"]),
    ],
)
def test_a_sequence_counts_up_or_down(loop, expected):
    assert loops.sequence(flow.Sequence(**loop)) == expected


@pytest.mark.parametrize("loop", [{"count": "many"}, {"end": "1.5"}, {"start": "1"}])
def test_a_sequence_without_numbers_is_refused(loop):
    with pytest.raises(failure.NodeFailure):
        loops.sequence(flow.Sequence(**loop))


def test_outputs_of_turns_are_gathered_as_json():
    children = [
        record.Outputs({"p": "a", "o": '{"i": 1}'}, result="8"),
        record.Outputs({"p": "b", "o": "[2]"}, result="2.0"),
    ]
    assert loops.aggregate("steps.s", children) == {
        "steps.s.outputs.result": "[8,2.0]",
        "steps.s.outputs.parameters": ('[{"o":"{\\"i\\": 1}","p":"a"},{"o":"[2]","p":"b"}]'),
        "steps.s.outputs.parameters.p": '["a","b"]',
        "steps.s.outputs.parameters.o": '[{"i":1},[2]]',
    }


def test_a_result_that_is_no_json_cannot_be_gathered():
    with pytest.raises(failure.NodeFailure, match="invalid character 'h'"):
        loops.aggregate("steps.s", [record.Outputs(result="heads")])


def test_gos_json_escapes_what_html_would_read():
    assert quoting.dumps({"b": "<&>", "a": 1.5}) == '{"a":1.5,"b":"\\u003c\\u0026\\u003e"}'


@pytest.mark.parametrize(
    ("param", "names", "items"),
    [
        (r'["\u00e9", "a\"b", "x\ny", "<b>&"]', [r"\u00e9", r"a\"b", r"x\ny", "<b>&"], None),
        (
            "[1.50, 1e3, -0, 12345678901234567890]",
            ["1.50", "1e3", "-0", "12345678901234567890"],
            None,
        ),
        ("[null, [], {}]", ["[]", "[]", ""], ["null", "[]", "{}"]),
        ('[ [ 1, "b" , {"z":1, "a":2} ] ]', ['[1 b {"z":1,"a":2}]'], ['[1,"b",{"z":1,"a":2}]']),
        (
            '[{"b": {"z": 1, "a": 2}, "a": "<"}]',
            ['a:<,b:{"z":1,"a":2}'],
            [r'{"a":"\u003c","b":{"z":1,"a":2}}'],
        ),
        ('[{"a": 1, "a b": 2}]', ["a b:2,a:1"], ['{"a":1,"a b":2}']),
        ('[{"k": "(x)"}]', ["k:x"], ['{"k":"(x)"}']),
        ("[true,false]", ["true", "false"], None),
    ],
)
def test_what_json_spelled_stays_spelled_so(param, names, items):
    made = expand(with_param=param)
    assert [one.description for one in made] == names
    assert [one.values["item"] for one in made] == (names if items is None else items)


def test_a_value_of_a_mapping_keeps_its_escapes_but_not_those_for_html():
    (made,) = expand(with_param=r'[{"t": "\u003cé\u00e9\n", "l": [1, "<"], "n": 1.0}]')
    values = {name: value for name, value in made.values.items() if name != "item"}
    assert values == {"item.t": r"<é\u00e9\n", "item.l": '[1,"<"]', "item.n": "1.0"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e21, "1e+21"),
        (0.00001, "0.00001"),
        (1e-7, "1e-7"),
        (1.2345678901234567e20, "123456789012345670000"),
        (2**63, "9223372036854776000"),
        (-(2**63), "-9223372036854775808"),
        ("\u2028<", r"\u2028<"),
    ],
)
def test_an_item_of_a_document_passes_through_gos_json(value, text):
    (made,) = expand(with_items=(value,))
    assert made.values["item"] == text


@pytest.mark.parametrize(
    ("style", "made"),
    [
        ("%x", ["7", "-c", "ff"]),
        ("%02X", ["07", "-C", "FF"]),
        ("%s", ["%!s(int=7)", "%!s(int=-12)", "%!s(int=255)"]),
        ("%5d|", ["    7|", "  -12|", "  255|"]),
        ("%-5d|", ["7    |", "-12  |", "255  |"]),
        ("%+d", ["+7", "-12", "+255"]),
        ("% d", [" 7", "-12", " 255"]),
        ("%05d", ["00007", "-0012", "00255"]),
        ("%.3d", ["007", "-012", "255"]),
        ("%08.3d", ["     007", "    -012", "     255"]),
        ("%o", ["7", "-14", "377"]),
        ("%O", ["0o7", "-0o14", "0o377"]),
        ("%#o", ["07", "-014", "0377"]),
        ("%#x", ["0x7", "-0xc", "0xff"]),
        ("%b", ["111", "-1100", "11111111"]),
        ("%03b", ["111", "-1100", "11111111"]),
        ("%q", [r"'\a'", "'\ufffd'", "'ÿ'"]),
        ("%c", ["\a", "\ufffd", "ÿ"]),
        ("%U", ["U+0007", "U+FFFFFFFFFFFFFFF4", "U+00FF"]),
        ("%T", ["int", "int", "int"]),
        ("%e", ["%!e(int=7)", "%!e(int=-12)", "%!e(int=255)"]),
        ("%6.2f", ["%!f(int=    07)", "%!f(int=   -12)", "%!f(int=   255)"]),
        ("%%d", ["%d%!(EXTRA int=7)", "%d%!(EXTRA int=-12)", "%d%!(EXTRA int=255)"]),
        ("x%dy%d", ["x7y%!d(MISSING)", "x-12y%!d(MISSING)", "x255y%!d(MISSING)"]),
        ("%[1]d-%[1]d", ["7-7", "-12--12", "255-255"]),
        (
            "%",
            [
                "%!(NOVERB)%!(EXTRA int=7)",
                "%!(NOVERB)%!(EXTRA int=-12)",
                "%!(NOVERB)%!(EXTRA int=255)",
            ],
        ),
        ("%x-%", ["7-%!(NOVERB)", "-c-%!(NOVERB)", "ff-%!(NOVERB)"]),
        ("%v", ["7", "-12", "255"]),
        ("%+v", ["7", "-12", "255"]),
        ("%z", ["%!z(int=7)", "%!z(int=-12)", "%!z(int=255)"]),
    ],
)
def test_a_number_is_formatted_as_go_formats_it(style, made):
    assert [gofmt.whole(style, number) for number in (7, -12, 255)] == made


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        ({"count": ""}, 'strconv.Atoi: parsing "": invalid syntax'),
        ({"end": " 1"}, 'strconv.Atoi: parsing " 1": invalid syntax'),
        ({"start": "1_0", "end": 2}, 'strconv.Atoi: parsing "1_0": invalid syntax'),
        ({"count": "9" * 22}, f'strconv.Atoi: parsing "{"9" * 22}": value out of range'),
        ({"start": "1"}, "neither end nor count was specified in withSequence"),
    ],
)
def test_a_bound_that_is_no_number_is_refused_in_gos_words(loop, message):
    with pytest.raises(failure.NodeFailure) as caught:
        loops.sequence(flow.Sequence(**loop))
    assert str(caught.value) == message


def test_a_count_below_zero_counts_down():
    assert loops.sequence(flow.Sequence(count="-2")) == ["0", "-1", "-2", "-3"]


def test_results_are_gathered_as_they_were_printed_and_parameters_as_values():
    children = [
        record.Outputs({"p": '{"z": 1.0, "a": "<"}'}, result=r'{"z": 1.0, "a": "\u00e9<"}'),
        record.Outputs({"p": "[10000000000000000001]"}, result=" [ 1 ] "),
    ]
    values = loops.aggregate("tasks.t", children)
    assert values["tasks.t.outputs.result"] == r'[{"z":1.0,"a":"\u00e9\u003c"},[1]]'
    assert (
        values["tasks.t.outputs.parameters.p"] == r'[{"a":"\u003c","z":1},[10000000000000000000]]'
    )
    assert (
        loops.aggregate("t", [record.Outputs({"p": "[1e999]"})])["t.outputs.parameters.p"]
        == '["[1e999]"]'
    )


SAY = {
    "name": "say",
    "inputs": {"parameters": [{"name": "m"}]},
    "container": {"image": "x", "command": ["true"]},
}


def test_a_turn_sees_the_scope_beside_its_item(play):
    step = {
        "name": "a",
        "template": "say",
        "withItems": ["x", "y"],
        "when": "{{=item != workflow.name + 'x'}} == true",
        "arguments": {"parameters": [{"name": "m", "value": "{{=item + workflow.name}}"}]},
    }
    final = play({"templates": [{"name": "main", "steps": [[step]]}, SAY]})
    assert [n.inputs["m"] for n in final.nodes.values() if n.type == "Pod"] == ["xw", "yw"]


def test_nothing_is_an_item_that_passes_for_an_empty_list(play):
    step = {
        "name": "a",
        "template": "say",
        "withItems": [None, 1],
        "arguments": {"parameters": [{"name": "m", "value": "{{item}}"}]},
    }
    final = play({"templates": [{"name": "main", "steps": [[step]]}, SAY]})
    told = {n.display_name: n.inputs["m"] for n in final.nodes.values() if n.type == "Pod"}
    assert told == {"a(0:[])": "null", "a(1:1)": "1"}


def test_an_expression_of_a_turn_that_nobody_can_work_out_ends_the_group(play):
    step = {
        "name": "a",
        "template": "say",
        "withItems": ["x"],
        "arguments": {"parameters": [{"name": "m", "value": "{{=item + nobody}}"}]},
    }
    say = {"name": "say", "container": {"image": "x", "command": ["true"]}}
    final = play({"templates": [{"name": "main", "steps": [[step]]}, say]})
    assert final.nodes["w[0]"].message == "failed to evaluate expression: nobody is missing"


@pytest.mark.parametrize("inside", ["steps", "dag"])
@pytest.mark.parametrize(
    ("loop", "nodes"),
    [
        ({"withParam": "{{%s.a.outputs.result}}"}, {"b": "Skipped, empty params"}),
        ({"withParam": "no list"}, {"b": "Skipped, empty params"}),
        ({"withSequence": {"count": "{{%s.a.outputs.result}}"}}, {"b": "Skipped, empty params"}),
        (
            {"withParam": '["x","y"]'},
            {"b(0:x)": "when 'false' evaluated false", "b(1:y)": "when 'false' evaluated false"},
        ),
    ],
)
def test_a_loop_that_is_skipped_may_be_over_nonsense(play, inside, loop, nodes):
    ok = {"name": "ok", "container": {"image": "x", "command": ["true"]}}
    kind = "steps" if inside == "steps" else "tasks"
    loop = json.loads(json.dumps(loop).replace("%s", kind))
    a, b = {"name": "a", "template": "ok"}, {"name": "b", "template": "ok", "when": "false", **loop}
    body = (
        {"steps": [[a], [b]]}
        if inside == "steps"
        else {"dag": {"tasks": [a, {**b, "depends": "a"}]}}
    )
    final = play({"templates": [{"name": "main", **body}, ok]})
    shown = {n.display_name: n.message for n in final.nodes.values() if n.phase == "Skipped"}
    assert shown == nodes
    assert final.phase == "Succeeded"


def test_a_template_may_say_how_its_nodes_are_shown(play):
    each = {
        "name": "each",
        "annotations": {"workflows.argoproj.io/display-name": "os-{{inputs.parameters.m}}"},
        "inputs": {"parameters": [{"name": "m"}]},
        "container": {"image": "x", "command": ["true"]},
    }
    step = {"name": "a", "template": "each", "withItems": ["x", "y z"]}
    step["arguments"] = {"parameters": [{"name": "m", "value": "{{item}}"}]}
    main = {"name": "main", "steps": [[step]]}
    final = play({"templates": [main, each]})
    assert final.nodes["w[0].a(0:x)"].display_name == "os-x"
    wrong = final.nodes["w[0].a(1:y z)"]
    assert (wrong.phase, wrong.display_name) == ("Error", "a(1:y z)")
    assert wrong.message == (
        "displayName must match the regex ^[a-zA-Z0-9][a-zA-Z0-9-.]{0,61}[a-zA-Z0-9]$"
    )
    retried = play({"templates": [main, {**each, "retryStrategy": {"limit": 0}}]})
    names = {n.name: n.display_name for n in retried.nodes.values()}
    assert names["w[0].a(0:x)"] == "os-x"
    assert names["w[0].a(0:x)(0)"] == "a(0:x)(0)"


@pytest.mark.parametrize("inside", ["steps", "dag"])
@pytest.mark.parametrize(
    ("condition", "run"),
    [("'{{item}}' == 'b'", ["b"]), ('"{{item}}" != "b"', ["a", "c"]), ("{{item}} == b", ["b"])],
)
def test_a_condition_may_quote_the_item_of_each_turn(play, inside, condition, run):
    step = {
        "name": "a",
        "template": "say",
        "withItems": ["a", "b", "c"],
        "when": condition,
        "arguments": {"parameters": [{"name": "m", "value": "{{item}}"}]},
    }
    body = {"steps": [[step]]} if inside == "steps" else {"dag": {"tasks": [step]}}
    final = play({"templates": [{"name": "main", **body}, SAY]})
    assert [n.inputs["m"] for n in final.nodes.values() if n.type == "Pod"] == run
    (*_, skipped) = [n.message for n in final.nodes.values() if n.type == "Skipped"]
    assert "{{item}}" not in skipped
