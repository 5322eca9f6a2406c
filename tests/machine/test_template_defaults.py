"""templateDefaults go under a template as Kubernetes' strategic merge has it."""

import json

from gitwf.workflow import template_defaults
from gitwf.workflow.document import template


def named(*names):
    return {"parameters": [{"name": name, "value": name.lower()} for name in names]}


def merged(own, defaults):
    original, below = (
        template.Template.from_json(json.dumps({"inputs": inputs})) for inputs in (own, defaults)
    )
    return template_defaults.merge(original, below).inputs.parameters


def test_inputs_merge_by_their_names():
    own = {"parameters": [{"name": "A", "value": "mine"}]}
    assert [(one.name, one.value) for one in merged(own, named("A"))] == [("A", "mine")]


def test_what_only_the_defaults_have_comes_last():
    assert [one.name for one in merged(named("C"), named("A", "B"))] == ["C", "A", "B"]


def test_what_stands_before_a_common_one_in_the_defaults_stays_before_it():
    assert [one.name for one in merged(named("C", "B"), named("A", "B"))] == ["C", "A", "B"]
    assert [one.name for one in merged(named("A", "C"), named("A", "B"))] == ["A", "C", "B"]
