"""The ledger's entries about releases: what gates said, what was released, how it rolled out.

Rows of the same table as those of `gitwf.delivery.entry`, and read through it: a verdict for each
version and gate text, a mirror of each release commit, the end of each rollout, and each drift that
was seen at a target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gitwf.values import CommitId, Instant

Kind = Literal["promote", "rollback", "person"]


@dataclass(frozen=True)
class Verdict:
    """`verdicts/<model>/<environment>/<version>/<gate digest>.json`: given once, never again.

    `gates` are (expression, passed, words) in order; `metrics` the numbers they were asked of;
    `compared` the version that `current` stood for, or None.
    """

    model: str
    environment: str
    version: int
    gate: str
    passed: bool
    gates: tuple[tuple[str, bool, str], ...]
    metrics: Mapping[str, Any]
    compared: int | None
    at: Instant

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"verdicts/{self.model}/{self.environment}/{self.version}/{self.gate}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        gates = [{"gate": text, "passed": ok, "words": words} for text, ok, words in self.gates]
        return {
            "passed": self.passed,
            "gates": gates,
            "metrics": dict(self.metrics),
            "compared": self.compared,
            "at": self.at.precise(),
        }

    @classmethod
    def read(
        cls, model: str, environment: str, version: int, gate: str, body: Mapping[str, Any]
    ) -> "Verdict":
        """Read the file at its path."""
        gates = tuple((row["gate"], row["passed"], row["words"]) for row in body["gates"])
        at = Instant.parse(body["at"])
        return cls(
            model,
            environment,
            version,
            gate,
            body["passed"],
            gates,
            body["metrics"],
            body["compared"],
            at,
        )

    @property
    def words(self) -> str:
        """Say which gates failed, with the numbers; "" when all passed."""
        return "; ".join(words for _, ok, words in self.gates if not ok)


@dataclass(frozen=True)
class Released:
    """`releases/<model>/<environment>/<release commit>.json`: the mirror of a release commit.

    `request` is "" when nobody saw which request a person's older commit belonged to.
    """

    model: str
    environment: str
    commit: CommitId
    request: str
    version: int | None
    kind: Kind
    who: str
    at: Instant

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"releases/{self.model}/{self.environment}/{self.commit}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {
            "request": self.request,
            "version": self.version,
            "kind": self.kind,
            "who": self.who,
            "at": self.at.precise(),
        }

    @classmethod
    def read(cls, model: str, environment: str, commit: str, body: Mapping[str, Any]) -> "Released":
        """Read the file at its path."""
        return cls(
            model,
            environment,
            CommitId(commit),
            body["request"],
            body["version"],
            body["kind"],
            body["who"],
            Instant.parse(body["at"]),
        )


@dataclass(frozen=True)
class RolledOut:
    """`rollouts/<model>/<environment>/<release commit>/<version>.json`: how its rollout ended.

    `viewer` is the tree id of the viewer that was rolled out with it. A later viewer under the same
    release has a fact of its own, `<version>-<first 12 digits of the viewer's id>.json`: it says
    something about the viewer and nothing about the model.
    """

    model: str
    environment: str
    commit: CommitId
    version: int
    ok: bool
    reason: str
    viewer: str
    started: Instant
    finished: Instant
    later: bool = False

    @property
    def path(self) -> str:
        """Where it stands."""
        name = f"{self.version}-{self.viewer[:12]}" if self.later else str(self.version)
        return f"rollouts/{self.model}/{self.environment}/{self.commit}/{name}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        return {
            "ok": self.ok,
            "reason": self.reason,
            "viewer": self.viewer,
            "started": self.started.precise(),
            "finished": self.finished.precise(),
        }

    @classmethod
    def read(
        cls, model: str, environment: str, commit: str, name: str, body: Mapping[str, Any]
    ) -> "RolledOut":
        """Read the file at its path."""
        version, _, later = name.partition("-")
        return cls(
            model,
            environment,
            CommitId(commit),
            int(version),
            body["ok"],
            body["reason"],
            body["viewer"],
            Instant.parse(body["started"]),
            Instant.parse(body["finished"]),
            bool(later),
        )


@dataclass(frozen=True)
class Drifted:
    """`drift/<model>/<environment>/<release commit>/<revision>.json`: what others made of a target.

    `fields`: each field's name, who set it and the value it had; `healed`: whether the release was
    then applied anew. `revision` is the target's when it was seen.
    """

    model: str
    environment: str
    commit: CommitId
    revision: str
    fields: tuple[Mapping[str, str], ...]
    healed: bool
    at: Instant

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"drift/{self.model}/{self.environment}/{self.commit}/{self.revision}.json"

    def body(self) -> dict[str, object]:
        """Give the file's JSON."""
        fields = [dict(one) for one in self.fields]
        return {"fields": fields, "healed": self.healed, "at": self.at.precise()}

    @classmethod
    def read(
        cls, model: str, environment: str, commit: str, revision: str, body: Mapping[str, Any]
    ) -> "Drifted":
        """Read the file at its path."""
        return cls(
            model,
            environment,
            CommitId(commit),
            revision,
            tuple(body["fields"]),
            body["healed"],
            Instant.parse(body["at"]),
        )
