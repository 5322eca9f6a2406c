"""A workflow and all it reaches, as one text that changes when the meaning does."""

import json

import pytest

from gitwf import errors
from gitwf.values import Instant
from gitwf.workflow.document import load, resolve, resolved

MAIN = """\
entrypoint: main
arguments: {parameters: [{name: x, value: 1}]}
templates:
- name: main
  steps:
  - - {name: a, template: leaf}
    - {name: b, templateRef: {name: lib, template: greet}}
- {name: leaf, container: {image: i}}
- {name: spare, container: {image: i}}
"""
LIB = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  templates:
  - name: greet
    dag: {tasks: [{name: t, template: say}, {name: f, templateRef: {name: far, template: z, clusterScope: true}}]}
  - {name: say, script: {image: i, source: "echo {{workflow.name}}"}}
  - {name: silent, suspend: {}}
"""
FAR = """\
apiVersion: argoproj.io/v1alpha1
kind: ClusterWorkflowTemplate
metadata: {name: far}
spec: {templates: [{name: z, suspend: {}}]}
"""


def test_templates_are_known_by_scope_and_name():
    assert str(resolved.TemplateKey("namespaced/lib", "greet")) == "namespaced/lib/greet"


def test_every_template_in_reach_is_there(resolved):
    whole = resolved(MAIN, LIB, FAR)

    assert {str(key) for key in whole.reachable} == {
        "local/main",
        "local/leaf",
        "namespaced/lib/greet",
        "namespaced/lib/say",
        "cluster/far/z",
    }
    assert {str(key) for key in whole.templates} == {
        *map(str, whole.reachable),
        "local/spare",
        "namespaced/lib/silent",
    }
    assert {key.name: whole.file_of(key) for key in whole.reachable}["say"] == "o0.yaml"


def test_a_call_finds_its_template_in_its_own_scope(resolved):
    whole = resolved(MAIN, LIB, FAR)
    greet = next(key for key in whole.templates if key.name == "greet")

    found = whole.lookup(greet.scope, whole.templates[greet].calls()[0])

    assert str(found[0]) == "namespaced/lib/say"
    assert whole.lookup("local", whole.templates[greet].calls()[0]) is None


def test_the_way_it_is_written_does_not_count(resolved):
    other = """\
    # a comment
    templates:
    - {container: {image: i}, name: leaf}
    - steps:
      - - name: a
          template: leaf
        - name: "b"
          templateRef:
            template: greet
            name: lib
      name: main
    arguments:
      parameters:
      - name: x
        value: "1"
    entrypoint: main
    onExit:
    """

    assert resolved(other, LIB, FAR).canonical() == resolved(MAIN, LIB, FAR).canonical()


def test_what_is_out_of_reach_does_not_count(resolved):
    whole = resolved(MAIN, LIB, FAR).canonical()

    assert (
        resolved(MAIN.replace("spare, container", "spare, script"), LIB, FAR).canonical() == whole
    )
    assert resolved(MAIN, LIB.replace("silent, suspend", "silent, dag"), FAR).canonical() == whole


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value: 1", "value: 2"),
        ("leaf, container: {image: i}", "leaf, container: {image: j}"),
        ("entrypoint: main", "entrypoint: leaf"),
        ("entrypoint: main", "entrypoint: main\nparallelism: 2"),
        ("entrypoint: main", "entrypoint: main\nonExit: spare"),
        ("entrypoint: main", "entrypoint: main\nhooks: {exit: {template: spare}}"),
    ],
)
def test_what_a_run_depends_on_counts(resolved, old, new):
    assert (
        resolved(MAIN.replace(old, new), LIB, FAR).canonical()
        != resolved(MAIN, LIB, FAR).canonical()
    )


def test_a_library_counts_as_far_as_it_is_reached(resolved):
    changed = LIB.replace("echo", "print")

    assert resolved(MAIN, changed, FAR).canonical() != resolved(MAIN, LIB, FAR).canonical()


def test_the_canonical_text_is_json_without_blanks(resolved):
    text = resolved(MAIN, LIB, FAR).canonical()

    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text


def test_another_entrypoint_is_another_run(resolved):
    whole = resolved(MAIN, LIB, FAR).started_at("spare")

    assert {key.name for key in whole.reachable} == {"spare"}


def test_inline_templates_reach_further(resolved):
    spec = """\
    entrypoint: main
    templates:
    - {name: main, steps: [[{name: a, inline: {steps: [[{name: b, template: leaf}]]}, onExit: end}]]}
    - {name: leaf, suspend: {}}
    - {name: end, suspend: {}}
    """

    assert {key.name for key in resolved(spec).reachable} == {"main", "leaf", "end"}


def test_a_template_whose_own_name_holds_a_tag_is_come_to_once(resolved):
    spec = """\
    entrypoint: main
    templates:
    - {name: main, steps: [[{name: a, template: "of-{{item}}"}]]}
    - {name: "of-{{item}}", suspend: {}}
    """

    assert {key.name for key in resolved(spec).reachable} == {"main", "of-{{item}}"}


def test_a_reference_with_a_tag_may_lead_anywhere(resolved):
    spec = """\
    entrypoint: main
    templates:
    - {name: main, steps: [[{name: a, templateRef: {name: "{{workflow.parameters.l}}", template: z}}]]}
    """
    whole = resolved(spec, LIB, FAR)

    assert {str(key) for key in whole.reachable} == {
        "local/main",
        "namespaced/lib/greet",
        "namespaced/lib/say",
        "namespaced/lib/silent",
        "cluster/far/z",
    }


FROM_A_CONFIG_MAP = """\
    entrypoint: main
    templates:
    - name: main
      inputs: {parameters: [{name: p, valueFrom: {configMapKeyRef: {name: c, key: k}}}]}
      suspend: {}
    """


def config_map(name, value):
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: {value}}}\n"


def test_the_config_maps_it_reads_count(resolved):
    whole = resolved(FROM_A_CONFIG_MAP, config_map("c", "v"), config_map("other", "v"))

    assert whole.config_maps == {"c": {"k": "v"}}
    assert resolved(FROM_A_CONFIG_MAP, config_map("c", "v2")).canonical() != whole.canonical()
    assert resolved(FROM_A_CONFIG_MAP, config_map("c", "v")).canonical() == whole.canonical()


def test_only_a_labelled_config_map_gives_parameters(resolved):
    """Argo's informer keeps those with the label alone (Argo: workflow/common/configmap.go)."""
    plain = config_map("c", "v")
    label = "{workflows.argoproj.io/configmap-type: Parameter}"
    labelled = plain.replace("{name: c}", f"{{name: c, labels: {label}}}")

    assert resolved(FROM_A_CONFIG_MAP, plain).parameter_maps == {}
    assert resolved(FROM_A_CONFIG_MAP, labelled).parameter_maps == {"c": {"k": "v"}}
    assert (
        resolved(FROM_A_CONFIG_MAP, labelled).canonical()
        != resolved(FROM_A_CONFIG_MAP, plain).canonical()
    )


WHOLE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: whole}
spec:
  entrypoint: main
  onExit: end
  suspend: true
  parallelism: 3
  hooks: {exit: {template: end}, late: {template: end, expression: "true"}}
  arguments:
    parameters: [{name: a, value: ta, enum: [ta]}, {name: b, value: tb}, {name: c, description: why}]
  volumes: [{name: v, emptyDir: {}}, {name: u, emptyDir: {}}]
  templates: [{name: main, suspend: {}}, {name: end, suspend: {}}]
"""


def test_a_workflow_is_laid_over_its_workflow_template(resolved):
    spec = """\
    workflowTemplateRef: {name: whole}
    parallelism: 1
    hooks: {late: {template: main, expression: "false"}}
    arguments: {parameters: [{name: c, value: wc}, {name: a, value: wa}, {name: d, value: wd}]}
    volumes: [{name: u, secret: {secretName: s}}]
    """
    whole = resolved(spec, WHOLE)
    spec = whole.spec.plain()

    assert spec["entrypoint"] == "main"
    assert spec["parallelism"] == 1
    assert "suspend" not in spec
    assert spec["hooks"]["late"]["expression"] == "false"
    assert spec["hooks"]["exit"] == {"template": "end"}
    assert spec["arguments"]["parameters"] == [
        {"name": "a", "value": "wa"},
        {"name": "b", "value": "tb"},
        {"name": "c", "value": "wc"},
        {"name": "d", "value": "wd"},
    ]
    assert [one["name"] for one in spec["volumes"]] == ["v", "u"]
    assert {str(key) for key in whole.reachable} == {"local/main", "local/end"}
    assert whole.origin("parallelism").file == "w.yaml"
    assert whole.origin("onExit").file == "o0.yaml"


def test_a_workflow_template_that_is_missing_is_named_at_its_place(resolved):
    with pytest.raises(errors.Rejected) as caught:
        resolved("workflowTemplateRef: {name: gone}\n")

    expected = 'w.yaml:5:31: workflowtemplates.argoproj.io "gone" not found'
    assert str(caught.value) == expected


def test_a_cron_workflow_is_the_workflow_it_starts():
    source = b"""\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly, namespace: ml}
spec:
  schedules: ["0 3 * * *"]
  workflowMetadata: {labels: {team: a}}
  workflowSpec: {entrypoint: a, templates: [{name: a, suspend: {}}]}
"""
    loaded = load.load({"c.yaml": source})

    whole = resolve.resolve(loaded.runnable("c.yaml"), loaded)

    assert (whole.name, whole.namespace, whole.labels) == ("nightly", "ml", {"team": "a"})
    assert whole.cron.schedules == ("0 3 * * *",)
    due = {"workflows.argoproj.io/scheduled-time": "2026-01-02T03:00:00Z"}
    assert whole.annotations_at(Instant.parse("2026-01-02T03:00:00Z")) == due
    assert whole.origin("entrypoint").path == ("spec", "workflowSpec", "entrypoint")


def test_a_config_map_cannot_be_run():
    loaded = load.load({"c.yaml": config_map("c", "v").encode()})

    with pytest.raises(errors.Rejected):
        resolve.resolve(loaded.sources[0], loaded)


def test_files_that_could_not_be_read_are_named_where_something_is_missing():
    assert resolve.unread_hint({}) == ""
    assert resolve.unread_hint({"b": 1, "a": 1}) == "could not read a, b"
    assert resolve.unread_hint(dict.fromkeys("edcba")) == "could not read a, b, c and 2 more files"
