"""What the four pipelines' documents promise, whatever engine runs them."""

import pathlib
import re

import pytest

from gitwf.delivery import pipeline as pipelines
from gitwf.text import models, yaml_reader
from gitwf.workflow.document import load, resolve, validate

NAMES = ["ad-effect", "bandit", "job-ranking", "ml-workflow"]
PIPELINES = pathlib.Path(__file__).parents[2] / "pipelines"


def templates(workflow):
    return {template["name"]: template for template in workflow["spec"]["templates"]}


def commands(template):
    work = template.get("container") or template.get("script") or {}
    return "\n".join(str(part) for part in [*work.get("args", []), work.get("source", "")])


def holders(workflow):
    """Names of the templates that ask for a secret."""
    return {
        name for name, template in templates(workflow).items() if "secretKeyRef" in str(template)
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_pipeline_is_accepted(name):
    path = PIPELINES / name / "pipeline.yaml"

    document = yaml_reader.read_one(path.read_bytes(), "pipeline.yaml")
    found, mistakes = models.check(pipelines.Pipeline, document)

    assert mistakes == []
    assert name == found.name


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_is_accepted_without_a_warning(name):
    path = PIPELINES / name / "workflow.yaml"

    catalogue = load.load({"workflow.yaml": path.read_bytes()}, asked=["workflow.yaml"])
    whole = resolve.resolve(catalogue.runnable("workflow.yaml"), catalogue)

    assert validate.validate(whole) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_one_global_artifact_that_is_not_packed(documents, name):
    pipeline, workflow = documents(name)
    outputs = [t.get("outputs", {}) for t in workflow["spec"]["templates"]]

    artifacts = [a for out in outputs for a in out.get("artifacts", []) if "globalName" in a]
    parameters = [p for out in outputs for p in out.get("parameters", []) if "globalName" in p]

    assert [(pipeline["spec"]["model"]["artifact"], {"none": {}})] == [
        (artifact["globalName"], artifact["archive"]) for artifact in artifacts
    ]
    assert [pipeline["spec"]["model"]["metrics"]] == [p["globalName"] for p in parameters]


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_a_step_names_is_there(documents, name):
    _, workflow = documents(name)

    named = set(re.findall(r"/src/(pipelines/[\w./-]+)", str(workflow)))

    assert named
    assert {path for path in named if not (PIPELINES.parent / path).exists()} == set()


@pytest.mark.parametrize("name", NAMES)
def test_parameters_of_the_pipeline_are_parameters_of_its_workflow(documents, name):
    pipeline, workflow = documents(name)

    known = {parameter["name"] for parameter in workflow["spec"]["arguments"]["parameters"]}

    assert set(pipeline["spec"].get("parameters", {})) <= known
    assert set(re.findall(r"{{workflow\.parameters\.([\w-]+)}}", str(workflow))) <= known


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ad-effect", set()),
        ("ml-workflow", {"load-dataset"}),
        ("job-ranking", {"import-to-db"}),
        ("bandit", {"list-experiments", "save-weights"}),
    ],
)
def test_only_the_steps_that_speak_to_the_database_ask_for_its_password(documents, name, expected):
    _, workflow = documents(name)

    readme = (PIPELINES / name / "README.md").read_text(encoding="utf-8")
    granted = set(re.findall(rf"pipelines/{name}/workflow\.yaml#([\w-]+): \[db\]", readme))

    assert expected == holders(workflow)
    assert expected == granted


@pytest.mark.parametrize(
    ("name", "template", "line"),
    [
        (
            "ad-effect",
            "update-viewer",
            "kubectl set env deployment/viewer-app MODEL={{workflow.parameters.model}}",
        ),
        (
            "ml-workflow",
            "load-dataset",
            "psql db -c 'SELECT * FROM dataset' -A -F, > dataset.csv",
        ),
        ("ml-workflow", "train-model", "python train_model.py --model={{inputs.parameters.model}}"),
    ],
)
def test_the_command_stands_there_as_it_is_known(documents, name, template, line):
    _, workflow = documents(name)

    assert commands(templates(workflow)[template]) == line + "\n"


def test_two_models_are_trained_in_parallel_from_one_template(documents):
    _, workflow = documents("ml-workflow")

    group = templates(workflow)["main"]["steps"][1]

    assert [step["template"] for step in group] == ["train-model", "train-model"]
    assert [step["arguments"]["parameters"] for step in group] == [
        [{"name": "model", "value": "model1"}],
        [{"name": "model", "value": "model2"}],
    ]


def test_the_bandit_runs_once_for_each_item_of_a_list_read_from_a_file(documents):
    _, workflow = documents("bandit")

    step = templates(workflow)["main"]["steps"][1][0]
    output = templates(workflow)["list-experiments"]["outputs"]["parameters"][0]

    assert step["withParam"] == "{{steps.list-experiments.outputs.parameters.experiments}}"
    assert step["arguments"]["parameters"][0]["value"] == "{{item.experimentId}}"
    assert output == {"name": "experiments", "valueFrom": {"path": "/output/experiments.json"}}


def test_the_rollout_template_is_not_part_of_the_run(documents):
    _, workflow = documents("ad-effect")

    steps = [step["template"] for group in templates(workflow)["main"]["steps"] for step in group]

    assert steps == ["estimate", "upload-model"]


@pytest.mark.parametrize(
    ("pipeline", "name", "args"),
    [
        ("ad-effect", "estimate", ["--adverts", "binary"]),
        ("ml-workflow", "train_model", ["--model=model1", "--dataset", "binary"]),
        ("ml-workflow", "choose_model", ["binary"]),
        ("job-ranking", "train_model", ["--resumes", "binary"]),
        ("job-ranking", "predict_rates", ["--model", "binary"]),
        ("bandit", "calc_weights", ["--experiment=1", "--arms", "binary"]),
        ("bandit", "join_weights", ["binary"]),
    ],
)
def test_a_file_that_is_no_text_gets_a_message(call, tmp_path, pipeline, name, args):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    done = call(pipeline, name, *args)

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name}: binary")
    assert "can't decode byte 0xff" in done.stderr


@pytest.mark.parametrize(
    "script",
    [
        path.relative_to(PIPELINES)
        for path in sorted(PIPELINES.glob("*/*.py"))
        if "__main__" in path.read_text(encoding="utf-8")
    ],
    ids=lambda path: path.as_posix(),
)
def test_every_program_explains_itself(call, script):
    done = call(script.parts[0], script.stem, "--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: {script.name}" in done.stdout
