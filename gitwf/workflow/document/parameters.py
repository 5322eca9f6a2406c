"""Parameters and artifacts: what goes into a template and what comes out of it.

One `Parameter` and one `Artifact` serve workflow arguments, template inputs, step arguments and
outputs alike, as in Argo (Argo: workflow_types.go); which fields make sense where is `validate`'s.
A value that is absent is None and a value that is empty is "": Argo treats the two differently.
"""

import json

import pydantic

from gitwf.workflow.document import base


def text_of(value: object) -> str:
    """Turn any YAML value into a parameter's text: null and collections as JSON, keys in order.

    Argo: util/util.go, ReadParametersFile. Raises ValueError on a number that is too large.
    """
    if value is None or isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return base.any_string(value)


class KeySelector(base.Model):
    """One key of a ConfigMap or of a Secret."""

    name: str = ""
    key: str
    optional: bool | None = None


class Supplied(base.Model):
    """`supplied: {}`: a person or a caller fills the value in while the run is suspended."""


class ValueFrom(base.Model):
    """Where a parameter's value comes from; `default` stands in when the source has none."""

    path: str = ""
    json_path: str = ""
    jq_filter: str = ""
    event: str = ""
    parameter: str = ""
    supplied: Supplied | None = None
    config_map_key_ref: KeySelector | None = None
    default: base.AnyString | None = None
    expression: str = ""


class Parameter(base.Model):
    """A named text. Present without `value` and `value_from` is not the same as absent."""

    name: str = ""
    default: base.AnyString | None = None
    value: base.AnyString | None = None
    value_from: ValueFrom | None = None
    global_name: str = ""
    enum: tuple[base.AnyString, ...] = ()
    description: base.AnyString | None = None


class RawArtifact(base.Model):
    """The content itself."""

    data: str = ""


class KeyedArtifact(base.Model):
    """An object of a repository; everything but its key stays unread."""

    model_config = pydantic.ConfigDict(extra="allow")

    key: str = ""


class NoneArchive(base.Model):
    """Store as it is."""


class TarArchive(base.Model):
    """Store as a gzipped tar."""

    compression_level: int | None = None


class ZipArchive(base.Model):
    """Store as a zip."""


class Archive(base.Model):
    """How an output artifact is packed; without it Argo makes a gzipped tar."""

    none: NoneArchive | None = None
    tar: TarArchive | None = None
    zip: ZipArchive | None = None


class ArtifactLocation(base.Model):
    """Where an artifact's bytes are; at most one of the sources is set."""

    archive_logs: bool | None = None
    raw: RawArtifact | None = None
    s3: KeyedArtifact | None = None
    gcs: KeyedArtifact | None = None
    oss: KeyedArtifact | None = None
    azure: base.Opaque | None = None
    git: base.Opaque | None = None
    http: base.Opaque | None = None
    artifactory: base.Opaque | None = None
    hdfs: base.Opaque | None = None
    plugin: base.Opaque | None = None


class Artifact(ArtifactLocation):
    """A named file or folder. `mode` is the permission bits as a whole number."""

    name: str = ""
    path: str = ""
    mode: int | None = None
    from_: str = ""
    from_expression: str = ""
    global_name: str = ""
    archive: Archive | None = None
    optional: bool = False
    sub_path: str = ""
    recurse_mode: bool = False
    artifact_gc: base.Opaque | None = base.renamed("artifactGC")
    deleted: bool = False

    @property
    def key(self) -> str:
        """Its key in a store of objects, or ""."""
        stores = (self.s3, self.gcs, self.oss)
        return next((store.key for store in stores if store is not None and store.key), "")


class Arguments(base.Model):
    """What a caller hands to a template, or a person to a workflow."""

    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


class Inputs(base.Model):
    """What a template takes."""

    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


class Outputs(base.Model):
    """What a template gives. `result` and `exit_code` are Argo's status; no person writes them."""

    parameters: tuple[Parameter, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    result: str | None = None
    exit_code: str | None = None
