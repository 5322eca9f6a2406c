"""From an invocation to a node: find room, bind the inputs, make the node of the template's type.

This is Argo's executeTemplate (Argo: workflow/controller/operator.go). What cannot be made ready
becomes a node of type Skipped in phase Error that says why; it never started.
"""

import dataclasses
from typing import TYPE_CHECKING

from gitwf.workflow import failure, preparation, record, scope
from gitwf.workflow.document import template
from gitwf.workflow.machine import (
    dag,
    invocations,
    locks,
    memos,
    messages,
    nodes,
    pods,
    references,
    retries,
    steps,
    suspends,
)

if TYPE_CHECKING:
    from gitwf.workflow.machine import run

# Argo: the entrypoint is the first of at most 99 templates inside each other.
_MAX_DEPTH = 99
TOO_DEEP = (
    "Maximum recursion depth exceeded. "
    "See https://argo-workflows.readthedocs.io/en/latest/scaling/#maximum-recursion-depth"
)
PAST_DEADLINE = "Step exceeded its deadline"
_PODS = frozenset({"container", "script", "containerSet"})
_COMPOSITES = frozenset({"steps", "dag"})
_TYPES = {
    "steps": record.NodeType.STEPS,
    "dag": record.NodeType.DAG,
    "suspend": record.NodeType.SUSPEND,
    "http": record.NodeType.HTTP,
}
_SOURCE = "source"


def submit(run: "run.Run", invocation: invocations.Invocation, *, limited: bool = True) -> None:
    """Start an invocation, or let it wait in line where there is no room.

    Not `limited`: there is room for it among the workflow's pods.
    """
    inside = invocation.boundary
    if inside is not None and inside.node.phase.fulfilled:
        return
    if run.kept.recall(run, invocation):
        return
    if inside is not None and not inside.admits(invocation.place):
        inside.wait(invocation.place(), lambda: submit(run, invocation))
    elif limited and run.parallelism.limit is not None:
        run.line_up(invocation, lambda: submit(run, invocation, limited=False))
    else:
        launch(run, invocation)


def launch(run: "run.Run", invocation: invocations.Invocation) -> None:
    """Start an invocation for which there is room."""
    if invocation.depth >= _MAX_DEPTH:
        refuse(run, invocation, TOO_DEEP, undone=False)
        return
    if not invocation.target.source.kind:
        refuse(run, invocation, f"template '{invocation.target.name}' type is unknown")
        return
    try:
        prepared = preparation.prepare(
            invocation.target.source,
            invocation.arguments,
            run.visible(_own_names(run, invocation)),
            run.workflow.parameter_maps,
        )
        made = prepared.made()
        bound = invocations.Bound(prepared, made, _bind_artifacts(made, invocation))
    except failure.NodeFailure as problem:
        refuse(run, invocation, str(problem), recurs=True)
        return
    try:
        held = _locked(run, invocation, made)
        memo = memos.of(made)
    except failure.NodeFailure as problem:
        refuse(run, invocation, str(problem))
        return
    if held is None:
        return
    invocation = held
    strategy = made.retry_strategy or run.spec.retry_strategy
    if strategy is None:
        perform(run, invocation, bound, invocation.name, invocation.owner, memo)
    else:
        retrying = retries.Retrying(run, invocation, prepared, bound.artifacts, strategy)
        if memo is None:
            retrying.start()
        else:
            asking = memos.Asking(run, invocation, retrying.node, made, retrying.start)
            retrying.made()
            asking.ask(memo)


def _locked(
    run: "run.Run", invocation: invocations.Invocation, made: template.Template
) -> invocations.Invocation | None:
    """Give the invocation with its locks, None where it waits for them. Raises NodeFailure."""
    if made.synchronization is None:
        return invocation
    namespace = str(run.variables["workflow.namespace"])
    wanted = locks.named(made.synchronization, namespace, run.workflow.config_maps)
    inside, begun = invocation.boundary, made.retry_strategy is None

    def again() -> None:
        if inside is not None and begun:
            inside.parallelism.active -= 1
        _go_on(run, invocation)

    owner = run.locks.take(invocation, wanted, again)
    if owner is not None:
        return dataclasses.replace(invocation, owner=owner)
    if inside is not None and begun:
        # What waits for a lock has its place in the template.
        inside.parallelism.active += 1
    return None


def _go_on(run: "run.Run", invocation: invocations.Invocation) -> None:
    """Launch what waited for a lock, which no failure of its siblings stops any more."""
    inside = invocation.boundary
    if inside is not None and inside.node.phase.fulfilled:
        return
    if not run.parallelism.admits(invocation.place):
        run.parallelism.wait(invocation.place(), lambda: _go_on(run, invocation))
    else:
        launch(run, invocation)


def type_of(invocation: invocations.Invocation) -> record.NodeType:
    """Give the type of the nodes that an invocation's template makes."""
    return _TYPES.get(invocation.target.source.kind, record.NodeType.POD)


def _own_names(run: "run.Run", invocation: invocations.Invocation) -> dict[str, scope.Value]:
    source = invocation.target.source.template
    names: dict[str, scope.Value] = {
        "node.name": invocation.name,
        f"{invocation.kind}.name": invocation.caller,
    }
    if (
        source.retry_strategy is None
        and run.spec.retry_strategy is None
        and invocation.target.source.kind in _PODS
    ):
        names["pod.name"] = nodes.pod_name(run.name, invocation.name, invocation.target.name)
    return names


def refuse(
    run: "run.Run",
    invocation: invocations.Invocation,
    message: str,
    *,
    undone: bool = True,
    recurs: bool = False,
) -> None:
    """Record that an invocation could not be started."""
    node = invocation.make_node(
        run.name, invocation.name, record.NodeType.SKIPPED, invocation.owner
    )
    node.undone, node.recurs = undone, recurs
    run.add(node)
    run.end(node, record.Phase.ERROR, message)


def perform(
    run: "run.Run",
    invocation: invocations.Invocation,
    bound: invocations.Bound,
    name: str,
    owner: nodes.Owner,
    memo: memos.Memo | None = None,
) -> None:
    """Make the node for a template that is ready, and begin its work."""
    node = invocation.make_node(run.name, name, type_of(invocation), owner)
    node.retried = owner is not invocation.owner
    node.inputs = bound.prepared.inputs
    node.input_artifacts = tuple(sorted(bound.artifacts))
    run.add(node)
    if node.retried:
        node.memoized = memos.missed(bound.made)
    else:
        try:
            node.show_as(bound.made)
        except failure.NodeFailure as problem:
            node.recurs = True
            run.undo(node, str(problem))
            return
    stopped = run.stopping(on_exit=invocation.on_exit)
    if stopped and invocation.target.source.kind not in _COMPOSITES:
        run.end(node, record.Phase.FAILED, stopped)
        return

    def begin() -> None:
        try:
            _begin(run, invocation, bound, node)
        except failure.NodeFailure as problem:
            run.undo(node, str(problem))

    if memo is None:
        begin()
    else:
        memos.Asking(run, invocation, node, bound.made, begin).ask(memo)


def _begin(
    run: "run.Run", invocation: invocations.Invocation, bound: invocations.Bound, node: nodes.Node
) -> None:
    prepared, made, _ = bound
    # A composite starts from the agenda: templates may nest deeper than Python's stack.
    match invocation.target.source.kind:
        case "steps":
            run.later(steps.Steps(run, invocation, bound, node).start)
        case "dag":
            run.later(dag.Dag(run, invocation, bound, node).start)
        case "suspend":
            defaults = prepared.defaults()
            suspends.Waiting(run, node, made, defaults, on_exit=invocation.on_exit).start()
        case "container" | "script" | "containerSet":
            _begin_pod(run, invocation, bound, node)
        case "http":
            pods.check_limits(made)
            # Argo hands it to its agent as it is, not filled once more as a pod is.
            pods.Pod(run, invocation, node, made).start(
                messages.StartPod(
                    node=node.id,
                    name=node.name,
                    pod=node.id,
                    written=preparation.Written(prepared.text, prepared.source, made),
                    origin=invocation.target.origin,
                ),
                pods.timeout(made, run.now),
            )
        case other:
            raise failure.NodeFailure(f"gitwf does not run templates of type {other or 'none'}")


def _begin_pod(
    run: "run.Run", invocation: invocations.Invocation, bound: invocations.Bound, node: nodes.Node
) -> None:
    pod_name = nodes.pod_name(run.name, node.name, invocation.target.name)
    values = bound.prepared.pod_values({"pod.name": pod_name})
    written = bound.prepared.fill(values)
    made = written.around
    pods.check_limits(made)
    placed = tuple(
        messages.InputArtifact(
            declared.name, declared.path, location, declared.mode, declared.recurse_mode
        )
        for declared in made.inputs.artifacts
        if (location := bound.artifacts[declared.name]) is not None
    )
    volumes = run.volumes(values) + made.volumes
    limit = pods.pod_timeout(made, node, run.now)
    pod = pods.Pod(run, invocation, node, made)
    pod.start(
        messages.StartPod(
            node=node.id,
            name=node.name,
            pod=pod_name + node.twin,
            written=written,
            origin=invocation.target.origin,
            artifacts=placed,
            volumes=volumes,
            wants_result=invocation.wants_result,
            containers=pod.containers.ids,
        ),
        limit,
    )
    if invocation.until is not None:
        run.wake(invocation.until, pod.expire)


def _bind_artifacts(
    made: template.Template, invocation: invocations.Invocation
) -> references.Places:
    """Give each input artifact its place; None for an optional one that nobody supplied.

    Raises NodeFailure where one is missing.
    """
    given = invocation.arguments.artifacts
    places: references.Places = {}
    for declared in made.inputs.artifacts:
        location = given.get(declared.name) or preparation.own_location(declared)
        if location is None and declared.name in given and not declared.optional:
            raise failure.NodeFailure(
                f"inputs.artifacts.{declared.name} missing location information"
            )
        if location is None and invocation.boundary is None and declared.name == _SOURCE:
            location = record.ArtifactLocation(_SOURCE, source=True)
        if location is None and not declared.optional:
            raise failure.NodeFailure(f"inputs.artifacts.{declared.name} was not supplied")
        places[declared.name] = location
    return places
