"""Builds adapters from settings; the only package that knows both sides.

`repository` says where the remote is and which branch is watched, `edge` gives a reconciler all of
its ports. What is built is imported when it is built, so that a command pays only for what it uses:
one that runs a file loads nothing of Git, of the ledger and of deliveries.
"""

import dataclasses
import functools
import getpass
import hashlib
import os
import platform
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gitwf import errors, ports
from gitwf.adapters import clock
from gitwf.service import signals
from gitwf.values import CommitId
from gitwf.wiring import fronts
from gitwf.wiring import settings as all_settings

if TYPE_CHECKING:
    from gitwf.adapters.git import address as git_address
    from gitwf.adapters.git import objects as git_objects
    from gitwf.adapters.git import remote as git_remote
    from gitwf.adapters.kubernetes import argo as argo_
    from gitwf.adapters.local import engine as local_engine_
    from gitwf.delivery import pipeline, project
    from gitwf.service import edge as edges


Port = TypeVar("Port")


@dataclass(frozen=True)
class Repository:
    """The opened remote and the watched branch. `state`: this remote's part of the state folder."""

    remote: "git_remote.Remote"
    branch: str
    state: Path

    @property
    def folder(self) -> Path | None:
        """Where the remote is a folder of this machine, that folder."""
        return self.remote.address.path


def repository(
    settings: all_settings.Settings,
    *,
    start: Path | None = None,
    offline: bool = False,
    listener: signals.Listener = signals.unheard,
    now: ports.Clock | None = None,
) -> Repository:
    """Open the remote that settings name, or else the one of the checkout at `start`.

    `offline`: as it was seen last, asking nobody. Stalled: neither names one.
    """
    from gitwf.adapters.git import address, checkout, last_seen

    found = checkout.find(start or Path.cwd())
    where = settings.remote or (found.origin if found else "")
    if not where:
        what = "the checkout has no remote called origin" if found else "this is no Git checkout"
        add = "`git remote add origin URL`, or " if found else ""
        raise errors.Stalled(what, hint=f"{add}name the remote with --remote or GITWF_REMOTE")
    ticking = now or clock.SystemClock()
    place = address.Address.parse(where)
    # A folder is the same one by whatever way it is named.
    same_for_all = str(place.path.resolve()) if place.path is not None else place.url
    name = hashlib.sha256(same_for_all.encode()).hexdigest()[:12]
    state = settings.state_folder / "remotes" / name
    if offline:
        same = found is not None and (found.origin == where or not settings.remote)
        opened: git_remote.Remote = last_seen.LastSeen(
            place, state / "git", found if same else None
        )
    else:
        opened = _remote(settings, place, state / "git", listener, ticking)
    branch = settings.branch or opened.default_branch() or (found.branch if found else "") or "main"
    return Repository(opened, branch, state)


def _remote(
    settings: all_settings.Settings,
    place: "git_address.Address",
    cache: Path,
    listener: signals.Listener,
    now: ports.Clock,
) -> "git_remote.Remote":
    from gitwf.adapters.git import credentials, remote

    return remote.Remote(
        place,
        cache,
        credentials=credentials.Credentials(
            username=settings.git_username,
            password=settings.git_password,
            token=settings.git_token,
            ssh_key=Path(settings.ssh_key).expanduser() if settings.ssh_key else None,
            ssh_passphrase=settings.ssh_passphrase,
        ),
        notice=lambda rewritten: listener(signals.Said(now.now(), str(rewritten), "warning")),
    )


def person() -> "git_objects.Identity":
    """Who asks: as Git knows them here, or else the user and the machine."""
    from gitwf.adapters.git import checkout, objects

    user = getpass.getuser()
    return checkout.person(Path.cwd(), os.environ) or objects.Identity(
        user, f"{user}@{platform.node()}"
    )


def edge(
    settings: all_settings.Settings,
    opened: Repository,
    *,
    listener: signals.Listener = signals.unheard,
    runs_steps: bool = True,
    asked_by: "git_objects.Identity | None" = None,
) -> "edges.Edge":
    """Give a reconciler its ports, on this machine's clock and in this process's name.

    `runs_steps`: False where nobody's code may run beside gitwf, as in a cluster's pod.
    `asked_by`: the person that commits on the branch are made for.
    """
    from gitwf.adapters import host, kept
    from gitwf.adapters.git import ledger, objects, repo
    from gitwf.delivery import entry
    from gitwf.service import edge as edges

    ticking = clock.SystemClock()
    identity = objects.Identity(*settings.author_parts)
    me = host.this_process()
    store = _once(lambda wanted: _store(opened, wanted))
    return edges.Edge(
        repo=repo.GitRepo(
            opened.remote, opened.branch, ticking, identity=identity, author=asked_by
        ),
        ledger=ledger.GitLedger(
            opened.remote, ticking, identity=identity, kept=kept.KeptFile(opened.state / "ledger")
        ),
        engine=_once(lambda wanted: _engine(settings, opened, wanted, runs_steps=runs_steps)),
        store=store,
        target=lambda model, deploy, wanted: _target(
            settings, opened, model, deploy, wanted, store
        ),
        clock=ticking,
        me=entry.Owner(me.host, me.boot, me.pid, me.start),
        nonce=lambda: secrets.token_hex(8),
        known_dead=lambda owner: host.known_dead(
            host.Process(owner.host, owner.boot, owner.pid, owner.start)
        ),
        render=_rendered,
        state=opened.state,
        lease=settings.number("lease"),
        listener=listener,
        strays=lambda named: fronts.strays(settings, opened.state, named),
        kept=kept.KeptFile(opened.state / "documents"),
    )


def _rendered(template: str, values: Mapping[str, Any]) -> str:
    """Render a template; the library is loaded with the first one, which most passes lack."""
    from gitwf.adapters import manifests

    return manifests.render(template, values)


def proposed(opened: Repository, around: "edges.Edge") -> "tuple[edges.Edge, CommitId | None]":
    """An edge whose branch ends at the checkout's commit, and the branch's own head.

    Stalled: there is no checkout.
    """
    from gitwf.service import proposal
    from gitwf.wiring import local

    found = local.here()
    base = around.repo.head()
    commit = opened.remote.borrow(found.folder)
    repo = proposal.Proposed(around.repo, commit)
    return dataclasses.replace(around, repo=repo), base


def _once(make: "Callable[[project.Project], Port]") -> "Callable[[project.Project], Port]":
    """Make a port when it is first asked for, and again only when what it is made of changed."""
    made: dict[str, Port] = {}

    def get(wanted: "project.Project") -> Port:
        key = wanted.model_dump_json(include={"spec": {"engine", "store"}})
        if key not in made:
            made[key] = make(wanted)
        return made[key]

    return get


def _store(opened: Repository, wanted: "project.Project") -> ports.Store:
    from gitwf.adapters import store
    from gitwf.delivery import project

    root = wanted.spec.store
    if root.startswith("file:") and opened.folder is None:
        raise errors.Rejected(
            [
                errors.Diagnostic(
                    project.FILE,
                    0,
                    0,
                    f"the store {root} is a folder, but the remote is a server",
                    "others could not read it: use s3://…, or `gitwf reconcile --local`",
                )
            ]
        )
    base = opened.folder.parent if opened.folder is not None else Path()
    return store.ObjectStore(store.Settings(root, base))


def _engine(
    settings: all_settings.Settings,
    opened: Repository,
    wanted: "project.Project",
    *,
    runs_steps: bool,
) -> ports.Engine:
    from gitwf.delivery import project
    from gitwf.wiring import cluster

    if not runs_steps and wanted.spec.engine.name == "local":
        raise errors.Stalled(
            "in a cluster gitwf runs no steps beside itself, and the project's engine is local",
            hint=f"write `engine: {{name: argo, argo: …}}` in {project.FILE}",
        )
    if wanted.spec.engine.argo is not None and wanted.spec.engine.name == "argo":
        return cluster.engine(wanted.spec.engine.argo, opened.state)
    isolation = wanted.spec.engine.isolation
    later: Any = _Later(lambda: local_engine(settings, opened.state, isolation))
    engine: ports.Engine = later
    return engine


class _Later:
    """What `make` gives, made when something of it is first used: most passes start no run."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = functools.cache(make)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def argo_engine(settings: all_settings.Settings) -> "argo_.ArgoEngine | None":
    """The engine that the branch's gitwf.yaml names, where that is Argo."""
    from gitwf.service import documents, mainline
    from gitwf.wiring import cluster

    opened = repository(settings)
    repo = edge(settings, opened).repo
    project, _ = documents.Documents(repo).project(mainline.head(repo))
    named = project.spec.engine
    if named.name != "argo" or named.argo is None:
        return None
    return cluster.engine(named.argo, opened.state)


def local_engine(
    settings: all_settings.Settings, state: Path, isolation: str = "auto"
) -> "local_engine_.LocalEngine":
    """The engine that runs workflows as processes of this machine."""
    from gitwf.adapters.local import engine

    folder = Path(settings.secrets_dir).expanduser() if settings.secrets_dir else None
    rung = settings.isolation or isolation
    return engine.LocalEngine(engine.Settings(state / "engine", secrets=folder, isolation=rung))


def _target(
    settings: all_settings.Settings,
    opened: Repository,
    model: str,
    deploy: "pipeline.Deploy",
    wanted: "project.Project",
    store: "Callable[[project.Project], ports.Store]",
) -> ports.Target:
    from gitwf.wiring import cluster

    where = wanted.spec.environments[deploy.environment]
    if where.kubernetes is not None:
        return cluster.target(model, deploy, where.kubernetes)
    from gitwf.adapters.viewer import target

    port = where.local.port if where.local is not None else None
    own = fronts.settings(settings, opened.state, model, deploy.environment, port)
    return target.LocalTarget(own, lambda uri, digest, to: store(wanted).fetch(uri, digest, to))
