"""Why a request got no response, in the words of Go's HTTP client, which Argo's status holds.

The exceptions of requests are never shown: they hold addresses in memory, and some hold the value
of a header. Nothing here knows what a header's value is but to see whether it can be sent.
"""

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from http import client
from urllib import parse

from gitwf.adapters.local import urls
from gitwf.workflow.document import http_request

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_LAST_PORT = 65535
_UNKNOWN = "certificate signed by unknown authority"
_UNVOUCHED = {18, 19, 20, 21}  # OpenSSL: it is its own issuer, or nobody knows whose it is.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def before(asked: http_request.Http, headers: Mapping[str, str]) -> str:
    """Say what is wrong with a request that cannot be sent, or ""."""
    method = asked.method or "GET"
    if not _TOKEN.fullmatch(method):
        return f'net/http: invalid method "{method}"'
    sent = asked.url.partition("#")[0]
    if wrong := urls.fault(sent):
        return f'parse "{shown(sent)}": {wrong}'
    url = parse.urlsplit(sent)
    port = url.netloc.rpartition("]")[2].rpartition(":")[2]
    if url.scheme.lower() not in {"http", "https"}:
        wrong = f'unsupported protocol scheme "{url.scheme}"'
    elif not url.hostname:
        wrong = "http: no Host in request URL"
    elif port.isdecimal() and int(port) > _LAST_PORT:
        wrong = f"dial tcp: address {port}: invalid port"
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            wrong = wrong or f'net/http: invalid header field name "{name}"'
        if _UNSENDABLE.search(value):
            wrong = wrong or f'net/http: invalid header field value for "{name}"'
    return told(asked, wrong) if wrong else ""


def after(asked: http_request.Http, error: BaseException) -> str:
    """Say why a request that was sent got no response; after a redirect, from where it led to."""
    if any(isinstance(one, client.IncompleteRead) for one in _causes(error)):
        # What came of a response is no error of the request's own.
        return "unexpected EOF"
    request = getattr(error, "request", None)
    url = getattr(request, "url", None) or asked.url
    return told(asked, _reason(url, error), url)


def told(asked: http_request.Http, why: str, url: str = "") -> str:
    """Say it as Go does, with the method and the URL before it."""
    method = asked.method or "GET"
    return f'{method[:1].upper()}{method[1:].lower()} "{shown(url or asked.url)}": {why}'


def shown(url: str) -> str:
    """Give a URL without the password in it."""
    return re.sub(r"(//[^/?#@:]*):[^/?#]*@", r"\1:***@", url)


def _reason(url: str, error: BaseException) -> str:
    """Find the cause in what requests, urllib3 and the system made of it."""
    causes = list(_causes(error))
    named = {type(one).__name__ for one in causes}
    to = parse.urlsplit(url)
    address = _dialled(to.hostname or "", to.port or (443 if to.scheme == "https" else 80))
    for one in causes:
        if isinstance(one, ssl.SSLCertVerificationError):
            why = _UNKNOWN if one.verify_code in _UNVOUCHED else one.verify_message
            return f"tls: failed to verify certificate: x509: {why}"
        if isinstance(one, socket.gaierror):
            return f"dial tcp: lookup {to.hostname}: no such host"
        if isinstance(one, ConnectionRefusedError):
            return f"dial tcp {address}: connect: connection refused"
        if isinstance(one, ConnectionResetError) and not isinstance(one, client.RemoteDisconnected):
            return f"read tcp {address}: connection reset by peer"
    if "TooManyRedirects" in named:
        return "stopped after 10 redirects"
    if "ConnectTimeout" in named:
        return f"dial tcp {address}: i/o timeout"
    if named & {"RemoteDisconnected", "ProtocolError"}:
        return "EOF"
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "tls: handshake failure"
    told = [one.strerror for one in causes if isinstance(one, OSError) and one.strerror]
    return told[-1].lower() if told else f"no response ({type(error).__name__})"


def _dialled(host: str, port: int) -> str:
    """Say where Go would have connected to first: it tells the address, not the name."""
    with contextlib.suppress(OSError):
        host = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    ahead, seen = [error], set[int]()
    while ahead:
        one = ahead.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        around = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        ahead += [each for each in around if isinstance(each, BaseException)]
