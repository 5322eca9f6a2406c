"""Settings: what differs from machine to machine, and so does not belong in gitwf.yaml.

Each is a `GITWF_*` variable, most are also a flag; the table below is the whole list and the docs
are made from it. A flag beats the variable, the variable beats the default. Secrets are read from
the environment only, never from a flag, which every user of the machine could see.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from gitwf import errors


def _setting(default: str, variable: str, meaning: str, *, secret: bool = False) -> Any:
    return field(
        default=default,
        repr=not secret,
        metadata={"variable": variable, "meaning": meaning, "secret": secret},
    )


@dataclass(frozen=True)
class Settings:
    """Every setting as text, as it was given; "" means not given."""

    remote: str = _setting(
        "", "GITWF_REMOTE", "URL or path of the remote; default: `origin` of the checkout"
    )
    branch: str = _setting(
        "", "GITWF_BRANCH", "the watched branch; default: the remote's own default"
    )
    state: str = _setting(
        "", "GITWF_STATE", "folder for caches, journals and logs; default: `$XDG_STATE_HOME/gitwf`"
    )
    secrets_dir: str = _setting(
        "", "GITWF_SECRETS_DIR", "folder with one file a secret: `<name>/<key>`"
    )
    isolation: str = _setting(
        "",
        "GITWF_ISOLATION",
        "rung of the isolation ladder: `container` (`podman`, `docker`), `root`, `user` or `none`; "
        "default: the highest of the last three that works here",
    )
    port: str = _setting("", "GITWF_PORT", "port of the local front; default: from gitwf.yaml")
    poll: str = _setting("10", "GITWF_POLL", "seconds between two looks of `gitwf serve`")
    leader: str = _setting(
        "",
        "GITWF_LEADER",
        "`NAMESPACE/NAME` of a Lease: of several `gitwf serve` in a cluster one leads",
    )
    health_port: str = _setting(
        "", "GITWF_HEALTH_PORT", "port on which `gitwf serve` answers probes at `/healthz`"
    )
    lease: str = _setting(
        "60", "GITWF_LEASE", "seconds without a heartbeat before another host may take a claim over"
    )
    ready: str = _setting("60", "GITWF_READY", "seconds a new viewer has to become ready")
    drain: str = _setting(
        "30", "GITWF_DRAIN", "seconds that open sessions may go on with the old viewer"
    )
    author: str = _setting(
        "gitwf <gitwf@localhost>", "GITWF_AUTHOR", "who gitwf's commits are by: `name <address>`"
    )
    git_username: str = _setting("", "GITWF_GIT_USERNAME", "user name for an HTTP remote")
    git_password: str = _setting(
        "", "GITWF_GIT_PASSWORD", "password for an HTTP remote", secret=True
    )
    git_token: str = _setting(
        "", "GITWF_GIT_TOKEN", "token for an HTTP remote, instead of a password", secret=True
    )
    ssh_key: str = _setting(
        "", "GITWF_GIT_SSH_KEY", "private key file for an SSH remote; default: the agent's keys"
    )
    ssh_passphrase: str = _setting(
        "", "GITWF_GIT_SSH_PASSPHRASE", "passphrase of that key file", secret=True
    )
    s3_endpoint: str = _setting(
        "", "AWS_ENDPOINT_URL", "S3 endpoint other than Amazon's; credentials as in AWS_*"
    )

    @classmethod
    def read(cls, environment: Mapping[str, str], **flags: str | None) -> Self:
        """Take every setting from the environment, then from the flags that were given."""
        given = {
            item.name: environment[item.metadata["variable"]]
            for item in fields(cls)
            if environment.get(item.metadata["variable"])
        }
        return replace(cls(**given), **{name: value for name, value in flags.items() if value})

    def number(self, name: str) -> float:
        """Read a setting as seconds or a port; Rejected when it is not a number."""
        text = getattr(self, name)
        try:
            return float(text)
        except ValueError:
            variable = next(f.metadata["variable"] for f in fields(self) if f.name == name)
            raise errors.Rejected(
                [errors.Diagnostic(variable, 0, 0, f"not a number: {text!r}")]
            ) from None

    @property
    def author_parts(self) -> tuple[str, str]:
        """Name and address of `author`. Rejected: it is not `name <address>`."""
        name, bracket, address = self.author.removesuffix(">").partition("<")
        if not name.strip() or not bracket or "@" not in address:
            what = f"not `name <address>`: {self.author!r}"
            raise errors.Rejected([errors.Diagnostic("GITWF_AUTHOR", 0, 0, what)])
        return name.strip(), address.strip()

    @property
    def state_folder(self) -> Path:
        """Where caches, journals and logs are kept."""
        if self.state:
            return Path(self.state).expanduser().absolute()
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(base) / "gitwf"
