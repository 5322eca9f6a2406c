"""From files to models: all that is wrong with what was asked for, nothing about the rest."""

import pytest

from gitwf import errors
from gitwf.workflow.document import load, validate

WORKFLOW = b"""\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec: {entrypoint: a, templates: [{name: a, suspend: {}}]}
"""
TEMPLATE = WORKFLOW.replace(b"kind: Workflow", b"kind: WorkflowTemplate").replace(b": w}", b": t}")


def refused(files, **options):
    with pytest.raises(errors.Rejected) as caught:
        load.load(files, **options)
    return [str(one) for one in caught.value.diagnostics]


def test_documents_are_found_by_kind_and_name():
    loaded = load.load({"a.yaml": WORKFLOW + b"---\n" + TEMPLATE})

    assert loaded.runnable("a.yaml").name == "w"
    assert loaded.find("WorkflowTemplate", "t").file == "a.yaml"
    assert loaded.find("WorkflowTemplate", "w") is None


def test_a_template_is_run_when_there_is_nothing_else_to_run():
    loaded = load.load({"a.yaml": TEMPLATE, "b.yaml": WORKFLOW})

    assert loaded.runnable("a.yaml").name == "t"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            WORKFLOW + b"---\n" + WORKFLOW.replace(b": w}", b": v}"),
            "a.yaml:6:1: the file holds a second Workflow",
        ),
        (b"apiVersion: v1\nkind: ConfigMap\n", "a.yaml: the file holds no workflow"),
    ],
)
def test_it_must_be_clear_what_to_run(content, expected):
    loaded = load.load({"a.yaml": content})

    with pytest.raises(errors.Rejected) as caught:
        loaded.runnable("a.yaml")
    assert str(caught.value.diagnostics[0]).startswith(expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "a.yaml: the file is empty"),
        (b"- a", "a.yaml:1:1: the document must be a mapping of fields"),
        (b"kind: Workflow", "a.yaml:1:1: `apiVersion` is required"),
        (
            WORKFLOW.replace(b"kind: Workflow", b"kind: Workflwo"),
            (
                "a.yaml:2:7: `Workflwo` of `argoproj.io/v1alpha1` is not a kind of document for gitwf "
                "(did you mean `Workflow`?)"
            ),
        ),
        (
            WORKFLOW.replace(b"suspend", b"supsend"),
            "a.yaml:4:45: unknown field `supsend` (did you mean `suspend`?)",
        ),
    ],
)
def test_what_was_asked_for_must_be_right(content, expected):
    assert refused({"a.yaml": content}) == [expected]


def test_the_hint_for_the_typo_that_argos_own_documentation_makes():
    steps = b"{name: a, steps: [[{name: s, template: a, withParams: '[]'}]]}"
    source = WORKFLOW.replace(b"{name: a, suspend: {}}", steps)

    expected = "a.yaml:4:77: unknown field `withParams` (did you mean `withParam`?)"
    assert refused({"a.yaml": source}) == [expected]


def test_mistakes_of_all_files_are_found_at_once():
    broken = WORKFLOW.replace(b"suspend", b"supsend")

    found = refused({"a.yaml": broken, "b.yaml": b"x: [", "c.yaml": WORKFLOW})

    assert [one.partition(":")[0] for one in found] == ["a.yaml", "b.yaml"]


def test_other_files_may_be_anything_and_what_they_might_hold_is_remembered():
    files = {
        "a.yaml": WORKFLOW,
        "chart.yaml": b"{{ if .Values.x }}",
        "deployment.yaml": b"apiVersion: apps/v1\nkind: Deployment\n",
        "list.yaml": b"- 1\n",
        "kinds.yaml": b"apiVersion: argoproj.io/v1alpha1\nkind: [Workflow]\n",
        "empty.yaml": b"",
        "wrong.yaml": TEMPLATE.replace(b"suspend", b"supsend"),
    }

    loaded = load.load(files, asked=["a.yaml"])

    assert [one.name for one in loaded.sources] == ["w"]
    assert sorted(loaded.unread) == ["chart.yaml", "wrong.yaml"]


def test_a_file_that_cannot_be_read_matters_where_it_must_be_right():
    closed = [errors.Diagnostic("closed.yaml", 0, 0, "cannot be read: Permission denied")]
    files = {"a.yaml": WORKFLOW, "closed.yaml": closed}

    assert load.load(files, asked=["a.yaml"]).unread == {"closed.yaml": closed}
    assert refused(files) == ["closed.yaml: cannot be read: Permission denied"]


def test_two_documents_of_one_name_are_refused():
    assert refused({"a.yaml": TEMPLATE, "b.yaml": TEMPLATE}) == [
        "b.yaml:3:18: a second WorkflowTemplate is called `t` (the first is in a.yaml:1)"
    ]


def test_two_documents_of_one_name_elsewhere_are_nobodys_concern():
    files = {"w.yaml": WORKFLOW, "a.yaml": TEMPLATE, "b.yaml": TEMPLATE, "c.yaml": WORKFLOW}

    assert load.load(files, asked=["w.yaml"]).find("WorkflowTemplate", "t").file == "a.yaml"
    assert len(load.load({"w.yaml": WORKFLOW, "c.yaml": WORKFLOW}).sources) == 2


def test_the_nearest_namespace_is_looked_in_first():
    far, near = (TEMPLATE.replace(b": t}", f": t, namespace: {n}}}".encode()) for n in "ab")
    loaded = load.load({"a.yaml": far, "b.yaml": near})

    assert loaded.find("WorkflowTemplate", "t", "b").file == "b.yaml"
    assert loaded.find("WorkflowTemplate", "t", "c").file == "a.yaml"


def test_a_field_that_is_null_is_absent_but_a_null_item_stays():
    steps = b"{name: a, timeout: , steps: [[{name: s, template: a, withItems: [~]}]]}"
    loaded = load.load({"a.yaml": WORKFLOW.replace(b"{name: a, suspend: {}}", steps)})

    [one] = loaded.runnable("a.yaml").model.spec.templates
    assert one.timeout == ""
    assert one.steps[0][0].with_items == (None,)


def test_a_name_that_argo_reads_as_no_text_is_refused_at_its_place_and_says_why():
    source = WORKFLOW.replace(b": w}", b": n}")

    assert ["a.yaml:3:18: `name` must be text; quote it (Argo reads `n` as false)"] == refused(
        {"a.yaml": source}
    )


def test_a_word_that_argo_reads_as_yaml_1_1_did_is_warned_of(resolved):
    spec = """\
    entrypoint: main
    arguments: {parameters: [{name: sure, value: yes}]}
    templates: [{name: main, suspend: {}}]
    """
    whole = resolved(spec)

    assert ["Argo reads `yes` as true"] == [one.message for one in validate.validate(whole)]
    assert "true" == whole.spec.arguments.parameters[0].value
