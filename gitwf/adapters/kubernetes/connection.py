"""One API server and one namespace, spoken to in plain dicts.

The client library does what it is good at: service accounts, TLS, connections (`credentials`). Its
typed models stay out, because they refuse fields that a newer server knows, and so does its
discovery, which asks for more than is needed and caches it in a shared folder. Every request has a
deadline; what fails for a moment is asked again, an apply too: it says what should be, not what to
change. No library error leaves this module; see `failures` for what they become.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client as library
from kubernetes.client import exceptions as library_errors

from gitwf.adapters.kubernetes import credentials, failures
from gitwf.errors import GitwfError, Stalled, Transient

MANAGER = "gitwf"
CONNECT_SECONDS, READ_SECONDS = 15.0, 30.0
MISSING = 404

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Settings:
    """Which cluster. `context`: of the kubeconfig, "" the current one.

    `kubeconfig`: None, where it usually is. In a pod without one the service account is used.
    """

    namespace: str = "default"
    context: str = ""
    kubeconfig: Path | None = None


@dataclass(frozen=True)
class Event:
    """A change that a watch told: ADDED, MODIFIED, DELETED or BOOKMARK, and the object after it."""

    type: str
    object: dict[str, Any]


@dataclass(frozen=True)
class _Resource:
    """Where the server keeps a kind."""

    plural: str
    namespaced: bool


class Connection:
    """Requests to one API server, in one namespace where a kind has namespaces."""

    def __init__(self, settings: Settings) -> None:
        self.namespace = settings.namespace
        self._settings = settings
        self._lock = threading.Lock()
        self._client: library.ApiClient | None = None
        self._resources: dict[str, dict[str, _Resource]] = {}

    def get(self, api_version: str, kind: str, name: str) -> dict[str, Any] | None:
        """Read one object; None when there is none."""
        path = self._path(api_version, kind, name)
        return self._ask("GET", path, f"{kind} {name}", missing=True)

    def listed(
        self, api_version: str, kind: str, *, labels: str = "", fields: str = ""
    ) -> tuple[list[dict[str, Any]], str]:
        """Read every object that selectors find, by name, and the version to watch on from."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        answer = self._need("GET", self._path(api_version, kind), f"list of {kind}", query=query)
        items = [{"apiVersion": api_version, "kind": kind, **one} for one in answer["items"] or ()]
        ordered = sorted(items, key=lambda one: str(one["metadata"]["name"]))
        return ordered, answer["metadata"]["resourceVersion"]

    def apply(
        self, manifest: Manifest, *, force: bool = False, dry_run: bool = False
    ) -> dict[str, Any]:
        """Server-side apply exactly these fields as field manager `gitwf`; the object after it.

        With `metadata.resourceVersion` it is a compare-and-swap. RaceLost: it has changed;
        failures.Conflicts: others own fields, and `force` is not set; Stalled: it is refused.
        """
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        query = {"force": "true" if force else "", "dryRun": "All" if dry_run else ""}
        return self._need(
            "PATCH",
            self._path(manifest["apiVersion"], kind, name),
            f"{kind} {name}",
            query=_STRICT | query,
            body=manifest,
            content="application/apply-patch+yaml",
        )

    def create(self, manifest: Manifest) -> dict[str, Any]:
        """Create an object. RaceLost: one of that name is there already."""
        kind = manifest["kind"]
        what = f"{kind} {manifest['metadata'].get('name', '')}"
        path = self._path(manifest["apiVersion"], kind)
        return self._need("POST", path, what, query=_STRICT, body=manifest)

    def merge(self, api_version: str, kind: str, name: str, change: Manifest) -> dict[str, Any]:
        """Change some fields of an object; null deletes one. With a resourceVersion it may race."""
        return self._need(
            "PATCH",
            self._path(api_version, kind, name),
            f"{kind} {name}",
            query=_STRICT,
            body=change,
            content="application/merge-patch+json",
        )

    def delete(
        self, api_version: str, kind: str, name: str, *, uid: str = "", grace: int | None = None
    ) -> None:
        """Delete an object and, after it, what it owns; nothing when it is gone.

        With `uid` only that very object is meant, not another that has taken its name. `grace`:
        seconds that a pod has to end; None, as it says itself.
        """
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        if uid:
            body["preconditions"] = {"uid": uid}
        path = self._path(api_version, kind, name)
        self._ask("DELETE", path, f"{kind} {name}", body=body, missing=True)

    def log(
        self,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        lines: int | None = None,
        since: str = "",
        stamped: bool = False,
    ) -> str:
        """What a container wrote; "" while it has written nothing that can be read.

        `lines`: the last ones only. `since`: only from that second on. `stamped`: each line after
        its time, to the nanosecond.
        """
        query = {
            "container": container,
            "previous": "true" if previous else "",
            "tailLines": "" if lines is None else str(lines),
            "sinceTime": since,
            "timestamps": "true" if stamped else "",
        }
        path = self._path("v1", "Pod", pod) + "/log"
        try:
            with self._response("GET", path, f"log of {pod}", query=query) as response:
                return _content(response, f"log of {pod}").decode("utf-8", "replace")
        except (_Missing, Stalled):
            return ""

    def watch(
        self,
        api_version: str,
        kind: str,
        version: str,
        *,
        seconds: float,
        labels: str = "",
        fields: str = "",
    ) -> Iterator[Event]:
        """Tell the changes after a resource version, for at most about `seconds`.

        Bookmarks come as events too, so that a quiet watch can go on later. failures.Gone: the
        version is too old; Transient: the stream broke.
        """
        what = f"watch of {kind}"
        query = {
            "watch": "true",
            "resourceVersion": version,
            "labelSelector": labels,
            "fieldSelector": fields,
            "timeoutSeconds": str(max(1, round(seconds))),
            "allowWatchBookmarks": "true",
        }
        path = self._path(api_version, kind)
        waits = seconds + CONNECT_SECONDS
        with self._response("GET", path, what, query=query, seconds=waits) as response:
            try:
                for line in _lines(response):
                    told = json.loads(line)
                    if told["type"] == "ERROR":
                        status = told["object"]
                        raise failures.translate(status.get("code", 0), json.dumps(status), what)
                    yield Event(told["type"], told["object"])
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise Transient(f"{what} broke: {error}") from error

    def _path(self, api_version: str, kind: str, name: str = "") -> str:
        """Where the server keeps a kind, or one object of it. Stalled: it knows no such kind."""
        found = self._known(api_version, kind)
        parts = ["api" if "/" not in api_version else "apis", api_version]
        parts += ["namespaces", self.namespace] if found.namespaced else []
        return "/" + "/".join([*parts, found.plural, *([name] if name else [])])

    def _known(self, api_version: str, kind: str) -> _Resource:
        """How the server calls a kind; asked once, and again for one that it did not know."""
        known = self._resources.get(api_version, {})
        if kind not in known:
            prefix = "api" if "/" not in api_version else "apis"
            what = f"kinds of {api_version}"
            answer = self._ask("GET", f"/{prefix}/{api_version}", what, missing=True) or {}
            known = {
                one["kind"]: _Resource(one["name"], one["namespaced"])
                for one in answer.get("resources") or ()
                if "/" not in one["name"]
            }
            self._resources[api_version] = known
        if kind not in known:
            raise Stalled(
                f"the cluster knows no kind {kind} of {api_version}",
                hint="install its definition first",
            )
        return known[kind]

    def _need(self, method: str, path: str, what: str, **asked: Any) -> dict[str, Any]:
        answer = self._ask(method, path, what, **asked)
        if answer is None:
            raise failures.translate(MISSING, "", what)
        return answer

    def _ask(
        self, method: str, path: str, what: str, *, missing: bool = False, **asked: Any
    ) -> dict[str, Any] | None:
        """Ask and read the whole answer; None for what is not there, where that may be."""
        try:
            with self._response(method, path, what, **asked) as response:
                content = _content(response, what)
        except _Missing as error:
            if missing:
                return None
            raise failures.translate(MISSING, error.body, what) from None
        try:
            answer: dict[str, Any] = json.loads(content)
        except ValueError as error:
            raise Transient(f"{what}: the API server's answer is no JSON") from error
        return answer

    def _response(
        self,
        method: str,
        path: str,
        what: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Manifest | None = None,
        content: str = "application/json",
        seconds: float = READ_SECONDS,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request; the answer is not read yet. Raises for every status but 2xx."""
        client = self._opened()
        asked = [(name, value) for name, value in (query or {}).items() if value]
        if method in {"PATCH", "POST"}:
            asked.append(("fieldManager", MANAGER))
        request = client.param_serialize(
            method,
            path,
            query_params=asked,
            header_params={"Accept": "application/json", "Content-Type": content},
            body=None if body is None else dict(body),
            auth_settings=["BearerToken"],
        )
        try:
            answer = client.call_api(*request, _request_timeout=(CONNECT_SECONDS, seconds))
        except (urllib3.exceptions.HTTPError, library_errors.ApiException, OSError) as error:
            raise Transient(f"{what}: the API server cannot be reached: {_why(error)}") from error
        response: urllib3.BaseHTTPResponse = answer.response
        if not 200 <= response.status < 300:  # noqa: PLR2004
            said = _content(response, what).decode("utf-8", "replace")
            if response.status == MISSING:
                raise _Missing(said)
            raise failures.translate(response.status, said, what)
        return response

    def _opened(self) -> library.ApiClient:
        with self._lock:
            if self._client is None:
                asked = self._settings
                self._client = credentials.client(asked.kubeconfig, asked.context)
            return self._client


_STRICT = {"fieldValidation": "Strict"}


class _Missing(GitwfError):
    """404; `body` is what the server said."""

    def __init__(self, body: str) -> None:
        super().__init__(body)
        self.body = body


def _content(response: urllib3.BaseHTTPResponse, what: str) -> bytes:
    try:
        return response.read()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Transient(f"{what}: the answer broke off: {error}") from error


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of a stream as they arrive."""
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from filter(None, whole)


def _why(error: Exception) -> str:
    """The innermost reason of a library error, in one line."""
    reason = getattr(error, "reason", None)
    return str(reason or error).splitlines()[0] if str(reason or error) else type(error).__name__
