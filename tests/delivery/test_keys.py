"""What changes a run key and what does not, and the words for it."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.delivery import keys, pipeline, project
from gitwf.values import ObjectId
from gitwf.workflow.document import load, resolve

FILE = "pipelines/ad-effect/pipeline.yaml"
WORKFLOW = "pipelines/ad-effect/workflow.yaml"
SETTINGS = project.Project.model_validate_json(
    json.dumps(
        {
            "apiVersion": "gitwf.dev/v1",
            "kind": "Project",
            "metadata": {"name": "p"},
            "spec": {"store": "file:store"},
        }
    )
)
TEXT = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: ad-effect-
spec:
  entrypoint: main
  templates:
  - name: main
    steps:
    - - name: estimate
        template: estimate
  - name: estimate
    container: {image: python, command: [python, estimate.py]}
  - name: update-viewer
    container: {image: kubectl, command: [kubectl]}
"""
FILES = {
    FILE: "pipeline",
    WORKFLOW: TEXT,
    "pipelines/ad-effect/README.md": "read me",
    "pipelines/ad-effect/estimate.py": "print(1)",
    "pipelines/ad-effect/viewer/app.R": "shiny",
    "pipelines/other/pipeline.yaml": "another",
    "data/ads/sales.csv": "1,2",
    "models/ad-effect/production.yaml": "version: 1",
    "gitwf.yaml": "project",
}


def document(**spec):
    return pipeline.Pipeline.model_validate_json(
        json.dumps(
            {
                "apiVersion": "gitwf.dev/v1",
                "kind": "Pipeline",
                "metadata": {"name": "ad-effect"},
                "spec": {
                    "workflow": "workflow.yaml",
                    "triggers": {"paths": [".", "/data/ads"]},
                    "parameters": {"window": "90"},
                    "model": {"artifact": "model", "gates": ["metrics.mape < 0.25"]},
                    **spec,
                },
            }
        )
    )


def parts(files=FILES, found=None):
    own = load.load({WORKFLOW: files[WORKFLOW].encode()})
    workflow = resolve.resolve(own.runnable(WORKFLOW), own)

    def listing(path):
        for name, content in sorted(files.items()):
            if path in (".", name) or name.startswith(path + "/"):
                yield name, ObjectId(hashlib.sha1(content.encode()).hexdigest())

    return keys.parts(
        found or document(),
        FILE,
        settings=SETTINGS,
        workflow=keys.workflow_parts(workflow.canonical()),
        workflow_files=frozenset({WORKFLOW}),
        listing=listing,
    )


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("pipelines/ad-effect/README.md", "read me again"),
        ("pipelines/ad-effect/docs/deep/NOTES.md", "new"),
        ("pipelines/ad-effect/viewer/app.R", "shinier"),
        ("pipelines/ad-effect/viewer/www/logo.svg", "<svg/>"),
        (FILE, "a gate was edited"),
        ("pipelines/other/pipeline.yaml", "edited"),
        ("models/ad-effect/production.yaml", "version: 2"),
        ("gitwf.yaml", "another policy"),
        ("unrelated/code.py", "1"),
        (
            WORKFLOW,
            "# a comment\n" + TEXT.replace("[python, estimate.py]", '["python","estimate.py"]'),
        ),
        (WORKFLOW, TEXT.replace("command: [kubectl]", "command: [kubectl, set, env]")),
    ],
)
def test_the_key_stays_when_this_is_edited(path, content):
    assert parts({**FILES, path: content}).key() == parts().key()


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("pipelines/ad-effect/estimate.py", "print(2)", "pipelines/ad-effect/estimate.py changed"),
        ("pipelines/ad-effect/new.py", "1", "pipelines/ad-effect/new.py added"),
        ("data/ads/sales.csv", "1,3", "data/ads/sales.csv changed"),
        (WORKFLOW, TEXT.replace("image: python,", "image: python:3,"), "template local/estimate"),
        (WORKFLOW, TEXT.replace("ad-effect-", "other-"), "workflow: metadata changed"),
    ],
)
def test_the_key_changes_and_says_why_when_this_is_edited(path, content, words):
    old, new = parts(), parts({**FILES, path: content})

    assert old.key() != new.key()
    assert words in "; ".join(keys.explain(old, new))


def test_a_parameter_changes_the_key_and_both_values_are_named():
    old, new = parts(), parts(found=document(parameters={"window": 60}))

    assert keys.explain(old, new) == ("parameters.window: 90 -> 60",)
    assert old.key() != new.key()


def test_a_gate_or_a_schedule_is_no_part_of_the_key():
    edited = document(
        model={"artifact": "model", "gates": ["metrics.r2 > 0"]},
        triggers={"paths": [".", "/data/ads"], "schedule": {"cron": "0 3 * * *"}},
    )

    assert parts(found=edited).key() == parts().key()


def test_an_occasion_makes_another_key_of_the_same_parts():
    made = parts()

    assert len({made.key(), made.key("2026-11-23T03:00:00Z"), made.key("retrain-1")}) == 3


def test_the_parts_come_back_from_the_ledger():
    made = parts()
    kept = json.loads(json.dumps(made.body("x")))

    assert keys.KeyParts.read(kept) == made
    assert kept["base"] == made.base


def test_an_input_of_many_files_is_outlined_by_folder():
    many = {f"data/ads/{index % 3}/{index}.csv": str(index) for index in range(300)}
    old = parts({**FILES, **many})
    new = parts({**FILES, **many, "data/ads/1/1.csv": "changed"})

    assert len(old.outline) < 20
    assert keys.explain(old, new) == ("data/ads/1 changed",)


names = st.text("abc", min_size=1, max_size=3)
inputs = st.dictionaries(names, st.text("01", min_size=1, max_size=2), max_size=4)
made = st.builds(keys.KeyParts, workflow=inputs, parameters=inputs, inputs=inputs)


@given(made, made)
def test_keys_are_equal_exactly_when_the_parts_are(one, other):
    assert (one.key() == other.key()) == (one == other)


@given(made, made)
def test_whatever_differs_is_named(one, other):
    assert bool(keys.explain(one, other)) == (one != other)
