"""What Git alone tells: versions, releases, differences, without any target, engine or store.

Reads the branch's head, its history and the ledger; nothing here knows whether anything runs. A
model whose pipeline is gone still has its history.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitwf import ports
from gitwf.delivery import diff, fsck, history, release
from gitwf.delivery import facts as ledger_facts
from gitwf.errors import Rejected, Stalled
from gitwf.service import mainline
from gitwf.text import models, yaml_reader
from gitwf.values import CommitId, Instant


@dataclass(frozen=True)
class Story:
    """Everything about one model: its releases and its versions, newest first."""

    model: str
    releases: tuple[history.Row, ...]
    versions: tuple[history.VersionRow, ...]


class Retrospect:
    """Looks back from the branch's head and the ledger's tip as they are when it is made.

    `pipelines` names those of a commit, which matters only where nothing else is known of a model.
    Stalled: the ledger is not the one that the branch was made with; not so when `doubting`.
    """

    def __init__(
        self,
        repo: ports.Repo,
        ledger: ports.Ledger,
        pipelines: Callable[[CommitId], Collection[str]] = lambda _: (),
        *,
        doubting: bool = False,
    ) -> None:
        self._repo = repo
        self._pipelines = pipelines
        self._mainline = mainline.Mainline(repo)
        self.head = mainline.head(repo)
        self.facts = ledger.facts()
        self._lost = {stamp for stamp in self._stamps() if not ledger.contains(stamp)}
        if self._lost and not doubting:
            why, hint = ledger_facts.lost(self._lost)
            raise Stalled(why, hint=hint)

    @property
    def as_of(self) -> Instant:
        """When the head that is looked back from was committed."""
        return next(iter(self._repo.history(self.head))).time

    def models(self) -> tuple[str, ...]:
        """Every model that has a version or a release."""
        named = {model for model, _ in self._released()}
        return tuple(sorted({*named, *self.facts.models()}))

    def story(self, model: str) -> Story:
        """Tell everything about a model. Stalled: it has neither a version nor a pipeline."""
        places = self._places(model)
        versions = history.versions(model, places, self._rejected(model), self.facts)
        if not versions and not places and model not in self._pipelines(self.head):
            known = ", ".join(self.models()) or "there is none yet"
            raise Stalled(f"there is no model {model}", hint=f"models: {known}")
        return Story(model, history.releases(model, places, self.facts), versions)

    def diff(self, model: str, old: int, new: int) -> diff.Difference:
        """Compare two versions. Stalled: one of them has no result."""
        return diff.diff(model, old, new, self.facts)

    def misfits(self) -> Iterator[fsck.Finding]:
        """What does not fit between branch and ledger."""
        named = {
            (model, environment): place.trail
            for model in self.models()
            for environment, place in self._places(model).items()
        }
        return fsck.check(self.facts, named, self._lost)

    def unsound(self, store: ports.Store, scratch: Path) -> Iterator[fsck.Finding]:
        """The models of which the store does not have the bytes that the ledger has recorded."""
        for model in self.facts.models():
            for number in reversed(self.facts.numbers(model)):
                result = self.facts.result_of(model, number)
                if result is None or result.uri is None or result.digest is None:
                    continue
                try:
                    store.fetch(result.uri, result.digest, scratch / "model")
                except Stalled as error:
                    yield fsck.Finding(f"{model}@{number}", error.message, error.hint)

    def _released(self) -> Iterable[tuple[str, str]]:
        paths = (path for path, _ in self._repo.files(self.head, release.FOLDER))
        return filter(None, map(release.place, paths))

    def _stamps(self) -> Iterable[CommitId]:
        """The ledger commits that the release files at HEAD were made from."""
        for model, environment in self._released():
            named = self._mainline.release(self.head, release.path(model, environment))
            if named is not None and named.evidence is not None and named.evidence.ledger:
                yield CommitId(named.evidence.ledger)

    def _places(self, model: str) -> dict[str, history.Place]:
        found = {
            environment: (
                self._mainline.trail(self.head, release.path(model, environment)),
                self._mainline.release(self.head, release.path(model, environment)),
            )
            for name, environment in self._released()
            if name == model
        }
        return history.places(found)

    def _rejected(self, model: str) -> frozenset[int]:
        path = release.rejected_path(model)
        source = self._repo.read(self.head, path)
        if source is None:
            return frozenset()
        try:
            found, _ = models.check(release.Rejections, yaml_reader.read_one(source, path))
        except Rejected:
            return frozenset()
        return found.numbers() if found is not None else frozenset()
