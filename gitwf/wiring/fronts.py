"""Where the fronts of this machine are: one for each local environment of each model.

A front outlives the command that started it, so that every command must come to the same folder and
port for the same environment. What a front is: `gitwf.adapters.viewer`.
"""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from gitwf.wiring import settings as all_settings

if TYPE_CHECKING:
    from gitwf.adapters.viewer import settings as front_settings
    from gitwf.service import documents
    from gitwf.service import edge as edges


def of_model(
    chosen: all_settings.Settings,
    state: Path,
    at: "documents.ProjectAt",
    model: str,
) -> "list[front_settings.FrontSettings]":
    """The local fronts of a model, one for each local environment that it deploys to."""
    known = at.project.spec.environments
    wanted = [one.environment for one in at.pipelines[model].document.spec.deploy]
    return [
        settings(chosen, state, model, name, where.port)
        for name in wanted
        if name in known and (where := known[name].local) is not None
    ]


def strays(
    chosen: all_settings.Settings, state: Path, named: "Collection[edges.Place]"
) -> "dict[edges.Place, str]":
    """The fronts of this state folder that answer and are not among `named`: their addresses."""
    found: dict[edges.Place, str] = {}
    for home in sorted((state / "fronts").glob("*/*")):
        environment, model = home.parent.name, home.name
        if (model, environment) in named:
            continue
        from gitwf.adapters.viewer import control

        url = control.url(settings(chosen, state, model, environment, None))
        if url is not None:
            found[model, environment] = url
    return found


def settings(
    chosen: all_settings.Settings, state: Path, model: str, environment: str, port: int | None
) -> "front_settings.FrontSettings":
    """How the front of one environment of one model is found and started."""
    from gitwf.adapters.viewer import settings as front

    return front.FrontSettings(
        environment=environment,
        home=state / "fronts" / environment / model,
        port=int(chosen.number("port")) if chosen.port else port or 0,
        ready_seconds=chosen.number("ready"),
        drain_seconds=chosen.number("drain"),
    )
