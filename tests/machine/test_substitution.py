import pytest

from gitwf.workflow import failure, record, substitution

VALUES = {
    "a": "A",
    "a.b": "AB",
    "quote": 'say "hi"\\\n',
    "which": "b",
    "absent": None,
    "steps.x.outputs.artifacts.f": record.ArtifactLocation("f", node="n"),
    "workflow.parameters.n": "7",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no tag", "no tag"),
        ("{{a}}", "A"),
        ("<{{ a }}>", "<A>"),
        ("{{unknown}} {{}} {{ }}", "{{unknown}} {{}} {{ }}"),
        ("{{a}} then {{ open", "A then {{ open"),
        ("}} {{a}} }}", "}} A }}"),
        ("{{a.{{which}}}}", "{{a.b}}"),
        ("{{quote}}", 'say \\"hi\\"\\\\\\n'),
        ("{{ open {{a}}", "{{ open A"),
        ("{{steps.x.outputs.artifacts.f}}", "{{steps.x.outputs.artifacts.f}}"),
        ("{{=asInt(workflow.parameters.n) * 6}}", "42"),
        ("{{=workflow.parameters.n + '!'}}", "7!"),
        ("{{=[1, 2]}}", "[1,2]"),
        ("{{=item}}", "{{=item}}"),
        ("{{=lastRetry.exitCode}}", "{{=lastRetry.exitCode}}"),
        ("{{=workflow.status}}", "{{=workflow.status}}"),
        ("{{=inputs.parameters.x ?? 'd'}}", "{{=inputs.parameters.x ?? 'd'}}"),
        ("{{=inputs.parameters.x == nil ? 1 : 2}}", "{{=inputs.parameters.x == nil ? 1 : 2}}"),
        ("{{=workflow.parameters.none}}", "{{=workflow.parameters.none}}"),
        ("{{=workflow.parameters.none ?? 'd'}}", "d"),
        ("{{=workflow.parameters.none == nil ? 'no' : 'yes'}}", "no"),
        ("{{=asInt(which)}}", "{{=asInt(which)}}"),
        ("{{=absent ?? 'd'}}", "d"),
        ("{{=absent}}", "{{=absent}}"),
        ("{{=['<' + which]}}", '[\\"\\\\u003cb\\"]'),
    ],
)
def test_a_tag_is_replaced_as_argo_replaces_it(text, expected):
    assert substitution.fill(text, VALUES) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{{absent}}",
            "unable to substitute {{absent}}: output is an absent optional",
        ),
        ("{{=not an expression}}", "failed to evaluate expression: unexpected token"),
    ],
)
def test_a_tag_that_stands_for_nothing_ends_the_node(text, message):
    with pytest.raises(failure.NodeFailure) as caught:
        substitution.fill(text, VALUES)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("byte", ["\x1b", "\x7f", "\x00", "\x07", "\x0b"])
def test_a_control_byte_makes_the_json_invalid(byte):
    with pytest.raises(failure.NodeFailure, match="the result was invalid JSON"):
        substitution.fill("{{x}}", {"x": f"a{byte}b"})


def test_strict_text_must_be_resolved_to_the_last_tag():
    with pytest.raises(failure.Unresolved) as caught:
        substitution.fill("{{a}} {{ nothing}}", VALUES, substitution.STRICT)
    assert str(caught.value) == "failed to resolve {{ nothing}}"


@pytest.mark.parametrize("tag", ["{{steps.y.status}}", "{{=tasks.y.status}}", "{{ steps.y.id }}"])
def test_references_to_steps_must_be_resolved_where_they_are_strict(tag):
    strict = substitution.STEPS_AND_TASKS
    with pytest.raises(failure.Unresolved, match=r"failed to resolve|tasks is missing"):
        substitution.fill(tag, VALUES, strict)
    assert substitution.fill("{{other}}", VALUES, strict) == "{{other}}"


def test_artifacts_of_steps_are_resolved_elsewhere():
    tag = "{{steps.y.outputs.artifacts.f}}"
    assert substitution.fill(tag, VALUES, substitution.STEPS_AND_TASKS) == tag


def test_a_value_is_filled_as_if_it_stood_in_json():
    assert substitution.fill_value('q "{{quote}}"', VALUES) == 'q "say "hi"\\\n"'


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("{{=steps.x.outputs.parameters.p ?? 'd'}}", "d"),
        ("{{=steps?.x?.outputs ?? 'd'}}", "d"),
        ("{{=steps.x.outputs.parameters.p}}", "steps.x.outputs.parameters.p is missing"),
        ("{{=tasks.x.status ?? 'd'}}", "failed to evaluate expression: tasks is missing"),
        ("{{=item + a}}", "{{=item + a}}"),
        ("{{=absent}}", 'failed to evaluate expression "absent"'),
        ("{{=asInt(which)}}", "failed to evaluate expression: "),
        ("{{=1 / 0}}", "failed to marshal evaluated expression: json: unsupported value: +Inf"),
    ],
)
def test_an_expression_whose_names_are_known_must_come_to_something_in_a_step(text, outcome):
    values = {**VALUES, "steps.x.outputs.parameters": "[]", "steps.x.outputs.artifacts": None}
    try:
        given = substitution.fill(text, values, substitution.STEPS_AND_TASKS)
    except failure.NodeFailure as problem:
        given = str(problem)
    assert outcome in given


def test_a_call_reads_what_changes_when_it_starts(player):
    told = "{{workflow.status}} {{workflow.outputs.parameters.g}} "
    expression = "{{=workflow.outputs?.parameters?.g ?? 'none'}} {{=workflow.status}}"
    say = {
        "name": "say",
        "inputs": {"parameters": [{"name": "m"}]},
        "container": {"image": "x", "command": ["echo", "{{inputs.parameters.m}}"]},
    }
    gives = {
        "name": "gives",
        "container": {"image": "x", "command": ["true"]},
        "outputs": {"parameters": [{"name": "p", "globalName": "g", "valueFrom": {"path": "/p"}}]},
    }
    arguments = {"parameters": [{"name": "m", "value": told + expression}]}
    steps = [
        [
            {"name": "a", "template": "gives"},
            {"name": "b", "template": "say", "arguments": arguments},
        ],
        [{"name": "c", "template": "say", "arguments": arguments}],
    ]
    given = record.Outputs(parameters={"p": "1"}, exit_code="0")
    final = player(
        {"templates": [{"name": "main", "steps": steps}, say, gives]},
        outcome=lambda _: (record.Phase.SUCCEEDED, "", given),
    ).play()
    early, late = (final.nodes[name].inputs["m"] for name in ("w[0].b", "w[1].c"))
    assert early == " {{workflow.outputs.parameters.g}} none "
    assert late == "Running 1 1 Running"


def test_the_inputs_of_an_attempt_are_filled_for_it(play):
    main = {
        "name": "main",
        "steps": [
            [
                {
                    "name": "a",
                    "template": "tries",
                    "arguments": {"parameters": [{"name": "m", "value": "no. {{retries}}"}]},
                }
            ]
        ],
    }
    tries = {
        "name": "tries",
        "inputs": {"parameters": [{"name": "m"}]},
        "retryStrategy": {"limit": 1},
        "container": {"image": "x", "command": ["echo", "{{inputs.parameters.m}}"]},
    }
    nodes = play({"templates": [main, tries]}).nodes
    assert nodes["w[0].a"].inputs == {"m": "no. {{retries}}"}
    assert nodes["w[0].a(0)"].inputs == {"m": "no. 0"}
