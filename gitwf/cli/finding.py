"""The runs of this machine, wherever under the state folder they are, and one on Argo by its id.

`gitwf run` keeps its runs in the state folder itself, a reconcile in that of its remote. A run is
named by its id, a node by its name, the name that the tree shows, or its id; what is not there is
answered with what comes nearest.
"""

import contextlib
import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitwf import errors, wiring
from gitwf.values import Instant
from gitwf.wiring.settings import Settings
from gitwf.workflow import record

if TYPE_CHECKING:
    from gitwf.adapters.kubernetes import argo
    from gitwf.adapters.local import engine as local_engine


@dataclass(frozen=True)
class Found:
    """A run by its id, with the engine that keeps it. `own`: `gitwf run` made it, no reconcile."""

    run: str
    begun: Instant
    engine: "local_engine.LocalEngine"
    own: bool

    def record(self) -> record.RunRecord:
        """The run as it stands."""
        return self.engine.order_and_record(self.run)[1]


def every(chosen: Settings) -> list[Found]:
    """Every run of this machine, newest first."""
    found = [
        Found(run, begun, engine, own)
        for engine, own in _engines(chosen)
        for begun, run in engine.runs()
    ]
    return sorted(found, key=lambda one: one.begun, reverse=True)


def _engines(chosen: Settings) -> Iterator[tuple["local_engine.LocalEngine", bool]]:
    top = chosen.state_folder
    yield wiring.local_engine(chosen, top), True
    for state in sorted([*top.glob("remotes/*"), *top.glob("local/*/state/remotes/*")]):
        yield wiring.local_engine(chosen, state), False


def last(chosen: Settings) -> Found:
    """The run that was begun last. Stalled when there is none."""
    found = every(chosen)
    if not found:
        raise errors.Stalled("nothing has run on this machine", hint="`gitwf run FILE` runs a file")
    return found[0]


@dataclass(frozen=True)
class OnArgo:
    """A run that Argo keeps, by its id. It has a record and logs, but nothing on this machine."""

    run: str
    engine: "argo.ArgoEngine"

    def record(self) -> record.RunRecord:
        """The run as it stands. Stalled when Argo has taken it away."""
        return next(self.engine.watch(self.run))


def anywhere(chosen: Settings, run: str) -> "Found | OnArgo":
    """The run of this id, on this machine or on the Argo that the branch's gitwf.yaml names."""
    found = maybe(chosen, run)
    if found is not None:
        return found
    engine = None
    with contextlib.suppress(errors.GitwfError):  # no checkout, or none of a project
        engine = wiring.argo_engine(chosen)
    if engine is not None and engine.observe(run) is not None:
        return OnArgo(run, engine)
    return one(chosen, run)


def maybe(chosen: Settings, run: str) -> Found | None:
    """The run of this id, or None."""
    return next((one for one in every(chosen) if one.run == run), None)


def one(chosen: Settings, run: str) -> Found:
    """The run of this id. Stalled when there is none, with the nearest that there is."""
    found = maybe(chosen, run)
    if found is None:
        hint = _near(run, [one.run for one in every(chosen)]) or "`gitwf runs` lists them"
        raise errors.Stalled(f"there is no run {run} on this machine", hint=hint)
    return found


def nodes(shown: record.RunRecord, wanted: str, run: str) -> list[record.NodeRecord]:
    """The nodes that a word names: one by name or id, or all that show this name. Stalled: none."""
    by_id = {node.id: node for node in shown.nodes.values()}
    exact = shown.nodes.get(wanted) or by_id.get(wanted)
    if exact is not None:
        return [exact]
    found = [node for node in shown.nodes.values() if node.display_name == wanted]
    if not found:
        names = {node.display_name for node in shown.nodes.values()} | set(shown.nodes)
        hint = _near(wanted, names) or f"`gitwf runs {run}` shows them"
        raise errors.Stalled(f"{run} has no node {wanted}", hint=hint)
    return found


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""
