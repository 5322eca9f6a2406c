"""gitwf.yaml: the engine, the store, the environments, where pipelines are, who gets secrets.

One document at the repository's root, read at the commit that a pass reads, so that a change of it
is reviewed like code. It names no path or port of a machine beyond a local viewer's port: those are
flags and `GITWF_*`. A secret is granted to one template of one file, never to a pipeline.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import pydantic

from gitwf.delivery import document
from gitwf.workflow.document import base

FILE = "gitwf.yaml"
DEFAULT_PIPELINES = ("pipelines/*/pipeline.yaml",)

_BUCKET = re.compile(r"s3://[^\s/@?#]+")
_STORE = re.compile(r"(?:file:[^\s?#]+|s3://[^\s/@]+(?:/\S*)?)")
_GRANT = re.compile(rf"[^#\s]+#{document.NAME}")


def _artifacts(value: str) -> str:
    if not _BUCKET.fullmatch(value):
        raise document.wrong("must be s3://BUCKET, the one that Argo's artifact repository is")
    return value


class Argo(base.Model):
    """Argo Workflows: the namespace that its controller watches, and its artifact repository.

    `context` is the kubeconfig's; empty: the current one. `account`: the service account of steps;
    empty: the namespace's default. `artifacts`: the bucket that Argo keeps artifacts in.
    """

    namespace: document.Name = "argo"
    context: str = ""
    account: str = ""
    artifacts: Annotated[str, pydantic.AfterValidator(_artifacts)]


class Engine(base.Model):
    """What runs workflows. `isolation: auto` takes the best that the host offers."""

    name: Literal["local", "argo"] = "local"
    isolation: Literal["auto", "container", "podman", "docker", "root", "user", "none"] = "auto"
    argo: Argo | None = None

    @pydantic.model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.name == "argo" and self.argo is None:
            raise document.wrong("must say where Argo is: argo: {namespace: …, artifacts: s3://…}")
        return self


class LocalTarget(base.Model):
    """A viewer on this machine, behind a front that owns the port. Without a port: any free one."""

    port: Annotated[int, pydantic.Field(ge=1, le=65535)] | None = None


class Fetch(base.Model):
    """How the model comes to a viewer's pod: the init container's image, which holds gitwf.

    Empty: the Deployment says it itself. `secret`: the Secret with the store's credentials, whose
    keys become variables of that container alone; empty: none is needed.
    """

    image: str = ""
    secret: str = ""


class KubernetesTarget(base.Model):
    """A namespace of a cluster. `context` is the kubeconfig's; empty: the current one."""

    namespace: document.Name = "default"
    context: str = ""
    fetch: Fetch = Fetch.model_construct()


class Environment(base.Model):
    """Where a model is served: exactly one target."""

    local: LocalTarget | None = None
    kubernetes: KubernetesTarget | None = None

    @pydantic.model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.local is None) == (self.kubernetes is None):
            raise document.wrong("must name exactly one target: local or kubernetes")
        return self


class Supersede(base.Model):
    """After `max` cancelled estimates in a row one is let finish."""

    max: Annotated[int, pydantic.Field(ge=0)] = 3


class Retries(base.Model):
    """How often a transient failure is tried, and how long to wait first; each wait doubles."""

    limit: Annotated[int, pydantic.Field(ge=1)] = 3
    backoff: document.Duration = "10s"


def _watched(value: str) -> str:
    if value:
        raise document.wrong(
            "is not supported: release commits go to the watched branch, where one "
            "compare-and-swap guards code and releases alike; leave it out"
        )
    return value


class Releases(base.Model):
    """Where release commits go; empty: the watched branch."""

    branch: Annotated[str, pydantic.AfterValidator(_watched)] = ""


def _grant(value: str) -> str:
    if not _GRANT.fullmatch(value):
        raise document.wrong("must be a template as file#template")
    return value


Grant = Annotated[str, pydantic.AfterValidator(_grant)]


class Policy(base.Model):
    """Which secrets a template gets: `file#template` -> names of secrets."""

    secrets: dict[Grant, tuple[str, ...]] = pydantic.Field(default_factory=dict)

    def granted(self) -> Mapping[str, frozenset[str]]:
        """The secret names by `file#template`, as an engine takes them."""
        return {template: frozenset(names) for template, names in self.secrets.items()}


def _store(value: str) -> str:
    if not _STORE.fullmatch(value):
        raise document.wrong("must be file:FOLDER or s3://BUCKET/PREFIX, without credentials")
    return value


class Spec(base.Model):
    """What the project says."""

    engine: Engine = Engine.model_construct()
    store: Annotated[str, pydantic.AfterValidator(_store)]
    environments: dict[document.Name, Environment] = pydantic.Field(default_factory=dict)
    pipelines: tuple[document.Path, ...] = DEFAULT_PIPELINES
    policy: Policy = Policy.model_construct()
    releases: Releases = Releases.model_construct()
    supersede: Supersede = Supersede.model_construct()
    retries: Retries = Retries.model_construct()


class Project(base.Model):
    """gitwf.yaml: where models are kept, trained and served, and who may have which secret."""

    api_version: document.ApiVersion
    kind: Literal["Project"]
    metadata: document.Metadata
    spec: Spec
