"""From an order to a node: find room, bind the inputs, make the node of the template's type.

This is Argo's executeTemplate (Argo: workflow/controller/operator.go). What cannot be made ready
becomes a node of type Skipped in phase Error that says why; it never started.
"""

import dataclasses
from typing import TYPE_CHECKING

from gitwf.workflow import failure, preparation, record, scope
from gitwf.workflow.document import template
from gitwf.workflow.machine import (
    dag,
    locks,
    memos,
    messages,
    nodes,
    orders,
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


def submit(run: "run.Run", order: orders.Order) -> None:
    """Start an order, or let it wait in line where there is no room."""
    inside = order.boundary
    if inside is not None and inside.node.phase.fulfilled:
        return
    if run.kept.recall(run, order):
        return
    if inside is not None and not inside.admits():
        inside.wait(lambda: submit(run, order))
    elif run.parallelism.full and not order.target.source.template.suspend:
        run.parallelism.waiting.append(lambda: submit(run, order))
    else:
        launch(run, order)


def launch(run: "run.Run", order: orders.Order) -> None:
    """Start an order for which there is room."""
    if order.depth >= _MAX_DEPTH:
        refuse(run, order, TOO_DEEP, undone=False)
        return
    if not order.target.source.kind:
        refuse(run, order, f"template '{order.target.name}' type is unknown")
        return
    try:
        prepared = preparation.prepare(
            order.target.source,
            order.arguments,
            run.visible(_own_names(run, order)),
            run.workflow.parameter_maps,
        )
        made = prepared.made()
        bound = orders.Bound(prepared, made, _bind_artifacts(made, order))
        held = _locked(run, order, made)
        memo = memos.of(made)
    except failure.NodeFailure as problem:
        refuse(run, order, str(problem))
        return
    if held is None:
        return
    order = held
    strategy = made.retry_strategy or run.spec.retry_strategy
    if strategy is None:
        perform(run, order, bound, order.name, order.owner, memo)
    else:
        retrying = retries.Retrying(run, order, prepared, bound.artifacts, strategy)
        if memo is None:
            retrying.start()
        else:
            asking = memos.Asking(run, order, retrying.node, made, retrying.start)
            retrying.made()
            asking.ask(memo)


def _locked(run: "run.Run", order: orders.Order, made: template.Template) -> orders.Order | None:
    """Give the order with its locks, or None where it waits for them. Raises NodeFailure."""
    if made.synchronization is None:
        return order
    namespace = str(run.variables["workflow.namespace"])
    wanted = locks.named(made.synchronization, namespace, run.workflow.config_maps)
    owner = run.locks.take(order, wanted, lambda: submit(run, order))
    return None if owner is None else dataclasses.replace(order, owner=owner)


def type_of(order: orders.Order) -> record.NodeType:
    """Give the type of the nodes that an order's template makes."""
    return _TYPES.get(order.target.source.kind, record.NodeType.POD)


def _own_names(run: "run.Run", order: orders.Order) -> dict[str, scope.Value]:
    source = order.target.source.template
    names: dict[str, scope.Value] = {
        "node.name": order.name,
        f"{order.kind}.name": order.caller,
    }
    if (
        source.retry_strategy is None
        and run.spec.retry_strategy is None
        and order.target.source.kind in _PODS
    ):
        names["pod.name"] = nodes.pod_name(run.name, order.name, order.target.name)
    return names


def refuse(run: "run.Run", order: orders.Order, message: str, *, undone: bool = True) -> None:
    """Record that an order could not be started."""
    node = order.make_node(run.name, order.name, record.NodeType.SKIPPED, order.owner)
    node.undone = undone
    run.add(node)
    run.end(node, record.Phase.ERROR, message)


def perform(
    run: "run.Run",
    order: orders.Order,
    bound: orders.Bound,
    name: str,
    owner: nodes.Owner,
    memo: memos.Memo | None = None,
) -> None:
    """Make the node for a template that is ready, and begin its work."""
    node = order.make_node(run.name, name, type_of(order), owner)
    node.retried = owner is not order.owner
    node.inputs = bound.prepared.inputs
    node.input_artifacts = tuple(sorted(bound.artifacts))
    run.add(node)
    if node.retried:
        node.memoized = memos.missed(bound.made)
    else:
        try:
            node.show_as(bound.made)
        except failure.NodeFailure as problem:
            run.undo(node, str(problem))
            return
    stopped = run.stopping(on_exit=order.on_exit)
    if stopped and order.target.source.kind not in _COMPOSITES:
        run.end(node, record.Phase.FAILED, stopped)
        return

    def begin() -> None:
        try:
            _begin(run, order, bound, node)
        except failure.NodeFailure as problem:
            run.undo(node, str(problem))

    if memo is None:
        begin()
    else:
        memos.Asking(run, order, node, bound.made, begin).ask(memo)


def _begin(run: "run.Run", order: orders.Order, bound: orders.Bound, node: nodes.Node) -> None:
    prepared, made, _ = bound
    # A composite starts from the agenda: templates may nest deeper than Python's stack.
    match order.target.source.kind:
        case "steps":
            run.later(steps.Steps(run, order, bound, node).start)
        case "dag":
            run.later(dag.Dag(run, order, bound, node).start)
        case "suspend":
            defaults = prepared.defaults()
            suspends.Waiting(run, node, made, defaults, on_exit=order.on_exit).start()
        case "container" | "script" | "containerSet":
            _begin_pod(run, order, bound, node)
        case "http":
            pods.check_limits(made)
            # Argo hands it to its agent as it is, not filled once more as a pod is.
            pods.Pod(run, order, node, made).start(
                messages.StartPod(
                    node=node.id,
                    name=node.name,
                    pod=node.id,
                    written=preparation.Written(prepared.text, prepared.source, made),
                    origin=order.target.origin,
                ),
                pods.timeout(made, run.now),
            )
        case other:
            raise failure.NodeFailure(f"gitwf does not run templates of type {other or 'none'}")


def _begin_pod(run: "run.Run", order: orders.Order, bound: orders.Bound, node: nodes.Node) -> None:
    pod_name = nodes.pod_name(run.name, node.name, order.target.name)
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
    pod = pods.Pod(run, order, node, made)
    pod.start(
        messages.StartPod(
            node=node.id,
            name=node.name,
            pod=pod_name + node.twin,
            written=written,
            origin=order.target.origin,
            artifacts=placed,
            volumes=volumes,
            wants_result=order.wants_result,
            containers=pod.containers.ids,
        ),
        limit,
    )
    if order.until is not None:
        run.wake(order.until, pod.expire)


def _bind_artifacts(made: template.Template, order: orders.Order) -> references.Places:
    """Give each input artifact its place; None for an optional one that nobody supplied.

    Raises NodeFailure where one is missing.
    """
    given = order.arguments.artifacts
    places: references.Places = {}
    for declared in made.inputs.artifacts:
        location = given.get(declared.name) or preparation.own_location(declared)
        if location is None and declared.name in given and not declared.optional:
            raise failure.NodeFailure(
                f"inputs.artifacts.{declared.name} missing location information"
            )
        if location is None and order.boundary is None and declared.name == _SOURCE:
            location = record.ArtifactLocation(_SOURCE, source=True)
        if location is None and not declared.optional:
            raise failure.NodeFailure(f"inputs.artifacts.{declared.name} was not supplied")
        places[declared.name] = location
    return places
