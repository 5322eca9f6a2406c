"""Sprig's addresses: a URL taken apart into a map, and put together again.

Only text is looked at, as Go's net/url does it: percent signs are resolved in the path and the
fragment and written back, the query stays as it is. No name is looked up in any network.
"""

import re
import urllib.parse
from collections.abc import Mapping

from gitwf.workflow.expr import errors, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context

_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?"
    r"(?:(?P<opaque>[^/?#][^?#]*)|(?://(?:(?P<userinfo>[^/?#]*)@)?(?P<host>[^/?#]*))?(?P<path>[^?#]*))"
    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_PORT = re.compile(r":[0-9]*$")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_PATH = "$&+,/:;=@!~*'()"
_IN_FRAGMENT = _IN_PATH + "?"


def _parse(_given: context.Context, url: object) -> object:
    text = args.text(url, "urlParse")
    match = _URL.fullmatch(text)
    if match is None or _BROKEN.search(text.partition("?")[0]) or not text.isprintable():
        raise errors.Fault(f"unable to parse url: parse {text!r}: invalid URL")
    part = {name: found or "" for name, found in match.groupdict().items()}
    if part["opaque"] and not part["scheme"]:
        part["path"], part["opaque"] = part["opaque"], ""
    part["path"] = urllib.parse.unquote(part["path"])
    part["fragment"] = urllib.parse.unquote(part["fragment"])
    part["scheme"] = part["scheme"].lower()
    part["hostname"] = _PORT.sub("", part["host"]).removeprefix("[").removesuffix("]")
    return part


def _join(_given: context.Context, parts: object) -> object:
    given = args.mapping(parts, "make a URL of")
    scheme, host, query = (_part(given, name) for name in ("scheme", "host", "query"))
    user, opaque = _part(given, "userinfo"), _part(given, "opaque")
    path = urllib.parse.quote(_part(given, "path"), safe=_IN_PATH)
    fragment = urllib.parse.quote(_part(given, "fragment"), safe=_IN_FRAGMENT)
    text = f"{scheme}:" if scheme else ""
    if opaque:
        text += opaque
    else:
        if host or user or (scheme and path):
            text += "//" + (f"{user}@" if user else "") + host
        text += f"/{path}" if host and path and not path.startswith("/") else path
    return text + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _part(given: Mapping[object, object], name: str) -> str:
    value = given.get(name, "")
    if isinstance(value, str):
        return value
    kind = values.kind(value)
    raise errors.Fault(f"unable to parse {name} key, must be of type string, but {kind} found")


FUNCTIONS: context.Bodies = {"urlParse": _parse, "urlJoin": _join}
"""The functions of addresses by name."""
