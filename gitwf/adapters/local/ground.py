"""What the pods of one run stand on: their rung, their Python environment, what they may see.

Made when the first pod starts, in the run's own thread, because building an environment may take
minutes and `Engine.start` never blocks. A failure is a pod's failure and is tried again by the
next pod; what was made is kept until the run is over.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitwf import ports
from gitwf.adapters.local import box, engines, folder, images, ladder, pod, venvs


@dataclass(frozen=True)
class Settings:
    """How the engine is set up on this machine.

    `state`: its folder. `isolation`: one of `ladder.CHOICES`. `secrets`: folder of `<name>/<key>`.
    `slots`: pods of one run at once. `grace`: seconds between asking a step to end and killing it.
    `search`: the steps' PATH, by default this process's less gitwf's own environment.
    `entrypoints`: argv of images by name, for containers that give no command.
    """

    state: Path
    isolation: str = "auto"
    secrets: Path | None = None
    slots: int = max(4, os.cpu_count() or 1)
    grace: float = 10.0
    search: str = ""
    entrypoints: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: images.ENTRYPOINTS)


class Ground:
    """The ground of one run. `ready` and `done` are called by the run's thread."""

    def __init__(
        self, order: ports.Order, run: folder.RunFolder, settings: Settings, isolation: str
    ) -> None:
        self._order = order
        self._run = run
        self._settings = settings
        self._isolation = isolation
        self._made: tuple[pod.Context, box.Rung] | None = None

    def ready(self) -> tuple[pod.Context, box.Rung]:
        """Give what pods need. Raises Transient when requirements cannot be installed."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def _make(self) -> tuple[pod.Context, box.Rung]:
        state = folder.StateFolder(self._settings.state)
        # An image has what its steps need in it.
        wanted = "" if self._isolation in engines.CHOICES else self._order.requirements
        venv = venvs.build(wanted, state.venvs) if wanted.strip() else None
        search = venvs.search_path(venv, self._settings.search)
        workflow = self._order.workflow
        context = pod.Context(
            state=state,
            run=self._run,
            isolation=self._isolation,
            search=search,
            config_maps=workflow.config_maps,
            granted=self._order.granted,
            secrets=self._settings.secrets,
            written=workflow.secrets,
            source=self._order.source,
            claims=frozenset(claim_names(workflow.spec.volume_claim_templates)),
            entrypoints=self._settings.entrypoints,
            workflow=self._order.name,
            namespace=workflow.namespace,
            account=workflow.spec.service_account_name or "default",
            archive_logs=bool(workflow.spec.archive_logs),
        )
        rung = ladder.make(
            self._isolation,
            hidden=[path for path in (self._settings.state, self._settings.secrets) if path],
            shown=_needed(search, venv),
            stage=self._run.path / "view",
        )
        return context, rung

    def done(self) -> None:
        """Give everything back; nothing runs any more."""
        if self._made is not None:
            self._made[1].close()
            self._made = None
        shutil.rmtree(self._run.work, ignore_errors=True)


def claim_names(claims: tuple[Any, ...]) -> Iterator[str]:
    """The names of volumeClaimTemplates: volumes that live as long as the run."""
    return (str(claim.get("metadata", {}).get("name", "")) for claim in claims)


def _needed(search: str, venv: Path | None) -> list[Path]:
    """The folders that steps need to run programs, wherever they are: a home may hold some."""
    needed = [Path(sys.base_prefix)]
    if venv is not None:
        needed.append(venv)
    for entry in map(Path, search.split(os.pathsep)):
        needed.append(entry)
        # A program finds its libraries beside its `bin`; version switchers all they have.
        needed.append(entry.parent if entry.name == "shims" else entry.parent / "lib")
    return needed
