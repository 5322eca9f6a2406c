"""Where the API server is and who we are, as a kubeconfig or a pod says it.

The client library writes the keys that stand inside a kubeconfig to files, and removes them when
Python ends; a killed process leaves them behind. Here they are written where nobody else may look,
read into memory at once, and gone before the first request. Files that a kubeconfig names stay
files: they are read again for each connection, so that whoever renews them needs no restart.
"""

import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client as library
from kubernetes import config as library_config

from gitwf.errors import Stalled


def client(kubeconfig: Path | None, context: str) -> library.ApiClient:
    """Make a client. Stalled: neither a kubeconfig nor a pod says what it needs to know.

    `kubeconfig`: None, where it usually is. `context`: "" the current one.
    """
    # The library remembers by content where it wrote something, for the whole process.
    with _LOADING, tempfile.TemporaryDirectory(prefix="gitwf-") as folder:
        made = _configuration(kubeconfig, context, folder)
        try:
            identity = _into_memory(made, folder)
        except (OSError, ValueError) as error:
            raise Stalled(f"the client certificate cannot be used: {error}") from error
    made.retries = urllib3.Retry(
        total=4,
        backoff_factor=0.2,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods={"GET", "PATCH", "DELETE"},
        raise_on_status=False,
    )
    opened = library.ApiClient(made)
    if identity is not None:
        opened.rest_client.pool_manager.connection_pool_kw["ssl_context"] = identity
    return opened


_LOADING = threading.Lock()


def _configuration(kubeconfig: Path | None, context: str, folder: str) -> library.Configuration:
    """Read what the library needs; what it has to write goes to the folder."""
    made = library.Configuration()
    config: Any = library_config  # its functions have no types
    try:
        config.load_kube_config(
            config_file=str(kubeconfig) if kubeconfig else None,
            context=context or None,
            client_configuration=made,
            persist_config=False,
            temp_file_path=folder,
        )
    except config.ConfigException as error:
        if kubeconfig or context:
            raise Stalled(f"the kubeconfig cannot be used: {error}") from error
        try:
            config.load_incluster_config(client_configuration=made)
        except config.ConfigException:
            raise Stalled(
                f"no cluster is configured: {error}", hint="set KUBECONFIG, or run in a pod"
            ) from error
    except Exception as error:  # of a file that is none the library says whatever YAML says of it
        said = " ".join(str(error).split())
        raise Stalled(f"the kubeconfig cannot be used: {said}") from error
    return made


def _into_memory(made: library.Configuration, folder: str) -> ssl.SSLContext | None:
    """Have nothing of the folder named any more; a context with our certificate if it was there."""
    if made.ssl_ca_cert and _inside(folder, made.ssl_ca_cert):
        made.ca_cert_data, made.ssl_ca_cert = Path(made.ssl_ca_cert).read_text("ascii"), None
    certificate, key = made.cert_file, made.key_file
    if certificate is None or not _inside(folder, certificate, key or certificate):
        return None
    required = ssl.CERT_REQUIRED if made.verify_ssl else ssl.CERT_NONE
    context = urllib3.util.create_urllib3_context(cert_reqs=required)
    if not made.ca_cert_data and not made.ssl_ca_cert:
        context.load_default_certs()
    # No password: where the key needs one, that is an error, and not a question at the terminal.
    context.load_cert_chain(certificate, key, password="")
    made.cert_file = made.key_file = None
    return context


def _inside(folder: str, *paths: str) -> bool:
    return any(Path(path).parent == Path(folder) for path in paths)
