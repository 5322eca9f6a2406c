"""What cannot run on this machine is said in `start`, at its place, before anything is written."""

import os
import pathlib

import pytest

from gitwf.errors import Rejected

LEAF = "container: {image: none, command: ['true']}"


def refused(local, text, **more):
    with pytest.raises(Rejected) as caught:
        local.start(text, **more)
    assert not (local.state / "runs").exists()
    return [str(one) for one in caught.value.diagnostics]


def test_a_container_without_a_command_is_refused_at_its_line(hosted):
    (said,) = refused(
        hosted, "  templates:\n  - name: main\n    container: {image: 'busybox:1', args: [x]}\n"
    )

    assert said.startswith(
        "wf.yaml:8:5: template 'main': the command of the image 'busybox:1' is not"
    )
    assert said.endswith("(write it down as `command`)")


def test_an_image_whose_entrypoint_is_given_needs_no_command(make):
    local = make("none", entrypoints={"say": ("echo", "said")})
    ran = local.run("  templates:\n  - name: main\n    container: {image: say, args: [x]}\n")

    assert ran.text == "said x\n"


@pytest.mark.parametrize(
    ("args", "said", "phase"),
    [
        ("[]", "hello argo\n", "Succeeded"),
        ("[echo]", "hello argo\n", "Succeeded"),
        ("[echo, some text]", "some text\n", "Succeeded"),
        ("[sleep, '0']", "", "Succeeded"),
        ("[exit, '3']", "", "Failed"),
        ("[other]", "", "Failed"),
    ],
)
def test_the_image_of_the_examples_of_argo_needs_no_command(hosted, args, said, phase):
    image = "argoproj/argosay:v2"
    ran = hosted.run(
        f"  templates:\n  - name: main\n    container: {{image: '{image}', args: {args}}}\n"
    )

    assert ran["wf"].phase == phase
    assert ran.text.partition("Error: ")[0] == said


def test_the_image_of_the_examples_of_argo_writes_and_reads_files(hosted, place):
    ran = hosted.run(f"""
  templates:
  - name: main
    steps: [[{{name: a, template: writes}}], [{{name: b, template: reads, arguments: {{artifacts: [{{name: i, from: "{{{{steps.a.outputs.artifacts.o}}}}"}}]}}}}]]
  - name: writes
    container: {{image: 'argoproj/argosay:v2', args: [echo, text, {place}/d/o]}}
    outputs: {{artifacts: [{{name: o, path: {place}/d/o}}]}}
  - name: reads
    inputs: {{artifacts: [{{name: i, path: {place}/i}}]}}
    container: {{image: 'argoproj/argosay:v2', args: [assert_contains, {place}/i, tex]}}
""")

    assert ran.log["wf[1].b"] == "text\n"


def test_a_command_may_come_from_the_defaults_of_its_own_kind(hosted):
    ran = hosted.run("""
  templateDefaults:
    container: {image: none}
    script: {image: none, command: [sh]}
  templates:
  - name: main
    script: {source: echo said}
""")

    assert ran.text == "said\n"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("resource: {action: get}", "resource"),
        ("data: {source: {}, transformation: []}", "data"),
        ("plugin: {}", "plugin"),
    ],
)
def test_templates_that_need_a_cluster_are_refused_by_name(local, more, what):
    (said,) = refused(local, f"  templates:\n  - name: main\n    {more}\n")

    assert f"the local engine runs no {what} templates" in said


def test_sidecars_and_daemons_are_refused(local):
    said = refused(
        local,
        f"  templates:\n  - name: main\n    {LEAF}\n    daemon: true\n"
        "    sidecars: [{name: s, image: i}]\n",
    )

    assert [line.split(": ")[2].split(" (")[0] for line in said] == [
        "the local engine has no daemon",
        "the local engine has no sidecars",
    ]


def test_everything_is_said_in_one_go_and_only_of_what_is_reached(hosted):
    said = refused(
        hosted,
        """  templates:
  - name: main
    steps:
    - - {name: a, template: a}
      - {name: b, inline: {container: {image: inner}}}
  - name: a
    container: {image: outer}
  - name: unused
    container: {image: nobody}
""",
    )

    assert len(said) == 2
    assert "'outer'" in said[1]
    assert "'inner'" in said[0]


PARALLEL = """
  templates:
  - name: main
    {flow}
  - name: w
    inputs: {{parameters: [{{name: 'n', default: "0"}}]}}
    container: {{image: none, command: [sh, -c, "mkdir -p {place}; echo 1 > {place}/n"]}}
    outputs: {{parameters: [{{name: 'n', valueFrom: {{path: {place}/n}}}}]}}
"""


@pytest.mark.parametrize(
    ("flow", "who"),
    [
        ("steps: [[{name: a, template: w}, {name: b, template: w}]]", "a and b"),
        ("steps: [[{name: a, template: w, withItems: [1, 2]}]]", "a"),
        ("dag: {tasks: [{name: a, template: w}, {name: b, template: w}]}", "a and b"),
        (
            (
                "dag: {tasks: [{name: r, template: w}, {name: a, template: w, depends: r},"
                " {name: b, template: w, dependencies: [r]}]}"
            ),
            "a and b",
        ),
    ],
)
def test_paths_that_steps_would_fight_over_are_refused_without_isolation(bare, place, flow, who):
    (said,) = refused(bare, PARALLEL.format(place=place, flow=flow))

    assert f"{who} may run at the same time and declare one path, {place}/n" in said


@pytest.mark.parametrize(
    "flow",
    [
        "steps: [[{name: a, template: w}], [{name: b, template: w}]]",
        "{parallelism: 1, steps: [[{name: a, template: w, withItems: [1, 2]}]]}",
        (
            "dag: {tasks: [{name: a, template: w}, {name: b, template: w, depends: a.Succeeded},"
            " {name: c, template: w, depends: 'b && !a.Failed'}]}"
        ),
    ],
)
def test_steps_that_follow_each_other_may_use_one_path(bare, place, flow):
    if flow.startswith("{"):
        flow = "parallelism: 1\n    steps: [[{name: a, template: w, withItems: [1, 2]}]]"
    ran = bare.run(PARALLEL.format(place=place, flow=flow))

    assert ran.record.phase == "Succeeded"


def test_a_path_that_this_user_cannot_write_is_refused(bare, monkeypatch):
    writable = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) != "/usr" and writable(path, mode)
    )
    (said,) = refused(
        bare,
        f"  templates:\n  - name: main\n    {LEAF}\n"
        "    outputs: {parameters: [{name: 'n', valueFrom: {path: /usr/new/n}}]}\n",
    )

    assert "/usr/new/n cannot be made: /usr is not writable here" in said
    where = LEAF.replace("{image", "{workingDir: /usr/new, image")
    (said,) = refused(bare, f"  templates:\n  - name: main\n    {where}\n")
    assert "/usr/new cannot be made: /usr is not writable here" in said


def test_an_output_that_is_there_already_is_refused_and_left_alone(bare, place):
    place.mkdir()
    (place / "n").write_text("precious", "utf-8")
    (said,) = refused(bare, PARALLEL.format(place=place, flow="steps: [[{name: a, template: w}]]"))

    assert f"{place}/n exists on this machine, where nothing hides it (remove it)" in said
    assert pathlib.Path(place, "n").read_text("utf-8") == "precious"


def test_an_input_that_would_cover_a_file_ends_the_step_in_error(bare, place, written):
    place.mkdir()
    (place / "in").write_text("precious", "utf-8")
    ran = bare.run(
        written(
            "true", f"    inputs: {{artifacts: [{{name: i, path: {place}/in, raw: {{data: x}}}}]}}"
        )
    )

    assert ran["wf"].phase == "Error"
    assert ran["wf"].message == f"{place}/in exists on this machine, where nothing hides it"
    assert (place / "in").read_text("utf-8") == "precious"


def test_a_parameter_without_a_value_is_refused_before_anything_is_written(bare):
    said = refused(
        bare,
        f"  arguments: {{parameters: [{{name: p}}]}}\n  templates:\n  - name: main\n    {LEAF}\n",
    )

    assert "p" in said[0]


ASKING = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: here}}
data: {{a: "1"}}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf}}
spec:
  entrypoint: main
  volumes: [{{name: v, configMap: {{name: {name}, optional: {optional}, items: [{{key: {key}, path: f}}]}}}}]
  templates:
  - name: main
    container:
      image: none
      command: ["true"]
      env: [{{name: A, valueFrom: {{configMapKeyRef: {{name: {name}, key: {key}, optional: {optional}}}}}}}]
      envFrom: [{{configMapRef: {{name: {name}, optional: {optional}}}}}]
      volumeMounts: [{{name: v, mountPath: {place}}}]
"""


@pytest.mark.parametrize(
    ("name", "key", "message"),
    [
        ("gone", "a", "there is no ConfigMap 'gone' (write it beside the workflow)"),
        ("here", "b", "the ConfigMap 'here' has no key 'b' (add it)"),
    ],
)
def test_a_config_map_that_is_not_there_is_refused_unless_it_is_optional(
    local, place, name, key, message
):
    asking = {"place": place, "name": name, "key": key}
    (said,) = refused(local, ASKING.format(optional="false", **asking))
    assert said.endswith(f"template 'main': {message}")

    ran = local.run(ASKING.format(optional="true", **asking))
    assert ran["wf"].phase == "Succeeded"
