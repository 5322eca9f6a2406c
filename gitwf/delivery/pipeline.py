"""pipeline.yaml: what triggers a pipeline, its workflow, its model and gates, where it is deployed.

The pipeline's name is its model's name. Paths that begin with `/` are of the repository's root,
others of the pipeline's own folder; globs likewise. Nothing in this file is part of the run key
but `parameters` and the inputs that `triggers.paths` names: editing a gate or a schedule trains
nothing. Read next: `gitwf.delivery.keys`.
"""

import posixpath
from typing import Annotated, Literal, Self

import pydantic

from gitwf import values
from gitwf.delivery import document
from gitwf.workflow.document import base


class Schedule(base.Model):
    """When to train although nothing changed. `timezone` is a name of the tz database."""

    cron: Annotated[str, pydantic.Field(min_length=1)]
    timezone: str = "UTC"


class Triggers(base.Model):
    """What a run is a function of, besides its workflow and parameters."""

    paths: tuple[document.Path, ...] = (".",)
    ignore: tuple[str, ...] = ("**/*.md", "viewer/**")
    schedule: Schedule | None = None


class ModelSpec(base.Model):
    """Which outputs are the model and its metrics, and what it must pass.

    `artifact`: a global output artifact, one file. `metrics`: a global output parameter holding a
    JSON object. `gates`: expressions over `metrics`, `current` and `parameters`.
    """

    artifact: Annotated[str, pydantic.Field(min_length=1)]
    metrics: str = ""
    gates: tuple[str, ...] = ()


class After(base.Model):
    """Promote what an earlier environment has served for a while."""

    after: document.Name
    soak: document.Duration = "0s"


class Deploy(base.Model):
    """One environment. Exactly one of `manifests`, `deployment`, `template`.

    `watch`: the Deployment that `template` rolls out.
    """

    environment: document.Name
    manifests: document.Path | None = None
    deployment: document.Name | None = None
    template: str | None = None
    watch: document.Name | None = None
    container: str = "viewer"
    viewer: document.Path = "viewer"
    promote: Literal["auto", "manual"] | After = "auto"
    verify: Literal["digest", "none"] = "digest"
    adopt: bool = False
    drift: Literal["heal", "warn", "off"] = "heal"
    env: dict[str, str] = pydantic.Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.manifests, self.deployment, self.template]
        if sum(way is not None for way in ways) != 1:
            raise document.wrong("must have exactly one of manifests, deployment and template")
        if self.template is not None and self.watch is None:
            raise document.wrong("must say in `watch` which Deployment its template rolls out")
        if self.template is None and self.watch is not None:
            raise document.wrong("must have `watch` only with `template`")
        return self

    @property
    def verified(self) -> bool:
        """Whether gitwf itself has the model's bytes checked before they are served."""
        return self.verify == "digest" and self.template is None


# An editor must not underline what Argo, and so the model, reads as text.
Parameter = Annotated[
    base.AnyString, pydantic.WithJsonSchema({"type": ["string", "number", "boolean"]})
]


class Spec(base.Model):
    """What the pipeline says."""

    workflow: document.Path
    requirements: document.Path | None = None
    triggers: Triggers = Triggers.model_construct()
    parameters: dict[str, Parameter] = pydantic.Field(default_factory=dict)
    supersede: Literal["cancel", "finish"] = "cancel"
    model: ModelSpec | None = None
    deploy: tuple[Deploy, ...] = ()

    @pydantic.model_validator(mode="after")
    def _deploys_a_model(self) -> Self:
        names = [deploy.environment for deploy in self.deploy]
        if names and self.model is None:
            raise document.wrong("must say which model it deploys: model.artifact")
        for number, deploy in enumerate(self.deploy):
            if deploy.environment in names[:number]:
                raise document.wrong(f"must deploy to {deploy.environment} only once")
            after = deploy.promote.after if isinstance(deploy.promote, After) else None
            if after is not None and after not in names[:number]:
                raise document.wrong(
                    f"must deploy to {after} before it promotes to {deploy.environment} after it"
                )
        return self


class Pipeline(base.Model):
    """What trains a model, when, what it must be like, and where it is served."""

    api_version: document.ApiVersion
    kind: Literal["Pipeline"]
    metadata: document.Metadata
    spec: Spec

    @property
    def name(self) -> str:
        """The pipeline's name, which is its model's."""
        return self.metadata.name

    def deploy(self, environment: str) -> Deploy | None:
        """How this pipeline deploys to an environment, or None."""
        return next((one for one in self.spec.deploy if one.environment == environment), None)

    def given(self, version: object, commit: str) -> dict[str, str]:
        """What a run is given: the pipeline's parameters, and gitwf's own `model` and `commit`."""
        own = {"model": f"{self.name}-v{version}", "commit": commit}
        return {**self.spec.parameters, **own}


def rooted(path: str, file: str) -> str:
    """Turn a path of the document at `file` into one of the repository's root."""
    if path.startswith("/"):
        return values.inside(path)
    return values.inside(posixpath.join(posixpath.dirname(file), path))
