"""The cluster's own certificate authority, and the certificates and keys made under it.

Elliptic keys by the `openssl` command: three certificates and the key of service accounts take a
quarter of a second, and no library is needed.
"""

import base64
import subprocess

from tests.cluster import layout

DAYS = "3650"
NAMES = [
    "DNS:localhost",
    *("DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc"),
    "IP:127.0.0.1",
    f"IP:{layout.FIRST_SERVICE}",
    f"IP:{layout.NODE_ADDRESS}",
]
SUBJECTS = {
    "apiserver": "/CN=kube-apiserver",
    "admin": "/O=system:masters/CN=admin",
    "kubelet-client": "/O=system:masters/CN=apiserver-kubelet-client",
}
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make(folder):
    """Fill `folder`: ca, apiserver, admin and kubelet-client (.crt, .key), service-accounts.key."""
    folder.mkdir(mode=0o700)
    authority = ("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=gitwf-test-ca")
    _openssl(folder, "req", "-x509", *NEW_KEY, *authority, "-days", DAYS)
    for name, subject in SUBJECTS.items():
        request = ("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        _openssl(folder, "req", *NEW_KEY, *request)
        (folder / "names").write_text("subjectAltName=" + ",".join(NAMES), "ascii")
        signer = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS)
        files = ("-in", f"{name}.csr", "-out", f"{name}.crt", "-extfile", "names")
        _openssl(folder, "x509", "-req", *signer, *files)
    key = ("-name", "prime256v1", "-genkey", "-noout", "-out", "service-accounts.key")
    _openssl(folder, "ecparam", *key)
    public = ("-in", "service-accounts.key", "-pubout", "-out", "service-accounts.pub")
    _openssl(folder, "ec", *public)


def kubeconfig(folder):
    """A kubeconfig of the administrator, certificates inside, as JSON's values."""

    def inline(name):
        return base64.b64encode((folder / name).read_bytes()).decode()

    server = f"https://{layout.NODE_ADDRESS}:{layout.API_PORT}"
    cluster = {"server": server, "certificate-authority-data": inline("ca.crt")}
    user = {"client-certificate-data": inline("admin.crt"), "client-key-data": inline("admin.key")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "gitwf-test", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "gitwf-test", "context": {"cluster": "gitwf-test", "user": "admin"}}],
        "current-context": "gitwf-test",
    }


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)
