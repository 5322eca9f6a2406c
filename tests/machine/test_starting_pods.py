"""What an engine is told to start."""

import pytest

from gitwf.workflow import record
from gitwf.workflow.machine import messages


def container(*args, **more):
    return {"container": {"image": "x", "command": ["echo"], "args": list(args)}, **more}


def call(name, template=None, **more):
    return {"name": name, "template": template or name, **more}


def test_a_pod_has_everything_it_needs(player):
    spec = {
        "arguments": {"parameters": [{"name": "city", "value": "Oslo"}]},
        "volumes": [{"name": "s", "secret": {"secretName": "{{workflow.parameters.city}}"}}],
        "templates": [
            {
                "name": "main",
                "inputs": {
                    "artifacts": [
                        {
                            "name": "note",
                            "path": "/n",
                            "mode": 420,
                            "raw": {"data": "in {{pod.name}}"},
                        },
                        {"name": "maybe", "path": "/m", "optional": True},
                    ]
                },
                "volumes": [{"name": "e", "emptyDir": {}}],
                **container("{{workflow.parameters.city}} {{inputs.artifacts.note.path}}"),
            }
        ],
    }
    played = player(spec)
    start = played.starts["w"]
    assert start.template.container.args == ("Oslo /n",)
    assert start.artifacts == (
        messages.InputArtifact("note", "/n", record.ArtifactLocation("note", raw="in w"), 420),
    )
    assert [volume.name for volume in start.volumes] == ["s", "e"]
    assert start.volumes[0].secret == {"secretName": "Oslo"}
    assert (start.pod, start.origin, start.wants_result) == ("w", "w.yaml#main", False)


def test_the_code_is_supplied_to_an_entrypoint_that_asks_for_it(player):
    main = {"name": "main", "inputs": {"artifacts": [{"name": "source", "path": "/src"}]}}
    played = player({"templates": [{**main, **container()}]})
    expected = record.ArtifactLocation("source", source=True)
    assert [one.location for one in played.starts["w"].artifacts] == [expected]


def test_the_code_travels_from_the_entrypoint_to_its_steps(player):
    artifact = {"name": "source", "path": "/src"}
    taken = {"artifacts": [{"name": "source", "from": "{{inputs.artifacts.source}}"}]}
    spec = {
        "templates": [
            {
                "name": "main",
                "inputs": {"artifacts": [{"name": "source"}]},
                "steps": [[call("a", arguments=taken)], [call("b")]],
            },
            {"name": "a", "inputs": {"artifacts": [artifact]}, **container()},
            {"name": "b", "inputs": {"artifacts": [artifact]}, **container()},
        ]
    }
    played = player(spec)
    final = played.play()
    assert played.starts["w[0].a"].artifacts[0].location.source
    assert final.nodes["w[1].b"].phase == "Error"
    assert final.nodes["w[1]"].message == (
        "step group deemed errored due to child w[1].b error: "
        "inputs.artifacts.source was not supplied"
    )


def test_standard_output_is_wanted_only_where_somebody_reads_it(player):
    read = {"parameters": [{"name": "v", "value": "{{steps.a.outputs.result}}"}]}
    spec = {
        "templates": [
            {
                "name": "main",
                "steps": [[call("a", "ok"), call("b", "ok")], [call("c", arguments=read)]],
            },
            {"name": "ok", **container()},
            {"name": "c", "inputs": {"parameters": [{"name": "v", "value": "d"}]}, **container()},
        ]
    }
    played = player(
        spec,
        outcome=lambda s: (record.Phase.SUCCEEDED, "", record.Outputs(result="r", exit_code="0")),
    )
    played.play()
    wanted = {name: start.wants_result for name, start in played.starts.items()}
    assert wanted == {"w[0].a": True, "w[0].b": False, "w[1].c": False}


def test_a_missing_file_of_a_folder_artifact_is_named_by_its_sub_path(player):
    linked = {
        "name": "in",
        "from": "{{tasks.a.outputs.artifacts.out}}",
        "subPath": "x/{{workflow.name}}",
    }
    spec = {
        "templates": [
            {
                "name": "main",
                "dag": {
                    "tasks": [call("a"), call("b", depends="a", arguments={"artifacts": [linked]})]
                },
            },
            {"name": "a", "outputs": {"artifacts": [{"name": "out", "path": "/o"}]}, **container()},
            {"name": "b", "inputs": {"artifacts": [{"name": "in", "path": "/i"}]}, **container()},
        ]
    }
    made = record.ArtifactLocation("out", node="w-1")
    outputs = record.Outputs(artifacts={"out": made}, exit_code="0")
    played = player(spec, outcome=lambda _: (record.Phase.SUCCEEDED, "", outputs))
    played.play()
    (artifact,) = played.starts["w.b"].artifacts
    assert artifact.location == record.ArtifactLocation("out", node="w-1", sub_path="x/w")


def test_attempts_know_their_number_and_the_last_end(player):
    script = {"image": "x", "command": ["sh"], "source": "{{retries}} {{lastRetry.exitCode}}"}
    main = {"name": "main", "retryStrategy": {"limit": 1}, "script": script}
    played = player(
        {"templates": [main]},
        outcome=lambda _: (record.Phase.FAILED, "no", record.Outputs(exit_code="4")),
    )
    played.play()
    sources = [start.template.script.source for start in played.starts.values()]
    assert sources == ["0 0", "1 4"]


@pytest.mark.parametrize(
    ("reference", "given"),
    [
        ({"configMapKeyRef": {"name": "c", "key": "k"}}, "v"),
        (
            {"configMapKeyRef": {"name": "{{workflow.parameters.of}}", "key": "{{=lower('K')}}"}},
            "v",
        ),
        ({"configMapKeyRef": {"name": "c", "key": "x"}, "default": "d"}, "d"),
        (
            {"configMapKeyRef": {"name": "c", "key": "x"}},
            (
                "unable to retrieve inputs.parameters.m from ConfigMap: "
                "ConfigMap 'c' does not have the key 'x'"
            ),
        ),
        (
            {"configMapKeyRef": {"name": "none", "key": "x"}},
            (
                "unable to retrieve inputs.parameters.m from ConfigMap: ConfigMap 'none' does not exist. "
                "Please make sure it has the label workflows.argoproj.io/configmap-type: Parameter "
                "to be detectable by the controller"
            ),
        ),
        (
            {"configMapKeyRef": {"name": "{{nobody}}", "key": "x"}},
            "failed to substitute configMapKeyRef: failed to resolve {{nobody}}",
        ),
    ],
)
def test_an_input_may_come_from_a_config_map(play, reference, given):
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {"workflows.argoproj.io/configmap-type": "Parameter"}},
        "data": {"k": "v"},
    }
    main = {
        "name": "main",
        "inputs": {"parameters": [{"name": "m", "default": "weaker", "valueFrom": reference}]},
        "container": {"image": "x", "command": ["echo", "{{inputs.parameters.m}}"]},
    }
    arguments = {"parameters": [{"name": "of", "value": "c"}]}
    node = play({"arguments": arguments, "templates": [main]}, config).nodes["w"]
    assert given in (node.inputs.get("m"), node.message)
