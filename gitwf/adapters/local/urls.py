"""What Go says of a URL that it cannot read, as far as a request gets to hear of it.

Python reads more and guesses; Argo's agent never sends such a request, so neither does gitwf. The
order of the checks is Go's, since a URL may be wrong in several ways (Go: net/url, parse). The
query is not looked at, the fragment is not sent.
"""

import re

from gitwf.workflow import quoting

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_NO_HOST = re.compile(r"[^-A-Za-z0-9_.~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff]")
_NO_USER = re.compile(r"[^-A-Za-z0-9._:~!$&'()*+,;=%@]")
_PORT = re.compile(r"(:[0-9]*)?")


def fault(url: str) -> str:
    """Say why Go cannot read a URL, or ""."""
    if _CONTROL.search(url):
        return "net/url: invalid control character in URL"
    if url.startswith(":"):
        return "missing protocol scheme"
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() if scheme else 0 :].partition("?")[0]
    if not rest.startswith("/"):
        if scheme is None and ":" in rest.partition("/")[0]:
            return "first path segment in URL cannot contain colon"
        return "" if scheme else _escapes(rest)
    if not rest.startswith("//"):
        return _escapes(rest)
    authority, slash, path = rest[2:].partition("/")
    user, at, host = authority.rpartition("@")
    if at and _NO_USER.search(user):
        return "net/url: invalid userinfo"
    return _escapes(user) or _host(host) or _escapes(slash + path)


def _host(host: str) -> str:
    port = host[host.rfind(":") :] if ":" in host else ""
    if host.startswith("["):
        if "]" not in host:
            return "missing ']' in host"
        port = host[host.rfind("]") + 1 :]
    if _PORT.fullmatch(port) is None:
        return f"invalid port {quoting.quote(port)} after host"
    if (wrong := _NO_HOST.search(host)) is not None:
        return f"invalid character {quoting.quote(wrong.group())} in host name"
    return ""


def _escapes(path: str) -> str:
    wrong = _NO_ESCAPE.search(path)
    return f"invalid URL escape {quoting.quote(wrong.group())}" if wrong is not None else ""
