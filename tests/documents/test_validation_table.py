"""Argo's rules in a table: one mistake, the words Argo has for it, and the place in the file.

The mark `«` stands in a document right before the place that must be named, and is taken out
before the document is read. Mistakes that `test_refusals` holds already are not repeated here.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf import errors
from gitwf.workflow.document import load, resolve, validate
from gitwf.workflow.document.rules import cron

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n"
LEAF = "  - {name: ok, container: {image: i, command: [a]}}\n"
MARK = "«"
NAME = (
    "name must consist of alpha-numeric characters or '-', and must start with an alpha-numeric "
    "character (e.g. My-name1-2, 123-NAME)"
)
PARAMETER = (
    "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' "
    "e.g. my_param_1, MY-PARAM-1"
)
TYPES = "container, containerSet, steps, script, resource, dag, suspend, template, template ref"
RESULT = "templates.main.outputs.parameters.p"


def main(text):
    """Write a workflow of one template, and a leaf that it may call."""
    return f"  entrypoint: main\n  templates:\n  - name: main\n    {text}\n{LEAF}"


def step(text):
    return main(f"steps:\n    - - {text}")


def task(text):
    return main(f"dag:\n      tasks:\n      - {{name: a, template: ok}}\n      - {text}")


def spec(text):
    return f"  entrypoint: ok\n  {text}\n  templates:\n{LEAF}"


def output(text, kind="container: {image: i}"):
    return main(f"{kind}\n    outputs: {text}")


def found_in(text):
    """Read a marked document: what was found, and the place that was marked."""
    before, mark, _ = text.partition(MARK)
    assert mark, "a row says where its mistake is"
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    try:
        loaded = load.load({"w.yaml": text.replace(MARK, "").encode()})
        found = validate.validate(resolve.resolve(loaded.runnable("w.yaml"), loaded))
    except errors.Rejected as refusal:
        found = refusal.diagnostics
    return [one for one in found if one.is_error], place


TABLE = [
    # Names.
    (spec("arguments: {parameters: [{name: «a.b, value: 1}]}"),
     f"spec.arguments.parameters[0].name: 'a.b' is invalid: {PARAMETER}"),
    (spec("arguments: {parameters: [{name: a, value: 1}, {name: «a, value: 2}]}"),
     "spec.arguments.parameters[1].name 'a' is not unique"),
    (spec("arguments: {parameters: [{name: «'', value: 1}]}"),
     "spec.arguments.parameters[0].name is required"),
    (spec("arguments: {parameters: [«{value: 1}]}"),
     "spec.arguments.parameters[0].name is required"),
    (main("inputs: {artifacts: [«{path: /a, raw: {}}]}\n    container: {image: i}"),
     "templates.main.inputs.artifacts[0].name is required"),
    (main("inputs: {parameters: [{name: a, value: 1}, {name: «a, value: 2}]}\n    suspend: {}"),
     "templates.main.inputs.parameters[1].name 'a' is not unique"),
    (main("inputs: {artifacts: [{name: «a b, path: /a, raw: {data: d}}]}\n    container: {image: i}"),
     f"templates.main.inputs.artifacts[0].name: 'a b' is invalid: {PARAMETER}"),
    (output("{artifacts: [{name: a, path: /a}, {name: «a, path: /b}]}"),
     "templates.main.outputs.artifacts [1].name 'a' is not unique"),
    (task("{name: «b_c, template: ok}"),
     f"templates.main.tasks[1].name: 'b_c' is invalid: {NAME}"),
    (step("{name: «" + "n" * 129 + ", template: ok}"),
     f"templates.main.steps[0].name '{'n' * 129}' is invalid: must be no more than 128 characters"),
    # Arguments.
    (spec("arguments: {parameters: [{name: a, value: 1, enum: «[]}]}"),
     "spec.arguments.a.enum should contain at least one value"),
    (spec("arguments: {parameters: [{name: a, value: «3, enum: [1, 2]}]}"),
     "spec.arguments.a.value should be present in spec.arguments.a.enum list"),
    (spec("arguments: {parameters: [«{name: a}]}"),
     "spec.arguments.a.value or spec.arguments.a.valueFrom is required"),
    (spec("arguments: {artifacts: [«{name: a}]}"),
     "spec.arguments.a.from, artifact location, or key is required"),
    (step("{name: a, template: ok, arguments: {artifacts: [«{name: x, from: f, fromExpression: e}]}}"),
     "templates.main.steps[0].a.arguments.x shouldn't have both `from` and `fromExpression` in Artifact"),
    (step("{name: a, template: ok, arguments: {parameters: [{name: x, valueFrom: «{path: /a}}]}}"),
     "templates.main.steps[0].a.arguments.x.valueFrom only allows: default, configMapKeyRef and supplied"),
    # Artifacts of inputs and outputs.
    (main("inputs: {artifacts: [{name: a, path: «/a, raw: {data: d}}]}\n    steps: [[{name: s, template: ok}]]"),
     "templates.main.inputs.artifacts.a.path only valid in container/script templates"),
    (main("inputs: {artifacts: [{name: a, path: /a, from: «x, raw: {data: d}}]}\n    container: {image: i}"),
     "templates.main.inputs.artifacts.a.from not valid in inputs"),
    (main("inputs: {artifacts: [{name: a, path: /a, git: «{revision: b}}]}\n    container: {image: i}"),
     "templates.main.inputs.artifacts.a.git.repo is required"),
    (output("{artifacts: [«{name: a}]}"),
     "error in templates.main.outputs.artifacts.a: Artifact 'a' did not specify a path"),
    (output("{artifacts: [{name: a, path: «/a}]}", "steps: [[{name: s, template: ok}]]"),
     "templates.main.outputs.artifacts.a.path only valid in container/script templates"),
    (output("{artifacts: [{name: a, path: /a, globalName: «a.b}]}"),
     f"templates.main.outputs.artifacts.a.globalName: {PARAMETER}"),
    # Parameters of outputs.
    (output("{parameters: [{name: p, valueFrom: {path: /a}, globalName: «a.b}]}"),
     f"{RESULT}.globalName: {PARAMETER}"),
    (output("{parameters: [«{name: p, valueFrom: {default: d}}]}"),
     "valueFrom type unspecified. choose one of: path, jqFilter, jsonPath, parameter, raw, expression"),
    (output("{parameters: [«{name: p, valueFrom: {path: /a, parameter: b}}]}"),
     "multiple valueFrom types specified. choose one of: path, jqFilter, jsonPath, parameter, raw"),
    (output("{parameters: [{name: p, valueFrom: «{parameter: b}}]}"),
     f"{RESULT}.path must be specified for Container templates"),
    (output("{parameters: [{name: p, valueFrom: «{parameter: b}}]}", "script: {image: i, source: s}"),
     f"{RESULT}.path must be specified for Script templates"),
    (output("{parameters: [{name: p, valueFrom: «{path: /b}}]}", "resource: {action: get}"),
     f"{RESULT} .jqFilter or jsonPath must be specified for Resource templates"),
    (output("{parameters: [{name: p, valueFrom: «{path: /b}}]}", "dag: {tasks: [{name: a, template: ok}]}"),
     f"{RESULT}.parameter or expression must be specified for DAG templates"),
    # Loops and references.
    (task("«{name: b, template: ok, withItems: [1], withSequence: {count: 1}}"),
     "templates.main.tasks.b only one of withItems, withParam, withSequence can be specified"),
    (task("{name: b, template: ok, withSequence: «{count: 1, end: 2}}"),
     "templates.main.tasks.b only one of count or end can be defined in withSequence"),
    (step("{name: a, templateRef: «{template: x}}"),
     "templates.main.steps[0].a resource name is required"),
    (step("{name: a, templateRef: «{name: x, template: 'y'}}"),
     "templates.main.steps[0].a template reference x.y not found"),
    (task("{name: b, template: «'no'}"),
     "templates.main.tasks.b template name 'no' undefined"),
    (step("{name: a, inline: «{name: x}}"),
     "templates.main.steps[0].a template 'x' type is unknown"),
    (step("«{name: a}"), "templates.main.steps[0].a failed to get a template"),
    (step("{name: a, template: «'{{item}}', withItems: [ok]}"),
     "templates.main.steps[0].a template name '{{item}}' undefined"),
    # Tags.
    (main("container: {image: i, args: ['«{{inputs.parameters[\"a\"]}}']}"),
     r"templates.main: failed to resolve {{inputs.parameters[\"a\"]}}"),
    (main("container: {image: i, args: ['a «{{workflow.name > 1}}']}"),
     r"templates.main: failed to resolve {{workflow.name \u003e 1}}"),
    (main("container: {image: i, args: ['«{{workflow.gone.{{item}}}}']}"),
     "templates.main: failed to resolve {{workflow.gone.{{item}}"),
    (main("container: {image: i, command: [a], args: ['a «{{workflow.name}'], imagePullPolicy: Never}"),
     'templates.main: failed to resolve {{workflow.name}"],"resources":{},"imagePullPolicy":"Never"}}'),
    (step("{name: a, template: ok, arguments: {parameters: [{name: m, value: '«{{inputs.parameters.x}'}]}}"),
     'templates.main.steps failed to resolve {{inputs.parameters.x}"}]}}'),
    (task("{name: b, template: ok, arguments: {parameters: [{name: m, value: v}]}, when: '«{{workflow.status} == a'}"),
     ('templates.main.tasks.b Cannot find end tag="}}" in the template="{\\"name\\":\\"b\\",\\"template\\":\\"ok\\",'
     '\\"arguments\\":{\\"parameters\\":[{\\"name\\":\\"m\\",\\"value\\":\\"v\\"}]},\\"when\\":\\"{{workflow.status} == a\\"}" '
     'starting from "workflow.status} == a\\"}"')),
    # Graphs.
    (task("{name: b, template: ok, when: '«{{tasks.a.status}} == x'}"),
     "templates.main.tasks.b failed to resolve {{tasks.a.status}}"),
    (task("{name: b, template: ok, arguments: {parameters: [{name: m, value: '«{{tasks.b.outputs.result}}'}]}}"),
     "templates.main.tasks.b missing dependency 'b' for parameter 'm'"),
    (task("{name: b, template: ok, dependencies: [«c]}"),
     "templates.main sorting failed: invalid dependency c"),
    (task("{name: b, template: ok, depends: «b}"),
     "templates.main sorting failed: graph with cycle"),
    (task("{name: «a, template: ok}"),
     "templates.main sorting failed: duplicated nodeName a"),
    (task("{name: b, template: ok, depends: «a.Gone}"),
     "templates.main.tasks.b task result 'Gone' for task 'a' is invalid"),
    (task("{name: b, template: ok, hooks: {«late: {template: ok}}}"),
     "templates.main.tasks.b.late Expression required"),
    # Leaves.
    (main("container: {image: i}\n    «parallelism: 1"),
     "templates.main.parallelism is only valid for steps and dag templates"),
    (main("activeDeadlineSeconds: «soon\n    container: {image: i}"),
     "templates.main.activeDeadlineSeconds must be a positive integer > 0 or an argo variable"),
    (main("timeout: «10s\n    dag: {tasks: [{name: a, template: ok}]}"),
     "DAG template doesn't support timeout field"),
    (main("timeout: «5s\n    suspend: {}"), "Suspend template doesn't support timeout field"),
    (main("suspend: {}\n    inputs: {artifacts: [{name: a, path: «/a, optional: true}]}"),
     "templates.main.inputs.artifacts.a.path only valid in container/script templates"),
    (main("container: {image: i}\n    «suspend: {}"),
     f"templates.main multiple template types specified. choose one of: {TYPES}"),
    (main("initContainers: [«{image: i}]\n    container: {image: i}"),
     "initContainers must all have container name"),
    (main("container: {image: i, volumeMounts: [{name: a, mountPath: /m}, {name: b, mountPath: «/m}]}"),
     "templates.main.container.volumeMounts[1].mountPath '/m' already mounted in container.volumeMounts.a"),
    (main("http: {url: '«{{workflow.gone}}'}"),
     "templates.main: failed to resolve {{workflow.gone}}"),
    (main("suspend: {duration: '«{{inputs.parameters.x}}'}"),
     "templates.main: failed to resolve {{inputs.parameters.x}}"),
    # Sets of containers.
    (main("containerSet: «{containers: []}"),
     "templates.main.containerSet.containers must have at least one container"),
    (main("containerSet: «{containers: [{name: a, image: i}]}\n    outputs: {artifacts: [{name: o, path: /o}]}"),
     'templates.main.containerSet.containers must have a container named "main" for input or output'),
    (main("containerSet: {containers: [{name: a, image: i, dependencies: «[a]}]}"),
     "templates.main.containerSet.containers dependency cycle detected: a->a"),
    # What only a cluster does.
    (main("resource: {action: «make}"),
     "templates.main.resource.action must be one of: get, create, apply, delete, replace, patch"),
    (main("resource: «{action: create}"),
     "either templates.main.resource.manifest or templates.main.resource.manifestFrom must be specified"),
    (main("resource: {action: create, manifest: m, «manifestFrom: {}}"),
     "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for resource template"),
    (main("resource: {action: create, manifestFrom: {artifact: «{name: a}}}"),
     "artifact a in `manifestFrom` refer to a non-exist artifact"),
    (main("suspend: {}\n    metrics: {prometheus: [{name: «a.b, help: h}]}"),
     "templates.main metric name 'a.b' is invalid. Metric names must contain alphanumeric characters or '_'"),
    (main("suspend: {}\n    metrics: {prometheus: [«{name: a}]}"),
     "templates.main metric 'a' must contain a help string under 'help: ' field"),
    (main("metrics: {prometheus: [«{name: a}]}\n    steps: [[{name: s, template: ok}]]"),
     "templates.main metric 'a' must contain a help string under 'help: ' field"),
    (main("suspend: {}\n    metrics: {prometheus: [{name: a, help: h, labels: [{key: «a-b, value: c}]}]}"),
     "metric label 'a-b' is invalid: keys may only contain alphanumeric characters or '_'"),
    (main("suspend: {}\n    metrics: {prometheus: [«{name: a, help: h, counter: {}}]}"),
     "templates.main metric 'a' error: missing counter.value"),
    (main("suspend: {}\n    metrics: {prometheus: [«{name: a, help: h, gauge: {value: '{{resourcesDuration.cpu}}', realtime: true}}]}"),
     "templates.main metric 'a' error: 'resourcesDuration.*' metrics cannot be used in real-time"),
    # The workflow as a whole.
    (spec("onExit: «'no'"), "template name 'no' undefined"),
    (spec("podGC: {labelSelector: {matchExpressions: [«{key: a, operator: Like, values: [b]}]}}"),
     'podGC.labelSelector invalid: "Like" is not a valid label selector operator'),
    (spec("podGC: {strategy: «Never}"), "podGC.strategy unknown strategy 'Never'"),
    ("  entrypoint: «'no'\n  templates:\n" + LEAF, "template name 'no' undefined"),
    (main("container: {image: i}\n    archiveLocation: {git: «{revision: x}}"),
     "templates.main.archiveLocation.git.repo is required"),
    (main("inputs: {parameters: [{name: x, value: a}]}\n    container: {image: i}\n"
          "    outputs: {parameters: [{name: p, globalName: «'{{inputs.parameters.x}} y', valueFrom: {path: /x}}]}"),
     f"{RESULT}.globalName: {PARAMETER}"),
    (step("{name: a, template: ok, arguments: {artifacts: [«{name: f, s3: {bucket: b}}]}}"),
     "templates.main.steps[0].a.arguments.f.from, artifact location, or key is required"),
    (main("container: {image: i}\n    inputs: {artifacts: [{name: f, path: /f, http: {url: ''}}]}").replace("main\n", "«main\n", 1),
     "templates.main inputs.artifacts.f was not supplied"),
    # Tasks are counted in the order in which they can run.
    (main("dag:\n      tasks:\n      - {name: b, dependencies: [a], template: ok}\n"
          "      - {name: «x y, template: ok}\n      - {name: a, template: ok}"),
     f"templates.main.tasks[0].name: 'x y' is invalid: {NAME}"),
    # A field that nobody knows.
    (main("«retryStrategi: {}\n    suspend: {}"), "unknown field `retryStrategi`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), TABLE, ids=[message[:60] for _, message in TABLE])
def test_a_mistake_is_told_in_argos_words_at_its_place(text, message):
    found, place = found_in(HEAD + text)

    assert [(one.message, one.line, one.column) for one in found] == [(message, *place)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (step("{name: a, template: '{{workflow.parameters.v}}'}"), ""),
        (
            step("{name: a, template: «'{{workflow.parameters.w}}'}"),
            "templates.main.steps[0].a template name 'gone' undefined",
        ),
        (
            main("dag: {target: «'{{workflow.parameters.w}}', tasks: [{name: a, template: ok}]}"),
            "templates.main.targets: target 'gone' is not defined",
        ),
        (
            main("timeout: «'{{workflow.parameters.n}}'\n    container: {image: i}"),
            "main has invalid duration format in timeout",
        ),
        (
            main("container: {image: «'{{workflow.parameters.of-{{workflow.parameters.w}}}}'}"),
            "templates.main: failed to resolve {{workflow.parameters.of-gone}}",
        ),
    ],
)
def test_what_the_workflows_parameters_say_is_put_in_before_the_rules(text, message):
    given = "  arguments: {parameters: [{name: v, value: ok}, {name: w, value: gone}, {name: 'n', value: 5}]}\n"
    found, place = found_in(HEAD + given + (text if MARK in text else text + f"# {MARK}\n"))

    wanted = [(message, *place)] if message else []
    assert [(one.message, one.line, one.column) for one in found] == wanted


@pytest.mark.parametrize(
    "inputs",
    [
        "{parameters: [{name: m, value: '{{workflow.nope}}'}]}",
        "{parameters: [{name: m, valueFrom: {configMapKeyRef: {name: '{{workflow.nope}}', key: k}}}]}",
        "{artifacts: [{name: m, path: /x, raw: {data: '{{workflow.nope}}'}}]}",
    ],
)
def test_what_an_argument_takes_the_place_of_is_not_looked_at(inputs):
    called = f"  - {{name: called, inputs: {inputs}, container: {{image: i}}}}\n"
    arguments = "{parameters: [{name: m, value: v}], artifacts: [{name: m, raw: {data: v}}]}"
    text = step(f"{{name: a, template: called, arguments: {arguments}}}") + called + f"# {MARK}"
    entered = text.replace("entrypoint: main", "entrypoint: called")

    assert found_in(HEAD + text)[0] == []
    assert [one.message for one in found_in(HEAD + entered)[0]] == [
        "templates.called: failed to resolve {{workflow.nope}}"
    ]


@pytest.mark.parametrize("tasks", ["[{A}, {B}]", "[{B}, {A}]"])
def test_a_template_sees_the_global_outputs_of_tasks_before_its_own(tasks):
    first = "{name: a, template: gives}"
    second = "{name: b, depends: a, template: takes}"
    tasks = tasks.replace("{A}", first).replace("{B}", second)
    text = main(f"dag: {{tasks: {tasks}}}") + (
        "  - {name: gives, container: {image: i},"
        " outputs: {parameters: [{name: p, globalName: g, valueFrom: {path: /p}}]}}\n"
        "  - {name: takes, container: {image: i, args: ['{{workflow.outputs.parameters.g}}']}}\n"
    )

    assert found_in(HEAD + text + f"# {MARK}")[0] == []


@pytest.mark.parametrize(
    "text",
    [
        main("container: {image: i, args: ['{{inputs.parameters}}']}"),
        main("suspend: {}\n    inputs: {artifacts: [{name: a, optional: true}]}"),
        step(
            "{name: a, template: ok, arguments: {parameters: [{name: m, value: v, enum: []}]}}",
        ),
        main(
            "inputs: {parameters: [{name: x, value: a}]}\n    container: {image: i}\n"
            "    outputs: {artifacts: [{name: 'of-{{inputs.parameters.x}}', path: /x}]}"
        ),
        task(
            "{name: b, template: ok, hooks: {late: {template: ok, expression: 'true', arguments:"
            " {parameters: [{name: m, value: '{{tasks.b.outputs.result}}'}]}}}}"
        ),
    ],
)
def test_what_argo_takes_is_taken(text):
    assert found_in(HEAD + text + f"# {MARK}")[0] == []


def test_a_workflow_is_told_what_its_workflow_template_lacks():
    library = HEAD.replace("Workflow\n", "WorkflowTemplate\n").replace("{name: w}", "{name: wt}")
    library += f"  templates:\n{LEAF}{LEAF}---\n"
    text = library + HEAD + "  workflowTemplateRef: {name: wt}\n  entrypoint: «'no'\n"
    found, place = found_in(text)

    assert [(one.message, one.line, one.column) for one in found] == [
        ("template reference wt.no not found", *place)
    ]


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("", ["templates.end inputs.parameters.p was not supplied"]),
        ("  arguments: {parameters: [{name: p, value: mine}]}\n", []),
    ],
)
def test_the_exit_handler_is_checked_without_what_the_workflow_template_gives(own, told):
    library = HEAD.replace("Workflow\n", "WorkflowTemplate\n").replace("{name: w}", "{name: wt}")
    library += "  arguments: {parameters: [{name: p, value: theirs}]}\n"
    library += "  entrypoint: main\n  onExit: end\n"
    library += "  templates:\n  - {name: main, container: {image: i}}\n"
    library += "  - {name: end, inputs: {parameters: [{name: p}]}, container: {image: i}}\n---\n"
    text = library + HEAD + "  workflowTemplateRef: {name: wt}\n" + own

    found, _ = found_in(f"{text}# {MARK}")

    assert [one.message for one in found] == told


def test_a_template_named_by_the_run_has_no_outputs_that_are_known_before():
    text = step("{name: a, templateRef: {name: x, template: '{{item}}'}, withItems: ['y']}")
    later = '    - - {name: b, template: ok, when: "«{{steps.a.outputs.result}} {{steps.a.id}}"}\n'
    found, place = found_in(HEAD + text.replace(LEAF, later + LEAF))

    message = "templates.main.steps failed to resolve {{steps.a.outputs.result}}"
    assert [(one.message, one.line, one.column) for one in found] == [(message, *place)]


@pytest.mark.parametrize(
    ("wrong", "right", "text"),
    [
        ("entrypont", "entrypoint", "  «entrypont: a\n  templates: [{name: a, suspend: {}}]\n"),
        ("templats", "templates", "  entrypoint: a\n  «templats: []\n"),
        ("contaner", "container", main("«contaner: {image: i}")),
        ("dependsOn", "depends", task("{name: b, template: ok, «dependsOn: a}")),
        ("withItem", "withItems", step("{name: a, template: ok, «withItem: [1]}")),
        ("imag", "image", main("container: {«imag: i}")),
    ],
)
def test_an_unknown_field_gets_the_nearest_known_one(wrong, right, text):
    found, place = found_in(HEAD + text)

    assert (found[0].message, found[0].hint) == (
        f"unknown field `{wrong}`",
        f"did you mean `{right}`?",
    )
    assert (found[0].line, found[0].column) == place


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* 24 * * *", "end of range (24) above maximum (23): 24"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("* * * 13 *", "end of range (13) above maximum (12): 13"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("30-10 * * * *", "beginning of range (30) beyond end of range (10): 30-10"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("*/-1 * * * *", "negative number (-1) not allowed: -1"),
        (
            "9" * 5000 + " * * * *",
            f'failed to parse int from {"9" * 5000}: strconv.Atoi: parsing "{"9" * 5000}": value out of range',
        ),
        (
            "TZ=Mars/Base 0 0 * * *",
            "provided bad location Mars/Base: unknown time zone Mars/Base",
        ),
        ("@often", "unrecognized descriptor: @often"),
        ("@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'),
    ],
)
def test_a_schedule_is_refused_as_the_cron_library_refuses_it(schedule, fault):
    assert cron.schedule_fault(schedule) == fault


@pytest.mark.parametrize(
    "schedule",
    [
        "0 0 * * *", "*/15 9-17 * * MON-FRI", "5/10 ? 1,15 jan *", "@daily", "@every 1h30m",
        "0" * 5000 + "1 0 * * *", "CRON_TZ=Europe/Berlin 0 6 * * *",
    ],
)  # fmt: skip
def test_a_schedule_that_the_cron_library_reads_is_taken(schedule):
    assert cron.schedule_fault(schedule) == ""


@given(
    st.text()
    | st.lists(st.text("0123456789*?/-,LHjan@ ", max_size=6), min_size=5, max_size=5).map(" ".join)
    | st.text("0123456789.hmsµ-+ ").map("@every ".__add__)
)
def test_any_text_is_a_schedule_or_is_told_why_not(text):
    assert isinstance(cron.schedule_fault(text), str)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "schedules: ['* * * * *', «'61 * * * *']",
            "cron schedule 61 * * * * is malformed: end of range (61) above maximum (59): 61",
        ),
        (
            "schedules: ['@daily'], timezone: «Asia/Tokio",
            'invalid timezone "Asia/Tokio": unknown time zone Asia/Tokio',
        ),
        (
            "schedules: ['@daily'], concurrencyPolicy: «'No'",
            "'No' is not a valid concurrencyPolicy",
        ),
        (
            "schedules: ['@daily'], startingDeadlineSeconds: «-1",
            "startingDeadlineSeconds must be positive",
        ),
    ],
)
def test_a_cron_workflow_is_refused_at_the_field_that_is_wrong(text, message):
    head = HEAD.replace("kind: Workflow", "kind: CronWorkflow").removesuffix("spec:\n")
    inner = "workflowSpec: {entrypoint: a, templates: [{name: a, suspend: {}}]}"

    found, place = found_in(f"{head}spec: {{{text}, {inner}}}\n")

    assert [(one.message, one.line, one.column) for one in found] == [(message, *place)]


LIBRARY = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  arguments: {parameters: [{name: size, enum: [s, l]}]}
  templates:
  - {name: a, inputs: {parameters: [{name: m}]}, container: {image: i, args: ["{{workflow.parameters.x}}"]}}
  - {name: b, steps: [[{name: s, template: gone}]]}
"""
GONE = "templates.b templates.b.steps[0].s template name 'gone' undefined"


@pytest.mark.parametrize(
    ("purpose", "text", "messages"),
    [
        (validate.Purpose.LIBRARY, LIBRARY, [GONE]),
        (
            validate.Purpose.LIBRARY,
            LIBRARY.replace("spec:", "spec:\n  entrypoint: a").replace(
                "name: size", "name: 'n', value: x"
            ),
            ["spec.arguments.n.value should be present in spec.arguments.n.enum list", GONE],
        ),
        (
            validate.Purpose.LINT,
            LIBRARY.replace("Template", "").replace("spec:", "spec:\n  entrypoint: b"),
            [
                GONE.removeprefix("templates.b "),
                "templates.a templates.a: failed to resolve {{workflow.parameters.x}}",
            ],
        ),
        (
            validate.Purpose.RUN,
            LIBRARY,
            [
                "spec.entrypoint is required",
                "spec.arguments.size.value or spec.arguments.size.valueFrom is required",
                "templates.a templates.a: failed to resolve {{workflow.parameters.x}}",
                GONE,
            ],
        ),
    ],
)
def test_what_a_workflow_must_have_depends_on_what_it_is_for(purpose, text, messages):
    loaded = load.load({"w.yaml": text.encode()})
    whole = resolve.resolve(loaded.runnable("w.yaml"), loaded)

    assert [one.message for one in validate.validate(whole, purpose=purpose)] == messages


@pytest.mark.parametrize(("value", "wrong"), [("'5'", True), ("5s", False), ("'{{x}}'", False)])
def test_a_timeout_that_comes_by_an_argument_needs_its_unit(value, wrong):
    timed = "{name: timed, timeout: '{{inputs.parameters.t}}', container: {image: i}"
    called = f"  - {timed}, inputs: {{parameters: [{{name: t, default: 1s}}]}}}}\n"
    arguments = f"arguments: {{parameters: [{{name: t, value: {value}}}]}}, withItems: [1]"
    given = arguments.replace("{{x}}", "{{item}}")
    found, place = found_in(
        HEAD + step(f"«{{name: a, template: timed, {given}}}") + called.replace("«", MARK)
    )

    message = "templates.main.steps[0].a timed has invalid duration format in timeout"
    assert [(one.message, one.line, one.column) for one in found] == [(message, *place)] * wrong
