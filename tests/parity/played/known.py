"""Where a played workflow may come out otherwise than on Argo, and why.

Either gitwf differs on purpose (the last part of docs/runs.md) or Argo's own later versions do. A
workflow with such a mark is no finding by itself, though the difference may be another one.
"""

import re

READS_A_CALL = re.compile(r"(?:steps|tasks)(?:\.|\[')([-\w]+)(?:'\])?\??\.(?:outputs|exitCode)")
RETRIED = re.compile("^  retryStrategy:", re.MULTILINE)


def reasons(verdict):
    """Name the known reasons that may be behind the differences of a verdict."""
    if verdict.refused:
        # Argo stops at the first mistake, and goes through the tasks of a DAG in no fixed order.
        several = "dag:" in verdict.case.path.read_text("utf-8") and verdict.case.refusal
        return ["Argo names the mistake that it meets first"] if several else []
    return [name for name, applies in _REASONS.items() if applies(verdict.case)]


def _reads_what_was_skipped(case):
    read = set(READS_A_CALL.findall(case.path.read_text("utf-8")))
    return any(
        node["phase"] in {"Skipped", "Omitted"} and node["displayName"].partition("(")[0] in read
        for node in case.nodes.values()
    )


def _says(text):
    return lambda case: any(text in (node.get("message") or "") for node in case.nodes.values())


def _reads(tag):
    return lambda case: tag in case.path.read_text("utf-8")


def _memoizes_what_the_workflow_retries(case):
    text = case.path.read_text("utf-8")
    return "memoize:" in text and RETRIED.search(text) is not None


def _left_running(case):
    return any(node["phase"] in {"Running", "Pending"} for node in case.nodes.values())


_REASONS = {
    "it reads what a skipped call would have given": _reads_what_was_skipped,
    "a hook found no room": _says("Max parallelism reached"),
    "Argo left nodes running": _left_running,
    "it reads workflow.duration": _reads("workflow.duration"),
    "it reads workflow.failures": _reads("workflow.failures"),
    "the workflow retries what is memoized": _memoizes_what_the_workflow_retries,
    "Argo lost an inline template": _says("failed to get a template"),
}
