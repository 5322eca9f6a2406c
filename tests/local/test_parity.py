"""What Argo made of a workflow, the real engine makes of it too: phases, messages, outputs, logs.

The pure machine is held against the same recordings in tests/parity; here real processes run.
"""

import json
import pathlib

import pytest

from gitwf import ports
from gitwf.workflow import record
from gitwf.workflow.document import load, resolve

PARITY = pathlib.Path(__file__).parents[1] / "parity"
CASES = sorted(path for path in PARITY.glob("cases/*/*.yaml") if path.parent.name != "reject")
GAPS = {
    "cset-fail": "containerSet is refused",
    "cset-sequence": "containerSet is refused",
}
ENGINES_TIME = {"retry-then-ok", "out-result-trim"}  # Standard output and error have no one order.
pytestmark = pytest.mark.slow


def case_marks(path):
    why = GAPS.get(path.stem)
    return [pytest.mark.xfail(reason=why, strict=True)] if why else []


@pytest.mark.parametrize(
    "case", [pytest.param(path, marks=case_marks(path), id=path.stem) for path in CASES]
)
def test_the_engine_makes_of_it_what_argo_made(walled, case):
    recorded = json.loads(
        (PARITY / "recordings" / case.parent.name / f"{case.stem}.json").read_text()
    )
    if "nodes" not in recorded or recorded.get("timeout"):
        pytest.skip("the recording holds no nodes")
    loaded = load.load({case.name: case.read_bytes()})
    source = next(one for one in loaded.sources if one.kind == "Workflow")
    workflow = resolve.resolve(source, loaded)
    walled.engine.start(ports.Order(workflow.name, workflow.name, workflow, {}))
    *_, last = walled.engine.watch(workflow.name)

    expected = {name: said(node) for name, node in recorded["nodes"].items()}
    assert (last.phase, last.message) == (recorded["phase"], recorded["message"] or "")
    assert {name: ours(node) for name, node in last.nodes.items()} == expected
    for name, node in recorded["nodes"].items():
        if node.get("log") is not None:
            text = "".join(f"{line.text}\n" for line in walled.engine.logs(workflow.name, name))
            assert ordered(case, text) == ordered(case, node["log"])


def ordered(case, log):
    lines = log.rstrip("\n").split("\n")
    return sorted(lines) if case.stem in ENGINES_TIME else lines


def said(node):
    outputs = node.get("outputs") or {}
    # Argo lists an output parameter that was not written without a value; our record leaves it out.
    listed = outputs.get("parameters") or []
    parameters = {one["name"]: one["value"] for one in listed if one["value"] is not None}
    artifacts = sorted(outputs.get("artifacts") or [])
    leaf = outputs.get("result"), outputs.get("exitCode")
    return node["phase"], node.get("message") or "", parameters, artifacts, leaf


def ours(node: record.NodeRecord):
    outputs = node.outputs
    leaf = outputs.result, outputs.exit_code
    artifacts = sorted(outputs.artifacts)
    return str(node.phase), node.message, dict(outputs.parameters), artifacts, leaf
