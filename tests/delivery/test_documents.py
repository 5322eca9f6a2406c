"""Each mistake in gitwf's own documents is named with its line and column, all in one go."""

import json

import pytest

from gitwf.delivery import document, pipeline, project, release, schema
from gitwf.errors import Rejected

PROJECT = """\
apiVersion: gitwf.dev/v1
kind: Project
metadata: {name: shop}
spec:
  engine: {name: local}
  store: file:store
  environments:
    production:
      local: {port: 8501}
  policy:
    secrets:
      pipelines/x/workflow.yaml#import: [db]
"""
PIPELINE = """\
apiVersion: gitwf.dev/v1
kind: Pipeline
metadata: {name: ad-effect}
spec:
  workflow: workflow.yaml
  triggers:
    paths: [".", /data/ads]
    schedule: {cron: "0 3 * * *", timezone: Asia/Tokyo}
  parameters: {window: 90}
  model:
    artifact: model
    metrics: metrics
    gates: ["metrics.mape < 0.25"]
  deploy:
  - environment: staging
    manifests: /manifests/viewer
  - environment: production
    manifests: /manifests/viewer
    promote: {after: staging, soak: 1h}
"""
RELEASE = """\
apiVersion: gitwf.dev/v1
kind: Release
metadata: {model: ad-effect, environment: production}
spec: {version: 42, uri: "s3://m/x", digest: "sha256:%s", hold: {versions: []}}
""" % ("a" * 64)
MODELS = {"project": project.Project, "pipeline": pipeline.Pipeline, "release": release.Release}
TEXTS = {"project": PROJECT, "pipeline": PIPELINE, "release": RELEASE}

BROKEN = [
    ("project", "kind: Project", "kind: Projekt", "f:2:7: `kind` must be"),
    ("project", "gitwf.dev/v1", "gitwf.dev/v2", "f:1:13: `apiVersion` must be"),
    ("project", "  store: file:store\n", "", "f:5:3: `spec`: `store` is required"),
    ("project", "file:store", "https://user:word@host", "f:6:10: `store` must be file:FOLDER"),
    ("project", "engine: {name: local}", "engine: {name: dagster}", "f:5:18: `name` must be"),
    ("project", "engine:", "engin:", "f:5:3: unknown field `engin` (did you mean `engine`?)"),
    ("project", "port: 8501", "port: 99999", "f:9:21: `port` must be"),
    ("project", "local: {port: 8501}", "{}", "f:9:7: `production` must name exactly one target"),
    ("project", "production:", "Production:", "`Production` must be a name of lower-case"),
    ("project", "yaml#import:", "yaml:", "must be a template as file#template"),
    ("project", "[db]", "db", "f:12:41: `pipelines/x/workflow.yaml#import` must be a list"),
    ("pipeline", "workflow: workflow.yaml", "workflow: ../../x.yaml", "f:5:13: `workflow` must be"),
    ("pipeline", "name: ad-effect", "name: Ad Effect", "f:3:18: `name` must be a name"),
    ("pipeline", "gates: [", "gate: [", "f:13:5: unknown field `gate` (did you mean `gates`?)"),
    ("pipeline", "    artifact: model\n", "", "`artifact` is required"),
    ("pipeline", "soak: 1h", "soak: soon", "f:19:37: `soak` must be a duration"),
    ("pipeline", "after: staging", "after: canary", "must deploy to canary before"),
    (
        "pipeline",
        "environment: production",
        "environment: staging",
        "must deploy to staging only once",
    ),
    (
        "pipeline",
        "  - environment: staging\n    manifests: /manifests/viewer\n",
        "  - environment: staging\n    manifests: /m\n    template: t\n",
        "f:15:5: item 1 of `deploy` must have exactly one of manifests, deployment and template",
    ),
    ("pipeline", "{window: 90}", "{window: [90]}", "f:9:24: `window` must be"),
    ("release", "version: 42", "version: null", "must name version, uri and digest together"),
    ("release", "version: 42", "version: 0", "f:4:17: `version` must be"),
    ("release", "version: 42", 'version: "42"', "f:4:17: `version` must be"),
    ("release", "sha256:a", "sha1:a", "`digest` must be a digest"),
    ("release", "hold: {versions: []}", "hold: {version: []}", "did you mean `versions`?"),
]


@pytest.mark.parametrize("kind", TEXTS)
def test_a_sound_document_is_read(kind):
    found = document.load(MODELS[kind], TEXTS[kind], "f")

    assert found.kind == kind.capitalize()


@pytest.mark.parametrize(("kind", "old", "new", "message"), BROKEN)
def test_a_mistake_is_named_at_its_place(kind, old, new, message):
    assert old in TEXTS[kind]

    with pytest.raises(Rejected) as caught:
        document.load(MODELS[kind], TEXTS[kind].replace(old, new), "f")

    assert message in str(caught.value)


def test_all_mistakes_are_named_at_once():
    broken = PIPELINE.replace("gates:", "gate:").replace("1h", "soon").replace("artifact", "art")

    with pytest.raises(Rejected) as caught:
        document.load(pipeline.Pipeline, broken, "f")

    assert len(caught.value.diagnostics) == 4


def test_absent_fields_have_the_defaults_that_are_documented():
    found = document.load(
        pipeline.Pipeline,
        "{apiVersion: gitwf.dev/v1, kind: Pipeline, metadata: {name: a}, spec: {workflow: w}}",
        "f",
    ).spec

    assert found.triggers.paths == (".",)
    assert found.triggers.ignore == ("**/*.md", "viewer/**")
    assert found.supersede == "cancel"


def test_a_number_is_a_parameter_as_argo_reads_it():
    assert document.load(pipeline.Pipeline, PIPELINE, "f").spec.parameters == {"window": "90"}


@pytest.mark.parametrize(
    ("path", "rooted"),
    [
        (".", "pipelines/a"),
        ("x.py", "pipelines/a/x.py"),
        ("/data", "data"),
        ("/", "."),
        ("../b", "pipelines/b"),
        ("viewer/**", "pipelines/a/viewer/**"),
    ],
)
def test_a_path_is_the_pipelines_or_the_roots(path, rooted):
    assert pipeline.rooted(path, "pipelines/a/pipeline.yaml") == rooted


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("500ms", 0.5)]
)
def test_a_duration_is_read(text, seconds):
    assert document.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "-1s", "1w"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="not a duration"):
        document.seconds(text)


def test_a_secret_is_granted_to_one_template():
    found = document.load(project.Project, PROJECT, "f")

    assert found.spec.policy.granted() == {"pipelines/x/workflow.yaml#import": frozenset({"db"})}


def test_a_release_file_that_lies_about_its_place_is_refused():
    with pytest.raises(Rejected, match=r"models/ad-effect/production\.yaml"):
        release.load(RELEASE.encode(), "models/ad-effect/staging.yaml")


def test_a_number_is_a_parameter_for_an_editor_too():
    found = schema.schema("pipeline")["definitions"]["Spec"]["properties"]["parameters"]

    assert found["additionalProperties"] == {"type": ["string", "number", "boolean"]}


@pytest.mark.parametrize("kind", schema.KINDS)
def test_a_schema_keeps_to_draft_7(kind):
    text = json.dumps(schema.schema(kind))

    assert schema.schema(kind)["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "$defs" not in text
    assert "prefixItems" not in text
    assert '"gitwf.dev/v1"' in text
