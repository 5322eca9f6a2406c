"""The models read Argo's JSON as Go reads it, and give it back."""

import json

import pydantic
import pytest

from gitwf.workflow.document import parameters, template, workflow


def value_of(written):
    return parameters.Parameter.from_json(f'{{"name": "p", "value": {written}}}').value


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("3.10", "3.1"),
        ("true", "true"),
        ("false", "false"),
        ("42", "42"),
        ("-0.5", "-0.5"),
        ("-0.0", "-0"),
        ("1.0e+3", "1000"),
        ("1e21", "1000000000000000000000"),
        ("1e-7", "0.0000001"),
        ("9007199254740993", "9007199254740992"),
        ('"007"', "007"),
        ('""', ""),
    ],
)
def test_a_scalar_becomes_text_through_a_float64_as_in_argo(written, text):
    assert value_of(written) == text


@pytest.mark.parametrize("written", ["[1]", "{}", "1" + "0" * 400])
def test_what_is_no_scalar_is_no_value(written):
    with pytest.raises(pydantic.ValidationError):
        value_of(written)


WHOLE = {
    "name": "main",
    "inputs": {"parameters": [{"name": "p", "value": "", "enum": ["", "a"]}]},
    "outputs": {
        "artifacts": [{"name": "a", "path": "/a", "archive": {"none": {}}, "globalName": "g"}]
    },
    "steps": [
        [
            {
                "name": "s",
                "template": "t",
                "arguments": {"artifacts": [{"name": "x", "from": "{{steps.a.outputs}}"}]},
                "withItems": [1, "b", {"c": None}, [1.5], True],
                "continueOn": {"failed": True},
                "hooks": {"exit": {"template": "t"}},
            },
            {"name": "i", "inline": {"suspend": {}}},
        ]
    ],
    "retryStrategy": {"limit": "2", "backoff": {"factor": 2}},
    "volumes": [{"name": "v", "emptyDir": {}}],
    "activeDeadlineSeconds": "{{inputs.parameters.p}}",
}


def test_a_template_goes_out_as_it_came_in():
    text = json.dumps(WHOLE)

    once = template.Template.from_json(text)

    assert json.loads(once.to_json()) == WHOLE
    assert once.plain() == WHOLE
    assert template.Template.from_json(once.to_json()) == once


def test_what_is_empty_is_left_out_as_argo_leaves_it_out():
    one = template.Template.from_json('{"name": "a", "inputs": {}, "container": {"args": []}}')

    assert one.to_json() == '{"name":"a","container":{}}'


def test_present_but_empty_can_be_told_from_absent():
    one = template.Template.from_json('{"container": {"args": []}}')

    assert "args" in one.container.model_fields_set
    assert "command" not in one.container.model_fields_set


@pytest.mark.parametrize(
    ("written", "types"),
    [
        ('{"suspend": {}}', ("suspend",)),
        ('{"container": {}, "script": {}}', ("container", "script")),
        ('{"steps": []}', ()),
        ('{"dag": {}}', ("dag",)),
        ("{}", ()),
    ],
)
def test_a_template_knows_its_type(written, types):
    assert template.Template.from_json(written).types == types


@pytest.mark.parametrize(
    "written",
    [
        '{"container": {"args": [1]}}',
        '{"parallelism": "2"}',
        '{"parallelism": 2.0}',
        '{"daemon": "yes"}',
        '{"retryStrategy": {"limit": 1.5}}',
        '{"retryStrategy": {"limit": true}}',
        '{"nodeselector": {}}',
        '{"node_selectors": {}}',
    ],
)
def test_what_go_would_not_read_is_not_read(written):
    with pytest.raises(pydantic.ValidationError):
        template.Template.from_json(written)


def test_fields_that_argo_spells_in_its_own_way():
    spec = {
        "podGC": {"strategy": "OnPodCompletion"},
        "volumeClaimGC": {},
        "artifactGC": {"strategy": "Never"},
        "dnsPolicy": "Default",
        "ttlStrategy": {"secondsAfterCompletion": 1},
    }

    assert workflow.WorkflowSpec.from_json(json.dumps(spec)).plain() == spec


def test_models_are_frozen():
    one = template.Template(name="a")

    with pytest.raises(pydantic.ValidationError):
        one.name = "b"


def test_a_secret_shows_no_value():
    secret = workflow.Secret.from_json(
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "aGVh"}}'
    )

    assert "aGVh" not in repr(secret)


def test_a_secret_that_is_not_base64_says_where_plain_text_goes():
    with pytest.raises(pydantic.ValidationError, match="k is not base64; plain text goes into"):
        workflow.Secret.from_json(
            '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "%"}}'
        )
