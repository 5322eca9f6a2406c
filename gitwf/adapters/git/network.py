"""Talk to a Git server: connect, and move a ref by compare-and-swap.

The swap stands on what the server advertised when the push began, which `push_negotiation` shows:
when that is not the value that the writer planned from, the push ends before anything is sent; when
it changes afterwards, the server's own comparison fails. A server tells a declined or a lost update
only to `push_update_reference`; `push` itself returns as if all were well.
"""

from collections.abc import Sequence

import pygit2
from pygit2.enums import CredentialType
from pygit2.remotes import PushUpdate

from gitwf.adapters.git import credentials
from gitwf.adapters.git.address import Address
from gitwf.errors import RaceLost, Stalled, Transient, redact

_ZERO = pygit2.Oid(raw=bytes(20))
_REMOTE_LINES = 10
# What servers answer when the ref moved between their advertisement and the update.
_LOST = ("lock", "failed to update", "fetch first", "non-fast-forward", "stale", "already exists")


class Calls(pygit2.RemoteCallbacks):
    """The callbacks of one connection: credentials, and whether the other end is to be trusted."""

    def __init__(self, address: Address, given: credentials.Credentials) -> None:
        super().__init__()
        self._address = address
        self._candidates = credentials.Candidates(address, given)

    @property
    def secrets(self) -> Sequence[str]:
        """What must not be shown of this connection."""
        return self._candidates.secrets

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> credentials.Candidate | pygit2.Username:
        """Offer the next candidate, to the host that it is for and no other."""
        if Address.parse(url).host != self._address.host:
            raise Stalled(
                f"{self._address} sends us on to another host, {redact(url)}",
                hint="use the address that it sends us on to",
            )
        return self._candidates.next(username_from_url, allowed_types)

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:  # noqa: ARG002, FBT001
        """Accept a host key or a certificate only when it was found valid.

        Without this, libgit2 as pygit2 calls it takes any ssh host key, known or not.
        """
        return valid


class Push(Calls):
    """The callbacks of one push of one ref. `expected` is what the ref must be at."""

    def __init__(
        self,
        address: Address,
        given: credentials.Credentials,
        ref: str,
        expected: pygit2.Oid | None,
        *,
        compare: bool = True,
    ) -> None:
        super().__init__(address, given)
        self._ref = ref
        self._expected = expected
        self._compare = compare
        self._refused: str | None = None
        self._said = ""

    def push_negotiation(self, updates: list[PushUpdate]) -> None:
        """End the push when the server's value is not the expected one."""
        for update in updates:
            if self._compare and update.src != (self._expected or _ZERO):
                raise RaceLost(
                    f"{self._ref} of {self._address} is at {update.src}, "
                    f"no longer at {self._expected}"
                )

    def push_update_reference(self, refname: str, message: str | None) -> None:
        """Keep the server's answer for the ref."""
        if message is not None:
            self._refused = f"{refname}: {message}"

    def sideband_progress(self, string: str) -> None:
        """Keep what a hook on the server prints."""
        self._said += string

    def check(self) -> None:
        """Raise what the server answered: Transient for a lost update, Stalled for a refusal."""
        if self._refused is None:
            return
        said = [line.strip() for line in self._said.splitlines() if line.strip()]
        words = "; ".join([self._refused, *said[-_REMOTE_LINES:]])
        message = f"{self._address} declined the push of {redact(words, self.secrets)}"
        if any(word in self._refused.lower() for word in _LOST):
            raise Transient(message)
        raise Stalled(
            message,
            hint="let gitwf's account push to it, or watch a branch that it may push to: --branch "
            "or GITWF_BRANCH",
        )
