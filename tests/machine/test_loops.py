import pytest

from gitwf.workflow import failure, loops, quoting, record
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
