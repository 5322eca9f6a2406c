"""Read everything a pass decides from, in the order that makes it safe.

Targets first, then the branch's head, then the ledger, then the rest at exactly that head: whoever
applies a release then knows that the target has not moved since before the release was read. An
environment that appears with the new head is asked after all, and the head is read once more.
"""

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gitwf import ports
from gitwf.delivery import action, entry, observed, release, schedule
from gitwf.delivery import facts as ledger_facts
from gitwf.errors import Diagnostic, Rejected
from gitwf.service import documents, edge, mainline, past, proposal, targets
from gitwf.values import CommitId, Instant

Places = frozenset[tuple[str, str]]
Document = TypeVar("Document", release.Release, release.Rejections)


@dataclass(frozen=True)
class Pass:
    """What was observed, and the documents that it was observed from."""

    at: documents.ProjectAt
    observed: observed.Observed

    def diagnostics(self) -> Sequence[Diagnostic]:
        """Everything that is wrong or doubtful in the documents, release files included."""
        released = [one for view in self.observed.models.values() for one in view.problems]
        return sorted({*self.at.diagnostics(), *released})


@dataclass(frozen=True)
class _Settled:
    """The models of which there was nothing to say at this head and with this ledger."""

    head: CommitId | None = None
    ledger: CommitId | None = None
    views: Mapping[str, observed.ModelView] = field(default_factory=dict)

    def at(self, head: CommitId, ledger: CommitId | None) -> dict[str, observed.ModelView]:
        """Give those of which there still is nothing to say."""
        return dict(self.views) if (head, ledger) == (self.head, self.ledger) else {}


class Observer:
    """Reads the ports into one `Observed`; keeps nothing but caches and heartbeats seen.

    `base`: the commit whose policy and gates rule, where the head is only proposed.
    """

    def __init__(
        self, around: edge.Edge, known_targets: targets.Targets, base: CommitId | None = None
    ) -> None:
        self._base = base
        self._edge = around
        self._targets = known_targets
        self.documents = documents.Documents(around.repo, around.kept)
        self.past = past.Past(around.repo, self.documents)
        self._released = functools.lru_cache(maxsize=2)(self._released_at)
        self._last: documents.ProjectAt | None = None
        self._beats: dict[str, tuple[str | None, float]] = {}
        self._applied: Mapping[tuple[str, str], Instant] = {}
        self._settled = _Settled()

    def observe(
        self,
        runs: Mapping[str, observed.Held],
        finished: Collection[str] = (),
        applied: Mapping[tuple[str, str], Instant] | None = None,
        *,
        reread: bool = False,
    ) -> Pass:
        """Read once. Rejected: gitwf.yaml is wrong. Stalled: the branch has no commit yet.

        `runs`, `finished`, `applied` (by model and environment): what this process has in hand.
        """
        self._applied = applied or {}
        serving, at = self._served_then_head()
        # What the project names must be reachable from here before anything is claimed for it.
        self._edge.store(at.project)
        self._edge.engine(at.project)
        facts = self._edge.ledger.facts()
        settled = self._settled.at(at.commit, facts.commit)
        for one in runs.values():
            settled.pop(one.claim.model, None)
        views = {
            name: settled.get(name) or self._model(at, one, serving)
            for name, one in at.pipelines.items()
        }
        seen = observed.Observed(
            head=at.commit,
            project=at.project,
            models=views,
            facts=facts,
            me=self._edge.me,
            nonce=self._edge.nonce(),
            lease=self._edge.lease,
            gone=self._gone(facts, views.keys() - settled.keys()),
            runs=dict(runs),
            finished=frozenset(finished),
            lost_stamps=self._lost(views.values()),
            reread=reread,
            left=self._left(at),
            strays=self._strays(at),
            settled=frozenset(settled),
        )
        return Pass(at, seen)

    def settle(self, seen: observed.Observed, planned: action.Plan) -> None:
        """Remember the models of which a plan says nothing, whatever time and target bring.

        Such a model is looked at again when the branch or the ledger has moved, or a run is in
        hand. What was read of documents is left for the next process too.
        """
        self.documents.keep(seen.head)
        told = {one.model for one in planned.actions}
        views = {
            name: view
            for name, view in seen.models.items()
            if name not in told
            and not view.environments
            and view.pipeline.spec.triggers.schedule is None
        }
        self._settled = _Settled(seen.head, seen.facts.commit, views)

    def _served_then_head(
        self,
    ) -> tuple[dict[tuple[str, str], tuple[ports.Serving | None, str]], documents.ProjectAt]:
        """What the targets serve, and the project at a head that was read after they were."""
        at = self._last or self._at_head()
        while True:
            asked = _places(at)
            serving = {
                (model, environment): self._targets.observe(at, model, environment)
                for model, environment in sorted(asked)
            }
            before = at
            at = self._last = self._at_head()
            if at is before or (_places(at) <= asked and _where(at) == _where(before)):
                return serving, at

    def _at_head(self) -> documents.ProjectAt:
        at = self.documents.at(mainline.head(self._edge.repo))
        return at if self._base is None else proposal.governed(at, self.documents.at(self._base))

    def _model(
        self,
        at: documents.ProjectAt,
        one: documents.PipelineAt,
        serving: Mapping[tuple[str, str], tuple[ports.Serving | None, str]],
    ) -> observed.ModelView:
        head, name = at.commit, one.document.name
        parts = self.documents.parts(head, name)
        problems = list(one.problems)
        views = [
            self._environment(at, one, environment, serving, problems)
            for environment in self._environments(at, one)
        ]
        rejected_source, rejected = self._rejected(head, name, problems)

        def request() -> observed.Request:
            return self.past.request(head, name)

        def due() -> Instant | None:
            wanted = one.document.spec.triggers.schedule
            # Most have none, and need not know since when they are wanted.
            now = self._edge.clock.now()
            return schedule.due(wanted, request().time, now) if wanted is not None else None

        errors = tuple(problem for problem in problems if problem.is_error)
        return observed.ModelView(
            name=name,
            file=one.file,
            pipeline=one.document,
            parts=parts or documents.NO_PARTS,
            request=request,
            environments=tuple(views),
            stretches=lambda: self.past.stretches(head, name),
            due=due,
            named=lambda: self.past.named(head, name),
            rejected=rejected,
            rejected_source=rejected_source,
            problems=errors,
        )

    def _environments(self, at: documents.ProjectAt, one: documents.PipelineAt) -> Iterable[str]:
        """Those it deploys to, then those that still have a release file."""
        deployed = [deploy.environment for deploy in one.document.spec.deploy]
        left = self._released(at.commit).get(one.document.name, ())
        return dict.fromkeys([*deployed, *left])

    def _left(self, at: documents.ProjectAt) -> Mapping[str, tuple[str, ...]]:
        """The environments of release files whose pipeline is gone, by model."""
        if at.problems:  # A pipeline that cannot be read is not gone, and may be any of these.
            return {}
        released = self._released(at.commit).items()
        return {model: left for model, left in released if model not in at.pipelines}

    def _strays(self, at: documents.ProjectAt) -> Mapping[edge.Place, str]:
        """The viewers that run here and that HEAD does not name, by model and environment."""
        if at.problems:  # A pipeline that cannot be read is not gone.
            return {}
        known = at.project.spec.environments
        return self._edge.strays([one for one in _places(at) if known[one[1]].local is not None])

    def _released_at(self, commit: CommitId) -> Mapping[str, tuple[str, ...]]:
        """The environments that have a release file, by model."""
        found: dict[str, tuple[str, ...]] = {}
        for path, _ in self._edge.repo.files(commit, release.FOLDER):
            place = release.place(path)
            if place is not None:
                found[place[0]] = (*found.get(place[0], ()), place[1])
        return found

    def _environment(
        self,
        at: documents.ProjectAt,
        one: documents.PipelineAt,
        environment: str,
        serving: Mapping[tuple[str, str], tuple[ports.Serving | None, str]],
        problems: list[Diagnostic],
    ) -> observed.EnvironmentView:
        head, model = at.commit, one.document.name
        path = release.path(model, environment)
        source = self._edge.repo.read(head, path)
        named = _checked(release.load, source, path, problems)
        deploy = one.document.deploy(environment)
        served, unreachable = serving.get((model, environment), (None, ""))
        viewer = self.documents.viewer(head, one, deploy) if deploy is not None else ""
        return observed.EnvironmentView(
            name=environment,
            deploy=deploy,
            source=source,
            release=named,
            trail=lambda: self.past.trail(head, path),
            serving=served,
            rollout=self._rollout(at, model, environment, named, served, viewer),
            applied=self._applied.get((model, environment)),
            viewer=viewer,
            known=served is None
            or served.release is None
            or self.past.contains(head, served.release),
            unreachable=unreachable,
        )

    def _rollout(
        self,
        at: documents.ProjectAt,
        model: str,
        environment: str,
        named: release.Release | None,
        served: ports.Serving | None,
        viewer: str,
    ) -> ports.Rollout | None:
        """How the rollout of HEAD's release goes, where that is what the target was told last."""
        if named is None or served is None or served.release is None:
            return None
        last = self.past.trail(at.commit, release.path(model, environment)).last
        if last is None or last.commit != served.release or served.viewer != viewer:
            return None
        wanted = self._targets.served(at, model, environment, named, last.commit, viewer)
        if wanted is None:
            return None
        return self._targets.get(at, model, environment).progress(wanted)

    def _rejected(
        self, head: CommitId, model: str, problems: list[Diagnostic]
    ) -> tuple[bytes | None, frozenset[int]]:
        path = release.rejected_path(model)
        source = self._edge.repo.read(head, path)
        found = _checked(release.load_rejections, source, path, problems)
        return source, found.numbers() if found is not None else frozenset()

    def _gone(self, facts: ledger_facts.Facts, views: Iterable[str]) -> dict[str, str]:
        """The claims whose owner is dead, or has not moved its heartbeat for a whole lease."""
        gone: dict[str, str] = {}
        for model in views:
            for claim in facts.open_claims(model):
                if claim.owner == self._edge.me:
                    continue
                if self._edge.known_dead(claim.owner):
                    gone[claim.nonce] = f"{claim.owner} is gone"
                elif claim.owner.host != self._edge.me.host and self._silent(claim):
                    gone[claim.nonce] = f"no heartbeat of {claim.owner} for {claim.lease:.0f} s"
        return gone

    def _silent(self, claim: entry.Claim) -> bool:
        """Whether this process has watched a claim's heartbeat stand still for its lease."""
        now = self._edge.clock.monotonic()
        value = self._edge.ledger.heartbeat(claim.nonce)
        seen, since = self._beats.get(claim.nonce, (None, now))
        if claim.nonce not in self._beats or seen != value:
            self._beats[claim.nonce] = (value, now)
            return False
        return now - since >= claim.lease

    def _lost(self, views: Iterable[observed.ModelView]) -> frozenset[str]:
        """The ledger commits that releases at HEAD were made from and the ledger does not hold."""
        stamps = {
            one.release.evidence.ledger
            for view in views
            for one in view.environments
            if one.release is not None and one.release.evidence is not None
        }
        return frozenset(
            stamp for stamp in stamps if stamp and not self._edge.ledger.contains(CommitId(stamp))
        )


def _where(at: documents.ProjectAt) -> object:
    """What targets are made of."""
    deploys = {name: one.document.spec.deploy for name, one in at.pipelines.items()}
    return at.project.spec.environments, deploys


def _places(at: documents.ProjectAt) -> Places:
    return frozenset(
        (name, deploy.environment)
        for name, one in at.pipelines.items()
        for deploy in one.document.spec.deploy
        if deploy.environment in at.project.spec.environments
    )


def _checked(
    load: Callable[[bytes, str], Document],
    source: bytes | None,
    path: str,
    problems: list[Diagnostic],
) -> Document | None:
    """Read a document that may be missing; what is wrong with it joins `problems`."""
    if source is None:
        return None
    try:
        return load(source, path)
    except Rejected as error:
        problems += error.diagnostics
        return None
