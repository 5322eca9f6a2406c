"""What a project's documents must agree on: each may be right alone and wrong with the others.

A pipeline deploys to environments that gitwf.yaml names and names outputs that its workflow makes;
two pipelines cannot share one fixed port. Each mistake is put at the value that a person would
change. Nothing is read here: who calls has read the documents. Read next:
`gitwf.service.documents`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from gitwf.delivery import gates, pipeline, project, schedule
from gitwf.errors import Diagnostic
from gitwf.text import models, yaml_reader
from gitwf.workflow.document import resolved

Read = tuple[pipeline.Pipeline, Callable[[], yaml_reader.Document]]
"""A pipeline, and what gives the document that it was read from, for the places of mistakes."""


def itself(found: pipeline.Pipeline, document: yaml_reader.Document) -> Iterator[Diagnostic]:
    """Name the gates that are no expressions, and what is wrong with the schedule."""
    texts = found.spec.model.gates if found.spec.model is not None else ()
    for number, words in gates.problems(texts):
        place = ("spec", "model", "gates", number)
        yield document.diagnostic(place, f"gate {number + 1} {words.splitlines()[0]}")
    due = found.spec.triggers.schedule
    if due is not None:
        there = ("spec", "triggers", "schedule")
        for name, words in (
            ("cron", schedule.problem(due)),
            ("timezone", schedule.zone_problem(due)),
        ):
            if words:
                yield document.diagnostic((*there, name), f"`{name}` {words}")


def with_workflow(
    found: pipeline.Pipeline, document: yaml_reader.Document, workflow: resolved.Resolved
) -> Iterator[Diagnostic]:
    """Name the outputs that the pipeline wants and no template of the workflow makes global.

    Warns of parameters that the workflow takes no notice of.
    """
    yield from _templates(found, document, workflow)
    for name in workflow.unknown_parameters(found.spec.parameters):
        what = f"the workflow takes no notice of the parameter `{name}`"
        hint = models.suggest(name, (one.name for one in workflow.spec.arguments.parameters))
        place = ("spec", "parameters", name)
        yield document.diagnostic(place, what, hint, key=True, severity="warning")
    model = found.spec.model
    if model is None:
        return
    wanted = [("artifact", "artifacts", model.artifact), ("metrics", "parameters", model.metrics)]
    for field, kind, name in wanted:
        made = set(_global_names(workflow, kind))
        if name and name not in made and not any("{{" in one for one in made):
            what = f"no template of the workflow has the global output {kind[:-1]} `{name}`"
            hint = models.suggest(name, made) or f"give an output {kind[:-1]} `globalName: {name}`"
            yield document.diagnostic(("spec", "model", field), what, hint)


def _templates(
    found: pipeline.Pipeline, document: yaml_reader.Document, workflow: resolved.Resolved
) -> Iterator[Diagnostic]:
    """Name the templates that shall roll a release out and that the workflow does not have."""
    own = {key.name for key in workflow.templates if key.scope == resolved.LOCAL}
    for number, deploy in enumerate(found.spec.deploy):
        if deploy.template is not None and deploy.template not in own:
            yield document.diagnostic(
                ("spec", "deploy", number, "template"),
                f"the workflow has no template `{deploy.template}`",
                models.suggest(deploy.template, own),
            )


def with_project(read: Sequence[Read], settings: project.Project) -> Iterator[Diagnostic]:
    """Name every deploy that the project's environments cannot take, in the order of `read`.

    Of several models on one fixed port none is served: which came first is not for us to guess.
    """
    for found, document in read:
        for number, deploy in enumerate(found.spec.deploy):
            place = ("spec", "deploy", number)
            where = settings.spec.environments.get(deploy.environment)
            if where is None:
                yield _unknown(document(), place, deploy.environment, settings)
            elif where.local is not None:
                yield from _local(document, place, deploy)
                others = [one.name for one, _ in read if one.deploy(deploy.environment)]
                if where.local.port is not None and len(others) > 1:
                    yield document().diagnostic(
                        (*place, "environment"),
                        f"port {where.local.port} of `{deploy.environment}` can serve one model, "
                        f"and {' and '.join(others)} deploy there",
                        f"take the port out of {project.FILE}, or use another environment",
                    )


def grants(
    settings: project.Project,
    document: yaml_reader.Document,
    workflows: Iterable[resolved.Resolved],
) -> Iterator[Diagnostic]:
    """Warn of secrets that are granted to a template which no workflow of the project has."""
    known = {f"{one.file_of(key)}#{key.name}" for one in workflows for key in one.templates}
    for granted in settings.spec.policy.secrets:
        if granted not in known:
            yield document.diagnostic(
                ("spec", "policy", "secrets", granted),
                f"no workflow has the template `{granted}`, so nothing gets its secrets",
                models.suggest(granted, known),
                key=True,
                severity="warning",
            )


def _unknown(
    document: yaml_reader.Document,
    place: tuple[str | int, ...],
    name: str,
    settings: project.Project,
) -> Diagnostic:
    hint = models.suggest(name, settings.spec.environments)
    return document.diagnostic(
        (*place, "environment"),
        f"the environment `{name}` is not in {project.FILE}",
        hint or f"add it to environments in {project.FILE}",
    )


def _local(
    document: Callable[[], yaml_reader.Document],
    place: tuple[str | int, ...],
    deploy: pipeline.Deploy,
) -> Iterator[Diagnostic]:
    """A Deployment and a template that rolls one out need a cluster."""
    for way in ("deployment", "template"):
        if getattr(deploy, way) is not None:
            yield document().diagnostic(
                (*place, way),
                f"`{way}` needs Kubernetes, and `{deploy.environment}` is on this machine",
                "use `manifests`, or give the environment a `kubernetes` target",
                key=True,
            )


def _global_names(workflow: resolved.Resolved, kind: str) -> Iterator[str]:
    """The global names that templates in reach give to outputs of a kind, inline ones included."""
    ahead: list[Any] = [workflow.templates[key].plain() for key in workflow.reachable]
    while ahead:
        one = ahead.pop()
        if isinstance(one, list):
            ahead += one
        elif isinstance(one, dict):
            outputs = one.get("outputs")
            named = outputs.get(kind, []) if isinstance(outputs, dict) else []
            yield from (output["globalName"] for output in named if output.get("globalName"))
            ahead += one.values()
