"""A real sshd on loopback, with a host key of its own: keys, agents, and whom to trust."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pygit2
import pytest

from gitwf.adapters.clock import SystemClock
from gitwf.adapters.git import credentials, remote, repo
from gitwf.errors import RaceLost, Stalled
from gitwf.testing import git_repository
from tests import waiting

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
PASSPHRASE = "swordfish-42"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SSHD is None, reason="sshd is not installed"),
]


class Sshd:
    """The server's repository, its public key, and a client's home folder."""

    def __init__(self, folder, port):
        self.folder = folder
        self.port = port
        self.repository = git_repository.Repository.create(folder / "remote.git")
        self.known_hosts = folder / "home" / ".ssh" / "known_hosts"
        self.known_hosts.parent.mkdir(parents=True)
        self.know(self.public("host"))

    @property
    def url(self):
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
        return f"ssh://{user.strip()}@127.0.0.1:{self.port}{self.repository.path}"

    def public(self, name):
        return (self.folder / f"{name}.pub").read_text()

    def know(self, key):
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {key}")

    def view(self, url=None, **given):
        settings = credentials.Credentials(**given)
        there = remote.Remote(url or self.url, self.folder / "cache.git", credentials=settings)
        return repo.GitRepo(there, "main", SystemClock())


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(port, process):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    pytest.fail(f"sshd does not answer: {process.poll()}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ssh")
    for name, phrase in (("host", ""), ("user", ""), ("locked", PASSPHRASE), ("other", "")):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", str(folder / name)]
        subprocess.run(command, check=True)
    (folder / "authorized").write_text(
        (folder / "user.pub").read_text() + (folder / "locked.pub").read_text()
    )
    port = _free_port()
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
    )
    if os.geteuid() == 0:
        # Debian's service makes this folder when it starts; a private instance must do it itself.
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    command = [SSHD, "-D", "-f", str(folder / "sshd_config")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield Sshd(folder, port)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(autouse=True)
def home(server, monkeypatch):
    before = pygit2.settings.homedir
    pygit2.settings.homedir = str(server.known_hosts.parent.parent)
    monkeypatch.setenv("HOME", str(server.known_hosts.parent.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    server.know(server.public("host"))
    yield
    pygit2.settings.homedir = before


def test_a_key_file_reads_and_writes(server):
    view = server.view(ssh_key=server.folder / "user")
    head = view.head()

    commit = view.publish(head, {"key": b"1"}, "Release\n")

    assert commit == server.repository.head()
    assert commit == view.head()


def test_a_key_file_with_a_passphrase_is_opened_by_it(server):
    view = server.view(ssh_key=server.folder / "locked", ssh_passphrase=PASSPHRASE)

    assert server.repository.head() == view.head()


def test_a_usual_key_file_is_found(server, tmp_path, monkeypatch):
    folder = tmp_path / ".ssh"
    folder.mkdir()
    shutil.copy(server.folder / "user", folder / "id_ed25519")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert server.repository.head() == server.view().head()


def test_an_agent_signs(server, monkeypatch):
    socket_path = server.folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket_path)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket_path))
        waiting.until(socket_path.exists)
        subprocess.run(["ssh-add", "-q", str(server.folder / "user")], check=True)

        assert server.repository.head() == server.view().head()
    finally:
        agent.terminate()
        agent.wait()


def test_a_host_that_is_not_known_is_not_trusted(server):
    server.known_hosts.unlink()

    with pytest.raises(Stalled, match=r"the identity of .* could not be checked") as distrusted:
        server.view(ssh_key=server.folder / "user").head()

    assert "known_hosts" in distrusted.value.hint


def test_a_host_with_another_key_is_not_trusted(server):
    server.know(server.public("other"))

    with pytest.raises(Stalled, match="could not be checked"):
        server.view(ssh_key=server.folder / "user").head()


def test_a_host_that_is_not_trusted_is_not_pushed_to(server):
    view = server.view(ssh_key=server.folder / "user")
    head = view.head()
    server.known_hosts.unlink()

    with pytest.raises(Stalled, match="could not be checked"):
        view.publish(head, {"a": b"1"}, "Release\n")

    assert head == server.repository.head()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ssh_key": "other"}, "did not accept the credentials"),
        ({"ssh_key": "locked", "ssh_passphrase": "wrong-1"}, "did not accept the credentials"),
        ({"ssh_key": "nothing"}, "there is no ssh key at"),
        ({}, "asks for credentials, and none are given"),
    ],
    ids=["another key", "wrong passphrase", "no such file", "no key"],
)
def test_a_key_that_does_not_fit_is_a_matter_for_a_person(server, given, said):
    if "ssh_key" in given:
        given = {**given, "ssh_key": server.folder / given["ssh_key"]}

    with pytest.raises(Stalled, match=said) as refused:
        server.view(**given).head()

    assert "wrong-1" not in str(refused.value)


def test_a_repository_that_is_not_there_is_a_matter_for_a_person(server):
    url = server.url.replace("remote.git", "nothing.git")

    with pytest.raises(Stalled, match="there is no Git repository at ssh://"):
        server.view(url, ssh_key=server.folder / "user").head()


def test_a_lost_race_over_ssh_is_told_as_one(server):
    view = server.view(ssh_key=server.folder / "user")
    head = view.head()
    server.repository.commit({"person": b"1"})

    with pytest.raises(RaceLost):
        view.publish(head, {"race": b"1"}, "Release\n")
