"""However a workflow is spoilt, it is taken or refused, never a traceback."""

import copy
import json
import pathlib

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gitwf import errors
from gitwf.workflow.document import load, resolve, unsupported, validate

RICH = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: rich, labels: {a: b}}
spec:
  entrypoint: main
  onExit: end
  hooks: {late: {template: end, expression: "true"}}
  arguments: {parameters: [{name: x, value: 1, enum: [1, 2]}], artifacts: [{name: s, raw: {data: d}}]}
  templateDefaults: {container: {image: i}}
  workflowMetadata: {labels: {c: d}}
  podGC: {strategy: OnPodCompletion}
  volumes: [{name: v, emptyDir: {}}]
  templates:
  - name: main
    inputs: {parameters: [{name: x}], artifacts: [{name: s}]}
    steps:
    - - {name: a, template: graph, withItems: [1, [2], {k: 3}], when: "{{item}} == 1"}
      - name: b
        inline: {container: {image: i, command: [a], args: ["{{inputs.parameters.x}}"]}}
        hooks: {exit: {template: end, arguments: {parameters: [{name: m, value: "{{steps.b.status}}"}]}}}
    - - {name: c, template: end, withSequence: {count: 2}, continueOn: {failed: true}}
      - {name: d, templateRef: {name: lib, template: t}, arguments: {artifacts: [{name: z, from: "{{x}}"}]}}
    outputs: {parameters: [{name: o, globalName: G, valueFrom: {parameter: "{{steps.c.id}}"}}]}
  - name: graph
    dag:
      target: two
      tasks:
      - {name: one, template: end}
      - {name: two, template: end, depends: one.Succeeded, withParam: "{{tasks.one.outputs.result}}"}
  - name: end
    retryStrategy: {limit: 2, retryPolicy: Always, backoff: {duration: 1s, factor: 2}}
    activeDeadlineSeconds: 5
    script: {image: i, command: [sh], source: "echo {{workflow.status}}", env: [{name: E, value: v}]}
    outputs: {artifacts: [{name: out, path: /out}], parameters: [{name: p, valueFrom: {path: /p}}]}
  - {name: set, containerSet: {containers: [{name: main, image: i, dependencies: []}]}}
  - name: cluster
    inputs: {artifacts: [{name: z, path: /z}]}
    resource: {action: create, manifestFrom: {artifact: {name: z}}}
    metrics: {prometheus: [{name: m, help: h, counter: {value: "1"}}]}
"""
LIB = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec: {templates: [{name: t, inputs: {artifacts: [{name: z, path: /z}]}, container: {image: i}}]}
"""
CASES = [path.read_text() for path in sorted(pathlib.Path(__file__).parent.glob("reject/*.yaml"))]
SEEDS = [yaml.safe_load(RICH), *(yaml.safe_load(text) for text in CASES)]
ODD = st.sampled_from(
    [
        None, True, 0, -1, 1.5, "", "x", "{{", "{{x}}", "{{steps.a.b}}", "{{tasks.one.id}}", "{{item.k}}",
        "a && b", [], {}, [None], [[]], [{}], {"name": "x"}, {"": ""}, "main", "9", "a/../..", "\u2028",
    ]
)  # fmt: skip


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*path, index))


@st.composite
def spoilt(draw):
    """A workflow with up to three of its parts replaced, removed or moved elsewhere."""
    value = copy.deepcopy(draw(st.sampled_from([SEEDS[0], *SEEDS])))
    for _ in range(draw(st.integers(1, 3))):
        every = [path for path in places(value) if path]
        path = draw(st.sampled_from(every))
        new = copy.deepcopy(draw(ODD))  # a later round may spoil it further
        if draw(st.booleans()):
            other = value
            for step in draw(st.sampled_from(every)):
                other = other[step]
            new = copy.deepcopy(other)
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        if draw(st.integers(0, 3)):
            parent[path[-1]] = new
        else:
            del parent[path[-1]]
    return value


@settings(max_examples=150)
@given(spoilt())
def test_a_spoilt_workflow_is_taken_or_refused(value):
    files = {"w.yaml": json.dumps(value).encode(), "lib.yaml": LIB.encode()}
    try:
        loaded = load.load(files)
        whole = resolve.resolve(loaded.runnable("w.yaml"), loaded)
    except errors.Rejected as refusal:
        found = refusal.diagnostics
    else:
        found = [*validate.validate(whole), *unsupported.check(whole)]
        assert whole.canonical() == resolve.resolve(loaded.runnable("w.yaml"), loaded).canonical()

    for one in found:
        assert one.message
        assert one.file in files
        assert one.line >= 0


def test_the_seed_itself_is_sound():
    loaded = load.load({"w.yaml": RICH.encode(), "lib.yaml": LIB.encode()})
    whole = resolve.resolve(loaded.runnable("w.yaml"), loaded)

    assert [str(one) for one in validate.validate(whole) if one.is_error] == []
