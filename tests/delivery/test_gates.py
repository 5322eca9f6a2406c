"""What a gate may say, what it sees, and what is kept of the answer."""

import json

import pytest

from gitwf.delivery import entry, gates
from gitwf.values import CommitId, Instant, RunKey
from gitwf.workflow import record

NOW = Instant.parse("2026-11-23T12:00:00Z")


def result(version, **metrics):
    return entry.Result(
        "m", RunKey("a" * 64), 1, version, CommitId("b" * 40), "f", "local", NOW, NOW,
        metrics=metrics, parameters={"window": "90"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "passed", "words"),
    [
        ("metrics.mape < 0.25", True, "`metrics.mape < 0.25` is true (metrics.mape = 0.2)"),
        ("metrics.mape < 0.1", False, "`metrics.mape < 0.1` is false (metrics.mape = 0.2)"),
        ("current == nil", False, "`current == nil` is false (current = version 1)"),
        (
            "metrics.mape <= current.metrics.mape",
            False,
            "is false (current.metrics.mape = 0.1, metrics.mape = 0.2)",
        ),
        ("current.version == 1", True, "is true (current.version = 1)"),
        ('parameters.window == "90"', True, "is true (parameters.window = 90)"),
        ("metrics.mape", False, "`metrics.mape` gives 0.2, not true or false"),
        ("metrics.mape <", False, "cannot be evaluated"),
        ("nothing > 1", False, "cannot be evaluated"),
        ("metrics.lost < 1", False, "`metrics.lost < 1`"),
    ],
)
def test_a_gate_says_what_it_read(gate, passed, words):
    verdict = gates.judge([gate], result(2, mape=0.2), "prod", result(1, mape=0.1), NOW)

    assert verdict.passed is passed
    assert words in verdict.gates[0][2]
    assert verdict.compared == 1


def test_without_a_current_version_current_is_nil():
    verdict = gates.judge(["current == nil || false"], result(1), "prod", None, NOW)

    assert verdict.passed
    assert verdict.compared is None


def test_every_gate_must_pass_and_those_that_fail_are_told():
    verdict = gates.judge(["true", "1 > 2", "false"], result(1), "prod", None, NOW)

    assert not verdict.passed
    assert verdict.words == "`1 > 2` is false; `false` is false"


def test_no_gates_pass():
    assert gates.judge([], result(1), "prod", None, NOW).passed


def test_the_verdicts_place_depends_on_the_text_alone():
    assert gates.digest(["a", "b"]) != gates.digest(["ab"])
    assert gates.digest(["a"]) == gates.digest(("a",))


def test_a_gate_is_checked_before_anything_runs():
    found = gates.problems(["metrics.a < 1", "metrics <", "metric.a < 1"])

    assert [number for number, _ in found] == [1, 2]
    assert found[1][1] == "reads `metric`; a gate has metrics, current and parameters"


def finished(text):
    outputs = record.Outputs(parameters={} if text is None else {"metrics": text})
    return record.RunRecord("m", record.Phase.SUCCEEDED, outputs=outputs)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no global output parameter `metrics`"),
        ("", "is not JSON"),
        ("mape=1", "is not JSON"),
        ("[1]", "must hold a JSON object"),
        ('{"a": NaN}', "is not JSON"),
        ('{"a": 1e999}', "not finite"),
    ],
)
def test_metrics_that_are_no_metrics_are_named(text, problem):
    assert problem in gates.metrics(finished(text), "metrics")[1]


def test_metrics_are_a_json_object():
    assert gates.metrics(finished(json.dumps({"mape": 0.1})), "metrics") == ({"mape": 0.1}, "")
    assert gates.metrics(finished(None), "") == ({}, "")
