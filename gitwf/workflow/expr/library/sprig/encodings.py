"""Sprig's encodings: base64, base32, JSON and digests.

Two manners stand side by side, as in Go: a plain function gives nil or the message as its value
where the text cannot be read, its `must` twin fails. Digests are of the text's bytes in UTF-8 and
only compare things; none of them guards a secret.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable

from gitwf.workflow.expr import errors, jsontext, printing, values
from gitwf.workflow.expr.library import arguments as args
from gitwf.workflow.expr.library import context, conversions

Context = context.Context


def _encoded(name: str, encode: Callable[[bytes], object]) -> Callable[..., object]:
    def apply(given: Context, text: object) -> object:
        octets = values.octets(args.text(text, name))
        given.cost.write(2 * len(octets))
        return encode(octets)

    return apply


def _b64dec(given: Context, text: object) -> object:
    try:
        return conversions.from_base64(given, text)
    except errors.Fault as fault:
        return fault.message


def _b32dec(given: Context, text: object) -> object:
    encoded = args.text(text, "b32dec")
    given.cost.write(len(encoded))
    try:
        return base64.b32decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return "illegal base32 data"


def _from_json(given: Context, text: object) -> object:
    try:
        return jsontext.read(args.text(text, "fromJson"), given.cost)
    except errors.Fault:
        return None


def _must_from_json(given: Context, text: object) -> object:
    return jsontext.read(args.text(text, "mustFromJson"), given.cost)


def _pretty(given: Context, value: object) -> object:
    return printing.json(value, given.cost, "  ")


def _raw(given: Context, value: object) -> object:
    text = printing.json(value, given.cost)
    for code, character in (("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&")):
        text = text.replace(code, character)
    return text


FUNCTIONS: context.Bodies = {
    "b64enc": _encoded("b64enc", lambda octets: base64.b64encode(octets).decode()),
    "b64dec": _b64dec,
    "b32enc": _encoded("b32enc", lambda octets: base64.b32encode(octets).decode()),
    "b32dec": _b32dec,
    "sha1sum": _encoded("sha1sum", lambda octets: hashlib.sha1(octets).hexdigest()),  # noqa: S324
    "sha256sum": _encoded("sha256sum", lambda octets: hashlib.sha256(octets).hexdigest()),
    "sha512sum": _encoded("sha512sum", lambda octets: hashlib.sha512(octets).hexdigest()),
    "adler32sum": _encoded("adler32sum", lambda octets: str(zlib.adler32(octets))),
    "toJson": conversions.compact_json,
    "mustToJson": conversions.compact_json,
    "toPrettyJson": _pretty,
    "mustToPrettyJson": _pretty,
    "toRawJson": _raw,
    "mustToRawJson": _raw,
    "fromJson": _from_json,
    "mustFromJson": _must_from_json,
}
"""The encoding functions by name."""
