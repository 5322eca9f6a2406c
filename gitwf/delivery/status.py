"""Where every environment stands, in one row each: what HEAD names, what is served, what is next.

The rows come from the same `Observed` and `Plan` that a reconcile works from, so that `status`
never says anything that the next pass would not find.
"""

from dataclasses import dataclass

from gitwf.delivery import action
from gitwf.delivery import observed as seen

_WORST_FIRST = (
    action.State.STALLED,
    action.State.FAILED,
    action.State.WAITING,
    action.State.HELD,
    action.State.SYNCED,
)


@dataclass(frozen=True)
class Row:
    """One environment of one model. `served` is MODEL's value, `url` where people see it.

    `deployed`: whether HEAD deploys the model there; if not, nobody asked what is served. `next` is
    what a pass would do, or why it does nothing; then `hint` says what a person can do.
    """

    model: str
    environment: str
    named: int | None
    served: str | None
    ready: bool
    held: str
    next: str
    state: str
    url: str = ""
    hint: str = ""
    deployed: bool = True


def rows(observed: seen.Observed, plan: action.Plan) -> tuple[Row, ...]:
    """Tell where each environment stands, model by model."""
    found = [
        _row(view, environment, plan, observed)
        for view in observed.models.values()
        for environment in view.environments
    ]
    left = [
        Row(
            one.model,
            one.environment,
            None,
            None,
            False,
            "",
            one.reason,
            str(one.state),
            observed.strays.get((one.model, one.environment), ""),
            one.hint,
            deployed=False,
        )
        for one in plan.actions
        if isinstance(one, action.Report) and (one.model in observed.left or _stray(one, observed))
    ]
    return (*found, *left)


def _stray(one: action.Report, observed: seen.Observed) -> bool:
    """Whether it is of an environment that no row of a model stands for."""
    view = observed.models.get(one.model)
    named = view is not None and view.environment(one.environment) is not None
    return (one.model, one.environment) in observed.strays and not named


def _row(
    view: seen.ModelView,
    environment: seen.EnvironmentView,
    plan: action.Plan,
    observed: seen.Observed,
) -> Row:
    reports: list[action.Report] = []
    pending: list[str] = []
    for one in (*plan.of(view.name), *plan.of("")):
        if getattr(one, "environment", "") not in {"", environment.name}:
            continue
        if isinstance(one, action.Report):
            reports.append(one)
        else:
            pending.append(one.reason)
    reports.sort(key=lambda one: _WORST_FIRST.index(one.state))
    served = environment.serving
    if pending:
        state, words, hint = "pending", pending[0], ""
    elif reports:
        state, words, hint = str(reports[0].state), reports[0].reason, reports[0].hint
    else:
        state = words = hint = ""
    return Row(
        view.name,
        environment.name,
        environment.version,
        served.model if served is not None else None,
        served.ready if served is not None else False,
        _held(environment),
        words,
        state,
        served.url
        if served is not None
        else observed.strays.get((view.name, environment.name), ""),
        hint,
        deployed=environment.deploy is not None,
    )


def _held(environment: seen.EnvironmentView) -> str:
    """Say who or what keeps automation from promoting, or ""."""
    if environment.release is None:
        return ""
    hold = environment.release.spec.hold
    if hold.all:
        return hold.reason or "by a person"
    return "versions " + ", ".join(map(str, hold.versions)) if hold.versions else ""
