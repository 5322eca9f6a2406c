"""The write-once store: bytes that Git names by digest, in a folder or in S3, through obstore.

An object's address holds its digest (`<folder>/sha256/<hex>/<name>`), so nothing is ever written
over, two writers of one address write the same bytes, and a half-written object has no address at
all: both kinds of store show an object whole or not. What is read is digested while it is written
to a temporary file, which is renamed only when every byte is right.

    s3://bucket/prefix/ad-effect/sha256/ab…/model.json    says all; endpoint and keys are AWS_*
    file:ad-effect/sha256/ab…/model.json                  relative to the folder that the store is
    file:///srv/models/model.json                         any file; read, never written by gitwf

A folder store's URIs are relative on purpose: they go into Git, where no path of a machine belongs,
and stay true when the folder moves. Whoever opens one says which folder is the store; a viewer
needs no more than MODEL_FILE, which `gitwf fetch` has put in place.
"""

import contextlib
import datetime as dt
import functools
import hashlib
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import obstore
from obstore import exceptions
from obstore import store as backends

from gitwf import ports
from gitwf.adapters import atomic
from gitwf.errors import DigestMismatch, Stalled, Transient, of_the_machine, redact
from gitwf.values import Digest

_PIECE = 4 * 1024 * 1024
# Above this an upload goes in parts: no file is held in memory whole, and none is too large.
_WHOLE = 32 * 1024 * 1024
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]*")
_AWS = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
    "AWS_DEFAULT_REGION": "region",
    "AWS_REGION": "region",
    "AWS_ENDPOINT_URL": "endpoint",
    "AWS_ENDPOINT_URL_S3": "endpoint",
}
_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True)
class Settings:
    """Where the store is.

    `root`: `s3://bucket/prefix`, `file:///folder` or `file:folder`, the last relative to `base`;
    empty when only absolute URIs are read. `environment`: where AWS_* are looked up.
    """

    root: str = ""
    base: Path = field(default_factory=Path)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def folder(self) -> Path | None:
        """The folder of a folder store, or None."""
        if not self.root.startswith("file:"):
            return None
        return self.base / urllib.parse.unquote(_without(self.root, "file://", "file:"))


class ObjectStore:
    """The store of one project; it also reads any other URI that it is given."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.root and not settings.root.startswith(("file:", "s3://")):
            raise Stalled(
                f"cannot open the store {redact(settings.root)!r}",
                hint="a store is file:FOLDER or s3://BUCKET/PREFIX",
            )

    def put(self, folder: str, file: Path) -> ports.Stored:
        """Upload under the file's digest, unless it is there; what is there is checked.

        DigestMismatch when the object that is there has other bytes.
        """
        digest = _digest_of_file(file)
        key = f"{folder}/sha256/{digest.hex}/{file.name}"
        wrong = [part for part in key.split("/") if not _SEGMENT.fullmatch(part)]
        if wrong:
            raise Stalled(
                f"the store takes no name like {wrong[0]!r}",
                hint="letters, digits, dots, dashes and underscores, the first a letter or digit",
            )
        prefix = "file:" if self._settings.folder() else self._settings.root.rstrip("/") + "/"
        uri = prefix + key
        if self.has(uri) or not self._created(uri, file):
            self._check(uri, digest)
        return ports.Stored(uri, digest)

    def has(self, uri: str) -> bool:
        """Whether the object is there."""
        backend, key = self._open(uri)
        with self._translated(uri):
            try:
                obstore.head(backend, key)
            except FileNotFoundError:
                return False
        return True

    def fetch(self, uri: str, digest: Digest, to: Path) -> None:
        """Write the checked bytes to `to`, atomically.

        DigestMismatch when they are others, Stalled when there are none, or `to` cannot be written;
        `to` is left alone then.
        """
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            with atomic.replacing(to) as file:
                found = self._read(uri, file.write)
                if found != digest:
                    raise DigestMismatch(uri, digest, found, hint="find out who changed the store")
        except OSError as error:
            raise of_the_machine(error, to) from error

    def copy(self, uri: str, to: Path) -> Digest:
        """Write an object whose digest nobody recorded to `to`; the digest that it has."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as file:
            return self._read(uri, file.write)

    def _created(self, uri: str, file: Path) -> bool:
        """Write the object; False when somebody else was first, so that it must be checked."""
        backend, key = self._open(uri)
        with self._translated(uri, missing="the bucket does not exist"):
            if file.stat().st_size > _WHOLE:
                # An upload in parts cannot be conditional. It need not be: whoever writes this
                # address writes these bytes, and they appear at once.
                obstore.put(backend, key, file, use_multipart=True)
                return True
            try:
                obstore.put(backend, key, file.read_bytes(), mode="create")
            except exceptions.AlreadyExistsError:
                return False
        return True

    def _check(self, uri: str, digest: Digest) -> None:
        found = self._read(uri, len)
        if found != digest:
            raise DigestMismatch(uri, digest, found, hint="find out who changed the store")

    def _read(self, uri: str, take: Any) -> Digest:
        """Hand the object's bytes to `take`, piece by piece, and return their digest."""
        backend, key = self._open(uri)
        hashed = hashlib.sha256()
        with self._translated(uri):
            for piece in obstore.get(backend, key).stream(min_chunk_size=_PIECE):
                hashed.update(piece)
                take(piece)
        return Digest(f"sha256:{hashed.hexdigest()}")

    def _open(self, uri: str) -> tuple[Any, str]:
        """The obstore backend of a URI, and the key in it."""
        with self._translated(uri):
            if uri.startswith("file:///"):
                path = urllib.parse.unquote(uri.removeprefix("file://"))
                return backends.LocalStore("/"), path.lstrip("/")
            if uri.startswith("file:"):
                return self._open_folder(uri), uri.removeprefix("file:")
            bucket, slash, key = uri.removeprefix("s3://").partition("/")
            if uri.startswith("s3://") and slash and bucket and key:
                return _bucket(bucket, _s3_config(self._settings.environment)), key
        raise Stalled(
            f"cannot open {redact(uri)!r}",
            hint="an object is s3://BUCKET/KEY, file:KEY of the store's folder, or file:///FILE",
        )

    def _open_folder(self, uri: str) -> Any:
        folder = self._settings.folder()
        if folder is None:
            raise Stalled(
                f"{uri} is relative to a folder store, and no folder is given",
                hint="say where the store is with --store file:FOLDER",
            )
        try:
            return backends.LocalStore(folder.absolute(), mkdir=True)
        except OSError as error:
            raise of_the_machine(error, folder.absolute()) from error

    @contextlib.contextmanager
    def _translated(self, uri: str, *, missing: str = "the object is not there") -> Iterator[None]:
        """Turn obstore's exceptions into ours."""
        try:
            yield
        except FileNotFoundError as error:
            raise Stalled(f"{redact(uri)}: {missing}") from error
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            hint = "check the AWS_* variables, or the folder's owner"
            raise Stalled(f"{redact(uri)}: access is denied", hint=hint) from error
        except (ValueError, exceptions.NotSupportedError, exceptions.InvalidPathError) as error:
            raise Stalled(f"{redact(uri)}: {self._words(error)}") from error
        except exceptions.BaseError as error:
            raise Transient(f"{redact(uri)}: {self._words(error)}") from error

    def _words(self, error: Exception) -> str:
        """The first paragraph of obstore's message; the others are for its own developers."""
        first = str(error).split("\n\n", maxsplit=1)[0]
        return redact(first, (self._settings.environment.get(name, "") for name in _SECRET))


def open_uri(uri: str, settings: Settings) -> ObjectStore:
    """Open the store that `uri` is fetched from. Stalled when no such store can be opened."""
    opened = ObjectStore(settings)
    opened._open(uri)  # noqa: SLF001  our own
    return opened


def _digest_of_file(file: Path) -> Digest:
    with file.open("rb") as opened:
        return Digest("sha256:" + hashlib.file_digest(opened, "sha256").hexdigest())


def _without(text: str, *prefixes: str) -> str:
    for prefix in prefixes:
        if text.startswith(prefix):
            return text.removeprefix(prefix)
    return text


def _s3_config(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = {key: environment[name] for name, key in _AWS.items() if environment.get(name)}
    return tuple(found.items())


@functools.lru_cache(maxsize=8)
def _bucket(bucket: str, config: tuple[tuple[str, str], ...]) -> Any:
    """Open a bucket, path-style, so that gateways without host names of buckets work as well."""
    chosen: dict[str, Any] = dict(config)
    plain = chosen.get("endpoint", "").startswith("http://")
    return backends.S3Store(
        bucket,
        config=cast("backends.S3Config", {"virtual_hosted_style_request": False, **chosen}),
        client_options={"allow_http": plain, "connect_timeout": dt.timedelta(seconds=5)},
        retry_config={"max_retries": 3, "retry_timeout": dt.timedelta(seconds=20)},
    )
