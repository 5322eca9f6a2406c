"""What Argo refuses is refused before anything runs, in Argo's words, at its place.

The files in `reject` were given to a real controller of Argo Workflows v4.1.2; what it said stands
in their second line, and the place that gitwf names in their third. Two begin with `gitwf:` there:
one crashes the controller and one it never finishes.
"""

import pathlib
import re
import time

import pytest

from gitwf import errors
from gitwf.workflow.document import load, resolve, validate

CASES = sorted(pathlib.Path(__file__).parent.glob("reject/*.yaml"))
LEAF = "- {name: ok, container: {image: i, command: [a]}}"
ECHO = "- {name: echo, inputs: {parameters: [{name: m}]}, container: {image: i}}"
EMIT = """- name: emit
  container: {image: i}
  outputs: {parameters: [{name: p, valueFrom: {path: /p}}], artifacts: [{name: a, path: /a}]}"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_text_is_argos_and_the_place_is_right(case):
    _, says, at = case.read_text().splitlines()[:3]

    try:
        loaded = load.load({case.name: case.read_bytes()})
        found = validate.validate(resolve.resolve(loaded.runnable(case.name), loaded))
    except errors.Rejected as refusal:
        found = refusal.diagnostics

    [one] = found
    assert one.message == says.partition(": ")[2]
    assert f"# at: {one.line}:{one.column}" == at


def test_there_is_a_case_for_every_recording():
    assert len(CASES) == 26


def calls(*steps):
    """Write a steps template `main` of one group for each argument, with templates to call."""
    groups = "\n".join(f"  - [{group}]" for group in steps)
    return (
        f"entrypoint: main\ntemplates:\n- name: main\n  steps:\n{groups}\n{LEAF}\n{ECHO}\n{EMIT}\n"
    )


def graph(*tasks):
    listed = "\n".join(f"    - {task}" for task in tasks)
    return (
        "entrypoint: main\ntemplates:\n- name: main\n  dag:\n    tasks:\n"
        f"{listed}\n{LEAF}\n{ECHO}\n{EMIT}\n"
    )


def leaf(text):
    return f"entrypoint: main\ntemplates:\n- name: main\n  {text}\n"


def argument(value, template="echo"):
    return f'template: {template}, arguments: {{parameters: [{{name: m, value: "{value}"}}]}}'


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            calls(f"{{name: a, {argument('{{inputs.parameters.x}}')}}}"),
            "5: templates.main.steps failed to resolve {{inputs.parameters.x}}",
        ),
        (
            calls(
                "{name: a, template: ok}",
                f"{{name: b, {argument('{{steps.a.outputs.parameters.p}}')}}}",
            ),
            "6: templates.main.steps failed to resolve {{steps.a.outputs.parameters.p}}",
        ),
        (
            calls("{name: 5_a, template: ok}"),
            (
                "5: templates.main.steps[0].name '5_a' is invalid: name must consist of alpha-numeric "
                "characters or '-', and must start with an alpha-numeric character "
                "(e.g. My-name1-2, 123-NAME)"
            ),
        ),
        (calls("{template: ok}"), "5: templates.main.steps[0].name is required"),
        (
            calls("{name: a, template: ok, hooks: {late: {template: ok}}}"),
            "5: templates.main.steps[0].a.late Expression required",
        ),
        (
            calls("{name: a, template: ok, templateRef: {name: x, template: 'y'}}"),
            "5: templates.main.steps[0].a template name cannot be specified with templateRef",
        ),
        (
            calls("{name: a, templateRef: {name: x}}"),
            "5: templates.main.steps[0].a template name is required",
        ),
        (calls("{name: a}"), "5: templates.main.steps[0].a failed to get a template"),
        (
            calls("{name: a, template: echo, arguments: {parameters: [{name: m}]}}"),
            (
                "5: templates.main.steps[0].a.arguments.m.value or "
                "templates.main.steps[0].a.arguments.m.valueFrom is required"
            ),
        ),
        (
            calls("{name: a, template: ok, withSequence: {count: 1, end: 2}}"),
            "5: templates.main.steps[0].a only one of count or end can be defined in withSequence",
        ),
        (
            calls("{name: a, template: ok, arguments: {artifacts: [{name: x}]}}"),
            "5: templates.main.steps[0].a.arguments.x.from, artifact location, or key is required",
        ),
        (
            graph("{name: 5a, template: ok}", "{name: b, template: ok, depends: 5a}"),
            (
                "6: templates.main.tasks.5a name cannot begin with a digit when using either 'depends' "
                "or 'dependencies'"
            ),
        ),
        (
            graph("{name: a, template: ok}", "{name: b, template: ok, depends: a.AllFailed}"),
            (
                "7: templates.main.tasks.a dependency 'a' uses an items-based condition such as "
                ".AnySucceeded or .AllFailed but does not contain any items"
            ),
        ),
        (
            graph(
                "{name: a, template: emit}",
                f"{{name: b, {argument('x {{tasks.a.outputs.parameters.p}}')}}}",
            ),
            "7: templates.main.tasks.b missing dependency 'a' for parameter 'm'",
        ),
        (
            graph(
                "{name: a, template: emit}",
                "{name: b, template: ok, arguments: {artifacts: [{name: x, "
                'from: "{{tasks.a.outputs.artifacts.a}}"}]}}',
            ),
            "7: templates.main.tasks.b missing dependency 'a' for artifact 'x'",
        ),
        (
            graph(
                "{name: a, template: emit}", "{name: b, template: ok, when: '{{tasks.a.exitCode}}'}"
            ),
            "7: templates.main.tasks.b failed to resolve {{tasks.a.exitCode}}",
        ),
        (
            graph("{name: a, template: ok}") + "onExit: gone\n",
            "12: template name 'gone' undefined",
        ),
        (
            "entrypoint: main\ntemplates: [{name: main, dag: {tasks: []}}]\n",
            "2: templates.main must have at least one task",
        ),
        (
            (
                f"entrypoint: main\ntemplates:\n- name: main\n  dag: {{target: x, tasks: "
                f"[{{name: a, template: ok}}]}}\n{LEAF}\n"
            ),
            "4: templates.main.targets: target 'x' is not defined",
        ),
        (leaf("container: {command: [a]}"), "4: templates.main.container.image may not be empty"),
        (leaf("script: {source: a}"), "4: templates.main.script.image may not be empty"),
        (
            leaf("timeout: '10'\n  container: {image: i}"),
            "4: main has invalid duration format in timeout",
        ),
        (
            leaf("activeDeadlineSeconds: -1\n  container: {image: i}"),
            "4: templates.main.activeDeadlineSeconds must be a positive integer > 0 or an argo variable",
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  activeDeadlineSeconds: 5\n"
                f"  steps: [[{{name: a, template: ok}}]]\n{LEAF}\n"
            ),
            "4: templates.main.activeDeadlineSeconds is only valid for leaf templates",
        ),
        (
            leaf("retryStrategy: {retryPolicy: Never}\n  container: {image: i}"),
            "4: Never is not a valid RetryPolicy",
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  container: {image: i}\n"
                "  outputs: {parameters: [{name: p, valueFrom: {path: /a, default: '{{workflow.nope}}'}}]}\n"
            ),
            "5: templates.main: failed to resolve {{workflow.nope}}",
        ),
        (
            (
                f"entrypoint: main\ntemplates:\n- name: main\n  steps: [[{{name: a, template: ok}}]]\n"
                "  outputs: {parameters: [{name: p, valueFrom: {parameter: '{{steps.x.id}}'}}]}\n"
                f"{LEAF}\n"
            ),
            "5: templates.main.outputs failed to resolve {{steps.x.id}}",
        ),
        (
            (
                f"entrypoint: main\ntemplates:\n- name: main\n  steps: [[{{name: a, template: ok}}]]\n"
                f"  outputs: {{parameters: [{{name: p, valueFrom: {{path: /a}}}}]}}\n{LEAF}\n"
            ),
            (
                "5: templates.main.outputs.parameters.p.parameter or expression must be specified for "
                "Steps templates"
            ),
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  container: {image: i}\n"
                "  outputs: {parameters: [{name: p}]}\n"
            ),
            "5: templates.main.outputs.parameters.p does not have valueFrom or value specified",
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  container: {image: i}\n"
                "  outputs: {artifacts: [{name: a, path: /x/../../y}]}\n"
            ),
            (
                "5: error in templates.main.outputs.artifacts.a: Artifact 'a' attempted to use a path "
                "containing '..'. Directory traversal is not permitted"
            ),
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  container: {image: i}\n"
                "  inputs: {artifacts: [{name: a, raw: {data: x}}]}\n"
            ),
            "5: error in templates.main.inputs.artifacts.a: Artifact 'a' did not specify a path",
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  container: {image: i, volumeMounts: "
                "[{name: v, mountPath: /m}]}\n  inputs: {artifacts: [{name: a, path: /m, raw: {data: x}}]}\n"
            ),
            (
                "5: templates.main.inputs.artifacts[0].path '/m' already mounted in "
                "container.volumeMounts.v"
            ),
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  inputs: {parameters: [{name: a.b, value: 1}]}\n"
                "  container: {image: i}\n"
            ),
            (
                "4: templates.main.inputs.parameters[0].name: 'a.b' is invalid: Parameter/Artifact name "
                "must consist of alpha-numeric characters, '_' or '-' e.g. my_param_1, MY-PARAM-1"
            ),
        ),
        (
            (
                "entrypoint: main\ntemplates:\n- name: main\n  containerSet:\n    containers:\n"
                "    - {name: a, image: i, dependencies: [z]}\n"
            ),
            "6: templates.main.containerSet.containers.a dependency 'z' not defined",
        ),
        (
            "entrypoint: main\npodGC: {strategy: Sometimes}\ntemplates:\n- {name: main, suspend: {}}\n",
            "2: podGC.strategy unknown strategy 'Sometimes'",
        ),
        (
            "entrypoint: main\nhooks: {late: {template: main}}\ntemplates:\n- {name: main, suspend: {}}\n",
            "2: hooks.late Expression required",
        ),
        (
            (
                "entrypoint: main\narguments: {parameters: [{name: x, valueFrom: {path: /a}}]}\n"
                "templates:\n- {name: main, suspend: {}}\n"
            ),
            "2: spec.arguments.x.valueFrom only allows: default, configMapKeyRef and supplied",
        ),
        (
            (
                "entrypoint: main\narguments: {parameters: [{name: x, valueFrom: {path: /a}}]}\n"
                "templates:\n- {name: main, inputs: {parameters: [{name: x}]}, suspend: {}}\n"
            ),
            "2: spec.arguments.x.valueFrom only allows: default, configMapKeyRef and supplied",
        ),
    ],
)
def test_one_mistake_gives_one_message(problems, spec, expected):
    assert problems(spec) == [expected]


def test_all_mistakes_of_a_workflow_are_found_at_once(problems):
    spec = calls(
        "{name: a, template: nope}", "{name: a, template: ok, withItems: [1], withParam: '[1]'}"
    )
    spec += "- {name: unused, container: {image: i, args: ['{{inputs.parameters.y}}']}}\n"

    found = problems(spec)

    assert found == [
        "5: templates.main.steps[0].a template name 'nope' undefined",
        "6: templates.main.steps[1].name 'a' is not unique",
        "6: templates.main.steps[1].a only one of withItems, withParam, withSequence can be specified",
        "12: templates.unused templates.unused: failed to resolve {{inputs.parameters.y}}",
    ]


def test_a_mistake_below_gets_the_callers_path_before_it(problems):
    spec = calls("{name: a, template: bad}")
    spec += "- {name: bad, container: {image: i, args: ['{{inputs.parameters.y}}']}}\n"

    expected = "templates.main.steps[0].a templates.bad: failed to resolve {{inputs.parameters.y}}"
    assert problems(spec) == [f"11: {expected}"]


def test_a_missing_template_spoils_no_reference_to_its_outputs(problems):
    spec = calls(
        "{name: a, template: nope}", f"{{name: b, {argument('{{steps.a.outputs.result}}')}}}"
    )

    assert problems(spec) == ["5: templates.main.steps[0].a template name 'nope' undefined"]


@pytest.mark.parametrize(
    "tag",
    [
        "{{foo}}", "{{ user.name }}", "{{item}}", "{{retries}}", "{{=nonsense(}}", "{{}}", "{{ open",
        "{{workflow.name}}", "{{workflow.status}}", "{{workflow.creationTimestamp.RFC3339}}",
        "{{workflow.parameters.x}}", "{{workflow.parameters.json}}", "{{workflow.labels.team}}",
        "{{pod.name}}", "{{inputs.parameters.m}}", "{{ inputs.parameters }}",
        "{{workflow.parameters.{{workflow.parameters.x}}}}", "{{workflow.labels.{{inputs.parameters.m}}}}",
        "{{ nobody.{{item}} }}",
    ],
)  # fmt: skip
def test_a_tag_that_argo_takes_is_taken(resolved, tag):
    spec = f"""\
    entrypoint: main
    arguments: {{parameters: [{{name: x, value: 'y'}}, {{name: 'y', value: z}}]}}
    templates:
    - name: main
      inputs: {{parameters: [{{name: m, value: d}}]}}
      container: {{image: i, args: ["{tag}"]}}
    """
    whole = resolved(spec, metadata="{name: w, labels: {team: a, d: b}}")

    assert validate.validate(whole) == []


@pytest.mark.parametrize(
    "task",
    [
        "depends: a, when: '{{tasks.a.status}} == Succeeded'",
        f"depends: a, {argument('{{tasks.a.outputs.parameters.p}}')}".replace("template: ok, ", ""),
        f"dependencies: [a], {argument('{{tasks.a.outputs.result}} {{tasks.a.exitCode}}')}",
        f"depends: 'a.Succeeded || a.Failed', {argument('{{item.k}}')}, withParam: '{{{{tasks.a.id}}}}'",
        f"depends: a, {argument('{{item.k}}')}, withItems: [{{k: 1}}]",
    ],
)
def test_a_task_sees_its_ancestors_and_its_item(problems, task):
    task = task if "template:" in task else f"template: ok, {task}"

    assert problems(graph("{name: a, template: emit}", f"{{name: b, {task}}}")) == []


def test_a_task_sees_the_ancestors_of_its_ancestors(problems):
    spec = graph(
        "{name: a, template: emit}",
        "{name: b, template: ok, depends: a}",
        f"{{name: c, depends: b, {argument('{{tasks.a.outputs.parameters.p}}')}}}",
    )

    assert problems(spec) == []


def test_an_inline_template_sees_the_inputs_of_the_template_around_it(problems):
    spec = """\
entrypoint: main
templates:
- name: main
  inputs: {parameters: [{name: x, value: 1}]}
  steps:
  - - name: a
      inline:
        steps: [[{name: b, inline: {container: {image: i, args: ["{{inputs.parameters.x}}"]}}}]]
- {name: other, steps: [[{name: c, inline: {suspend: {duration: "{{inputs.parameters.x}}"}}}]]}
"""
    assert problems(spec) == [
        (
            "9: templates.other templates.other.steps[0].c templates.: failed to resolve "
            "{{inputs.parameters.x}}"
        ),
        "9: templates.other templates.other.steps failed to resolve {{inputs.parameters.x}}",
    ]


def test_an_exit_hook_sees_the_outputs_of_its_own_step(problems):
    hook = argument("{{steps.a.outputs.parameters.p}} {{steps.a.status}}")
    assert problems(calls(f"{{name: a, template: emit, hooks: {{exit: {{{hook}}}}}}}")) == []


def test_failures_are_in_sight_of_the_exit_handler_alone(problems):
    spec = f"entrypoint: ok\nonExit: end\ntemplates:\n{LEAF}\n"
    spec += "- {name: end, container: {image: i, args: ['{{workflow.failures}}']}}\n"

    assert problems(spec) == []
    assert problems(spec.replace("onExit: end\n", "")) == [
        "4: templates.end templates.end: failed to resolve {{workflow.failures}}"
    ]


def test_a_global_output_is_in_sight_once_it_was_made(problems):
    spec = calls(
        "{name: a, template: g}", f"{{name: b, {argument('{{workflow.outputs.parameters.G}}')}}}"
    )
    spec += """- name: g
  container: {image: i}
  outputs: {parameters: [{name: p, globalName: G, valueFrom: {path: /p}}]}
"""

    assert problems(spec) == []


def test_values_from_outside_stand_in_for_arguments(problems):
    spec = """\
entrypoint: main
arguments: {parameters: [{name: x}, {name: size, value: s, enum: [s, l]}]}
templates:
- name: main
  inputs: {artifacts: [{name: source, path: /src}]}
  container: {image: i, args: ["{{workflow.parameters.model}}"]}
"""
    assert problems(spec, parameters_given={"x": "1", "model": "m"}) == []
    assert problems(spec, parameters_given={"x": "1", "model": "m", "size": "xl"}) == [
        "2: spec.arguments.size.value should be present in spec.arguments.size.enum list"
    ]
    assert problems(spec, parameters_given={"x": "1", "model": "m"}, artifacts_given=()) == [
        "1: templates.main inputs.artifacts.source was not supplied"
    ]


def test_an_argument_without_a_value_erases_the_inputs_default(problems):
    spec = """\
entrypoint: main
arguments: {parameters: [{name: m, valueFrom: {supplied: {}}}]}
templates:
- {name: main, inputs: {parameters: [{name: m, default: d}]}, container: {image: i}}
"""
    assert problems(spec) == ["1: templates.main inputs.parameters.m was not supplied"]


def test_the_image_may_come_from_template_defaults(problems):
    spec = "entrypoint: main\ntemplateDefaults: {container: {image: i}}\n"
    spec += "templates:\n- {name: main, container: {command: [a]}}\n"
    spec += "- {name: other, steps: [[{name: s, inline: {container: {command: [a]}}}]]}\n"

    assert problems(spec) == []


@pytest.mark.parametrize(
    ("kind", "own", "found"),
    [
        ("WorkflowTemplate", "", True),
        ("WorkflowTemplate", "templateDefaults: {container: {image: i}}", False),
        ("ClusterWorkflowTemplate", "templateDefaults: {container: {image: i}}", True),
    ],
)
def test_the_image_comes_from_the_defaults_of_the_templates_own_document(
    problems, kind, own, found
):
    library = f"""\
    apiVersion: argoproj.io/v1alpha1
    kind: {kind}
    metadata: {{name: lib}}
    spec:
      {own or "{}"}
      templates: [{{name: t, container: {{command: [a]}}}}]
    """
    library = library.replace("      {}\n", "")
    scope = ", clusterScope: true" if kind.startswith("Cluster") else ""
    spec = "entrypoint: main\ntemplateDefaults: {container: {image: i}}\ntemplates:\n"
    spec += f"- {{name: main, steps: [[{{name: s, templateRef: {{name: lib, template: t{scope}}}}}]]}}\n"

    told = [one.partition(": ")[2] for one in problems(spec, library)]

    message = "templates.main.steps[0].s templates.t.container.image may not be empty"
    assert told == ([message] if found else [])


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "container: {image: i, command: [sh -c], args: [ls]}",
            "no program is called `sh -c`: the step will fail with exit code 64",
            "did you mean [sh, -c]?",
        ),
        (
            "steps: [[{name: a, inline: {suspend: {}}, when: '{{item}} == 1'}]]",
            "{{item}} stays as it is: `a` has no loop",
            "add withItems, withParam or withSequence",
        ),
        (
            "steps: [[{name: a, inline: {suspend: {}}, hooks: {exit: {template: maim}}}]]",
            "template maim not found",
            "did you mean `main`?",
        ),
        (
            "steps: [[{name: a, inline: {suspend: {}}, onExit: maim}]]",
            "template maim not found",
            "did you mean `main`?",
        ),
        (
            "steps: []",
            "template 'main' type is unknown",
            "write at least one group of steps",
        ),
    ],
)
def test_what_argo_takes_and_nobody_wants_is_a_warning(resolved, text, message, hint):
    [one] = validate.validate(resolved(leaf(text)))

    assert (one.severity, one.message, one.hint) == ("warning", message, hint)


def test_a_tag_is_pointed_at_inside_a_long_text(resolved):
    spec = """\
    entrypoint: main
    templates:
    - name: main
      script:
        image: i
        command: [sh]
        source: |
          echo one
          echo {{inputs.parameters.gone}}
    """

    [one] = validate.validate(resolved(spec))

    assert (one.line, one.column) == (13, 14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("schedules: []", "cron workflow must have at least one schedule"),
        (
            "schedules: ['* * *']",
            "cron schedule * * * is malformed: expected exactly 5 fields, found 3: [* * *]",
        ),
        ("schedules: ['@daily'], concurrencyPolicy: 'No'", "'No' is not a valid concurrencyPolicy"),
        (
            "schedules: ['* * * * *'], startingDeadlineSeconds: -1",
            "startingDeadlineSeconds must be positive",
        ),
    ],
)
def test_a_cron_workflow_must_say_when_it_is_due(text, expected):
    source = f"""\
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {{name: c}}
spec: {{{text}, workflowSpec: {{entrypoint: a, templates: [{{name: a, suspend: {{}}}}]}}}}
"""
    loaded = load.load({"c.yaml": source.encode()})

    [one] = validate.validate(resolve.resolve(loaded.runnable("c.yaml"), loaded))

    assert one.message == expected


def test_a_name_must_not_be_too_long(resolved):
    whole = resolved(leaf("suspend: {}"), metadata="{name: " + "n" * 64 + "}")

    [one] = validate.validate(whole)

    assert re.fullmatch(
        r'workflow name "n+" must not be more than 63 characters long \(currently 64\)', one.message
    )


def test_templates_must_not_call_each_other_too_deep(problems):
    spec = "entrypoint: t0\ntemplates:\n"
    spec += "".join(
        f"- {{name: t{n}, steps: [[{{name: s, template: t{n + 1}}}]]}}\n" for n in range(500)
    )
    spec += "- {name: t500, suspend: {}}\n"

    found = problems(spec)

    assert found
    assert all(one.endswith("Maximum recursion depth exceeded") for one in found)


def test_a_template_may_call_itself(problems):
    spec = calls("{name: again, template: main, when: '1 == 2'}")

    assert problems(spec) == []


def test_a_long_chain_of_tasks_costs_its_length(problems):
    tasks = ["{name: t0, template: emit}"]
    tasks += [
        f"{{name: t{n}, depends: t{n - 1}, {argument(f'{{{{tasks.t{n - 1}.id}}}}')}}}"
        for n in range(1, 3_000)
    ]
    started = time.process_time()

    assert problems(graph(*tasks)) == []
    assert time.process_time() - started < 10
