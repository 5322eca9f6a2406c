"""Credentials for a Git server, tried in order, each once; never shown, never stored.

The order: those in the address, those given by settings, what the user's Git credential helper
knows; for ssh a key file, then the agent, then the usual key files. libgit2 asks again when a
server refused what it got, without end, so whoever runs out of candidates says so. A host key is
only ever accepted when it stands in known_hosts; there is no switch to turn that off.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pygit2
from pygit2.enums import CredentialType

from gitwf.adapters.git import errors
from gitwf.adapters.git.address import Address
from gitwf.errors import Stalled

_USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
# What GitHub expects beside a token; GitLab and Gitea take any name.
_TOKEN_USERNAME = "x-access-token"  # noqa: S105 - a user name, not a password
_HELPER_SECONDS = 10

Candidate = pygit2.UserPass | pygit2.Keypair


@dataclass(frozen=True)
class Credentials:
    """What settings say about credentials. Two are equal when they would be tried alike."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ssh_key: Path | None = None
    ssh_passphrase: str = field(default="", repr=False)
    helper: bool = True

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        """Read `GITWF_GIT_{USERNAME,PASSWORD,TOKEN,SSH_KEY,SSH_PASSPHRASE}`."""
        key = environ.get("GITWF_GIT_SSH_KEY", "")
        return cls(
            username=environ.get("GITWF_GIT_USERNAME", ""),
            password=environ.get("GITWF_GIT_PASSWORD", ""),
            token=environ.get("GITWF_GIT_TOKEN", ""),
            ssh_key=Path(key).expanduser() if key else None,
            ssh_passphrase=environ.get("GITWF_GIT_SSH_PASSPHRASE", ""),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(filter(None, (self.password, self.token, self.ssh_passphrase)))


class Candidates:
    """The candidates for one connection to `address`; made anew for each."""

    def __init__(self, address: Address, given: Credentials) -> None:
        self._address = address
        self._given = given
        self._passwords = self._of_passwords()
        self._keys: Iterator[Candidate] | None = None
        self._offered = False
        self.secrets = [*given.secrets, *address.secrets]

    def next(self, username: str | None, allowed: CredentialType) -> Candidate | pygit2.Username:
        """The next one of a kind that the server allows. Stalled when none is left."""
        user = username or self._address.username or "git"
        found: Candidate | pygit2.Username | None = None
        if allowed & CredentialType.USERPASS_PLAINTEXT and self._address.url.startswith("http"):
            found = next(self._passwords, None)
        elif allowed & CredentialType.SSH_KEY:
            self._keys = self._keys or self._of_keys(user)
            found = next(self._keys, None)
        elif allowed & CredentialType.USERNAME:
            return pygit2.Username(user)
        if found is None:
            say = errors.credentials_refused if self._offered else errors.credentials_missing
            raise say(str(self._address))
        self._offered = True
        return found

    def _of_passwords(self) -> Iterator[Candidate]:
        address, given = self._address, self._given
        if address.password:
            yield pygit2.UserPass(address.username, address.password)
        if given.token:
            user = given.username or address.username or _TOKEN_USERNAME
            yield pygit2.UserPass(user, given.token)
        if given.password:
            yield pygit2.UserPass(given.username or address.username, given.password)
        if given.helper:
            known = _ask_helper(address)
            if known is not None:
                self.secrets.append(known[1])
                yield pygit2.UserPass(*known)
        if address.username and not address.password:
            # A token alone before the @ is a common way to write it.
            yield pygit2.UserPass(address.username, "")

    def _of_keys(self, user: str) -> Iterator[Candidate]:
        given = self._given
        if given.ssh_key is not None:
            if not given.ssh_key.is_file():
                raise Stalled(
                    f"there is no ssh key at {given.ssh_key}", hint="check GITWF_GIT_SSH_KEY"
                )
            yield pygit2.Keypair(user, None, str(given.ssh_key), given.ssh_passphrase)
        if os.environ.get("SSH_AUTH_SOCK"):
            yield pygit2.KeypairFromAgent(user)
        folder = Path("~/.ssh").expanduser()
        for name in _USUAL_KEYS:
            if (folder / name).exists():
                yield pygit2.Keypair(user, None, str(folder / name), given.ssh_passphrase)


def _ask_helper(address: Address) -> tuple[str, str] | None:
    """Ask the user's credential helper, as Git does; never a person, never a window."""
    if shutil.which("git") is None:
        return None
    username = f"username={address.username}\n" if address.username else ""
    try:
        answer = subprocess.run(
            ["git", "-c", "core.askPass=", "credential", "fill"],
            input=f"url={address.url}\n{username}\n",
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": ""},
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    known = dict(line.partition("=")[::2] for line in answer.stdout.splitlines())
    if answer.returncode or not known.get("password"):
        return None
    return known.get("username", ""), known["password"]
