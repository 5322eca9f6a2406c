import pytest

from gitwf.values import Instant
from gitwf.workflow import failure, record, retry
from gitwf.workflow.document import retry as strategies

START = Instant.parse("2026-01-01T00:00:00Z")
FAILED, ERROR = record.Phase.FAILED, record.Phase.ERROR


def decide(attempts=1, phase=FAILED, now=1.0, message="boom", env=None, **strategy):
    last = retry.Attempt(phase, message, "3", START, START.after(1.0))
    given = strategies.RetryStrategy(**strategy)
    return retry.decide(given, attempts, last, START, START.after(now), env or {})


@pytest.mark.parametrize(
    ("strategy", "phase", "again"),
    [
        ({"limit": 2}, FAILED, True),
        ({"limit": 2}, ERROR, False),
        ({"limit": 2, "retry_policy": "OnError"}, ERROR, True),
        ({"limit": 2, "retry_policy": "OnError"}, FAILED, False),
        ({"limit": "2", "retry_policy": "Always"}, ERROR, True),
        ({"limit": 2, "expression": "true"}, ERROR, True),
        ({}, FAILED, True),
    ],
)
def test_the_policy_says_which_ends_are_tried_again(strategy, phase, again):
    expected = retry.Again() if again else retry.Over("boom")
    assert decide(phase=phase, **strategy) == expected


@pytest.mark.parametrize(("attempts", "expected"), [(1, retry.Again()), (2, retry.Again())])
def test_the_limit_leaves_out_the_first_attempt(attempts, expected):
    assert decide(attempts=attempts, limit=2) == expected
    assert decide(attempts=3, limit=2) == retry.Over("No more retries left")


def test_the_wait_grows_by_the_factor_up_to_the_cap():
    backoff = strategies.Backoff(duration="5", factor=2, cap="12s")
    waits = [decide(attempts=n, limit=5, backoff=backoff) for n in (1, 2, 3)]
    assert waits == [
        retry.Later(START.after(6.0), "Backoff for 5 seconds"),
        retry.Later(START.after(11.0), "Backoff for 10 seconds"),
        retry.Later(START.after(13.0), "Backoff for 12 seconds"),
    ]
    assert decide(now=6.0, limit=5, backoff=backoff) == retry.Again()


def test_without_a_limit_nothing_waits():
    assert decide(backoff=strategies.Backoff(duration="5")) == retry.Again()


def test_the_time_for_all_attempts_is_limited():
    backoff = strategies.Backoff(duration="5", factor=1, max_duration="10s")
    assert decide(now=11.0, limit=9, backoff=backoff) == retry.Over("Max duration limit exceeded")
    long = strategies.Backoff(duration="1m", max_duration="10s")
    assert decide(limit=9, backoff=long) == retry.Over("Backoff would exceed max duration limit")


def test_an_expression_can_end_the_attempts():
    env = {"lastRetry": {"exitCode": "12"}}
    stop = retry.Over("retryStrategy.expression evaluated to false")
    assert decide(expression="asInt(lastRetry.exitCode) < 12", env=env) == stop
    assert decide(expression="asInt(lastRetry.exitCode) == 12", env=env) == retry.Again()


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (
            {"limit": 2, "backoff": strategies.Backoff(factor=2)},
            "no base duration specified for retryStrategy",
        ),
        ({"limit": "abc"}, "value 'abc' cannot be resolved to an int"),
        ({"retry_policy": "Sometimes"}, "Sometimes is not a valid RetryPolicy"),
        ({"expression": "'x'"}, "unable to cast expression result 'x' to bool"),
        ({"expression": "1 + 1"}, "unable to cast expression result '%!s(int=2)' to bool"),
        ({"expression": "nil"}, "unable to cast expression result '%!s(<nil>)' to bool"),
        (
            {"expression": "[1, 'a', {'k': 1.5}]"},
            "unable to cast expression result '[%!s(int=1) a map[k:%!s(float64=1.5)]]' to bool",
        ),
        (
            {"expression": "1 == 'a'"},
            "invalid operation: == (mismatched types int and string) (1:3)\n | 1 == 'a'\n | ..^",
        ),
        ({"expression": "nobody"}, "unknown name nobody (1:1)\n | nobody\n | ^"),
    ],
)
def test_a_strategy_that_makes_no_sense_is_refused_in_argos_words(strategy, message):
    with pytest.raises(failure.NodeFailure) as caught:
        decide(**strategy)
    assert str(caught.value) == message


def test_a_factor_of_zero_is_none():
    backoff = strategies.Backoff(duration="5", factor=0)
    assert decide(attempts=2, limit=5, backoff=backoff) == retry.Later(
        START.after(6.0), "Backoff for 5 seconds"
    )


@pytest.mark.parametrize(("phase", "code"), [("Failed", "7"), ("Error", None)])
def test_the_next_attempt_sees_zero_where_the_last_gave_no_exit_code(play, phase, code):
    words = "{{retries}} {{lastRetry.exitCode}} {{lastRetry.status}} {{lastRetry.message}}"
    main = {
        "name": "main",
        "retryStrategy": {"limit": 1, "retryPolicy": "Always"},
        "container": {"image": "x", "command": ["echo", words]},
    }
    said = []

    def outcome(start):
        said.append(start.template.container.command[1])
        return record.Phase(phase), "why", record.Outputs(exit_code=code)

    final = play({"templates": [main]}, outcome=outcome)
    assert said == ["0 0  ", f"1 {code or 0} {phase} why"]
    assert (final.phase, final.message) == (phase, "No more retries left")


def test_retries_end_with_the_time_of_the_workflow_and_say_so(play):
    main = {
        "name": "main",
        "retryStrategy": {"limit": 5},
        "container": {"image": "x", "command": ["sleep"]},
    }
    final = play({"activeDeadlineSeconds": 5, "templates": [main]}, outcome=lambda _: None)
    assert final.nodes["w(0)"].message == "Step exceeded its deadline"
    assert final.message == "retry exceeded workflow deadline 2026-01-01 00:00:05 +0000 UTC"


@pytest.mark.parametrize("strategy", [{"expression": "1 +"}, {"expression": "1"}])
def test_a_strategy_that_makes_no_sense_is_refused(strategy):
    with pytest.raises(failure.NodeFailure):
        decide(**strategy)


def test_a_node_whose_strategy_makes_no_sense_has_no_outputs(play):
    main = {
        "name": "main",
        "retryStrategy": {"limit": "abc"},
        "container": {"image": "x", "command": ["false"]},
    }

    def outcome(_):
        return record.Phase.FAILED, "why", record.Outputs(exit_code="1")

    final = play({"templates": [main]}, outcome=outcome)
    assert final.nodes["w(0)"].outputs.exit_code == "1"
    assert final.nodes["w"].phase == "Error"
    assert final.nodes["w"].outputs == record.Outputs()


def test_a_retry_expression_knows_the_last_attempt_and_no_variables_of_the_workflow(play):
    strategy = {"limit": 2, "expression": "workflow.name == 'w'"}
    leaf = {"name": "main", "container": {"image": "x", "command": ["false"]}}
    bad = (record.Phase.FAILED, "main: Error (exit code 1)", record.Outputs(exit_code="1"))
    final = play({"templates": [{**leaf, "retryStrategy": strategy}]}, outcome=lambda _: bad)
    assert final.nodes["w"].phase == "Error"
    assert final.message.startswith("error in entry template execution: unknown name workflow")
