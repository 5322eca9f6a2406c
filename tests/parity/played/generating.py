"""Random workflows, one of a seed: documents that Argo's controller and gitwf's machine both play.

People write the workflows that they expect to work; what no one thought of lies between the parts
of a workflow, where a retried step has a hook, a loop is skipped, an artifact comes of a task that
failed. So every part is drawn by chance (`leaves`: what runs; `calling`: how it is called;
`drawing`: what it is told), in the odds that made most workflows valid and most valid ones odd.
Some are no good on purpose: both sides must refuse them in the same words.

A seed decides everything, on every machine; a change here makes other workflows of the same seeds.
"""

import copy
import sys

import yaml

from tests.parity.played import calling, drawing

VERSION = "argoproj.io/v1alpha1"
PARAMETERS = {"workflows.argoproj.io/configmap-type": "Parameter"}


class Plain(yaml.SafeDumper):
    """Writes what stands in two places twice, where YAML would write an alias."""

    def ignore_aliases(self, data):
        return True


def text(seed):
    """Draw the workflow of a seed, as a file of documents."""
    written = (
        yaml.dump(one, Dumper=Plain, sort_keys=False, width=1000, allow_unicode=True)
        for one in documents(seed)
    )
    return "\n---\n".join(written)


def documents(seed):
    """Draw the workflow of a seed and what it refers to, as values."""
    chance = drawing.Chance(seed)
    templates = calling.Templates(chance)
    main = templates.composite(chance.one_of(1, 2, 2), "main")
    spec = _spec(chance)
    called = [_counting(chance)] if chance.maybe(0.1) else []
    if called and "steps" in main:
        main["steps"].append([{"name": "rc", "template": "rec"}])
    handlers = [one for one in _handlers(chance) if one["name"] == spec.get("onExit")]
    calls = [*templates.made, *called, *handlers]
    names = set(_names([calls, spec]))
    kept = [one for one in templates.leaves if one["name"] in names]
    spec["templates"] = [*calls, *kept]
    chance.shuffle(spec["templates"])
    made = [_document("Workflow", f"w{seed}", spec=spec)]
    if chance.maybe(0.12):
        made = _referring(chance, f"w{seed}", spec)
    if templates.shared:
        made.append(_document("WorkflowTemplate", "shared", spec={"templates": kept}))
        made.append(_document("ClusterWorkflowTemplate", "cshared", spec={"templates": kept}))
    return [*made, *_config_maps()]


def _names(value):
    """Find the names of all templates that something calls."""
    if isinstance(value, list):
        for one in value:
            yield from _names(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in {"template", "onExit"}:
                yield one
            else:
                yield from _names(one)


def _document(kind, name, **rest):
    return {"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}, **rest}


def _config_maps():
    named = {"apiVersion": "v1", "kind": "ConfigMap"}
    parameters = {"name": "params", "labels": PARAMETERS}
    yield {**named, "metadata": parameters, "data": {"k": "cmv", "w": "9"}}
    yield {**named, "metadata": {"name": "sem"}, "data": {"one": "1", "two": "2"}}


def _referring(chance, name, spec):
    """Draw a Workflow that takes `spec` from a WorkflowTemplate, and overrides some of it."""
    own = {"workflowTemplateRef": {"name": "whole"}}
    if chance.maybe(0.5):
        own["arguments"] = {"parameters": [{"name": "wp", "value": "over"}]}
    if chance.maybe(0.3):
        own["onExit"] = chance.choice(spec["templates"])["name"]
    if chance.maybe(0.2):
        own["parallelism"] = 1
    if chance.maybe(0.2):
        own["entrypoint"] = chance.one_of("main", chance.choice(spec["templates"])["name"])
    if chance.maybe(0.2):
        own["templateDefaults"] = {"retryStrategy": {"limit": 1}}
    return [
        _document("Workflow", name, spec=own),
        _document("WorkflowTemplate", "whole", spec=spec),
    ]


def _spec(chance):
    """Draw what holds for a whole workflow."""
    spec = {"entrypoint": "main", "arguments": {"parameters": [_argument(chance)]}}
    for odds, draw in _PARTS:
        if chance.maybe(odds):
            spec |= draw(chance)
    return spec


def _argument(chance):
    if chance.maybe(0.2):
        key = {"name": "params", "key": chance.one_of("k", "w")}
        return {"name": "wp", "valueFrom": {"configMapKeyRef": key}}
    return {"name": "wp", "value": chance.one_of("wv", "9", '["k"]')}


def _exit_handler(chance):
    return {"onExit": chance.one_of("leaf", "fail", "retry", "bye", "bye", "bye-dag")}


def _hooks(chance):
    """Draw the workflow's own hooks, which may read how it went so far."""
    made = {}
    if chance.maybe(0.7):
        made["exit"] = {"template": chance.one_of("leaf", "leaf", "leaf", "fail")}
        if made["exit"]["template"] == "leaf":
            message = {"name": "msg", "value": chance.choice(_OF_THE_WORKFLOW)}
            made["exit"]["arguments"] = {"parameters": [message]}
    if not made or chance.maybe(0.4):
        expression = chance.one_of(
            'workflow.status == "Running"',
            'workflow.status == "Succeeded"',
            'workflow.status == "Failed"',
            "true",
        )
        hook = {"template": chance.one_of("leaf", "leaf", "fail"), "expression": expression}
        made[chance.one_of("running", "w1")] = hook
    return {"hooks": made}


def _template_defaults(chance):
    drawn = chance.one_of(
        {"timeout": "30s"},
        {"container": {"image": "busybox", "command": ["other"]}},
        {"activeDeadlineSeconds": 4},
        {"retryStrategy": {"limit": 1}},
        {"failFast": True},
        {"inputs": {"parameters": [{"name": "zz", "value": "zv"}]}},
        {"metadata": {"labels": {"a": "b"}}},
        {"parallelism": 2},
        {
            "outputs": {
                "parameters": [
                    {"name": "out", "valueFrom": {"path": "/tmp/zz", "default": "td"}},
                ]
            }
        },
    )
    return {"templateDefaults": copy.deepcopy(drawn)}


def _parallelism(chance):
    return {"parallelism": chance.one_of(1, 2)}


def _retries(_):
    return {"retryStrategy": {"limit": 1}}


def _deadline(chance):
    return {"activeDeadlineSeconds": chance.one_of(2, 4, 5, 7)}


def _locks(chance):
    semaphore = {"configMapKeyRef": {"name": "sem", "key": "two"}}
    locks = chance.one_of(
        {"mutexes": [{"name": "wm"}]},
        {"mutexes": [{"name": "mx"}]},
        {"semaphores": [semaphore]},
    )
    return {"synchronization": locks}


_PARTS = (
    (0.25, _exit_handler), (0.25, _hooks), (0.08, _parallelism), (0.04, _retries),
    (0.18, _template_defaults), (0.12, _deadline), (0.1, _locks),
)  # fmt: skip
_OF_THE_WORKFLOW = (
    "{{workflow.status}}",
    "{{workflow.failures}}",
    "{{workflow.duration}}",
    "{{workflow.outputs.parameters.gone}}",
    "{{=workflow.status + '!'}}",
    "{{workflow.name}} {{workflow.parameters.wp}}",
    "{{workflow.outputs.artifacts.gart}}",
    "{{=workflow.failures == 'null'}}",
    "{{workflow.message}}",
    "{{workflow.creationTimestamp}}",
)


def _handlers(chance):
    """Draw exit handlers that are templates of calls."""

    def says(*options):
        return {"parameters": [{"name": "msg", "value": chance.choice(options)}]}

    said = {
        "when": chance.one_of(
            "{{workflow.status}} == Succeeded", "{{workflow.status}} != Succeeded", "true"
        ),
        "arguments": says(
            "{{workflow.status}}",
            "{{workflow.outputs.parameters.gone}}",
            "{{workflow.parameters.wp}}",
        ),
    }
    yield {"name": "bye", "steps": [[{"name": "b1", "template": "leaf", **said}]]}
    first = says("{{workflow.failures}}", "{{workflow.status}}", "{{workflow.duration}}")
    second = {
        "depends": "e1",
        "when": chance.one_of(
            "{{workflow.status}} == Failed", "{{=workflow.status == 'Succeeded'}}"
        ),
        "arguments": says("{{tasks.e1.outputs.result}}"),
    }
    tasks = [
        {"name": "e1", "template": "leaf", "arguments": first},
        {"name": "e2", "template": "leaf", **second},
    ]
    yield {"name": "bye-dag", "dag": {"tasks": tasks}}


def _counting(chance):
    """Draw a template that calls itself until it has counted far enough."""

    def says(name, tag):
        return {"arguments": {"parameters": [{"name": name, "value": tag}]}}

    last = f"{{{{steps.w.outputs.result}}}} < {chance.one_of(1, 2)}"
    work = {"name": "w", "template": "leaf", **says("msg", "{{inputs.parameters.count}}")}
    again = {
        "name": "again",
        "template": "rec",
        "when": last,
        **says("count", "{{=asInt(inputs.parameters.count) + 1}}"),
    }
    inputs = {"parameters": [{"name": "count", "value": "0"}]}
    return {"name": "rec", "inputs": inputs, "steps": [[work], [again]]}


def write(seeds, folder):
    """Write the workflows of seeds as files named by them."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (folder / f"w{seed}.yaml").write_text(text(seed), "utf-8")


if __name__ == "__main__":
    sys.stdout.write(text(int(sys.argv[1])))
