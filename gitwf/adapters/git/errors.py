"""What libgit2 says, in our own words: what happened, and what to try.

libgit2 tells most failures apart only by an error class and a sentence. Here, and nowhere else,
they become `Transient` (the network, a busy server, a lock) or `Stalled` (credentials, a host key,
a repository that is not there). No message leaves without passing through `redact`.
"""

import re
from collections.abc import Iterable

import pygit2

from gitwf.errors import GitwfError, Stalled, Transient, Unreadable, redact

# libgit2: include/git2/errors.h, git_error_t
_NET, _SSL, _SSH, _HTTP = 12, 16, 23, 34
_FROM_THE_NETWORK = frozenset({_NET, _SSL, _SSH, _HTTP})
_STATUS = re.compile(r"unexpected http status code: (\d+)")
_REFUSED = (401, 403, 407)
_GONE = (404, 410)
_NOT_THERE = (
    "No such file",
    "could not find repository",
    "not a git repository",
    "not appear to be a git repository",
    "Repository not found",
)

LIBRARY = (pygit2.GitError, OSError, ValueError, KeyError)

_CREDENTIALS_HINT = (
    "give GITWF_GIT_TOKEN, or GITWF_GIT_USERNAME and GITWF_GIT_PASSWORD, or set up a Git "
    "credential helper; for ssh, an agent or GITWF_GIT_SSH_KEY"
)


class Damaged(Transient):
    """Git failed in a way that a damaged cache would explain: repair it and try once more."""


def credentials_refused(place: str) -> Unreadable:
    """The remote wants credentials that we do not have, or did not like those it got."""
    return Unreadable(f"{place} did not accept the credentials", hint=_CREDENTIALS_HINT)


def credentials_missing(place: str) -> Unreadable:
    """The remote asks for credentials, and none are known."""
    return Unreadable(f"{place} asks for credentials, and none are given", hint=_CREDENTIALS_HINT)


def from_the_network(error: Exception) -> bool:
    """Whether the fault is the connection's or the server's, rather than the cache's on disk."""
    if isinstance(error, pygit2.AuthError | pygit2.CertificateError):
        return True
    if getattr(error, "error_class", None) in _FROM_THE_NETWORK:
        return True
    return "failed to connect" in str(error) or "timed out" in str(error)


def translate(error: Exception, place: str, secrets: Iterable[str] = ()) -> GitwfError:
    """Say what libgit2's `error` on the remote at `place` means; the caller raises it `from`."""
    said = redact(" ".join(str(error).split()), secrets) or type(error).__name__
    if isinstance(error, pygit2.CertificateError):
        return _distrusted(place, said)
    if isinstance(error, pygit2.AuthError) or "authenticat" in said:
        return credentials_refused(f"{place} ({said})")
    status = _STATUS.search(said)
    if status:
        return _of_status(int(status[1]), place, said)
    if "not owned by current user" in said:
        return Stalled(
            f"Git does not trust {place}: {said}",
            hint=f"git config --global --add safe.directory {place}",
        )
    if any(word in said for word in _NOT_THERE):
        return not_there(place)
    if "invalid packet line" in said:
        return shallow(place)
    if from_the_network(error):
        return Transient(f"{place} could not be reached: {said}", retry_after=5.0)
    if "failed to lock" in said or "locked" in said:
        return Transient(
            f"{place} is being written to by another process: {said}",
            hint="a lock file that no running process holds may be deleted",
        )
    if isinstance(error, PermissionError) or "ermission denied" in said:
        return Stalled(f"{place} cannot be read or written: {said}", hint="check its owner")
    return Damaged(f"Git failed on {place}: {said}")


def not_there(place: str) -> Unreadable:
    """There is no repository at `place`."""
    return Unreadable(
        f"there is no Git repository at {place}",
        hint="check the remote's address, or name another one with --remote or GITWF_REMOTE",
    )


def shallow(place: str) -> Stalled:
    """The remote does not have all of its history; a server says so in words libgit2 misreads."""
    return Stalled(
        f"{place} is a shallow clone, which lacks the history that decisions are made from",
        hint="fetch all of it: git fetch --unshallow, or actions/checkout with fetch-depth: 0",
    )


def _distrusted(place: str, said: str) -> Unreadable:
    return Unreadable(
        f"the identity of {place} could not be checked: {said}",
        hint="for ssh, add the server's key to ~/.ssh/known_hosts after comparing its "
        "fingerprint; for https, install the certificate authority that signed it",
    )


def _of_status(status: int, place: str, said: str) -> GitwfError:
    if status in _REFUSED:
        return credentials_refused(place)
    if status in _GONE:
        return Unreadable(
            f"there is no Git repository at {place}, or these credentials may not see it",
            hint="check the remote's address and the token's permissions",
        )
    return Transient(f"{place} failed: {said}", retry_after=5.0)
