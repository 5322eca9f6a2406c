"""Where a played workflow may come out otherwise than on Argo, and why.

Either gitwf differs on purpose (the last part of docs/runs.md) or Argo's own later versions do. A
workflow with such a mark is no finding by itself, though the difference may be another one.
"""

import re

READS_A_CALL = re.compile(
    r"(?:steps|tasks)(?:\.|\['{1,2})([-\w]+)(?:'{1,2}\])?\??\.(?:outputs|exitCode)"
)
WHOLE_DEADLINE = re.compile("^  activeDeadlineSeconds:", re.MULTILINE)
RETRIED = re.compile("^  retryStrategy:", re.MULTILINE)
_ENDS = {"Retry": "children", "Steps": "outboundNodes", "DAG": "outboundNodes"}


def reasons(verdict):
    """Name the known reasons that may be behind the differences of a verdict."""
    if verdict.refused:
        return [name for name, applies in _REFUSALS.items() if applies(verdict)]
    return [name for name, applies in _REASONS.items() if applies(verdict)]


def _has_several_mistakes(verdict):
    """Whether Argo goes through the tasks of a DAG, in no fixed order, to the first mistake."""
    return "dag:" in verdict.case.path.read_text("utf-8") and bool(verdict.case.refusal)


def _argo_runs(words):
    pattern = re.compile(f"refused \\(.*{words}.*\\), Argo runs it")
    return lambda verdict: any(map(pattern.match, verdict.differences))


def _differs(words):
    pattern = re.compile(words)
    return lambda verdict: any(map(pattern.search, verdict.differences))


def _reads_what_was_skipped(verdict):
    case = verdict.case
    read = set(READS_A_CALL.findall(case.path.read_text("utf-8")))
    return any(
        node["phase"] in {"Skipped", "Omitted"} and node["displayName"].partition("(")[0] in read
        for node in case.nodes.values()
    )


def _says(text):
    return lambda verdict: any(
        text in (node.get("message") or "") for node in verdict.case.nodes.values()
    )


def _reads(tag):
    return lambda verdict: tag in verdict.case.path.read_text("utf-8")


def _memoizes_what_the_workflow_retries(verdict):
    text = verdict.case.path.read_text("utf-8")
    return "memoize:" in text and RETRIED.search(text) is not None


def _cuts_off_twice(verdict):
    text = verdict.case.path.read_text("utf-8")
    own = len(re.findall("activeDeadlineSeconds:|timeout:", text)) > 1
    return own and WHOLE_DEADLINE.search(text) is not None and _differs("deadline")(verdict)


def _starts_a_hook_that(verdict, needs):
    text = verdict.case.path.read_text("utf-8")
    return needs in text and _differs(r"\.hooks\.\w+ is not on Argo")(verdict)


def _only_hangs_lower(verdict):
    return all(re.search(r": children is \[.*\.hooks\.", one) for one in verdict.differences)


def _ends_nowhere(verdict):
    nodes = verdict.case.nodes.values()
    hits = any(not node.get(_ENDS.get(node["type"], "phase")) for node in nodes)
    return hits and all(": children is [" in one for one in verdict.differences)


def _goes_well_though_it_fails_fast(verdict):
    nodes = verdict.case.nodes.values()
    well = [node.get("message") or "" for node in nodes if node["phase"] == "Succeeded"]
    return any("failFast enabled" in message for message in well)


def _counts_a_hook(verdict):
    nodes = verdict.case.nodes
    retried = [node for node in nodes.values() if node["type"] == "Retry"]
    below = (nodes[name] for node in retried for name in node.get("children") or ())
    return any(_flags(node) >= {"hooked", "retried"} for node in below)


def _flags(node):
    return (node.get("nodeFlag") or {}).keys()


def _breaks_steps_off(verdict):
    nodes = verdict.case.nodes.values()
    broken = (node for node in nodes if node["type"] == "StepGroup" and node["phase"] == "Error")
    return any(len(node.get("children") or ()) > 1 for node in broken)


def _cannot_start_the_hook_of_a_task(verdict):
    nodes = verdict.case.nodes
    hooks = [(key, node) for key, node in nodes.items() if node["phase"] == "Error"]
    dags = (
        nodes[node["boundaryName"]]
        for key, node in hooks
        if ".hooks." in key and "boundaryName" in node
    )
    return any(dag["type"] == "DAG" for dag in dags)


def _cannot_start_a_hook_of_its_own(verdict):
    name = re.compile(r"w\d+\.hooks\.\w+")
    hooks = (node for key, node in verdict.case.nodes.items() if name.fullmatch(key))
    return any((node["type"], node["phase"]) == ("Skipped", "Error") for node in hooks)


def _left_running(verdict):
    return any(node["phase"] in {"Running", "Pending"} for node in verdict.case.nodes.values())


_REFUSALS = {
    "Argo names the mistake that it meets first": _has_several_mistakes,
    "a task reads one that it does not wait for": _argo_runs(r"failed to resolve \{\{tasks\."),
    "the local engine does not run it": _argo_runs("the local engine does not run"),
}
_REASONS = {
    "it reads what a skipped call would have given": _reads_what_was_skipped,
    "an output's expression gives nothing": _differs("outputs is .*, Argo's .*'<nil>'"),
    "a tag that nobody resolves": _differs(
        r"(is not on Argo: |message is ')failed to "
        r"(resolve \{\{|evaluate expression: ((steps|tasks) is missing|cannot fetch))"
    ),
    "a hook found no room": lambda verdict: (
        _says("Max parallelism reached")(verdict) or _starts_a_hook_that(verdict, "parallelism:")
    ),
    "a memoized template is not Running on Argo": lambda verdict: _starts_a_hook_that(
        verdict, "memoize:"
    ),
    "a hook that cannot start stands below its node": _only_hangs_lower,
    "what follows a node that ends nowhere on Argo": _ends_nowhere,
    "steps that fail fast go well on Argo": _goes_well_though_it_fails_fast,
    "a hook that is tried again counts as an attempt on Argo": _counts_a_hook,
    "Argo does not wait for what is under way in steps that it breaks off": _breaks_steps_off,
    "the hook of a task cannot start": _cannot_start_the_hook_of_a_task,
    "a hook of the workflow cannot start": _cannot_start_a_hook_of_its_own,
    "hooks start one after another on Argo": _differs(
        r"\)\.onExit: memoizationStatus is"
        r"|\[\d+\]\.\S+\.hooks\.\w+(: memoizationStatus is| is not on Argo$)"
    ),
    "Argo left nodes running": _left_running,
    "it reads workflow.duration": _reads("workflow.duration"),
    "it reads workflow.failures": _reads("workflow.failures"),
    "the workflow retries what is memoized": _memoizes_what_the_workflow_retries,
    "the workflow retries what waited for a lock": _differs(
        "type is 'Retry', Argo's '(Pod|DAG|Steps)'"
    ),
    "two deadlines within one second": _cuts_off_twice,
    "it reads workflow.status at the very beginning": _differs("'value': ''.*Argo's .*'Running'"),
    "Argo cuts an attempt off at a whole second": _differs(
        r"Argo's .*(exit code |exitCode': ')143"
    ),
    "Argo lost an inline template": _says("failed to get a template"),
    "Argo lost a node": _differs("Argo's 'could not find node named"),
}
