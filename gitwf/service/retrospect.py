"""What Git alone tells: versions, releases, differences, without any target, engine or store.

Reads the branch's head, its history and the ledger; nothing here knows whether anything runs. A
model whose pipeline is gone still has its history.
"""

from dataclasses import dataclass

from gitwf import ports
from gitwf.delivery import diff, history, release
from gitwf.delivery import facts as ledger_facts
from gitwf.errors import Rejected, Stalled
from gitwf.service import documents, past
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId


@dataclass(frozen=True)
class Story:
    """Everything about one model: its releases and its versions, newest first."""

    model: str
    releases: tuple[history.Row, ...]
    versions: tuple[history.VersionRow, ...]


class Retrospect:
    """Looks back from the branch's head."""

    def __init__(self, repo: ports.Repo, ledger: ports.Ledger) -> None:
        self._repo = repo
        self._past = past.Past(repo, documents.Documents(repo))
        self._ledger = ledger

    def models(self) -> tuple[str, ...]:
        """Every model that has a version or a release."""
        head = self._head()
        named = {
            path.split("/")[1]
            for path, _ in self._repo.files(head, release.FOLDER)
            if path.count("/") > 1
        }
        return tuple(sorted({*named, *self._ledger.facts().models()}))

    def story(self, model: str) -> Story:
        """Tell everything about a model. Stalled: there is no such model."""
        head, facts = self._head(), self._ledger.facts()
        places = self._places(head, model)
        rejected = self._rejected(head, model)
        versions = history.versions(model, places, rejected, facts)
        if not versions and not places:
            known = ", ".join(self.models()) or "there is none yet"
            raise Stalled(f"there is no model {model}", hint=f"models: {known}")
        return Story(model, history.releases(model, places, facts), versions)

    def diff(self, model: str, old: int, new: int) -> diff.Difference:
        """Compare two versions. Stalled: one of them has no result."""
        return diff.diff(model, old, new, self._ledger.facts())

    def facts(self) -> ledger_facts.Facts:
        """The ledger as it stands."""
        return self._ledger.facts()

    def _head(self) -> CommitId:
        head = self._repo.head()
        if head is None:
            raise Stalled("the branch has no commit yet", hint="push one; `gitwf init` writes one")
        return head

    def _places(self, head: CommitId, model: str) -> dict[str, history.Place]:
        folder = f"{release.FOLDER}/{model}"
        paths = [path for path, _ in self._repo.files(head, folder) if path.endswith(".yaml")]
        found = {
            path.removeprefix(f"{folder}/").removesuffix(".yaml"): (
                self._past.trail(head, path),
                self._past.release(head, path),
            )
            for path in paths
            if path != release.rejected_path(model)
        }
        return history.places(found)

    def _rejected(self, head: CommitId, model: str) -> frozenset[int]:
        path = release.rejected_path(model)
        source = self._repo.read(head, path)
        if source is None:
            return frozenset()
        try:
            found, _ = models.check(release.Rejections, yaml_reader.read_one(source, path))
        except Rejected:
            return frozenset()
        return found.numbers() if found is not None else frozenset()
