"""A template's inputs, and the names they put in sight.

Argo: validateInputs. Where an artifact goes to in the container is the template's business, where
it comes from the caller's.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gitwf.workflow.document import resolved, template
from gitwf.workflow.document.rules import names as naming
from gitwf.workflow.document.rules import outputs, report


def names(one: template.Template) -> Iterator[str]:
    """Name the variables that a template's inputs and own outputs put in sight."""
    yield "inputs.parameters"
    yield from (f"inputs.parameters.{parameter.name}" for parameter in one.inputs.parameters)
    for artifact in one.inputs.artifacts:
        yield f"inputs.artifacts.{artifact.name}"
        if one.is_leaf:
            yield f"inputs.artifacts.{artifact.name}.path"


def check(found: report.Report, one: template.Template, origin: resolved.Origin) -> None:
    """Check the inputs of one template; `origin` is their place."""
    for field, several in (
        ("parameters", one.inputs.parameters),
        ("artifacts", one.inputs.artifacts),
    ):
        listed = [given.name for given in several]
        path = f"templates.{one.name}.inputs.{field}"
        naming.check(found, path, listed, origin.at(field), parameters=True)
    for index, artifact in enumerate(one.inputs.artifacts):
        where = origin.at("artifacts", index)
        path = f"templates.{one.name}.inputs.artifacts.{artifact.name}"
        if one.is_leaf:
            if fault := outputs.path_fault(artifact):
                found.error(where, f"error in {path}: {fault}")
        elif artifact.path:
            message = f"{path}.path only valid in container/script templates"
            found.error(where.at("path"), message)
        if artifact.from_:
            found.error(where.at("from"), f"{path}.from not valid in inputs")
        if artifact.git is not None:
            check_git(found, path, artifact.git, where.at("git"))


def check_git(
    found: report.Report, path: str, git: Mapping[str, Any], where: resolved.Origin
) -> None:
    """Check that a place in a Git repository names the repository."""
    if not git.get("repo"):
        found.error(where, f"{path}.git.repo is required")
