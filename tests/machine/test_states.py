import itertools

import pytest

from gitwf.workflow import record
from gitwf.workflow.machine import nodes, states


def test_a_fulfilled_node_stays_as_it_is():
    for before, after in itertools.product(record.Phase, repeat=2):
        if before.fulfilled and before is not after:
            with pytest.raises(ValueError, match=f"no node goes from {before} to {after}"):
                states.check(before, after)


def test_every_phase_has_its_line():
    assert set(states.TABLE) == set(record.Phase)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("w", "w"),
        ("steps-fail-sibling[1].boom", "steps-fail-sibling-428492416"),
        ("sub-step-vars[0].first", "sub-step-vars-3095031331"),
    ],
)
def test_ids_are_those_that_argo_gives(name, expected):
    run = name.partition("[")[0]
    assert nodes.node_id(run, name) == expected


def test_a_pod_is_named_after_its_template_and_never_too_long():
    assert nodes.pod_name("w", "w", "main") == "w"
    assert nodes.pod_name("w", "w[0].a", "echo") == f"w-echo-{nodes.fnv32('w[0].a')}"
    assert nodes.pod_name("w", "w[0]", "") == f"w-{nodes.fnv32('w[0]')}"
    assert len(nodes.pod_name("w", "w[0].a", "e" * 300)) <= 253
