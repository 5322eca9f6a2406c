"""JSON Schemas of gitwf's own documents, for editors: what `gitwf schema` prints.

Made from the models, so that they cannot drift; kept to what draft 7 knows, because that is what
the YAML language server promises to read. What a schema cannot say (exactly one of three fields,
names that agree) is said by `gitwf lint`.
"""

from typing import Any

from gitwf.delivery import pipeline, project, release
from gitwf.workflow.document import base

DRAFT = "http://json-schema.org/draft-07/schema#"
KINDS: dict[str, type[base.Model]] = {
    "project": project.Project,
    "pipeline": pipeline.Pipeline,
    "release": release.Release,
    "rejected": release.Rejections,
}


def schema(kind: str) -> dict[str, Any]:
    """Describe one kind of document by its name in `KINDS`. KeyError: there is no such kind."""
    found = KINDS[kind].model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = found.pop("$defs", {})
    described = {"$schema": DRAFT, "title": f"gitwf {kind}", **_plain(found)}
    if definitions:
        described["definitions"] = _plain(definitions)
    return described


def _plain(value: Any) -> Any:
    """Drop the titles that pydantic makes up of field names: an editor shows the names anyway."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _plain(one)
        for name, one in value.items()
        if not (name == "title" and isinstance(one, str))
    }
