"""`plan` and `status`: what a reconcile would do, and where everything stands.

Both observe and plan as `reconcile` does, and stop there. They are asked often, by people and by
programs, and so load nothing of what acts or draws progress. Read next: `delivering`.
"""

import json
import sys
from collections.abc import Sequence

import click

from gitwf import errors, wiring
from gitwf.cli import options
from gitwf.cli.render import github, plans
from gitwf.delivery import status as statuses
from gitwf.service import reconcile as service
from gitwf.wiring.settings import Settings


@click.command()
@options.repository
@click.option("--exit-code", is_flag=True, help="Exit with 3 when changes are pending.")
@click.option(
    "--checkout",
    "proposed",
    is_flag=True,
    help="Plan for this checkout's commit as if it were pushed, under the branch's own policy and "
    "gates: what a pull request would do.",
)
@options.output
def plan(chosen: Settings, form: str, *, exit_code: bool, proposed: bool) -> None:
    """Say what a reconcile would do, and why.

    Names the engine first: how steps are kept apart on this machine, and what is not kept. Each
    action names its reason: for a training, the part of the run key that differs from the version
    made before.
    """
    opened = wiring.repository(chosen, listener=options.warn)
    around = wiring.edge(chosen, opened, listener=options.warn)
    if proposed:
        around, base = wiring.proposed(opened, around)
        reconciler = service.Reconciler(around, base=base)
    else:
        reconciler = service.Reconciler(around)
    seen, planned = reconciler.look()
    engine = around.engine(seen.at.project)
    diagnostics = seen.diagnostics()
    if form == "json":
        options.print_json(
            {
                "head": seen.at.commit,
                "engine": plans.engine_json(engine),
                "actions": plans.rows(planned),
                "diagnostics": [vars(one) for one in diagnostics],
            }
        )
    else:
        plans.engine(options.console(), engine)
        plans.show(options.console(), planned, wrong=_wrong(diagnostics))
    pending = bool(planned.pending)
    github.output(
        {
            "result": "pending" if pending else "in-sync",
            "plan": json.dumps(plans.rows(planned)),
        }
    )
    github.summary(plans.markdown(planned, wrong=_wrong(diagnostics)))
    options.refuse(diagnostics)
    if exit_code and pending:
        sys.exit(3)


@click.command()
@options.repository
@options.output
def status(chosen: Settings, form: str) -> None:
    """Say what each environment should serve, what it serves, and what comes next.

    Names the engine first: how steps are kept apart on this machine, and what is not kept.
    """
    opened = wiring.repository(chosen, listener=options.warn)
    around = wiring.edge(chosen, opened)
    seen, planned = service.Reconciler(around).look()
    engine = around.engine(seen.at.project)
    rows = statuses.rows(seen.observed, planned)
    if form == "json":
        options.print_json(
            {
                "head": seen.at.commit,
                "engine": plans.engine_json(engine),
                "environments": [vars(one) for one in rows],
            }
        )
    else:
        plans.engine(options.console(), engine)
        plans.statuses(options.console(), rows, wrong=_wrong(seen.diagnostics()))
    options.refuse(seen.diagnostics())


def _wrong(diagnostics: Sequence[errors.Diagnostic]) -> bool:
    return any(one.is_error for one in diagnostics)
