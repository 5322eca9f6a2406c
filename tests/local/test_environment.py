"""What a step finds in its environment: what the workflow says, and next to nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.adapters.local import environment
from gitwf.workflow.document import containers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("x$(A)y$(B)", "x1y$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$$", "$$"),
        ("$A ${A} `$A`", "$A ${A} `$A`"),
        ("$(A", "$(A"),
        ("$", "$"),
        ("$()", "$()"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text, expected):
    assert environment.expand(text, {"A": "1"}) == expected


@given(st.text(alphabet="$()AB x"))
def test_text_without_a_dollar_sign_and_unknown_names_stay(text):
    assert environment.expand(text.replace("$", ""), {"A": "1"}) == text.replace("$", "")


def test_a_variable_sees_those_declared_before_it():
    made = containers.Container.from_json(
        '{"env": [{"name": "LATE", "value": "$(P)"}, {"name": "P", "value": "p"},'
        ' {"name": "Q", "value": "q-$(P)"}]}'
    )

    expected = {"LATE": "$(P)", "P": "p", "Q": "q-p"}
    assert environment.declared(made, environment.Sources()) == expected


def test_env_goes_before_env_from_and_prefixes_are_put_before_names():
    made = containers.Container.from_json(
        '{"envFrom": [{"prefix": "X_", "configMapRef": {"name": "cm"}},'
        ' {"configMapRef": {"name": "gone", "optional": true}}],'
        ' "env": [{"name": "X_A", "value": "own"}]}'
    )
    sources = environment.Sources(config_maps={"cm": {"A": "1", "B": "2"}})

    assert environment.declared(made, sources) == {"X_A": "own", "X_B": "2"}


@pytest.mark.parametrize(
    ("value_from", "message"),
    [
        ('{"configMapKeyRef": {"name": "cm", "key": "Z"}}', "couldn't find key Z in ConfigMap cm"),
        ('{"secretKeyRef": {"name": "db", "key": "p"}}', "does not grant the secret 'db'"),
        ('{"fieldRef": {"fieldPath": "spec.x"}}', "no pod field 'spec.x'"),
        ('{"resourceFieldRef": {"resource": "limits.cpu"}}', "knows valueFrom with"),
    ],
)
def test_a_value_that_cannot_be_had_is_named(value_from, message):
    made = containers.Container.from_json(
        '{"env": [{"name": "V", "valueFrom": %s}]}' % value_from  # noqa: UP031 - braces
    )
    sources = environment.Sources(config_maps={"cm": {"A": "1"}})

    with pytest.raises(environment.Unavailable, match=message):
        environment.declared(made, sources)


ARGOS = {"ARGO_CONTAINER_NAME", "ARGO_NODE_ID", "ARGO_PROGRESS_FILE", "HOSTNAME"}


def test_a_step_may_say_how_far_it_is(local, written):
    text = "echo 1/2 > $ARGO_PROGRESS_FILE && cat $ARGO_PROGRESS_FILE"
    ran = local.run(written(f"{text}; echo $ARGO_CONTAINER_NAME $ARGO_NODE_ID"))

    assert ran.text == "1/2\nmain wf\n"


def test_the_host_of_a_step_is_named_after_its_pod(local):
    ran = local.run(f"""
  templates:
  - name: main
    steps: [[{{name: s, template: {"a-" * 30}b}}]]
  - name: {"a-" * 30}b
    container: {{image: none, command: [sh, -c, "echo $HOSTNAME {{{{pod.name}}}}"]}}
""")

    host, pod = ran.text.split()
    assert (host, len(pod) > len(host)) == (pod[:63].rstrip("-"), True)


def test_a_step_has_its_own_variables_and_none_of_gitwfs(hosted, written, monkeypatch):
    monkeypatch.setenv("GITWF_TOKEN", "very-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    ran = hosted.run(
        written(
            "env | cut -d= -f1 | sort | tr '\\n' ' '",
            "      env: [{name: MINE, value: 'yes'}]",
        )
    )

    # PWD, SHLVL and _ are the shell's own.
    found = set(ran.text.split()) - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert found - {"TMPDIR"} == {"PATH", "HOME", "LANG", "MINE", *ARGOS}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('env: [{name: A, value: "x\\0y"}]', "the variable 'A' holds a null byte"),
        ("env: [{name: A=B, value: x}]", "'A=B' cannot be the name of a variable"),
        ('env: [{name: "", value: x}]', "'' cannot be the name of a variable"),
        ('args: ["x\\0y"]', "'x\\x00y' holds a null byte"),
        ('workingDir: "/tmp/x\\0y"', "'/tmp/x\\x00y' holds a null byte"),
    ],
)
def test_what_no_program_can_be_given_is_said_of_the_step(local, more, why):
    ran = local.run(f"""
  templates:
  - name: main
    container: {{image: none, command: [echo], {more}}}
""")

    assert (ran["wf"].phase, ran["wf"].message) == ("Error", why)


def test_an_argument_that_no_kernel_takes_is_handed_over_in_a_file(local):
    ran = local.run(
        """
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c]
      args: ['echo "$0 ${1##*/}"; wc -c < "${1#@}"', short, "{{workflow.parameters.long}}"]
""",
        parameters={"long": "é" * 70_000},
    )

    assert ran.text == "short argo_arg_3.txt\n140000\n"


def test_home_is_empty_and_the_steps_own(local, written):
    ran = local.run(
        written("ls -A $HOME | wc -l; echo x > $HOME/x; test -w ${TMPDIR:-/tmp} && echo ok")
    )

    assert ran.text == "0\nok\n"


def test_what_one_step_leaves_at_home_and_in_tmp_the_next_does_not_find(local):
    ran = local.run("""
  templates:
  - name: main
    steps:
    - - {name: a, template: t}
    - - {name: b, template: t}
  - name: t
    container:
      image: none
      command: [sh, -c, "ls -A $HOME ${TMPDIR:-/tmp} | grep mine; touch $HOME/mine ${TMPDIR:-/tmp}/mine"]
""")

    assert ran.record.message == ""
    assert ran.text == ""


def test_a_step_learns_its_pods_name(local, written):
    ran = local.run(
        written(
            "echo $POD",
            "      env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
        )
    )

    assert ran.text == "wf\n"


@pytest.mark.parametrize(("given", "known"), [("", "default"), (", namespace: ads", "ads")])
def test_a_step_learns_its_namespace_from_its_pod_as_from_a_tag(local, given, known):
    ran = local.run(f"""
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: wf{given}}}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, "echo $IN {{{{workflow.namespace}}}}"]
      env: [{{name: IN, valueFrom: {{fieldRef: {{fieldPath: metadata.namespace}}}}}}]
""")

    assert ran.text == f"{known} {known}\n"


def test_a_step_learns_the_labels_and_annotations_of_its_pod(local):
    ran = local.run("""
  templates:
  - name: main
    metadata: {labels: {team: red}, annotations: {note: "of {{workflow.name}}"}}
    container:
      image: none
      command: [sh, -c, 'echo "$TEAM|$NOTE|$OF|$NODE|$NONE|$AS"']
      env:
      - {name: TEAM, valueFrom: {fieldRef: {fieldPath: "metadata.labels['team']"}}}
      - {name: NOTE, valueFrom: {fieldRef: {fieldPath: "metadata.annotations['note']"}}}
      - name: OF
        valueFrom: {fieldRef: {fieldPath: "metadata.labels['workflows.argoproj.io/workflow']"}}
      - name: NODE
        valueFrom: {fieldRef: {fieldPath: "metadata.annotations['workflows.argoproj.io/node-name']"}}
      - {name: NONE, valueFrom: {fieldRef: {fieldPath: "metadata.labels['none']"}}}
      - {name: AS, valueFrom: {fieldRef: {fieldPath: spec.serviceAccountName}}}
""")

    assert ran.text == "red|of wf|wf|wf||default\n"


@pytest.mark.parametrize(
    ("spec", "own", "account"),
    [("", "", "default"), ("trainer", "", "trainer"), ("trainer", "reader", "reader")],
)
def test_a_step_learns_whom_its_pod_stands_for_and_an_id_that_no_other_has(
    local, spec, own, account
):
    ran = local.run(f"""
  serviceAccountName: "{spec}"
  templates:
  - name: main
    steps: [[{{name: a, template: one}}, {{name: b, template: one}}]]
  - name: one
    serviceAccountName: "{own}"
    container:
      image: none
      command: [sh, -c, 'echo $AS; echo $ID']
      env:
      - {{name: AS, valueFrom: {{fieldRef: {{fieldPath: spec.serviceAccountName}}}}}}
      - {{name: ID, valueFrom: {{fieldRef: {{fieldPath: metadata.uid}}}}}}
""")

    told = ran.text.split()
    assert told.count(account) == 2
    assert len(set(told) - {account}) == 2


def test_config_maps_are_variables_and_arguments_are_expanded(local):
    ran = local.run("""
apiVersion: v1
kind: ConfigMap
metadata: {name: cm}
data: {FRUIT: apple, VEG: leek}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: none
      env: [{name: V, valueFrom: {configMapKeyRef: {name: cm, key: VEG}}}]
      envFrom: [{configMapRef: {name: cm}, prefix: X_}]
      command: [echo, "$(V)", "$(X_FRUIT)", "$$(V)", "$(NO)"]
""")

    assert ran.text == "leek apple $(V) $(NO)\n"


def test_the_search_path_leaves_gitwfs_own_environment_out(monkeypatch):
    monkeypatch.setattr(environment.sys, "prefix", "/opt/gitwf")
    monkeypatch.setattr(environment.sys, "base_prefix", "/usr")
    monkeypatch.setenv("PATH", "/opt/gitwf/bin:relative:/usr/bin::/bin")

    assert environment.host_path() == "/usr/bin:/bin"
