"""The ledger as it was read: immutable facts, looked at through typed views.

`Facts` is one reading of the branch `gitwf/ledger`, path -> JSON object. A view parses only the
files it is asked for; one index over the folders serves them all, so that a ledger of thousands of
entries costs one cheap walk a pass. A fact is never changed and never taken away: a stale reading
lacks something, and so can only delay a decision. What stands in the files is in
`gitwf.delivery.entry`; who may add what is decided in `claiming`, `promotion` and `rollout`.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitwf.delivery import entry
from gitwf.errors import Stalled
from gitwf.values import CommitId, RunKey

_NUMBERED = re.compile(r"(?P<kind>claim|ended|retry)-(?P<attempt>[0-9]+)\.json")


@dataclass(frozen=True)
class Facts:
    """What the ledger holds at `commit` (None: the branch does not exist yet).

    Equal when they were read at the same commit with the same entries.
    """

    commit: CommitId | None
    entries: Mapping[str, Mapping[str, Any]]

    @functools.cached_property
    def _names(self) -> Mapping[str, Mapping[str, None]]:
        """The names right below each folder, each once, in no promised order."""
        names: dict[str, dict[str, None]] = {}
        for path in self.entries:
            folder, _, name = path.rpartition("/")
            while folder:
                below = names.setdefault(folder, {})
                if name in below:
                    break
                below[name] = None
                folder, _, name = folder.rpartition("/")
        return names

    def _below(self, *folder: object) -> Mapping[str, None]:
        return self._names.get("/".join(map(str, folder)), {})

    def _read(self, *path: object) -> Mapping[str, Any] | None:
        return self.entries.get("/".join(map(str, path)))

    def checked(self) -> "Facts":
        """Return self. Stalled when a newer gitwf wrote this ledger."""
        body = self.entries.get(entry.FORMAT_PATH)
        if body is not None and body.get("format", 0) > entry.FORMAT:
            raise Stalled(
                f"the ledger has format {body.get('format')}, this gitwf reads {entry.FORMAT}",
                hint="upgrade gitwf",
            )
        return self

    def models(self) -> tuple[str, ...]:
        """Every model that a number was ever allotted for, by name."""
        return tuple(sorted(self._below("versions")))

    # Runs

    def keys(self, model: str) -> tuple[RunKey, ...]:
        """Every run key of a model that was ever claimed, in no promised order."""
        return tuple(RunKey(name) for name in self._below("runs", model))

    def _numbered(self, model: str, key: str, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for name in self._below("runs", model, key):
            match = _NUMBERED.fullmatch(name)
            if match and match["kind"] == kind:
                yield int(match["attempt"]), self.entries[f"runs/{model}/{key}/{name}"]

    def claims(self, model: str, key: str) -> tuple[entry.Claim, ...]:
        """The claims of a key, by attempt."""
        found = sorted(self._numbered(model, key, "claim"), key=lambda row: row[0])
        return tuple(entry.Claim.read(model, key, *row) for row in found)

    def latest_claim(self, model: str, key: str) -> entry.Claim | None:
        """The claim whose owner may record the result, or None."""
        found = max(self._numbered(model, key, "claim"), key=lambda row: row[0], default=None)
        return entry.Claim.read(model, key, *found) if found else None

    def ended(self, model: str, key: str) -> tuple[entry.Ended, ...]:
        """The attempts of a key that gave no result, by attempt."""
        found = sorted(self._numbered(model, key, "ended"), key=lambda row: row[0])
        return tuple(entry.Ended.read(model, key, *row) for row in found)

    def end_of(self, claim: entry.Claim) -> entry.Ended | None:
        """How this attempt ended without a result, or None."""
        body = self._read("runs", claim.model, claim.key, f"ended-{claim.attempt}.json")
        if body is None:
            return None
        return entry.Ended.read(claim.model, claim.key, claim.attempt, body)

    def retries(self, model: str, key: str) -> tuple[entry.Retry, ...]:
        """The attempts after which a person allowed another, by attempt."""
        found = sorted(self._numbered(model, key, "retry"), key=lambda row: row[0])
        return tuple(entry.Retry.read(model, key, *row) for row in found)

    def result(self, model: str, key: str) -> entry.Result | None:
        """The accepted result of a key, or None."""
        body = self._read("runs", model, key, "result.json")
        return None if body is None else entry.Result.read(model, key, body)

    def has_result(self, model: str, key: str) -> bool:
        """Whether a key has an accepted result."""
        return f"runs/{model}/{key}/result.json" in self.entries

    def open_claims(self, model: str) -> tuple[entry.Claim, ...]:
        """The latest claims that neither ended nor gave a result: what may be running."""
        found = []
        for key in self._below("runs", model):
            names = self._below("runs", model, key)
            if "result.json" in names:
                continue
            latest = self.latest_claim(model, key)
            if latest is not None and f"ended-{latest.attempt}.json" not in names:
                found.append(latest)
        return tuple(found)

    def is_open(self, claim: entry.Claim) -> bool:
        """Whether this attempt may be running: the latest, not ended, no result."""
        if self.has_result(claim.model, claim.key) or self.end_of(claim) is not None:
            return False
        latest = self.latest_claim(claim.model, claim.key)
        return latest is not None and latest.attempt == claim.attempt

    def occasion(self, model: str, key: str) -> tuple[str, str | None]:
        """The base and the occasion that a claimed key was made of; ("", None) when unknown."""
        body = self._read("runs", model, key, "claim-1.json") or {}
        parts = body.get("parts", {})
        return parts.get("base", ""), parts.get("occasion")

    # Versions

    @functools.cached_property
    def _numbers(self) -> Mapping[str, tuple[int, ...]]:
        return {
            model: tuple(
                sorted((int(n[:-5]) for n in self._below("versions", model)), reverse=True)
            )
            for model in self._below("versions")
        }

    def numbers(self, model: str) -> tuple[int, ...]:
        """Every version number ever allotted, newest first."""
        return self._numbers.get(model, ())

    def versions(self, model: str) -> Mapping[int, RunKey]:
        """The key of every number ever allotted, newest first."""
        return {
            number: RunKey(self.entries[f"versions/{model}/{number}.json"]["key"])
            for number in self.numbers(model)
        }

    def key_of(self, model: str, version: int) -> RunKey | None:
        """The key that a number belongs to, or None."""
        body = self._read("versions", model, f"{version}.json")
        return None if body is None else RunKey(body["key"])

    def result_of(self, model: str, version: int) -> entry.Result | None:
        """The accepted result of a version, or None."""
        key = self.key_of(model, version)
        return None if key is None else self.result(model, key)

    # Verdicts, releases, rollouts, wishes

    def verdict(
        self, model: str, environment: str, version: int, gate: str
    ) -> entry.Verdict | None:
        """What the gates with this digest said of a version, or None."""
        body = self._read("verdicts", model, environment, version, f"{gate}.json")
        if body is None:
            return None
        return entry.Verdict.read(model, environment, version, gate, body)

    def verdicts(self, model: str, environment: str, version: int) -> tuple[entry.Verdict, ...]:
        """Every verdict on a version in an environment, by time."""
        folder = ("verdicts", model, environment, version)
        found = (
            self.verdict(model, environment, version, name[:-5]) for name in self._below(*folder)
        )
        return tuple(sorted(filter(None, found), key=lambda verdict: verdict.at))

    def releases(self, model: str, environment: str) -> tuple[entry.Released, ...]:
        """The mirrored release commits, by the time they were mirrored."""
        folder = f"releases/{model}/{environment}"
        found = (
            entry.Released.read(model, environment, name[:-5], self.entries[f"{folder}/{name}"])
            for name in self._below(folder)
        )
        return tuple(sorted(found, key=lambda release: (release.at, release.commit)))

    def released(self, model: str, environment: str, commit: str) -> entry.Released | None:
        """The mirror of one release commit, or None."""
        body = self._read("releases", model, environment, f"{commit}.json")
        return None if body is None else entry.Released.read(model, environment, commit, body)

    def rollout(
        self, model: str, environment: str, commit: str, version: int, viewer: str = ""
    ) -> entry.RolledOut | None:
        """How the rollout of a release ended, or of a later `viewer` under it; or None."""
        name = f"{version}-{viewer[:12]}" if viewer else str(version)
        body = self._read("rollouts", model, environment, commit, f"{name}.json")
        if body is None:
            return None
        return entry.RolledOut.read(model, environment, commit, name, body)

    def rollouts(self, model: str, environment: str) -> tuple[entry.RolledOut, ...]:
        """Every rollout that ended, by the time it ended."""
        found = [
            entry.RolledOut.read(
                model,
                environment,
                commit,
                name[:-5],
                self.entries[f"rollouts/{model}/{environment}/{commit}/{name}"],
            )
            for commit in self._below("rollouts", model, environment)
            for name in self._below("rollouts", model, environment, commit)
        ]
        return tuple(sorted(found, key=lambda rollout: (rollout.finished, rollout.commit)))

    def retrains(self, model: str) -> tuple[entry.Retrain, ...]:
        """The wishes to train anew, by time."""
        found = (
            entry.Retrain.read(model, name[:-5], self.entries[f"retrain/{model}/{name}"])
            for name in self._below("retrain", model)
        )
        return tuple(sorted(found, key=lambda wish: (wish.at, wish.id)))


EMPTY = Facts(None, {})


def adding(facts: Facts, *added: entry.Entry) -> entry.Additions:
    """Give the files to write for `added`; the first writer of a ledger also says its format."""
    additions = entry.additions(*added)
    if entry.FORMAT_PATH not in facts.entries:
        additions[entry.FORMAT_PATH] = {"format": entry.FORMAT}
    return additions


def lost(stamps: Iterable[str]) -> tuple[str, str]:
    """Say what is wrong with a ledger that lacks these commits, and the two ways out."""
    named = ", ".join(sorted(stamp[:8] for stamp in stamps))
    hint = (
        "push the lost gitwf/ledger back; to begin a new one instead, take `ledger:` out of the "
        "evidence in models/*/*.yaml"
    )
    return f"the ledger lacks what release files at HEAD were made from: {named}", hint
