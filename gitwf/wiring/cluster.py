"""What is built of a cluster: targets that are Deployments, and the engine that is Argo Workflows.

The client library is an extra, because it is larger than everything else together: who names a
cluster in gitwf.yaml without it is told what to install.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitwf import errors, ports
from gitwf.adapters import host
from gitwf.delivery import pipeline, project
from gitwf.values import Digest

if TYPE_CHECKING:
    from gitwf.adapters import store
    from gitwf.adapters.kubernetes import argo, connection

_SOURCES = "gitwf-source"


def target(model: str, deploy: pipeline.Deploy, where: project.KubernetesTarget) -> ports.Target:
    """The target of one environment of one model in a namespace."""
    opened = _connection(where.namespace, where.context)
    from gitwf.adapters.kubernetes import target as targets

    own = targets.Settings(
        model,
        deploy.environment,
        deploy.container,
        deployment=deploy.deployment or deploy.watch or "",
        stepped=deploy.template is not None,
        adopt=deploy.adopt,
        verified=deploy.verify != "none",
        image=where.fetch.image,
        secret=where.fetch.secret,
    )
    return targets.KubernetesTarget(own, opened)


def engine(where: project.Argo, state: Path) -> "argo.ArgoEngine":
    """Argo Workflows in the namespace that its controller watches."""
    opened = _connection(where.namespace, where.context)
    from gitwf.adapters import store
    from gitwf.adapters.kubernetes import argo, submission

    repository = ArtifactRepository(
        where.artifacts, store.ObjectStore(store.Settings(where.artifacts))
    )
    settings = argo.Settings(state / "argo", submission.Terms(where.account))
    return argo.ArgoEngine(settings, opened, repository)


@dataclass(frozen=True)
class ArtifactRepository:
    """The bucket that Argo keeps artifacts in; `root` is its `s3://` address."""

    root: str
    objects: "store.ObjectStore"

    def put(self, file: Path) -> str:
        """Keep a file under its digest; the key that Argo finds it by."""
        return self.objects.put(_SOURCES, file).uri.removeprefix(f"{self.root}/")

    def copy(self, key: str, to: Path) -> Digest:
        """Write the object of a key to `to`."""
        return self.objects.copy(f"{self.root}/{key}", to)


@contextlib.contextmanager
def leading(
    lease: str, clock: ports.Clock, stopping: Callable[[], bool]
) -> Iterator[Callable[[], bool]]:
    """Wait until this process leads by the Lease `NAMESPACE/NAME`; gives whether that is over.

    Without a Lease everybody leads. Rejected: it is no such name.
    """
    if not lease:
        yield lambda: False
        return
    namespace, slash, name = lease.partition("/")
    if not (namespace and slash and name):
        what = f"not NAMESPACE/NAME: {lease!r}"
        raise errors.Rejected([errors.Diagnostic("GITWF_LEADER", 0, 0, what)])
    opened = _connection(namespace, "")
    from gitwf.adapters.kubernetes import lease as leases

    me = host.this_process()
    settings = leases.Settings(name, f"{me.host}-{me.pid}-{me.start}")
    with leases.Leadership(settings, opened, clock).held(stopping) as over:
        yield over


def _connection(namespace: str, context: str) -> "connection.Connection":
    try:
        from gitwf.adapters.kubernetes import connection
    except ModuleNotFoundError as error:
        raise errors.Stalled(
            "gitwf.yaml names a cluster, and its client is not installed",
            hint="pip install 'gitwf[kubernetes]'",
        ) from error
    return connection.Connection(connection.Settings(namespace, context))
