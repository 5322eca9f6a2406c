"""What libgit2 says becomes what the loop does next, and never tells a secret."""

import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitwf.adapters.git import errors
from gitwf.errors import Stalled, Transient

PLACE = "https://h.org/r.git"


def said(message, error_class=0):
    error = pygit2.GitError(message)
    error.error_class = error_class
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (pygit2.AuthError("no"), Stalled, "did not accept the credentials"),
        (pygit2.CertificateError("x"), Stalled, "could not be checked"),
        (said("unexpected http status code: 401"), Stalled, "did not accept"),
        (said("unexpected http status code: 403"), Stalled, "did not accept"),
        (said("unexpected http status code: 404"), Stalled, "there is no Git repository"),
        (said("unexpected http status code: 429"), Transient, "429"),
        (said("unexpected http status code: 502"), Transient, "502"),
        (said("failed to authenticate SSH session", 23), Stalled, "did not accept"),
        (said("too many redirects or authentication replays", 34), Stalled, "did not accept"),
        (said("failed to resolve address for h.org", 12), Transient, "could not be reached"),
        (said("failed to connect to h.org: timed out", 2), Transient, "could not be reached"),
        (said("SSL error: syscall failure", 16), Transient, "could not be reached"),
        (said("ERROR: Repository not found.", 23), Stalled, "there is no Git repository"),
        (said("invalid packet line", 12), Stalled, "shallow clone"),
        (said("failed to lock file 'x.lock' for writing", 2), Transient, "by another process"),
        (said("repository path '/r' is not owned by current user", 7), Stalled, "trust"),
        (PermissionError("denied"), Stalled, "cannot be read or written"),
        (said("something new"), Transient, "something new"),
        (KeyError("refs/heads/x"), Transient, "refs/heads/x"),
    ],
)
def test_an_error_of_the_library_says_what_to_do_next(error, kind, words):
    translated = errors.translate(error, PLACE)

    assert isinstance(translated, kind)
    assert words in translated.message
    assert "\n" not in translated.message
    assert kind is Transient or translated.hint


@given(
    # Letters that no message of ours is made of.
    secret=st.text("αβγδεζηθ+?*[", min_size=1),
    template=st.sampled_from(
        [
            "could not read https://ada:{}@h.org/r",
            "unexpected http status code: 403 for {}",
            "failed to authenticate SSH session: {}",
            "{} is not owned by current user",
            "failed to connect, said {} twice: {}",
            "failed to lock {}",
        ]
    ),
    error_class=st.sampled_from([0, 2, 12, 16, 23, 34]),
)
def test_no_secret_comes_through(secret, template, error_class):
    error = said(template.format(secret, secret), error_class)

    translated = errors.translate(error, "PLACE", [secret])

    assert secret not in str(translated).replace("***", "")
