"""Keys of a kubeconfig: used for each connection, and on no disk but where the person has them."""

import base64
import concurrent.futures
import http.server
import json
import shutil
import ssl
import subprocess
import tempfile
import threading

import pytest
import urllib3

from gitwf.adapters.kubernetes import connection
from gitwf.errors import Stalled, Transient
from tests.cluster import certificates

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

LEASE = {"name": "leases", "kind": "Lease", "namespaced": True}
API = "coordination.k8s.io/v1"


class Answers(http.server.BaseHTTPRequestHandler):
    """An API server that knows one Lease, and closes each connection after its answer."""

    def do_GET(self):
        self.server.met.append(dict(part for (part,) in self.connection.getpeercert()["subject"]))
        lists = self.path == f"/apis/{API}"
        body = {"resources": [LEASE]} if lists else {"metadata": {"name": "gitwf"}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *said):
        pass


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A folder of certificates and keys; `admin`, `apiserver` and `ca`."""
    folder = tmp_path_factory.mktemp("keys") / "keys"
    certificates.make(folder)
    return folder


@pytest.fixture
def server(keys):
    """A server that answers who has a certificate of the authority; `met` are their subjects."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.crt"))
    context.load_cert_chain(keys / "apiserver.crt", keys / "apiserver.key")
    context.verify_mode = ssl.CERT_REQUIRED
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.met = []
    thread = threading.Thread(target=made.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where this process writes what is temporary: nothing else does."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def opened(tmp_path, keys, server):
    """Make a connection by a kubeconfig whose cluster and user say more, or something else."""

    def make(cluster=(), user=()):
        whole = certificates.kubeconfig(keys)
        whole["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{server.server_port}"
        whole["clusters"][0]["cluster"] |= dict(cluster)
        if user:
            whole["users"][0]["user"] = dict(user)
        file = tmp_path / "kubeconfig"
        file.write_text(json.dumps(whole))
        return connection.Connection(connection.Settings(kubeconfig=file))

    return make


def asked(made):
    return made.get(API, "Lease", "gitwf")["metadata"]["name"]


def test_keys_inside_a_kubeconfig_are_on_no_disk_while_connections_come_and_go(
    opened, server, temporary
):
    made = opened()

    for _ in range(2):
        assert asked(made) == "gitwf"
        assert list(temporary.rglob("*")) == []

    assert [met["commonName"] for met in server.met] == ["admin"] * 3


def test_many_threads_make_connections_and_share_them(opened, server, temporary):
    made = [opened() for _ in range(4)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(asked, made * 4)) == {"gitwf"}

    assert {met["commonName"] for met in server.met} == {"admin"}
    assert list(temporary.rglob("*")) == []


def test_a_certificate_file_that_is_renewed_is_used_from_then_on(opened, server, keys, tmp_path):
    certificate, key = tmp_path / "mine.crt", tmp_path / "mine.key"
    made = opened(user={"client-certificate": str(certificate), "client-key": str(key)})

    for name in ("admin", "kubelet-client"):
        shutil.copy(keys / f"{name}.crt", certificate)
        shutil.copy(keys / f"{name}.key", key)
        assert asked(made) == "gitwf"

    assert server.met[-1]["commonName"] == "apiserver-kubelet-client"
    assert server.met[0]["commonName"] == "admin"


def test_a_certificate_file_goes_with_a_key_inside(opened, server, keys, temporary):
    inside = base64.b64encode((keys / "admin.key").read_bytes()).decode()
    made = opened(user={"client-certificate": str(keys / "admin.crt"), "client-key-data": inside})

    assert asked(made) == "gitwf"
    assert list(temporary.rglob("*")) == []


@pytest.mark.slow
def test_a_server_that_another_authority_signed_is_trusted_only_where_the_kubeconfig_says_so(
    opened, server, keys, tmp_path
):
    certificates.make(tmp_path / "other")
    authority = (tmp_path / "other" / "ca.crt").read_bytes()
    theirs = {"certificate-authority-data": base64.b64encode(authority).decode()}
    with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
        asked(opened(cluster=theirs))
    assert server.met == []

    nobody = {"certificate-authority-data": "", "insecure-skip-tls-verify": True}
    with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
        assert asked(opened(cluster=nobody)) == "gitwf"


@pytest.mark.parametrize("key", ["encrypted", "of another", "nonsense"])
def test_a_key_that_cannot_be_used_is_said_and_no_password_is_asked_for(
    opened, keys, temporary, key
):
    texts = {"nonsense": b"nonsense", "of another": (keys / "apiserver.key").read_bytes()}
    hidden = ["openssl", "pkey", "-in", keys / "admin.key", "-aes256", "-passout", "pass:word"]
    texts["encrypted"] = subprocess.run(hidden, capture_output=True, check=True).stdout
    user = certificates.kubeconfig(keys)["users"][0]["user"]
    user["client-key-data"] = base64.b64encode(texts[key]).decode()

    with pytest.raises(Stalled, match="the client certificate cannot be used: "):
        asked(opened(user=user))

    assert list(temporary.rglob("*")) == []
