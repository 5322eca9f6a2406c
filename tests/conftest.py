"""What holds for every test: what is left out is said, and under GITWF_TEST_STRICT it fails."""

import os
import pathlib
import signal
from collections.abc import Generator

import hypothesis
import pytest

# No test fails because the machine is busy: how long things take is for `benchmarks/`.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")

pytest_plugins = ["tests.s3_gateway", "tests.cluster.fixtures", "tests.images"]

STRICT = os.environ.get("GITWF_TEST_STRICT") == "1"
LEFT_OUT = pathlib.Path(__file__).parent.parent / ".cache" / "left-out.txt"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where nothing may be left out."""
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"left out, which GITWF_TEST_STRICT forbids: {reason}"
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin the list of what is left out anew with the fast tests, which run first.

    A shell's background job ignores Ctrl-C, and so would whatever the tests start and interrupt.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    later = session.config.option.markexpr in {"slow and not cluster", "cluster"}
    if not hasattr(session.config, "workerinput") and not later:
        LEFT_OUT.unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write down, once for each reason, how many tests were left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons: dict[str, int] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason] = reasons.get(reason, 0) + 1
    if reasons:
        LEFT_OUT.parent.mkdir(exist_ok=True)
        with LEFT_OUT.open("a", encoding="utf-8") as file:
            file.writelines(f"  {count} tests: {reason}\n" for reason, count in reasons.items())
