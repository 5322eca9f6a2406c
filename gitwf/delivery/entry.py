"""The ledger's entries: immutable facts, one JSON file each, the first writer wins.

Each class is one row of the table in docs/protocol.md: `path` is where the fact stands and `body`
what the file holds. What the path says is not said again in the body, so that the two can never
disagree. An entry never holds a secret: every field is named here. Those about releases and what
became of them are in `gitwf.delivery.release_entry`. Read next: `gitwf.delivery.facts`, which reads
them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from gitwf.delivery.release_entry import Drifted, Kind, Released, RolledOut, Verdict
from gitwf.values import CommitId, Digest, Instant, RunKey

__all__ = [
    "FORMAT",
    "FORMAT_PATH",
    "Additions",
    "Claim",
    "Drifted",
    "Ended",
    "Entry",
    "Kind",
    "Outcome",
    "Owner",
    "Released",
    "Result",
    "Retrain",
    "Retry",
    "RolledOut",
    "Verdict",
    "Version",
    "additions",
]

FORMAT = 1
FORMAT_PATH = "format.json"

Additions: TypeAlias = dict[str, object]
Outcome = Literal["failed", "transient", "cancelled", "superseded"]


@dataclass(frozen=True)
class Owner:
    """The process that holds a claim. Equal only when it is the very same process."""

    host: str
    boot: str
    pid: int
    start: str

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Owner":
        """Read the four fields out of a claim."""
        return cls(body["host"], body["boot"], body["pid"], body["start"])

    def body(self) -> dict[str, object]:
        """Give the four fields as a claim holds them."""
        return {"host": self.host, "boot": self.boot, "pid": self.pid, "start": self.start}

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@dataclass(frozen=True)
class Claim:
    """`runs/<model>/<key>/claim-<n>.json`: this process makes attempt n, and nobody else.

    `parts` is the run key's parts in the first claim (see `gitwf.delivery.keys`), else empty;
    `after` is the attempt that a later claim follows, and `reason` why; `lease` is in seconds.
    """

    model: str
    key: RunKey
    attempt: int
    version: int
    request: CommitId
    nonce: str
    owner: Owner
    at: Instant
    lease: float
    commit: CommitId
    reason: str = ""
    after: int | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"runs/{self.model}/{self.key}/claim-{self.attempt}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        body: dict[str, object] = {
            "version": self.version,
            "request": self.request,
            "nonce": self.nonce,
            **self.owner.body(),
            "at": self.at.precise(),
            "lease": self.lease,
            "commit": self.commit,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.after is not None:
            body["after"] = self.after
        if self.parts:
            body["parts"] = dict(self.parts)
        return body

    @classmethod
    def read(cls, model: str, key: str, attempt: int, body: Mapping[str, Any]) -> "Claim":
        """Read the file at its path."""
        return cls(
            model,
            RunKey(key),
            attempt,
            body["version"],
            CommitId(body["request"]),
            body["nonce"],
            Owner.read(body),
            Instant.parse(body["at"]),
            body["lease"],
            CommitId(body["commit"]),
            body.get("reason", ""),
            body.get("after"),
            body.get("parts", {}),
        )


@dataclass(frozen=True)
class Ended:
    """`runs/<model>/<key>/ended-<n>.json`: attempt n gave no result; not final for the key.

    `failed`: the step's own fault. `transient`: the engine's or the machine's. `superseded`: a
    newer request wanted another key. `cancelled`: given up for any other reason. `node`: the full
    name of the node whose log tells more, or "".
    """

    model: str
    key: RunKey
    attempt: int
    outcome: Outcome
    reason: str
    at: Instant
    node: str = ""

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"runs/{self.model}/{self.key}/ended-{self.attempt}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        node = {"node": self.node} if self.node else {}
        return {"outcome": self.outcome, "reason": self.reason, "at": self.at.precise(), **node}

    @classmethod
    def read(cls, model: str, key: str, attempt: int, body: Mapping[str, Any]) -> "Ended":
        """Read the file at its path."""
        at = Instant.parse(body["at"])
        told = (body["outcome"], body["reason"], at, body.get("node", ""))
        return cls(model, RunKey(key), attempt, *told)


@dataclass(frozen=True)
class Retry:
    """`runs/<model>/<key>/retry-<n>.json`: a person allows another attempt after attempt n."""

    model: str
    key: RunKey
    attempt: int
    who: str
    why: str
    at: Instant

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"runs/{self.model}/{self.key}/retry-{self.attempt}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {"who": self.who, "why": self.why, "at": self.at.precise()}

    @classmethod
    def read(cls, model: str, key: str, attempt: int, body: Mapping[str, Any]) -> "Retry":
        """Read the file at its path."""
        at = Instant.parse(body["at"])
        return cls(model, RunKey(key), attempt, body["who"], body["why"], at)


@dataclass(frozen=True)
class Result:
    """`runs/<model>/<key>/result.json`: the one accepted result of a key; success only.

    `digest` and `uri` are None for a pipeline without a model. `record` is the digest of the full
    run record in the store, `record_uri` where it is; `outputs` are the run's named parameters.
    """

    model: str
    key: RunKey
    attempt: int
    version: int
    commit: CommitId
    pipeline: str
    engine: str
    started: Instant
    finished: Instant
    digest: Digest | None = None
    uri: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    record: Digest | None = None
    record_uri: str | None = None

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"runs/{self.model}/{self.key}/result.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {
            "attempt": self.attempt,
            "version": self.version,
            "commit": self.commit,
            "pipeline": self.pipeline,
            "engine": self.engine,
            "started": self.started.precise(),
            "finished": self.finished.precise(),
            "digest": self.digest,
            "uri": self.uri,
            "metrics": dict(self.metrics),
            "parameters": dict(self.parameters),
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "record": self.record,
            "recordUri": self.record_uri,
        }

    @classmethod
    def read(cls, model: str, key: str, body: Mapping[str, Any]) -> "Result":
        """Read the file at its path."""
        return cls(
            model,
            RunKey(key),
            body["attempt"],
            body["version"],
            CommitId(body["commit"]),
            body["pipeline"],
            body["engine"],
            Instant.parse(body["started"]),
            Instant.parse(body["finished"]),
            Digest(body["digest"]) if body["digest"] else None,
            body["uri"],
            body["metrics"],
            body["parameters"],
            body["inputs"],
            body["outputs"],
            Digest(body["record"]) if body["record"] else None,
            body["recordUri"],
        )


@dataclass(frozen=True)
class Version:
    """`versions/<model>/<n>.json`: the number belongs to this key for ever."""

    model: str
    number: int
    key: RunKey

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"versions/{self.model}/{self.number}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {"key": self.key}


@dataclass(frozen=True)
class Retrain:
    """`retrain/<model>/<id>.json`: a person wants the model trained anew under this request."""

    model: str
    id: str
    request: CommitId
    who: str
    why: str
    at: Instant

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"retrain/{self.model}/{self.id}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {
            "request": self.request,
            "who": self.who,
            "why": self.why,
            "at": self.at.precise(),
        }

    @classmethod
    def read(cls, model: str, id_: str, body: Mapping[str, Any]) -> "Retrain":
        """Read the file at its path."""
        at = Instant.parse(body["at"])
        return cls(model, id_, CommitId(body["request"]), body["who"], body["why"], at)


Entry: TypeAlias = (
    Claim | Ended | Retry | Result | Version | Verdict | Released | RolledOut | Drifted | Retrain
)


def additions(*entries: Entry) -> Additions:
    """Give the files to write for `entries`: path -> JSON object."""
    return {entry.path: entry.body() for entry in entries}
