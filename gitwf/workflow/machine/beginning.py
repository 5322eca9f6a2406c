"""How a run begins: parameters bound, variables set, nothing started yet.

What a run is given is checked here once, so that nothing after it needs to doubt a parameter. A
value that is missing or not allowed refuses the run before any node is made. Read next: `run`.
"""

from collections.abc import Mapping

from gitwf.errors import Diagnostic, Rejected
from gitwf.values import Instant
from gitwf.workflow import failure
from gitwf.workflow.document import resolved
from gitwf.workflow.machine import ending, locks, run, variables

NO_ENTRYPOINT = "spec.entrypoint is required"
_NO_SIZE = "have its ConfigMap say how many may hold it at once: a whole number from 1"


def begin(
    workflow: resolved.Resolved,
    name: str,
    parameters: Mapping[str, str],
    at: Instant,
    *,
    uid: str = "",
    entrypoint: str | None = None,
) -> run.Run:
    """Make the run `name` of a resolved workflow; `Run.start` gives its first commands.

    `parameters` go before the workflow's own arguments. `entrypoint` starts another template.
    Raises Rejected: a parameter has no value, there is no such template, a lock has no size.
    """
    if entrypoint is not None:
        workflow = workflow.started_at(entrypoint)
    begun_at = workflow.spec.entrypoint
    if resolved.TemplateKey(resolved.LOCAL, begun_at) not in workflow.templates:
        missing = f"template name '{begun_at}' undefined" if begun_at else NO_ENTRYPOINT
        raise Rejected([Diagnostic(workflow.name, 0, 0, missing)])
    bound = variables.bind(workflow, parameters)
    known = variables.begin(workflow, name, uid, workflow.namespace, at, bound)
    made = run.Run(workflow, name, at, bound, known)
    try:
        made.held = locks.of_workflow(workflow.spec.synchronization, known, workflow.config_maps)
    except failure.NodeFailure as problem:
        message = f"Failed to acquire the synchronization lock. {problem}"
        place = workflow.origin("synchronization")
        raise Rejected([place.diagnostic(message, _NO_SIZE, key=True)]) from problem
    made.root = ending.Root(made).start
    return made
