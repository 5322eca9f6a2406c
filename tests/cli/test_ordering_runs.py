"""What is ordered on the command line: a file, its parameters, the name and form of the result."""

import json
import subprocess
import sys

import pytest
import yaml

from tests.cli import running

slow = pytest.mark.slow


def test_a_dry_run_shows_what_would_run_and_starts_nothing(gitwf, place):
    told = gitwf("run", "wf.yaml", "--dry-run")

    assert told.code == 0
    assert told.out == (
        "◷ toy  steps main\n"
        "├── ◷ each(0:1)  container say  m=one 1\n"
        "├── ◷ each(1:2)  container say  m=one 2\n"
        "├── ◷ ask  suspend ask\n"
        "├── ◷ check  container check  m=?\n"
        "└── ◷ toy.onExit  container bye\n"
    )
    assert not (place / "state").exists()


def test_a_dry_run_is_told_to_programs_too(gitwf, place):
    entry, handler = json.loads(gitwf("run", "wf.yaml", "--dry-run", "-o", "json").out)

    assert (entry["name"], handler["name"]) == ("toy", "toy.onExit")
    assert entry["inside"][-1]["inputs"] == {"m": None}
    assert yaml.safe_load(gitwf("run", "wf.yaml", "--dry-run", "-o", "yaml").out)[0] == entry


def test_parameters_come_from_a_file_and_p_goes_before_it(gitwf, place):
    (place / "p.yaml").write_text("p: 3.10\nl: [{a: yes}, null]\n", "utf-8")
    entry, _ = json.loads(
        gitwf("run", "wf.yaml", "--dry-run", "-o", "json", "-f", "p.yaml", "-p", "p=mine").out
    )
    first, second = (one["inputs"]["m"] for one in entry["inside"][:2])
    assert (first, second) == ('mine {"a":true}', "mine null")

    entry, _ = json.loads(gitwf("run", "wf.yaml", "--dry-run", "-o", "json", "-f", "p.yaml").out)
    assert entry["inside"][1]["inputs"] == {"m": "3.1 null"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- p\n", "p.yaml:1:1: a parameter file is a mapping of name to value"),
        ("p: 1\np: 2\n", "p.yaml:2:1"),
        ("", "p.yaml: the file is empty"),
        ("p: .inf\n", "p.yaml:1:4: "),
    ],
)
def test_a_parameter_file_that_is_wrong_is_refused_at_its_place(gitwf, place, text, said):
    (place / "p.yaml").write_text(text, "utf-8")
    told = gitwf("run", "wf.yaml", "-f", "p.yaml")

    assert (told.code, told.err[: len(said)]) == (2, said)
    assert not (place / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quik.yaml"], "quik.yaml: there is no such file (did you mean `quick.yaml`?)\n"),
        (["gone/wf"], "gone/wf: there is no such file\n"),
        (["wf.yaml", "-p", "pp=1"], "Error: wf.yaml has no parameter pp\n"),
        (["wf.yaml", "-p", "ll=1", "-p", "l=2"], "Error: wf.yaml has no parameter ll\n"),
    ],
)
def test_a_file_or_a_parameter_that_is_none_is_refused(gitwf, place, arguments, said):
    told = gitwf("run", *arguments)

    assert (told.code, told.out, told.err[-len(said) :]) == (2, "", said)
    assert not (place / "state").exists()


def test_a_folder_is_said_to_be_one(gitwf, place):
    (place / "flows").mkdir()

    assert gitwf("run", "flows").err.startswith("error: flows is a folder, and no pipeline of that")


@pytest.mark.parametrize(
    "use",
    [
        "{{workflow.parameters.free}}",
        "{{=workflow.parameters['free']}}",
        "{{=workflow.parameters.free + '!'}}",
        "{{workflow.parameters}}",
        "{{=toJson(workflow.parameters)}}",
    ],
)
def test_a_parameter_that_is_used_needs_no_declaration(gitwf, place, use):
    text = running.WORKFLOW.replace("{{inputs.parameters.m}}", use, 1)
    running.write(place, "free.yaml", text)

    assert gitwf("run", "free.yaml", "--dry-run", "-p", "free=1").code == 0


def test_a_parameter_of_the_template_that_is_begun_at_is_taken(gitwf, place):
    told = gitwf("run", "wf.yaml", "--entrypoint", "say", "-p", "m=hello", "--dry-run")

    assert told.out.splitlines()[0] == "◷ toy  container say  m=hello"


def test_a_file_beside_it_that_cannot_be_read_matters_where_something_is_missing(gitwf, place):
    # Opens as a file, and fails to be read for every user.
    (place / "beside.yaml").symlink_to("/proc/self/mem")
    lost = running.WORKFLOW.replace("template: check,", "templateRef: {name: lib, template: x},")
    running.write(place, "lost.yaml", lost)

    assert gitwf("run", "wf.yaml", "--dry-run").code == 0
    told = gitwf("run", "lost.yaml", "--dry-run")
    assert (told.code, told.out) == (2, "")
    assert told.err.endswith("template reference lib.x not found (could not read beside.yaml)\n")


def test_a_workflow_is_read_from_standard_input(place):
    told = subprocess.run(
        [sys.executable, "-m", "gitwf", "run", "-", "--dry-run"],
        cwd=place, input=(place / "wf.yaml").read_bytes(), capture_output=True, check=True,
    )  # fmt: skip

    assert told.stdout.decode().startswith("◷ toy  steps main\n├── ◷ each(0:1)")


def test_a_run_may_have_another_name(gitwf, place):
    (place / "ok").touch()
    done = json.loads(gitwf("run", "quick.yaml", "--name", "other", "-o", "json").out)

    assert done["metadata"]["name"] == "other"
    assert done["status"]["nodes"]["other"]["phase"] == "Succeeded"
    wrong = gitwf("run", "quick.yaml", "--name", "Other/1")
    assert (wrong.code, "cannot name a workflow" in wrong.err) == (2, True)


def test_a_run_is_told_as_a_workflow_document(gitwf, place):
    (place / "ok").touch()
    told = gitwf("run", "quick.yaml", "-o", "yaml", "-p", "p=two")
    document = yaml.safe_load(told.out)
    node = next(
        one for one in document["status"]["nodes"].values() if one["displayName"] == "each(0:1)"
    )

    assert (document["apiVersion"], document["kind"]) == ("argoproj.io/v1alpha1", "Workflow")
    assert document["spec"]["entrypoint"] == "main"
    assert document["spec"]["arguments"]["parameters"][0] == {"name": "p", "value": "two"}
    assert document["status"]["progress"] == "4/4"
    assert node["inputs"] == {"parameters": [{"name": "m", "value": "two 1"}]}
    assert (node["templateScope"], node["progress"]) == ("local/toy", "1/1")
    run = document["metadata"]["annotations"]["gitwf.dev/run"]
    assert yaml.safe_load(gitwf("runs", run, "-o", "yaml").out) == document
