"""Credentials for a Git server: right, wrong, missing, and never in a message."""

import pathlib

import pytest

from gitwf.adapters.clock import SystemClock
from gitwf.adapters.git import credentials, remote, repo
from gitwf.adapters.git.address import Address
from gitwf.errors import GitwfError, Stalled
from gitwf.testing import git_server

SECRET = "swordfish-42"


@pytest.fixture
def server(tmp_path):
    with git_server.GitServer(tmp_path, user="ada", password=SECRET) as made:
        made.create().commit({"a": b"1"})
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def view(tmp_path, url, **given):
    there = remote.Remote(url, tmp_path / "cache.git", credentials=credentials.Credentials(**given))
    return repo.GitRepo(there, "main", SystemClock())


@pytest.mark.parametrize(
    "given",
    [
        {"username": "ada", "password": SECRET},
        {"username": "ada", "token": SECRET},
        {"username": "ada", "token": "expired", "password": SECRET},
    ],
    ids=["password", "token", "second"],
)
def test_right_credentials_from_settings_read_and_write(tmp_path, server, given):
    view_of = view(tmp_path, server.url("remote.git"), **given)

    commit = view_of.publish(view_of.head(), {"b": b"2"}, "Release\n")

    assert commit == view_of.head()


def test_right_credentials_in_the_address_are_used_and_never_shown(tmp_path, server):
    url = server.url("remote.git", credentials=True)
    view_of = view(tmp_path, url)

    assert view_of.head() is not None
    assert SECRET in url
    assert SECRET not in str(view_of.remote)
    assert SECRET not in repr(view_of.remote.address)
    assert SECRET.encode() not in b"".join(
        file.read_bytes() for file in (tmp_path / "cache.git").rglob("*") if file.is_file()
    )


def test_a_credential_helper_is_asked(tmp_path, server, home):
    helper = f"!f() {{ echo username=ada; echo password={SECRET}; }}; f"
    (home / ".gitconfig").write_text(f'[credential]\n\thelper = "{helper}"\n')

    assert view(tmp_path, server.url("remote.git")).head() is not None


def test_a_credential_helper_may_be_left_out(tmp_path, server, home):
    (home / ".gitconfig").write_text('[credential]\n\thelper = "!touch ~/asked; false"\n')

    with pytest.raises(Stalled):
        view(tmp_path, server.url("remote.git"), helper=False).head()

    assert not (home / "asked").exists()


def test_missing_credentials_are_a_matter_for_a_person(tmp_path, server):
    with pytest.raises(Stalled, match="asks for credentials, and none are given") as missing:
        view(tmp_path, server.url("remote.git")).head()

    assert "GITWF_GIT_TOKEN" in missing.value.hint


@pytest.mark.parametrize(
    "given", [{"username": "ada", "password": "wrong-1"}, {"token": "wrong-2"}]
)
def test_wrong_credentials_are_a_matter_for_a_person_and_not_shown(tmp_path, server, given):
    with pytest.raises(Stalled, match="did not accept the credentials") as refused:
        view(tmp_path, server.url("remote.git"), **given).head()

    assert "wrong" not in _everything_said(refused.value)
    assert server.counts.total() <= 3


def test_wrong_credentials_in_the_address_are_not_shown(tmp_path, server):
    url = server.url("remote.git").replace("//", "//ada:wrong-3@")

    with pytest.raises(Stalled, match="did not accept") as refused:
        view(tmp_path, url).head()

    assert "wrong" not in _everything_said(refused.value)


def test_a_token_alone_in_the_address_is_offered_and_never_shown(tmp_path):
    with git_server.GitServer(tmp_path, user="token-7", password="") as server:
        server.create().commit({"a": b"1"})
        url = server.url("remote.git").replace("//", "//token-7@")
        there = view(tmp_path, url)

        assert there.head() is not None
        assert "token-7" not in f"{there.remote} {there.remote.address!r}"
        assert there.remote.address.secrets == ("token-7",)


def test_settings_are_read_from_the_environment():
    read = credentials.Credentials.of(
        {
            "GITWF_GIT_USERNAME": "ada",
            "GITWF_GIT_PASSWORD": "first",
            "GITWF_GIT_TOKEN": "two",
            "GITWF_GIT_SSH_KEY": "/keys/one",
            "GITWF_GIT_SSH_PASSPHRASE": "three",
        }
    )

    assert read == credentials.Credentials(
        "ada", "first", "two", pathlib.Path("/keys/one"), "three"
    )
    assert read.secrets == ("first", "two", "three")
    assert not [secret for secret in read.secrets if secret in repr(read)]


def test_no_settings_are_no_credentials():
    assert credentials.Credentials.of({}) == credentials.Credentials()
    assert credentials.Credentials.of({}).secrets == ()


@pytest.mark.parametrize(
    ("text", "url", "path", "host"),
    [
        ("https://ada:x%40y@h.org/r.git", "https://h.org/r.git", None, "h.org"),
        ("https://h.org:8443/r", "https://h.org:8443/r", None, "h.org"),
        ("ssh://git@h.org:22/r", "ssh://git@h.org:22/r", None, "h.org"),
        ("git@h.org:team/r.git", "git@h.org:team/r.git", None, "h.org"),
        ("h.org:r", "h.org:r", None, "h.org"),
        ("/srv/r.git", "/srv/r.git", "/srv/r.git", ""),
        ("file:///srv/r%20s.git", "file:///srv/r%20s.git", "/srv/r s.git", ""),
        ("file://localhost/srv/r", "file://localhost/srv/r", "/srv/r", ""),
    ],
)
def test_an_address_is_read_as_git_reads_it_without_its_password(text, url, path, host):
    address = Address.parse(text)

    assert address.url == url
    assert address.path == (pathlib.Path(path) if path else None)
    assert address.host == host


def test_the_credentials_of_an_address_are_decoded():
    address = Address.parse("https://ada%2B1:x%40y@h.org/r.git")

    assert (address.username, address.password) == ("ada+1", "x@y")


def test_an_address_that_gitwf_cannot_reach_is_refused_without_its_password():
    with pytest.raises(Stalled, match="is not one that gitwf can reach") as refused:
        Address.parse("ftp://ada:swordfish@h.org/r")

    assert "swordfish" not in str(refused.value)


def test_credentials_go_to_no_host_but_their_own(tmp_path, server):
    from gitwf.adapters.git import network

    calls = network.Calls(
        Address.parse("https://good.example.org/r"),
        credentials.Credentials(token=SECRET, helper=False),
    )

    with pytest.raises(Stalled, match="sends us on to another host"):
        calls.credentials("https://evil.example.org/r", None, 1)


def _everything_said(error: GitwfError) -> str:
    said, following = "", error
    while following is not None:
        said += f"{following!s} {following!r} {getattr(following, 'hint', '')}"
        following = following.__cause__ or following.__context__
    return said
