"""What the local engine does not run is refused by name and place, before anything runs."""

import pytest

from gitwf.workflow.document import load, resolve, unsupported

LEAF = "- {name: main, container: {image: i}"


def test_an_object_of_the_workflows_own_repository_is_known_by_its_key_alone(resolved):
    artifacts = "inputs: {artifacts: [{name: a, path: /a, s3: {key: k}}]}"
    whole = resolved(f"entrypoint: main\ntemplates:\n{LEAF}, {artifacts}}}\n")
    assert unsupported.check(whole) == []


@pytest.mark.parametrize(
    ("spec", "line", "name"),
    [
        ("templates:\n- {name: main, resource: {action: get}}\n", 6, "resource"),
        (f"templates:\n{LEAF}, daemon: true}}\n", 6, "daemon"),
        (f"templateDefaults: {{daemon: true}}\ntemplates:\n{LEAF}}}\n", 5, "daemon"),
        (f"templates:\n{LEAF}, sidecars: [{{name: s}}]}}\n", 6, "sidecars"),
        (
            f"templates:\n{LEAF}, memoize: {{key: k}}, outputs: {{artifacts: [{{name: a}}]}}}}\n",
            6,
            "memoize",
        ),
        (
            f"synchronization: {{mutexes: [{{name: m, database: true}}]}}\ntemplates:\n{LEAF}}}\n",
            5,
            "database",
        ),
        (f"volumes: [{{name: v, hostPath: {{path: /}}}}]\ntemplates:\n{LEAF}}}\n", 5, "hostPath"),
        (
            f"templates:\n{LEAF},\n   inputs: {{artifacts: [{{name: a, path: /a, s3: {{key: k, bucket: b}}}}]}}}}\n",
            7,
            "s3",
        ),
        (
            "templates:\n- name: main\n  steps:\n  - - {name: a, inline: {plugin: {}}}\n",
            8,
            "plugin",
        ),
    ],
)
def test_a_field_that_is_not_run_is_refused_by_name(resolved, spec, line, name):
    [one] = unsupported.check(resolved("entrypoint: main\n" + spec))

    assert one.is_error
    assert one.line == line + 1
    assert one.message.startswith(f"the local engine does not run `{name}`")
    assert one.hint == "runs on the Argo engine"


def test_what_only_places_pods_is_ignored_with_a_warning(resolved):
    spec = f"""\
    entrypoint: main
    ttlStrategy: {{secondsAfterCompletion: 5}}
    templates:
    {LEAF}, nodeSelector: {{a: b}}}}
    """
    found = unsupported.check(resolved(spec))

    assert [(one.severity, one.line, one.message) for one in found] == [
        ("warning", 6, "the local engine ignores `ttlStrategy`"),
        ("warning", 8, "the local engine ignores `nodeSelector`"),
    ]


def test_locks_of_a_template_are_said_to_count_within_one_run(resolved):
    spec = f"entrypoint: main\ntemplates:\n{LEAF}, synchronization: {{mutexes: [{{name: m}}]}}}}\n"
    [one] = unsupported.check(resolved(spec))

    assert (one.severity, one.line) == ("warning", 7)
    assert one.message.startswith("the locks of a template count within one run here")


def test_a_cache_that_a_document_fills_is_said_to_be_another(resolved):
    spec = f"""\
    entrypoint: main
    templates:
    {LEAF}, memoize: {{key: k, cache: {{configMap: {{name: memory}}}}}}}}
    """
    filled = """\
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: memory}
    data: {k: '{"nodeID": "n"}'}
    """

    assert unsupported.check(resolved(spec)) == []
    [one] = unsupported.check(resolved(spec, filled))
    assert (one.severity, one.line) == ("warning", 7)
    assert one.message.startswith("what the ConfigMap `memory` holds is not found here")


@pytest.mark.parametrize(
    ("kind", "lock", "other"),
    [
        ("mutexes", "{name: m}", "{name: n1}"),
        (
            "semaphores",
            "{configMapKeyRef: {name: c, key: k}}",
            "{configMapKeyRef: {name: c, key: k2}}",
        ),
    ],
)
def test_a_lock_that_the_workflow_holds_all_along_is_told_where_a_template_asks_for_it(
    resolved, kind, lock, other
):
    spec = f"""\
    entrypoint: main
    synchronization: {{{kind}: [{lock}]}}
    templates:
    {LEAF}, synchronization: {{{kind}: [{other}, {lock}]}}}}
    """
    _, one = unsupported.check(resolved(spec))

    assert (one.severity, one.line) == ("warning", 8)
    assert one.message.startswith("the workflow holds ")


def test_a_template_out_of_reach_may_be_for_argo_alone(resolved):
    spec = f"""\
    entrypoint: main
    templates:
    {LEAF}, daemon: false}}
    - {{name: other, resource: {{action: get}}}}
    """
    assert unsupported.check(resolved(spec)) == []


def test_what_the_engine_runs_is_not_refused(resolved):
    spec = """\
    entrypoint: main
    volumes: [{name: v, emptyDir: {}}, {name: s, secret: {secretName: s}}]
    hooks: {late: {template: main, expression: "true"}}
    templates:
    - name: main
      steps: [[{name: a, inline: {suspend: {duration: 1s}}, hooks: {exit: {template: leaf}}}]]
    - name: leaf
      retryStrategy: {limit: 2}
      inputs: {artifacts: [{name: a, path: /a, raw: {data: x}}]}
      script: {image: i, source: a, env: [{name: E, valueFrom: {secretKeyRef: {name: s, key: k}}}]}
    """
    assert unsupported.check(resolved(spec)) == []


def test_what_says_when_a_cron_workflow_is_due_earns_a_warning_each():
    source = """\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: c}
spec:
  schedules: ["0 3 * * *"]
  timezone: Asia/Tokyo
  concurrencyPolicy: Replace
  startingDeadlineSeconds: 60
  suspend: true
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 1
  when: "{{=cronworkflow.failed < 3}}"
  stopStrategy: {expression: "cronworkflow.succeeded >= 1"}
  workflowMetadata: {labels: {team: ads}}
  workflowSpec: {entrypoint: a, templates: [{name: a, suspend: {}}]}
"""
    loaded = load.load({"c.yaml": source.encode()})
    whole = resolve.resolve(loaded.runnable("c.yaml"), loaded)

    found = unsupported.check(whole)

    lines = source.splitlines()
    assert [lines[one.line - 1].split(":")[0].strip() for one in found] == [
        "schedules", "timezone", "concurrencyPolicy", "startingDeadlineSeconds", "suspend",
        "successfulJobsHistoryLimit", "failedJobsHistoryLimit", "when", "stopStrategy",
    ]  # fmt: skip
    assert {one.severity for one in found} == {"warning"}
    assert found[0].message == (
        "`schedules` starts and stops nothing here: the workflow runs when it is asked for"
    )
    assert whole.labels == {"team": "ads"}


def test_a_value_that_is_no_text_is_refused_at_its_key_where_a_template_reads_it():
    source = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: m}
data: {word: a}
binaryData: {bytes: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {word: YQ==, bytes: /w==}
---
apiVersion: v1
kind: Secret
metadata: {name: of-nobody}
data: {bytes: /w==}
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  entrypoint: main
  volumes: [{name: v, configMap: {name: m}}]
  templates:
  - name: main
    container: {image: i, envFrom: [{secretRef: {name: s}}]}
"""
    loaded = load.load({"w.yaml": source.encode()})
    found = unsupported.check(resolve.resolve(loaded.runnable("w.yaml"), loaded))

    message = "the local engine does not read `bytes`: its bytes are no text"
    assert [(one.line, one.column, one.message) for one in found] == [
        (5, 14, message),
        (10, 20, message),
    ]
