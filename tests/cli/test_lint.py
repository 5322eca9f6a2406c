"""What lint looks at, what it tells of it, and how."""

import json
import subprocess

import pytest

from tests.cli import conftest
from tests.e2e import conftest as e2e

BROKEN_GATE = e2e.PIPELINE.replace("metrics.mape < 0.5", "metric.mape < 0.5")
GATE = "pipelines/toy/pipeline.yaml:12:7: gate 1 reads `metric`; a gate has metrics, current and parameters"


def test_a_right_project_is_told_in_one_line(project, gitwf):
    assert gitwf("lint") == conftest.Called(0, "3 documents checked: nothing wrong\n", "")


def test_all_mistakes_of_all_documents_come_in_one_go(project, gitwf):
    conftest.write(
        project,
        {
            "gitwf.yaml": e2e.PROJECT.replace("store:", "stores:"),
            "pipelines/toy/pipeline.yaml": BROKEN_GATE,
            "pipelines/toy/workflow.yaml": e2e.WORKFLOW.replace(
                "entrypoint: main", "entrypoint: man"
            ),
            "models/toy/production.yaml": "kind: Release\n",
        },
    )

    done = gitwf("lint")

    files = [line.split(":")[0] for line in done.out.splitlines()[:-1]]
    assert done.code == 2
    assert list(dict.fromkeys(files)) == [
        "gitwf.yaml",
        "models/toy/production.yaml",
        "pipelines/toy/pipeline.yaml",
        "pipelines/toy/workflow.yaml",
    ]
    assert done.out.splitlines()[-1].startswith("4 documents checked: ")


def test_a_warning_is_marked_and_is_no_failure(project, gitwf):
    placed = e2e.WORKFLOW.replace("spec:\n", "spec:\n  nodeSelector: {disk: fast}\n", 1)
    conftest.write(project, {"pipelines/toy/workflow.yaml": placed})

    done = gitwf("lint")

    assert done.code == 0
    assert done.out.startswith("pipelines/toy/workflow.yaml:5:3: warning: ")
    assert done.out.splitlines()[-1] == "3 documents checked: 1 warning"


def test_a_pipeline_that_is_wrong_in_itself_hides_no_mistake_of_its_workflow(project, gitwf):
    conftest.write(
        project,
        {
            "pipelines/toy/pipeline.yaml": e2e.PIPELINE.replace("triggers:", "trigers:"),
            "pipelines/toy/workflow.yaml": e2e.WORKFLOW.replace(
                "entrypoint: main", "entrypoint: man"
            ),
        },
    )

    assert gitwf("lint").out.splitlines()[:-1] == [
        "pipelines/toy/pipeline.yaml:6:3: unknown field `trigers` (did you mean `triggers`?)",
        "pipelines/toy/workflow.yaml:5:15: template name 'man' undefined (did you mean `main`?)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        e2e.PIPELINE.replace("triggers:", "trigers:"),
        e2e.PIPELINE.replace("workflow: workflow.yaml", "workflow: /../workflow.yaml"),
        e2e.PIPELINE.replace("workflow: workflow.yaml", "workflow: 3"),
        e2e.PIPELINE.replace('{scale: "1"}', "[scale]"),
        "kind: Pipeline\n",
        "spec: 3\n",
    ],
)
def test_a_pipeline_that_is_wrong_in_itself_adds_no_mistakes_to_a_right_workflow(
    project, gitwf, text
):
    conftest.write(project, {"pipelines/toy/pipeline.yaml": text})

    lines = gitwf("lint").out.splitlines()[:-1]

    assert lines
    assert all(line.startswith("pipelines/toy/pipeline.yaml:") for line in lines)


def test_a_parameter_that_the_workflow_takes_no_notice_of_is_doubtful(project, gitwf):
    mistyped = e2e.PIPELINE.replace('{scale: "1"}', '{scael: "1"}')
    conftest.write(project, {"pipelines/toy/pipeline.yaml": mistyped})

    done = gitwf("lint")

    assert done.code == 0
    assert done.out.splitlines()[0] == (
        "pipelines/toy/pipeline.yaml:7:16: warning: the workflow takes no notice of the parameter "
        "`scael` (did you mean `scale`?)"
    )


def test_a_grant_to_a_template_that_is_not_there_is_doubtful(project, gitwf):
    granted = "pipelines/toy/workflow.yaml#estimat"
    policy = f"  policy: {{secrets: {{{granted}: [db]}}}}\n"
    conftest.write(project, {"gitwf.yaml": e2e.PROJECT + policy})

    says = f"no workflow has the template `{granted}`, so nothing gets its secrets"
    near = "did you mean `pipelines/toy/workflow.yaml#estimate`?"
    assert gitwf("lint").out.splitlines() == [
        f"gitwf.yaml:8:22: warning: {says} ({near})",
        "3 documents checked: 1 warning",
    ]
    right = e2e.PROJECT + policy.replace("#estimat:", "#estimate:")
    conftest.write(project, {"gitwf.yaml": right})
    assert gitwf("lint").out == "3 documents checked: nothing wrong\n"


def test_json_is_a_list_of_objects_and_nothing_else(project, gitwf):
    conftest.write(project, {"pipelines/toy/pipeline.yaml": BROKEN_GATE})

    done = gitwf("lint", "-o", "json")

    file, line, column, message = GATE.split(":", 3)
    assert done.code == 2
    assert json.loads(done.out) == [
        {
            "file": file,
            "line": int(line),
            "column": int(column),
            "message": message.strip(),
            "hint": "",
            "severity": "error",
        }
    ]


def test_a_runner_of_github_gets_annotations_too(project, gitwf, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    conftest.write(project, {"pipelines/toy/pipeline.yaml": BROKEN_GATE})

    done = gitwf("lint")

    assert done.out.splitlines()[0] == GATE
    assert done.err.startswith("::error file=pipelines/toy/pipeline.yaml,line=12,col=7::gate 1 ")


def test_paths_restrict_what_is_told(project, gitwf):
    conftest.write(project, {"pipelines/toy/pipeline.yaml": BROKEN_GATE})

    assert gitwf("lint", "gitwf.yaml").out == "1 document checked: nothing wrong\n"
    assert gitwf("lint", "pipelines/toy").out.splitlines() == [
        GATE,
        "2 documents checked: 1 mistake",
    ]


def test_it_works_from_a_folder_below_and_from_outside(project, gitwf, monkeypatch):
    conftest.write(project, {"pipelines/toy/pipeline.yaml": BROKEN_GATE})
    monkeypatch.chdir(project / "pipelines" / "toy")
    assert gitwf("lint").out.splitlines() == [GATE, "2 documents checked: 1 mistake"]

    monkeypatch.chdir(project.parent)
    assert gitwf("lint", "shop").out.splitlines() == [GATE, "3 documents checked: 1 mistake"]


def test_a_workflow_of_no_project_is_checked_on_its_own_with_its_siblings(
    tmp_path, gitwf, monkeypatch
):
    referring = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
        "spec: {workflowTemplateRef: {name: shared}}\n"
    )
    shared = e2e.WORKFLOW.replace("kind: Workflow", "kind: WorkflowTemplate").replace(
        "metadata: {name: toy}", "metadata: {name: shared}"
    )
    conftest.write(tmp_path, {"flows/a.yaml": referring, "flows/b.yaml": shared})
    monkeypatch.chdir(tmp_path)

    missing = 'a.yaml:4:36: workflowtemplates.argoproj.io "shared" not found'
    assert gitwf("lint", "flows/a.yaml").out == "1 document checked: nothing wrong\n"
    (tmp_path / "flows" / "b.yaml").unlink()
    assert gitwf("lint", "flows/a.yaml").out.splitlines()[0] == missing


LOST = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: lost}
spec:
  entrypoint: main
  templates:
  - {name: main, steps: [[{name: a, templateRef: {name: lib, template: x}}]]}
"""


def test_a_file_that_cannot_be_read_matters_where_it_is_looked_at_or_something_is_missing(
    project, gitwf, closed
):
    conftest.write(project, {"other/flow.yaml": e2e.WORKFLOW, "other/lost.yaml": LOST})
    closed(project / "other" / "beside.yaml")

    missing = "template reference lib.x not found (could not read other/beside.yaml)"
    assert gitwf("lint").code == 0
    assert gitwf("lint", "other/flow.yaml").code == 0
    assert gitwf("lint", "other/lost.yaml").out.splitlines()[0].endswith(missing)
    assert gitwf("lint", "other/beside.yaml").out.splitlines() == [
        "other/beside.yaml: cannot be read: Permission denied",
        "1 document checked: 1 mistake",
    ]


@pytest.mark.parametrize(
    "file",
    [
        "gitwf.yaml",
        "pipelines/toy/pipeline.yaml",
        "pipelines/toy/workflow.yaml",
        "models/toy/production.yaml",
    ],
)
def test_a_document_of_the_project_that_cannot_be_read_is_a_mistake(project, gitwf, closed, file):
    closed(project / file)

    done = gitwf("lint")

    assert done.code == 2
    assert f"{file}: cannot be read: Permission denied" in done.out.splitlines()


def test_a_library_is_checked_template_by_template_and_need_not_run(tmp_path, gitwf, monkeypatch):
    library = (
        "apiVersion: argoproj.io/v1alpha1\nkind: WorkflowTemplate\nmetadata: {name: NAME}\n"
        "spec:\n  arguments: {parameters: [{name: p}]}\n  templates:\n"
        "  - {name: a, container: {image: i, args: ['{{workflow.parameters.p}} TAG']}}\n"
    )
    one, other = library.replace("NAME", "one"), library.replace("NAME", "other")
    (tmp_path / "lib.yaml").write_text(
        one + "---\n" + other.replace("TAG", "{{inputs.parameters.x}}")
    )
    monkeypatch.chdir(tmp_path)

    told = gitwf("lint", "lib.yaml")

    assert (told.code, told.out) == (
        2,
        (
            "lib.yaml:15:71: templates.a templates.a: failed to resolve {{inputs.parameters.x}}\n"
            "1 document checked: 1 mistake\n"
        ),
    )


def test_a_document_of_no_project_is_checked_on_its_own(tmp_path, gitwf):
    file = tmp_path / "pipeline.yaml"
    file.write_text(e2e.PIPELINE.replace("triggers", "trigers"))

    assert gitwf("lint", str(file)).out.splitlines()[0] == (
        "pipeline.yaml:6:3: unknown field `trigers` (did you mean `triggers`?)"
    )


def test_a_file_that_the_project_does_not_reach_is_checked_when_it_is_named(project, gitwf):
    conftest.write(project, {"other/flow.yaml": "kind: Nonsense\n"})

    assert gitwf("lint").code == 0
    assert gitwf("lint", "other/flow.yaml").out.splitlines()[0] == (
        "other/flow.yaml:1:1: `apiVersion` is required"
    )


def test_a_file_that_is_no_document_is_passed_over(project, gitwf):
    assert gitwf("lint", "pipelines/toy/README.md", "pipelines/toy/workflow.yaml").out == (
        "1 document checked: nothing wrong\n"
    )


def test_the_project_is_that_of_the_path_and_not_of_the_way_to_it(project, gitwf, tmp_path):
    conftest.write(tmp_path, {"flow.yaml": e2e.WORKFLOW})

    assert gitwf("lint", "../flow.yaml").out == "1 document checked: nothing wrong\n"
    assert gitwf("lint", "..").code == 2


def test_without_a_project_it_says_what_to_do(tmp_path, gitwf, monkeypatch):
    monkeypatch.chdir(tmp_path)

    done = gitwf("lint")

    assert done.code == 2
    assert "there is no gitwf.yaml" in done.err
    assert "gitwf init" in done.err


def test_what_git_ignores_is_not_looked_at_unless_it_is_tracked(project, gitwf):
    conftest.write(
        project,
        {
            ".gitignore": "scratch/\nzoo/\n",
            "pipelines/scratch/pipeline.yaml": "broken: [\n",
            "pipelines/zoo/pipeline.yaml": "kind: Pipeline\n",
        },
    )
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    assert gitwf("lint").out == "3 documents checked: nothing wrong\n"

    subprocess.run(["git", "add", "-f", "pipelines/zoo"], cwd=project, check=True)
    assert gitwf("lint").code == 2


def test_a_link_out_of_the_tree_is_not_followed(project, gitwf, tmp_path):
    conftest.write(tmp_path, {"secret.yaml": e2e.WORKFLOW})
    workflow = project / "pipelines" / "toy" / "workflow.yaml"
    workflow.unlink()
    workflow.symlink_to(tmp_path / "secret.yaml")

    assert gitwf("lint").out.splitlines()[0] == (
        "pipelines/toy/pipeline.yaml:5:13: there is no file pipelines/toy/workflow.yaml"
    )
