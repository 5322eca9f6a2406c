import dataclasses

import pytest

from gitwf.errors import Rejected
from gitwf.values import Instant
from gitwf.workflow import machine, quoting, record
from gitwf.workflow.document import validate
from gitwf.workflow.machine import messages

START = Instant.parse("2026-01-01T00:00:00Z")


def main(*words):
    return {"name": "main", "container": {"image": "x", "command": ["echo", *words]}}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("{{workflow.name}}", "w"),
        ("{{workflow.uid}}", "u"),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.parameters.a}} {{=workflow.parameters['b-c']}}", "1 2"),
        ("{{workflow.parameters}}", '[{"name":"a","value":"1"},{"name":"b-c","value":"2"}]'),
        ("{{workflow.creationTimestamp}}", "2026-01-01T00:00:00Z"),
        ("{{workflow.creationTimestamp.RFC3339}}", "2026-01-01T00:00:00Z"),
        ("{{workflow.creationTimestamp.s}}", "1767225600"),
        ("{{workflow.creationTimestamp.Y}}", "2026"),
        ("<{{workflow.status}}>", "<>"),
        ("{{workflow.creationTimestamp.L}} {{workflow.creationTimestamp.z}}", ".000 +0000"),
        ("{{workflow.creationTimestamp.j}}", "{{workflow.creationTimestamp.j}}"),
        ("{{pod.name}} {{node.name}} <{{steps.name}}>", "w w <>"),
        ("{{workflow.parameters.none}}", "{{workflow.parameters.none}}"),
    ],
)
def test_the_workflow_has_variables(player, tag, expected):
    given = [{"name": "a", "value": "1"}, {"name": "b-c", "value": 2}]
    played = player({"arguments": {"parameters": given}, "templates": [main(tag)]})
    assert played.starts["w"].template.container.command[1] == expected


def test_the_run_of_a_cron_workflow_knows_for_when_it_was_made(resolve_spec):
    tag = "{{workflow.annotations.workflows.argoproj.io/scheduled-time}}"
    workflow = resolve_spec({"templates": [main("{{workflow.scheduledTime}}", tag)]})
    asked = dataclasses.replace(workflow, scheduled=True)

    assert not [one for one in validate.validate(asked) if one.is_error]
    run = machine.begin(asked, "w", {}, START)
    (start,) = [one for one in run.start() if isinstance(one, messages.StartPod)]
    moment = "2026-01-01T00:00:00Z"
    assert start.template.container.command == ("echo", moment, moment)


def test_the_status_is_empty_at_first_then_running_and_the_outcome_for_the_exit_handler(play):
    said = {}

    def outcome(start):
        said[start.name] = start.template.container.command[1]
        return record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0")

    status = {**main("{{workflow.status}}"), "name": "status"}
    steps = [[{"name": "a", "template": "status"}], [{"name": "b", "template": "status"}]]
    play(
        {"templates": [{"name": "main", "steps": steps}, status], "onExit": "status"},
        outcome=outcome,
    )
    assert said == {"w[0].a": "", "w[1].b": "Running", "w.onExit": "Succeeded"}


def test_now_is_the_time_at_which_a_step_starts(player):
    tells = {
        "name": "tells",
        "inputs": {"parameters": [{"name": "m"}]},
        "container": {"image": "x", "command": ["echo", "{{=now().Second()}}"]},
    }
    given = {"parameters": [{"name": "m", "value": "{{=sprig.date('05', sprig.now())}}"}]}
    call = {"template": "tells", "arguments": given}
    steps = [[{"name": "a", **call}], [{"name": "b", **call}]]
    outputs = {"parameters": [{"name": "p", "valueFrom": {"expression": "now().Second()"}}]}
    played = player({"templates": [{"name": "main", "steps": steps, "outputs": outputs}, tells]})
    final = played.play()
    told = {
        name: (final.nodes[name].inputs["m"], start.template.container.command[1])
        for name, start in played.starts.items()
    }
    assert told == {"w[0].a": ("00", "0"), "w[1].b": ("01", "1")}
    assert final.nodes["w"].outputs.parameters == {"p": "2"}


def test_labels_are_listed_as_argo_finds_them_when_it_looks(play):
    said = {}

    def outcome(start):
        said[start.name] = start.template.container.command[1]
        return record.Phase.SUCCEEDED, "", record.Outputs(exit_code="0")

    tells = {
        **main("{{workflow.labels}} {{workflow.annotations.json}} {{workflow.labels.more}}"),
        "name": "tells",
    }
    steps = [[{"name": "a", "template": "tells"}], [{"name": "b", "template": "tells"}]]
    metadata = {"labels": {"more": "x"}}
    play(
        {"templates": [{"name": "main", "steps": steps}, tells], "workflowMetadata": metadata},
        outcome=outcome,
    )
    assert said == {
        "w[0].a": "null null x",
        "w[1].b": '{"more":"x","workflows.argoproj.io/completed":"false",'
        '"workflows.argoproj.io/phase":"Running"} '
        '{"workflows.argoproj.io/pod-name-format":"v2"} x',
    }


FOR_PARAMETERS = {"workflows.argoproj.io/configmap-type": "Parameter"}


def test_the_parameters_are_listed_with_all_that_was_said_of_them(player):
    given = [
        {"name": "a", "value": "<1>", "enum": ["<1>", "2"], "description": "d", "default": "2"},
        {"name": "b", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ]
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": FOR_PARAMETERS},
        "data": {"k": "v"},
    }
    played = player(
        {"arguments": {"parameters": given}, "templates": [main("{{workflow.parameters}}")]}, config
    )
    assert played.starts["w"].template.container.command[1] == (
        r'[{"name":"a","default":"2","value":"\u003c1\u003e","enum":["\u003c1\u003e","2"],"description":"d"},'
        '{"name":"b","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}]'
    )


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ({"name": "c", "key": "k"}, "ConfigMap 'c' does not have the key 'k'"),
        (
            {"name": "d", "key": "k"},
            (
                "ConfigMap 'd' does not exist. Please make sure it has the label "
                "workflows.argoproj.io/configmap-type: Parameter to be detectable by the controller"
            ),
        ),
    ],
)
def test_a_run_does_not_begin_without_the_values_of_its_config_maps(player, reference, why):
    given = [{"name": "a", "valueFrom": {"configMapKeyRef": reference}}]
    metadata = {"name": "c", "labels": FOR_PARAMETERS}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}

    with pytest.raises(Rejected) as caught:
        player({"arguments": {"parameters": given}, "templates": [main("x")]}, config)

    assert [one.message for one in caught.value.diagnostics] == [
        (
            f"failed to set global parameter a from configmap with name {reference['name']} "
            f"and key k: {why}"
        )
    ]


def test_the_inputs_are_listed_with_all_that_was_said_of_them(player):
    inner = {
        **main("{{inputs.parameters}}"),
        "name": "inner",
        "inputs": {
            "parameters": [{"name": "a", "default": "x", "description": "d"}, {"name": "b"}]
        },
    }
    arguments = {"parameters": [{"name": "b", "value": "&"}]}
    steps = [[{"name": "s", "template": "inner", "arguments": arguments}]]
    played = player({"templates": [{"name": "main", "steps": steps}, inner]})
    assert played.starts["w[0].s"].template.container.command[1] == (
        r'[{"name":"a","default":"x","value":"x","description":"d"},{"name":"b","value":"\u0026"}]'
    )


@pytest.mark.parametrize(
    ("phase", "failures"),
    [
        ("Succeeded", "null"),
        (
            "Failed",
            (
                r'[{"displayName":"w","message":"\u003cwhy\u003e","templateName":"main","phase":"Failed",'
                r'"podName":"w","finishedAt":"2026-01-01T00:00:01Z"}]'
            ),
        ),
    ],
)
def test_the_exit_handler_sees_what_failed_as_json_in_quotes(play, phase, failures):
    said = []

    def outcome(start):
        said.append(start.template.container.command[1])
        return (
            record.Phase(phase),
            "<why>" if phase == "Failed" else "",
            record.Outputs(exit_code="1"),
        )

    exit_handler = {**main("{{workflow.failures}}"), "name": "bye"}
    play({"templates": [main("hi"), exit_handler], "onExit": "bye"}, outcome=outcome)
    assert said == ["hi", quoting.quote(failures)]


def test_parameters_that_are_given_go_before_those_written(player):
    spec = {"arguments": {"parameters": [{"name": "a", "value": "1"}]}, "templates": [main()]}
    played = player(spec, parameters={"a": "7", "model": "m-v3"})
    assert played.run.record().parameters == {"a": "7", "model": "m-v3"}


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"name": "a"}, "spec.arguments.a.value or spec.arguments.a.valueFrom is required"),
        (
            {"name": "a", "value": "x", "enum": ["y"]},
            "spec.arguments.a.value should be present in spec.arguments.a.enum list",
        ),
    ],
)
def test_a_run_does_not_begin_without_its_parameters(resolve_spec, parameter, message):
    whole = resolve_spec({"arguments": {"parameters": [parameter]}, "templates": [main()]})
    with pytest.raises(Rejected, match=message):
        machine.begin(whole, "w", {}, START)


@pytest.mark.parametrize(
    ("entrypoint", "message"),
    [("nope", "template name 'nope' undefined"), ("", "spec.entrypoint is required")],
)
def test_a_run_does_not_begin_nowhere(resolve_spec, entrypoint, message):
    whole = resolve_spec({"templates": [main()]})
    with pytest.raises(Rejected, match=message):
        machine.begin(whole, "w", {}, START, entrypoint=entrypoint)


def test_another_entrypoint_can_be_chosen(resolve_spec):
    whole = resolve_spec({"templates": [main(), {**main(), "name": "other"}]})
    run = machine.begin(whole, "w", {}, START, entrypoint="other")
    run.start()
    assert run.record().nodes["w"].template == "other"
