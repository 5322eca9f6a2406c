"""An order as a Workflow for Argo: complete in itself, and with no secret that nobody granted."""

import pytest

from gitwf import ports
from gitwf.adapters.kubernetes import submission
from gitwf.errors import Rejected
from gitwf.values import Instant
from gitwf.workflow.document import load, resolve

FILES = {
    "wf.yaml": """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: main, labels: {team: a}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: window, value: "90"}]}
  volumes: [{name: keys, secret: {secretName: store}}]
  templates:
  - name: main
    steps:
    - - {name: own, template: own}
      - {name: other, templateRef: {name: shared, template: outer}}
  - name: own
    container: {image: i, command: [c]}
  - name: asks
    container:
      image: i
      command: [c]
      env: [{name: P, valueFrom: {secretKeyRef: {name: db, key: password}}}]
  - name: mounts
    container: {image: i, command: [c], volumeMounts: [{name: keys, mountPath: /k}]}
  - name: never
    container: {image: i, command: [c]}
""",
    "shared.yaml": """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: shared}
spec:
  templates:
  - name: outer
    dag: {tasks: [{name: t, template: own}]}
  - name: own
    container: {image: theirs, command: [c]}
""",
}


CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: ["0 3 * * *"]
  workflowSpec: {entrypoint: main, templates: [{name: main, suspend: {}}]}
"""


def order(run="m-abc-1", **more):
    loaded = load.load({name: text.encode() for name, text in FILES.items()})
    workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)
    return ports.Order(run, "main", workflow, more.pop("parameters", {}), **more)


def templates(manifest):
    return {one["name"]: one for one in manifest["spec"]["templates"]}


def test_the_run_of_a_cron_workflow_says_for_when_it_was_made():
    loaded = load.load({"cron.yaml": CRON.encode()})
    workflow = resolve.resolve(loaded.runnable("cron.yaml"), loaded)
    asked = ports.Order("n-1", "nightly", workflow, {})

    made = submission.of(asked, submission.Terms(), at=Instant.parse("2026-01-02T03:00:00Z"))

    due = made["metadata"]["annotations"]["workflows.argoproj.io/scheduled-time"]
    assert due == "2026-01-02T03:00:00Z"


def test_templates_of_other_documents_are_taken_in_under_names_of_their_own():
    made = templates(submission.of(order(), submission.Terms()))

    assert sorted(made) == ["main", "namespaced.shared.outer", "namespaced.shared.own", "own"]
    calls = [call for group in made["main"]["steps"] for call in group]
    assert calls == [
        {"name": "own", "template": "own"},
        {"name": "other", "template": "namespaced.shared.outer"},
    ]
    (task,) = made["namespaced.shared.outer"]["dag"]["tasks"]
    assert task == {"name": "t", "template": "namespaced.shared.own"}
    assert made["namespaced.shared.own"]["container"]["image"] == "theirs"


def test_parameters_go_before_the_workflows_own():
    given = order(parameters={"window": "30", "model": "m-v1"})

    assert submission.of(given, submission.Terms())["spec"]["arguments"]["parameters"] == [
        {"name": "window", "value": "30"},
        {"name": "model", "value": "m-v1"},
    ]


def test_the_name_is_the_runs_so_that_a_second_submission_meets_the_first():
    assert submission.name("m-abc-1") == "m-abc-1"
    assert submission.name("M_abc") == submission.name("M_abc")
    assert submission.name("M_abc") != submission.name("m_abc")
    assert len(submission.name("m" * 80)) <= 63


def test_account_and_time_to_live_are_given_where_the_document_says_nothing():
    spec = submission.of(order(), submission.Terms("trainer"))["spec"]

    assert spec["serviceAccountName"] == "trainer"
    assert spec["ttlStrategy"] == {"secondsAfterCompletion": 86400}


@pytest.mark.parametrize(("entrypoint", "secret"), [("asks", "db"), ("mounts", "store")])
def test_a_secret_that_the_policy_does_not_grant_is_refused_at_its_place(entrypoint, secret):
    with pytest.raises(Rejected) as caught:
        submission.of(order(entrypoint=entrypoint), submission.Terms())

    (problem,) = caught.value.diagnostics
    assert problem.file == "wf.yaml"
    assert problem.line > 1
    assert problem.message == (
        f"template '{entrypoint}': the policy does not grant it the secret '{secret}'"
    )


ROUNDABOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: main}
spec: {entrypoint: main, volumes: [{name: v, VOLUME}], templates: [{name: main, IN, POD}], OF_ALL}
"""
MOUNTS = "container: {image: i, command: [c], volumeMounts: [{name: v, mountPath: /v}]}"
KEYED = "s3: {key: k, accessKeySecret: {name: db, key: k}}"


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("the secret 'db'", {"VOLUME": "projected: {sources: [{secret: {name: db}}]}"}),
        ("the secret 'db'", {"VOLUME": "azureFile: {secretName: db, shareName: s}"}),
        ("the secret 'db'", {"VOLUME": "csi: {driver: d, nodePublishSecretRef: {name: db}}"}),
        (
            "the secret 'db'",
            {
                "VOLUME": "secret: {secretName: db}",
                "IN": "inputs: {parameters: [{name: p, value: v}]}",
                "POD": MOUNTS.replace("name: v", 'name: "{{inputs.parameters.p}}"'),
            },
        ),
        (
            "the secret 'db'",
            {
                "IN": "inputs: {artifacts: [{name: a, path: /a}]}",
                "OF_ALL": f"arguments: {{artifacts: [{{name: a, {KEYED}}}]}}",
            },
        ),
        (
            "the secret 'db'",
            {"OF_ALL": "templateDefaults: {container: {envFrom: [{secretRef: {name: db}}]}}"},
        ),
        ("a podSpecPatch", {"OF_ALL": "podSpecPatch: '{}'"}),
        ("a podSpecPatch", {"POD": f"podSpecPatch: '{{}}', {MOUNTS}"}),
        ("a manifest", {"POD": "resource: {action: create, manifest: '{}'}"}),
    ],
)
def test_a_secret_is_found_wherever_a_pod_could_get_it_from(asked, parts):
    plain = {
        "VOLUME": "emptyDir: {}",
        "IN": "inputs: {}",
        "POD": MOUNTS,
        "OF_ALL": "parallelism: 1",
    }
    text = ROUNDABOUT
    for name, part in {**plain, **parts}.items():
        text = text.replace(name, part, 1)
    loaded = load.load({"wf.yaml": text.encode()})
    workflow = resolve.resolve(loaded.runnable("wf.yaml"), loaded)

    with pytest.raises(Rejected) as caught:
        submission.of(ports.Order("r", "main", workflow, {}), submission.Terms())

    (problem,) = caught.value.diagnostics
    assert problem.message == f"template 'main': the policy does not grant it {asked}"


@pytest.mark.parametrize(("entrypoint", "secret"), [("asks", "db"), ("mounts", "store")])
def test_a_secret_that_is_granted_is_submitted(entrypoint, secret):
    granted = {f"wf.yaml#{entrypoint}": frozenset({secret})}

    spec = submission.of(order(entrypoint=entrypoint, granted=granted), submission.Terms())["spec"]

    assert spec["entrypoint"] == entrypoint


def test_a_grant_to_one_template_is_none_to_another():
    granted = {"wf.yaml#own": frozenset({"db"})}

    with pytest.raises(Rejected):
        submission.of(order(entrypoint="asks", granted=granted), submission.Terms())
