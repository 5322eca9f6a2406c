"""HTTPS with a certificate that is trusted, and with one that is not."""

import shutil
import subprocess

import pygit2
import pytest

from gitwf.adapters.git import credentials, remote, repo
from gitwf.errors import Stalled
from gitwf.testing import git_server
from gitwf.testing.clock import ManualClock

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture
def server(tmp_path):
    certificate = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-out", str(certificate[0]), "-keyout", str(certificate[1])]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    with git_server.GitServer(
        tmp_path, user="ada", password="swordfish", certificate=certificate
    ) as made:
        made.create().commit({"a": b"1"})
        yield made


def view(server, folder):
    given = credentials.Credentials("ada", "swordfish")
    there = remote.Remote(server.url("remote.git"), folder / "cache.git", credentials=given)
    return repo.GitRepo(there, "main", ManualClock())


def test_a_certificate_that_nobody_trusts_is_not_trusted(server, tmp_path):
    with pytest.raises(Stalled, match=r"the identity of https://.* could not be checked"):
        view(server, tmp_path).head()

    assert server.counts.total() == 0


def test_a_certificate_of_a_trusted_authority_is_trusted(server, tmp_path):
    before = pygit2.settings.ssl_cert_file
    pygit2.settings.ssl_cert_file = str(tmp_path / "certificate.pem")
    try:
        there = view(server, tmp_path)
        commit = there.publish(there.head(), {"b": b"2"}, "Release\n")

        assert commit == there.head()
    finally:
        pygit2.settings.ssl_cert_file = before
