"""How a run begins: parameters bound, variables set, nothing started yet."""

from collections.abc import Mapping

from gitwf.values import Instant
from gitwf.workflow.document import resolved
from gitwf.workflow.machine import ending, run, variables


def begin(
    workflow: resolved.Resolved,
    name: str,
    parameters: Mapping[str, str],
    at: Instant,
    *,
    uid: str = "",
    entrypoint: str | None = None,
    namespace: str = "",
) -> run.Run:
    """Make the run `name` of a resolved workflow; `Run.start` gives its first commands.

    `parameters` go before the workflow's own arguments. `entrypoint` starts another template.
    Raises Rejected: a parameter has no value.
    """
    if entrypoint is not None:
        workflow = workflow.started_at(entrypoint)
    bound = variables.bind(workflow, parameters)
    known = variables.begin(workflow, name, uid, namespace or workflow.namespace, at, bound)
    made = run.Run(workflow, name, at, bound, known)
    made.root = ending.Root(made).start
    return made
