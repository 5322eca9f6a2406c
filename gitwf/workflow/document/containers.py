"""Containers, scripts and container sets: the templates that start processes.

The fields are those of Kubernetes' Container (core/v1); what only a cluster can honour (probes,
resources, security) is carried unread. `args` that are present but empty are not the same as
absent to Argo's entrypoint lookup, which is why `model_fields_set` is kept by pydantic and worth
asking. Read next: `gitwf.workflow.document.template`.
"""

from gitwf.workflow.document import base, parameters


class EnvSource(base.Model):
    """Where a variable's value comes from."""

    secret_key_ref: parameters.KeySelector | None = None
    config_map_key_ref: parameters.KeySelector | None = None
    field_ref: base.Opaque | None = None
    resource_field_ref: base.Opaque | None = None
    file_key_ref: base.Opaque | None = None


class EnvVar(base.Model):
    """One environment variable."""

    name: str
    value: str = ""
    value_from: EnvSource | None = None


class SourceRef(base.Model):
    """A whole ConfigMap or Secret."""

    name: str = ""
    optional: bool | None = None


class EnvFrom(base.Model):
    """Every key of a ConfigMap or Secret as a variable."""

    prefix: str = ""
    config_map_ref: SourceRef | None = None
    secret_ref: SourceRef | None = None


class VolumeMount(base.Model):
    """A volume's place in the container."""

    name: str
    mount_path: str
    sub_path: str = ""
    read_only: bool = False
    sub_path_expr: str = ""
    mount_propagation: str | None = None
    recursive_read_only: str | None = None


class Container(base.Model):
    """What to run. `image` may come from templateDefaults, so that to have none is no error yet."""

    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: base.OpaqueList = ()
    env_from: tuple[EnvFrom, ...] = ()
    env: tuple[EnvVar, ...] = ()
    resources: base.Opaque | None = None
    resize_policy: base.OpaqueList = ()
    restart_policy: str | None = None
    restart_policy_rules: base.OpaqueList = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: base.OpaqueList = ()
    liveness_probe: base.Opaque | None = None
    readiness_probe: base.Opaque | None = None
    startup_probe: base.Opaque | None = None
    lifecycle: base.Opaque | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""
    image_pull_policy: str = ""
    security_context: base.Opaque | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False


class Script(Container):
    """A container whose `source` is written to a file and given to the command."""

    source: str = ""


FIELDS = tuple(field.alias for field in Script.model_fields.values() if field.alias)


class SetContainer(Container):
    """One container of a set; it starts when its dependencies have succeeded."""

    dependencies: tuple[str, ...] = ()


class SetRetry(base.Model):
    """How often one container of a set is tried again, inside its pod."""

    duration: str = ""
    retries: base.IntOrString


class ContainerSet(base.Model):
    """Several containers in one pod; the one named `main` gives the outputs."""

    containers: tuple[SetContainer, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    retry_strategy: SetRetry | None = None


class UserContainer(Container):
    """A sidecar or an init container."""

    mirror_volume_mounts: bool | None = None


class Volume(base.Model):
    """A named volume and its one source; sources that only a cluster has are carried unread."""

    name: str
    empty_dir: base.Opaque | None = None
    config_map: base.Opaque | None = None
    secret: base.Opaque | None = None
    persistent_volume_claim: base.Opaque | None = None
    host_path: base.Opaque | None = None
    projected: base.Opaque | None = None
    downward_api: base.Opaque | None = base.renamed("downwardAPI")
    csi: base.Opaque | None = None
    ephemeral: base.Opaque | None = None
    image: base.Opaque | None = None
    nfs: base.Opaque | None = None
    iscsi: base.Opaque | None = None
    fc: base.Opaque | None = None
    glusterfs: base.Opaque | None = None
    rbd: base.Opaque | None = None
    cephfs: base.Opaque | None = None
    cinder: base.Opaque | None = None
    git_repo: base.Opaque | None = None
    flex_volume: base.Opaque | None = None
    flocker: base.Opaque | None = None
    azure_file: base.Opaque | None = None
    azure_disk: base.Opaque | None = None
    aws_elastic_block_store: base.Opaque | None = base.renamed("awsElasticBlockStore")
    gce_persistent_disk: base.Opaque | None = None
    quobyte: base.Opaque | None = None
    photon_persistent_disk: base.Opaque | None = None
    portworx_volume: base.Opaque | None = None
    scale_io: base.Opaque | None = base.renamed("scaleIO")
    storageos: base.Opaque | None = None
    vsphere_volume: base.Opaque | None = None
