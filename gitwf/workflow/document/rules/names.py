"""What a name may look like, and that it stands once in its list.

Argo: validateWorkflowFieldNames. Templates, steps and tasks share one rule, parameters and
artifacts another.
"""

import re
from collections.abc import Sequence

from gitwf.workflow.document import resolved
from gitwf.workflow.document.rules import report

_FIELD = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
_LONGEST = 128
_INPUT = re.compile(r"\{\{\s*inputs\.parameters\.[-a-zA-Z0-9_]+\s*\}\}")
TAG = re.compile(r"\{\{[-a-zA-Z0-9]+(?:\.[-a-zA-Z0-9_]+)*\}\}")


def field_fault(name: str) -> str:
    """Say what is wrong with the name of a template, step or task, or ""."""
    faults = []
    if len(name.encode()) > _LONGEST:
        faults.append(f"must be no more than {_LONGEST} characters")
    if not _FIELD.fullmatch(name):
        faults.append(
            "name must consist of alpha-numeric characters or '-', and must start with an "
            "alpha-numeric character (e.g. My-name1-2, 123-NAME)"
        )
    return ";".join(faults)


def parameter_fault(name: str) -> str:
    """Say what is wrong with the name of a parameter or artifact, or ""."""
    if _PARAMETER.fullmatch(name):
        return ""
    return (
        "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' "
        "e.g. my_param_1, MY-PARAM-1"
    )


def placed(name: str) -> str:
    """Give a name as Argo checks it: with a word in place of each parameter of the template."""
    return _INPUT.sub("placeholder", name) if "{{" in name else name


def check(
    found: report.Report,
    prefix: str,
    names: Sequence[str],
    origin: resolved.Origin | Sequence[resolved.Origin],
    *,
    parameters: bool = False,
) -> None:
    """Check the names of a list; `prefix` is Argo's path to it.

    `origin` is its place, or the place of each of its items.
    """
    seen: set[str] = set()
    for index, name in enumerate(names):
        place = origin.at(index) if isinstance(origin, resolved.Origin) else origin[index]
        where = place.at("name")
        if not name:
            found.error(where, f"{prefix}[{index}].name is required")
            continue
        fault = parameter_fault(name) if parameters else field_fault(name)
        if fault:
            found.error(where, f"{prefix}[{index}].name: '{name}' is invalid: {fault}")
        if name in seen:
            found.error(where, f"{prefix}[{index}].name '{name}' is not unique")
        seen.add(name)
